"""Nights are half-open pairs of calendar days: a small algebra, checked against plain sets."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.dates import StayDates, nights_of, ranges_of, without

STAYS = st.builds(
    lambda start, length: StayDates.of_nights(date(2027, 12, 20) + timedelta(days=start), length),
    st.integers(0, 90),
    st.integers(1, 40),
)


@pytest.mark.parametrize("length", [0, -1])
def test_a_stay_has_at_least_one_night(length: int) -> None:
    with pytest.raises(ValueError, match="at least one night"):
        StayDates(date(2027, 7, 10), date(2027, 7, 10) + timedelta(days=length))


def test_stays_that_touch_do_not_overlap() -> None:
    first, second = StayDates.parse("2027-07-10/2027-07-13"), StayDates.parse("2027-07-13/2027-07-15")
    assert not first.overlaps(second)
    assert first.intersection(second) is None


@given(STAYS, STAYS)
def test_overlap_cover_and_intersection_are_those_of_the_nights(one: StayDates, other: StayDates) -> None:
    common = set(one.nights()) & set(other.nights())
    assert one.overlaps(other) == bool(common)
    assert one.covers(other) == (set(other.nights()) <= set(one.nights()))
    cut = one.intersection(other)
    assert (set(cut.nights()) if cut else set()) == common


@given(st.lists(STAYS, max_size=6))
def test_ranges_hold_exactly_the_nights_in_the_fewest_pieces(stays: list[StayDates]) -> None:
    ranges = ranges_of(nights_of(stays))
    assert nights_of(ranges) == nights_of(stays)
    assert all(one.check_out < other.check_in for one, other in pairwise(ranges))


@given(STAYS, st.lists(STAYS, max_size=4))
def test_what_is_left_is_the_difference(stay: StayDates, taken: list[StayDates]) -> None:
    assert nights_of(without(stay, taken)) == set(stay.nights()) - nights_of(taken)


@given(STAYS, st.integers(-5, 140))
def test_from_a_day_on(stay: StayDates, offset: int) -> None:
    day = date(2027, 12, 20) + timedelta(days=offset)
    left = stay.from_day(day)
    assert (set(left.nights()) if left else set()) == {night for night in stay.nights() if night >= day}


@given(STAYS)
def test_text_and_back(stay: StayDates) -> None:
    assert StayDates.parse(str(stay)) == stay
    assert len(stay) == len(list(stay.nights()))
