"""One account whose row nobody can read: every page is there, says it of that account, and claims nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shared.domain.platform import GREENGO
from shared.engine.engine import SyncEngine
from shared.ports.stores import Row
from shared.state import names
from tests.engine.stories import JULY, polled
from tests.engine.village import HOME, Village
from tests.web.support import Browser


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    built.run(built.tables.upsert(names.ACCOUNTS, Row("airbnb", "account", {"secrets": 5})))
    built.restart()
    built.book(GREENGO, JULY)
    polled(built)
    yield built
    built.close()


def test_it_hides_no_page_and_what_must_be_closed_there_is_asked_of_a_person(village: Village) -> None:
    browser = Browser(village.engine, village.run)
    for page in ("/calendar", f"/calendar/{HOME}", "/channels", "/api/runs", "/links"):
        assert browser.get(page).status == 200, page
    first = browser.get("/").body.decode()
    assert "ne peut pas être lu" in first
    today = json.loads(browser.get("/api/today").body)
    assert today["checked"] is None, "nobody knows how old what it last said is"
    status = json.loads(browser.get("/api/status").body)
    (one,) = (row for row in status["close_by_hand"] if row["platform"] == "airbnb")
    assert one["why"] == "its row cannot be read"
    assert [row["id"] for row in status["accounts"] if row["platform"] == "airbnb"] == []


def test_nights_of_its_listings_are_said_not_to_be_sent(village: Village) -> None:
    state = village.run(village.engine.world.sites.load(HOME))
    silent = village.run(village.engine.modes.silent(state))
    assert silent == {f"{HOME}-airbnb": "its row cannot be read"}


def test_a_job_for_everything_asks_the_others_and_fails_there_by_name(village: Village) -> None:
    before = village.booking.asked["poll"]
    result = village.run(SyncEngine(village.engine, {}).sync_all_platforms())
    assert not result.succeeded
    assert [error for error in result.errors if "airbnb" in error] == list(result.errors) != []
    assert village.booking.asked["poll"] > before
