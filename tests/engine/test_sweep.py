"""The sweep over many stays finds what the detector of one site finds, pair by pair."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conflicts import ConflictDetector, overlaps_any
from shared.domain.dates import StayDates
from shared.domain.model import Busy, Property, Site, Status
from shared.domain.occupancy import Occupancy
from shared.engine.sweep import clashing_pairs, overlapping

NOW = datetime(2027, 3, 1, tzinfo=UTC)
FIRST = date(2027, 7, 1)
HOMES = {
    home: Property(home, home, frozenset(rooms.split()))
    for home, rooms in {"house": "up down", "upper": "up", "lower": "down", "hut": "hut"}.items()
}
SITE = Site("site", "owner", HOMES, dict.fromkeys(("up", "down", "hut"), 1))

DATES = st.builds(
    lambda start, nights: StayDates.of_nights(FIRST + timedelta(days=start), nights),
    st.integers(0, 12),
    st.one_of(st.integers(1, 4), st.just(14)),
)
STAYS = st.builds(
    Occupancy,
    st.integers(0, 30).map(lambda number: f"cause{number:02}"),
    st.sampled_from(["airbnb", "booking", "greengo"]),
    st.sampled_from(list(HOMES.values())),
    DATES,
    st.sampled_from(Busy),
    st.just(Status.CONFIRMED),
    st.just(NOW),
    st.booleans(),
)
ROWS = st.tuples(st.integers(0, 2), st.integers(-3, 12), st.integers(1, 14))


def stay(cause: str, start: int, nights: int, home: str = "hut", listing: str = "") -> Occupancy:
    dates = StayDates.of_nights(FIRST + timedelta(days=start), nights)
    return Occupancy(cause, listing or cause, HOMES[home], dates, Busy.STAY, Status.CONFIRMED, NOW)


@given(st.lists(STAYS, max_size=25))
def test_the_pairs_are_those_of_the_detector(stays: list[Occupancy]) -> None:
    found = clashing_pairs(stays)
    conflicts = ConflictDetector().detect_overlapping_bookings(SITE, stays, NOW)
    detected = {frozenset(clash.conflicting_bookings) for clash in conflicts.values()}
    assert {frozenset({stays[one].cause, stays[other].cause}) for one, other in found} == detected
    assert found == sorted(set(found))
    assert all(one < other for one, other in found)


@given(st.lists(ROWS, max_size=40))
def test_columns_give_every_pair_once(rows: list[tuple[int, int, int]]) -> None:
    units, starts, lengths = zip(*rows, strict=True) if rows else ((), (), ())
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    first, second = overlapping(units, starts, ends)
    expected = {
        (one, other) if (starts[one], one) <= (starts[other], other) else (other, one)
        for one, other in combinations(range(len(rows)), 2)
        if units[one] == units[other] and starts[one] < ends[other] and starts[other] < ends[one]
    }
    found = list(zip(first.tolist(), second.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_one_stay_that_covers_all_others_clashes_with_each() -> None:
    season = stay("season", 0, 100)
    short = [stay(f"short{number}", 3 * number, 2) for number in range(30)]
    assert clashing_pairs([*short, season]) == [(number, 30) for number in range(30)]


def test_a_stay_in_between_does_not_hide_the_long_one_before_it() -> None:
    """Comparing each stay with the previous one alone would find the first pair and miss the second."""
    assert clashing_pairs([stay("long", 0, 10), stay("inside", 1, 2), stay("late", 7, 2)]) == [(0, 1), (0, 2)]


def test_stays_that_touch_or_stand_in_other_homes_do_not_clash() -> None:
    assert clashing_pairs([stay("one", 0, 3), stay("next", 3, 3), stay("elsewhere", 1, 2, "upper")]) == []


def test_a_house_clashes_with_each_of_its_rooms_once_and_the_rooms_do_not_with_each_other() -> None:
    stays = [stay("up", 0, 3, "upper"), stay("whole", 1, 3, "house"), stay("down", 2, 3, "lower")]
    assert clashing_pairs(stays) == [(0, 1), (1, 2)]
    assert clashing_pairs([stay("whole", 1, 3, "house"), stay("twice", 2, 3, "house")]) == [(0, 1)]


def test_nothing_is_no_clash() -> None:
    assert clashing_pairs([]) == []
    assert [column.tolist() for column in overlapping([], [], [])] == [[], []]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (([0, 0], [1, 5], [2, 5]), "ends, row 1: a stay needs at least one night"),
        (([0, -1], [1, 1], [2, 2]), "units, row 1: a unit is a number from 0 on"),
        (([0, 0], [1], [2, 2]), "not three columns of one length"),
        (([2**40], [0], [2**30]), "too much for a 64-bit key"),
    ],
)
def test_a_column_that_cannot_be_right_is_named(
    columns: tuple[list[int], list[int], list[int]], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        overlapping(*columns)


def test_more_pairs_than_any_calendar_has_are_refused_before_they_are_made() -> None:
    size = 100_000
    same = np.zeros(size, dtype=np.int64)
    with pytest.raises(ValueError, match="4999950000 pairs overlap among 100000 stays"):
        overlapping(same, same, same + 1)


@given(DATES, st.lists(DATES, max_size=12))
def test_one_new_stay_meets_any_it_shares_a_night_with(dates: StayDates, taken: list[StayDates]) -> None:
    nights = set(dates.nights())
    assert overlaps_any(dates, taken) == any(nights & set(one.nights()) for one in taken)


def test_no_other_file_of_the_engine_imports_numpy() -> None:
    shared = Path(__file__).parents[2] / "shared"
    importing = re.compile(r"^\s*(import|from) numpy\b", re.MULTILINE)
    found = {
        str(file.relative_to(shared)) for file in shared.rglob("*.py") if importing.search(file.read_text())
    }
    assert found == {"engine/sweep.py"}
