"""One row of quarantine that nobody can read: every page is there, and what the others hold goes in its time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.quarantine import described
from shared.engine.quarantine import KEPT
from shared.ports.stores import Row
from shared.state.inbox import SetAside
from shared.state.names import ACCOUNTS, INBOX, QUARANTINE, REPLAYED
from tests.engine.test_personal import CHIEF, MARIE
from tests.engine.village import Village
from tests.web.support import EVERYWHERE, VIEWER, Browser

NAMED = b'{"guest": "Marie Dupont"}'


@pytest.fixture
def village() -> Iterator[Village]:
    """One row as it should be, and two odd ones, of which one holds a guest's name."""
    built = Village()
    built.run(built.engine.world.inbox.quarantine("fine", "airbnb", "odd", NAMED, SetAside.WEBHOOK))
    for name, values in (("soon", {"at": "soon", "raw": NAMED}), ("five", {"source": 5, "reason": "r"})):
        built.run(built.tables.upsert(INBOX, Row(QUARANTINE, name, {**values})))
    built.run(built.tables.upsert(INBOX, Row(REPLAYED, "soon", {"at": "soon"})))
    yield built
    built.close()


def bodies(village: Village) -> dict[str, bytes]:
    rows = village.run(village.tables.query(INBOX, QUARANTINE))
    return {row.key: bytes(row.values.get("raw", b"")) for row in rows}  # type: ignore[arg-type]


def nights_pass(village: Village, days: int) -> None:
    village.clock.advance(timedelta(days=days))
    village.run(village.engine.on_timer_deep())


def test_it_hides_no_page_and_is_listed_with_the_others(village: Village) -> None:
    """A single one used to answer the first page and the messages with an error, for everybody."""
    for browser in (Browser(village.engine, village.run, one) for one in (EVERYWHERE, VIEWER)):
        for page in ("/", "/messages", "/api/today", "/api/quarantine"):
            assert browser.get(page).status == 200, page
    first = Browser(village.engine, village.run, EVERYWHERE).get("/api/quarantine").body
    whys = sorted(row["reason"] for row in json.loads(first)["quarantine"])
    assert whys == ["odd", "this row cannot be read", "this row cannot be read"]
    rows = village.run(village.engine.world.inbox.quarantined())
    assert "  why     this row cannot be read" in list(described(rows))


def test_it_is_tried_again_by_nobody(village: Village) -> None:
    browser = Browser(village.engine, village.run, EVERYWHERE)
    shown = json.loads(browser.get("/api/quarantine").body)["quarantine"]
    odd = next(row["id"] for row in shown if row["reason"] != "odd")
    answer = browser.post(f"/api/quarantine/{odd}/replay", {})
    assert answer.status == 409
    assert b"cannot be read" in answer.body


def test_an_account_nobody_can_read_hides_no_page_of_quarantine(village: Village) -> None:
    stay = village.engine.world.inbox.quarantine("a~b", "airbnb", "odd", b"", SetAside.STAY)
    village.run(stay)
    village.run(village.tables.upsert(ACCOUNTS, Row("airbnb", "account", {"secrets": 5})))
    village.restart()
    assert Browser(village.engine, village.run, VIEWER).get("/messages").status == 200


def test_names_go_in_their_time_and_the_odd_rows_own_at_once(village: Village) -> None:
    """One odd row used to end the nightly round, so that a name beside it was kept for ever."""
    nights_pass(village, 1)
    assert bodies(village) == {"fine": NAMED, "soon": b"", "five": b""}, "nobody can say how old it is"
    nights_pass(village, 31)
    assert bodies(village) == {"fine": b"", "soon": b"", "five": b""}
    nights_pass(village, KEPT.days)
    assert bodies(village) == {}


def test_a_name_in_an_odd_row_is_found_and_erased(village: Village) -> None:
    found = village.run(village.engine.personal.find(CHIEF, MARIE))
    assert sorted(one.id for one in found.bodies) == ["fine", "soon"]
    assert village.run(village.engine.personal.erase(CHIEF, MARIE)).bodies == 2
    assert set(bodies(village).values()) == {b""}
