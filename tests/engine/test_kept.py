"""The list of what is kept about people is true: a world full of marked names, addresses and notes is written, and
every place where a mark stands is on the list. After an erasure none is left but where the list says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.domain.access import Person, Role
from shared.domain.dates import StayDates
from shared.domain.kept import KEPT, KEY, said
from shared.domain.personal import Sought
from shared.domain.portfolio import Owner
from shared.domain.targets import Way
from shared.engine.notice_desk import NoticeDesk
from shared.engine.personal import KEPT_DAYS
from shared.ports.people import Notice
from shared.state.inbox import SetAside
from shared.state.later import LaterStore
from shared.state.people import PeopleStore
from shared.state.told import Told
from tests.engine.test_notice_desk import FORM
from tests.engine.test_personal import CHIEF, clash
from tests.engine.test_personal import village as village
from tests.engine.village import Sold, Village

GUEST, UID, NOTE, BODY, USER = "Marie", "zz-uid-name", "zz-note", "zz-body", "zz-user@example.org"
MARKS = (GUEST, UID, NOTE, BODY, USER)
PAGE = Path(__file__).parents[2] / "docs" / "personal-data.md"
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))


@pytest.fixture
def crowded(village: Village) -> Village:
    """Somebody marked in every way there is to write them down."""
    world = village.engine.world
    person = Person(USER, {"owner": Role.OPERATOR, **CHIEF.roles})
    owners = [Owner("owner", USER, Role.OPERATOR, USER)]
    village.run(world.owners.put(owners))
    village.run(PeopleStore(world.tables).put(owners))
    clash(village, note=f"{GUEST} {NOTE}")
    village.greengo.calendar.sold[UID] = Sold(UID, AUGUST, 1)
    village.run(village.poll_greengo())
    village.run(village.drain())
    village.run(world.inbox.put("airbnb", f"{GUEST} {BODY}".encode()))
    village.run(
        world.inbox.quarantine("q", "airbnb", "no sense", f"{GUEST} {BODY}".encode(), SetAside.WEBHOOK)
    )
    desk = NoticeDesk(replace(world, ways=frozenset(Way)))
    village.run(desk.choose(person, FORM))
    now = village.clock.now()
    village.run(world.told.put(Told(Notice("test", "k", "info", {"fr": "Essai."}, to=USER), now)))
    notice = Notice("new_stay", "k", "info", {"fr": "Nouveau."}, "owner")
    village.run(LaterStore(world.tables).put(USER, now + timedelta(hours=1), now, notice))
    (conflict,) = village.run(world.sites.load("gite")).conflicts
    village.run(village.engine.decisions.acknowledge("gite", conflict, USER))
    return village


def places(village: Village) -> Iterator[tuple[str, str, str, str, str]]:
    """Every column, and every key, that holds a mark: table, partition, key, column, mark."""
    for (table, partition), rows in village.tables._partitions.items():
        for key, stored in rows.items():
            texts = {KEY: f"{partition} {key}", **{name: str(value) for name, value in stored.values.items()}}
            for column, text in texts.items():
                for mark in MARKS:
                    if mark.lower() in text.lower():
                        yield table, partition, key, column, mark


def is_listed(table: str, partition: str, key: str, column: str) -> bool:
    """Whether some entry names this column of this row, or the row's key; a table's name counts in any case."""
    return any(
        place.table.lower() == table.lower()
        and partition.startswith(place.partition)
        and key.startswith(place.key)
        and (place.column == column or (place.column == "*" and column != KEY))
        for one in KEPT
        for place in one.places
    )


def test_every_place_where_a_person_stands_is_on_the_list(crowded: Village) -> None:
    found = list(places(crowded))
    assert {mark for *_, mark in found} == set(MARKS), "each mark was written somewhere"
    unlisted = {
        (t, p, k[:2], column, mark) for t, p, k, column, mark in found if not is_listed(t, p, k, column)
    }
    assert unlisted == set()


def test_guests_names_stand_where_the_list_says_and_nowhere_else(crowded: Village) -> None:
    """A name, and not only a number: in three columns, and no row of another kind."""
    found = {
        (t, p.split("~")[0] or p, k[:2] if t == "sites" else "", column)
        for t, p, k, column, mark in places(crowded)
        if mark == GUEST
    }
    assert found == {
        ("sites", "gite", "d|", "guest"),
        ("sites", "gite", "g|", "decided_note"),
        ("inbox", "airbnb", "", "body"),
        ("inbox", "~quarantine", "", "raw"),
    }


def test_after_an_erasure_a_guest_stands_nowhere_but_where_it_is_said(crowded: Village) -> None:
    """Left: the body that waits to be worked off, and the UID of a stay that is still there."""
    crowded.run(crowded.engine.personal.erase(CHIEF, Sought(GUEST)))
    assert {(t, column) for t, _, _, column, mark in places(crowded) if mark == GUEST} == {("inbox", "body")}
    assert NOTE not in {mark for *_, mark in places(crowded)}


def test_every_entry_of_the_list_is_one_the_page_can_show() -> None:
    names = [one.name for one in KEPT]
    assert len(names) == len(set(names))
    for one in KEPT:
        for text in (one.what, one.why, one.long):
            assert set(text) == {"fr", "en"}
            assert all(said(text[language], 30) for language in text)


def test_the_document_says_what_the_list_says() -> None:
    """docs/personal-data.md has one row for each entry, in its words, with the days that hold by default."""
    written = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for language in ("fr", "en"):
        wanted = {
            tuple(said(text[language], KEPT_DAYS) for text in (one.what, one.why, one.long)) for one in KEPT
        }
        assert wanted <= set(written), wanted - set(written)
