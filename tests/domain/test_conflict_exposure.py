"""Exposure: which channel could still sell a night that is taken, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.changes import apply_plan
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.exposure import exposure, of_conflict
from shared.domain.model import (
    Busy,
    Head,
    Listing,
    Part,
    Phase,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.occupancy import occupancies
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


def stay(name: str, listing: str, dates: StayDates) -> Reservation:
    return Reservation(listing, name, Busy.STAY, Status.CONFIRMED, (Part("", listing, dates, NOW),))


def mill(*stays: Reservation, units: int = 1) -> SiteState:
    """A home by API on two platforms, by calendar links on a third; everything planned at NOW, nothing answered yet."""
    links = {"airbnb": (AIRBNB, Link.API), "booking": (BOOKING, Link.API), "greengo": (GREENGO, Link.ICAL)}
    listings = {
        name: Listing(name, "mill", platform, name, link, complete=True)
        for name, (platform, link) in links.items()
    }
    site = Site("mill", "owner", {"mill": Property("mill", "Mill", frozenset({"mill"}))}, {"mill": units})
    state = SiteState(site, Head(1), listings, {one.key: one for one in stays})
    return apply_plan(state, plan(state, NOW))


def took(state: SiteState, listing: str, at: datetime = NOW + MINUTE) -> SiteState:
    rows = {
        key: replace(row, phase=Phase.ACCEPTED, taken_at=at) if row.listing == listing else row
        for key, row in state.blocks.items()
    }
    return replace(state, blocks=rows)


GUEST = stay("guest", "airbnb", july(10, 13))


def test_every_other_channel_is_exposed_until_it_is_known_to_have_the_closure() -> None:
    state = mill(GUEST)
    later = NOW + 5 * MINUTE
    found = exposure(state, later)
    assert [(one.listing, one.dates, one.since) for one in found] == [
        ("booking", july(10, 13), NOW),
        ("greengo", july(10, 13), NOW),
    ]
    assert {one.causes for one in found} == {(GUEST.key,)}
    assert [one.listing for one in exposure(took(state, "booking"), later)] == ["greengo"]
    assert exposure(took(took(state, "booking"), "greengo"), later) == ()


def test_nights_that_have_passed_or_that_another_closure_holds_are_not_exposed() -> None:
    both = mill(GUEST, stay("other", "airbnb", july(12, 16)))
    rows = {
        key: replace(row, phase=Phase.ACCEPTED, taken_at=NOW) if row.dates == july(10, 13) else row
        for key, row in both.blocks.items()
    }
    state = replace(both, blocks=rows)
    assert {one.dates for one in exposure(state, NOW)} == {july(13, 16)}
    assert {one.dates for one in exposure(state, datetime(2027, 7, 14, 12, tzinfo=UTC))} == {july(14, 16)}


def test_nights_the_channel_sold_itself_cannot_be_sold_there_again() -> None:
    state = mill(GUEST, stay("clash", "booking", july(12, 15)))
    found = {(one.listing, one.dates) for one in exposure(state, NOW)}
    assert ("booking", july(10, 12)) in found
    assert ("airbnb", july(13, 15)) in found
    assert not any(name in ("airbnb", "booking") and dates.overlaps(july(12, 13)) for name, dates in found)


def test_a_closure_that_must_be_said_again_is_exposed_since_nobody_knows_when() -> None:
    state = took(mill(GUEST), "booking")
    rows = {
        key: replace(row, phase=Phase.INTENDED)
        for key, row in state.blocks.items()
        if row.listing == "booking"
    }
    (found,) = [
        one
        for one in exposure(replace(state, blocks={**state.blocks, **rows}), NOW)
        if one.listing == "booking"
    ]
    assert (found.dates, found.since, found.sent) == (july(10, 13), None, False)


def test_a_peer_that_still_has_an_older_closure_of_the_same_nights_is_not_exposed() -> None:
    state = mill(GUEST)
    rows = {
        key: replace(row, heir_taken=NOW - MINUTE)
        for key, row in state.blocks.items()
        if row.listing == "greengo"
    }
    assert [one.listing for one in exposure(replace(state, blocks={**state.blocks, **rows}), NOW)] == [
        "booking"
    ]


def test_of_rooms_sold_by_count_only_nights_with_none_left_are_exposed() -> None:
    state = mill(GUEST, stay("other", "airbnb", july(12, 16)), units=2)
    found = {(one.listing, one.dates) for one in exposure(state, NOW)}
    assert found == {("booking", july(12, 13)), ("greengo", july(12, 13))}


@pytest.mark.parametrize("fetched", [True, False])
def test_a_conflict_knows_the_channel_that_could_make_it_worse(fetched: bool) -> None:
    state = mill(GUEST, stay("clash", "booking", july(12, 15)), stay("far", "airbnb", july(20, 22)))
    state = took(state, "greengo") if fetched else state
    (clash,) = ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), NOW).values()
    worse = of_conflict(exposure(state, NOW), clash)
    assert {one.listing for one in worse} == (set() if fetched else {"greengo"})
    assert not any(one.dates.overlaps(july(20, 22)) for one in worse)
