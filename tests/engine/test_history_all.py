"""The records of several sites as one: in order, without a gap or a line twice, whatever a page holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.model import SiteState
from shared.domain.portfolio import Home
from shared.domain.record import Kind
from shared.domain.spoken import Names
from shared.engine.history_all import MOST_LOOKED, Lines, Place, Records, Search, Told, _Stretch, merged
from shared.state.history import Entry
from shared.state.sites import Changes
from tests.engine.hamlet import Hamlet

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def hamlet() -> Iterator[Hamlet]:
    """Three homes; what happened in them lies interleaved, hour by hour."""
    built = Hamlet([Home(name, f"Le {name}", "owner") for name in ("a", "b", "c")])
    for hour in range(40):
        site = "abc"[hour % 3] if hour < 30 else "a"
        state = built.run(built.engine.world.sites.load(site))
        by = "person Claire" if hour % 2 else "policy"
        lines = [
            {"at": (START + (hour + 1) * HOUR).isoformat(), "by": by, "kind": "person", "what": f"{hour}-{n}"}
            for n in range(3)
        ]
        listing = next(iter(state.listings.values()))
        news = Changes(listings=[replace(listing, observed=listing.observed + 1)], history=lines)
        built.run(built.engine.world.sites.commit(state, news))
    yield built
    built.close()


def states(hamlet: Hamlet) -> list[SiteState]:
    return [hamlet.run(hamlet.engine.world.sites.load(site)) for site in "abc"]


def newest(hamlet: Hamlet, search: Search, limit: int = 50) -> Lines:
    async def look() -> Lines:
        return await Records(hamlet.engine.world).newest(found, search, limit)

    found = states(hamlet)
    return hamlet.loop.run_until_complete(look())


def told(lines: Lines) -> list[str]:
    return [one.entry.words["what"] for one in lines.told]


PEOPLE = frozenset({Kind.PERSON})
EVERY = [f"{hour}-{n}" for hour in reversed(range(40)) for n in reversed(range(3))]


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 119, 120, 500])
def test_pages_of_any_size_give_every_line_once_and_in_order(hamlet: Hamlet, limit: int) -> None:
    found, place = list[str](), None
    for _ in range(200):
        page = newest(hamlet, Search(kinds=PEOPLE, before=place), limit)
        assert len(page.told) <= limit
        found += told(page)
        place = page.next
        if place is None:
            break
    assert found == EVERY


def test_a_home_a_person_and_days_are_looked_for_alone(hamlet: Hamlet) -> None:
    assert told(newest(hamlet, Search("b", PEOPLE), 500)) == [
        one for one in EVERY if int(one.split("-")[0]) in range(1, 30, 3)
    ]
    claires = told(newest(hamlet, Search(kinds=PEOPLE, who="cLAIR"), 500))
    assert claires == [one for one in EVERY if int(one.split("-")[0]) % 2]
    second = date(2027, 3, 2)
    there = told(newest(hamlet, Search(kinds=PEOPLE, first=second, last=second), 500))
    hours = [
        h for h in range(40) if (START + (h + 1) * HOUR + HOUR).date() == second
    ]  # Paris, one hour ahead
    assert there == [one for one in EVERY if int(one.split("-")[0]) in hours]
    assert told(newest(hamlet, Search(kinds=PEOPLE, first=date(2027, 4, 1)))) == []
    assert told(newest(hamlet, Search(kinds=PEOPLE, last=date(2027, 2, 1)))) == []


def test_a_search_that_finds_little_ends_and_says_from_where_to_go_on(hamlet: Hamlet) -> None:
    """A site of thousands of commits is not read to its end for one page."""
    state = hamlet.run(hamlet.engine.world.sites.load("c"))
    at = START + 100 * HOUR
    for number in range(MOST_LOOKED + 300):
        listing = next(iter(state.listings.values()))
        line = {
            "at": (at + timedelta(seconds=number)).isoformat(),
            "by": "policy",
            "kind": "fact",
            "what": "x",
        }
        news = Changes(listings=[replace(listing, observed=listing.observed + 1)], history=[line])
        hamlet.run(hamlet.engine.world.sites.commit(state, news))
        state = hamlet.run(hamlet.engine.world.sites.load("c"))
    first = newest(hamlet, Search(kinds=PEOPLE))
    assert first.told == ()
    assert first.next is not None
    found, place = list[str](), first.next
    while place is not None:
        page = newest(hamlet, Search(kinds=PEOPLE, before=place), 500)
        found, place = found + told(page), page.next
    assert found == EVERY


def test_a_place_is_read_as_it_was_written() -> None:
    place = Place(START + timedelta(microseconds=7), "a_b é|", 12, 3)
    assert Place.parse(str(place)) == place
    for wrong in (
        "",
        "x",
        "2027_1_2_a",
        "2027-03-01T08:00:00+00:00_x_2_a",
        "_1_2_",
        "2027-03-01_1_2_a",
        "9999-12-31T23:59:59.999999+00:00_1_2_a",
    ):
        assert Place.parse(wrong) is None


def stretch(site: str, instants: list[int], reached: int | None) -> _Stretch:
    lines = [
        Told(Place(START + n * HOUR, site, n, 0), Entry(n, 0, {"what": str(n)}), Names())
        for n in sorted(instants, reverse=True)
        if reached is None or n >= reached
    ]
    return _Stretch(tuple(lines), None if reached is None else START + reached * HOUR)


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 30), unique=True), st.none() | st.integers(0, 30)), max_size=4
    ),
    st.integers(1, 10),
)
@settings(max_examples=200)
def test_no_line_is_told_before_a_newer_one_that_was_not_looked_at(
    sites: list[tuple[list[int], int | None]], limit: int
) -> None:
    found = [stretch(str(n), instants, reached) for n, (instants, reached) in enumerate(sites)]
    page = merged(found, limit)
    ranks = [one.place.rank for one in page.told]
    assert ranks == sorted(ranks, reverse=True)
    assert len(ranks) <= limit
    for site, reached in ((one, one.reached) for one in found):
        for told_one in page.told:
            assert reached is None or told_one.place.at >= reached
        if page.next is None:
            assert {one.place for one in site.told} <= {one.place for one in page.told}
