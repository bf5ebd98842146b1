"""Free, taken or unknown, with what each channel says; and what keeps a conflict from growing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.availability import Availability
from shared.domain.changes import apply_plan
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.estate import StepKind
from shared.domain.holds import placed
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
from shared.domain.validation import BookingRequest, SourceAge, ValidationResult

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
FRESH = {
    name: SourceAge(NOW - timedelta(seconds=age))
    for name, age in (("airbnb", 20), ("booking", 40), ("greengo", 90))
}
OLD = SourceAge(NOW - timedelta(hours=3), "was last read 10800 s ago, asked every 120 s")


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


def stay(name: str, listing: str, dates: StayDates) -> Reservation:
    return Reservation(listing, name, Busy.STAY, Status.CONFIRMED, (Part("", listing, dates, NOW),))


def mill(*stays: Reservation) -> SiteState:
    """A house of two rooms, of which one is sold by itself on a third platform."""
    homes = {
        "house": Property("house", "House", frozenset({"blue", "green"})),
        "blue": Property("blue", "Blue", frozenset({"blue"})),
    }
    places = (("airbnb", AIRBNB, "house"), ("booking", BOOKING, "house"), ("greengo", GREENGO, "blue"))
    listings = {
        name: Listing(name, home, platform, name, Link.API, complete=True) for name, platform, home in places
    }
    site = Site("house", "owner", homes, {"blue": 1, "green": 1})
    return SiteState(site, Head(1), listings, {one.key: one for one in stays})


def asked(
    state: SiteState, request: BookingRequest, freshness: dict[str, SourceAge] = FRESH
) -> ValidationResult:
    return ConflictDetector().validate_availability(request, state, freshness, NOW)


HOUSE = BookingRequest("house", july(10, 13))


def test_free_says_how_old_each_answer_is() -> None:
    found = asked(mill(stay("before", "booking", july(7, 10))), HOUSE)
    assert (found.availability, found.is_available, found.taken) == (Availability.FREE, True, ())
    assert {one.listing: (one.says, one.age) for one in found.answers} == {
        "airbnb": (Availability.FREE, timedelta(seconds=20)),
        "booking": (Availability.FREE, timedelta(seconds=40)),
        "greengo": (Availability.FREE, timedelta(seconds=90)),
    }


def test_taken_names_the_nights_and_what_takes_them_and_who_says_so() -> None:
    found = asked(mill(stay("guest", "greengo", july(12, 20))), HOUSE)
    assert (found.availability, found.taken, found.against) == (
        Availability.TAKEN,
        (july(12, 13),),
        ("greengo|guest",),
    )
    assert "12–13 juillet 2027" in found.reason["fr"]
    first, *others = found.answers
    assert (first.listing, first.says, first.facts) == ("greengo", Availability.TAKEN, ("greengo|guest",))
    assert {one.says for one in others} == {Availability.FREE}


def test_too_old_is_unknown_and_says_which_source() -> None:
    found = asked(mill(), HOUSE, {**FRESH, "greengo": OLD})
    assert (found.availability, found.is_available) == (Availability.UNKNOWN, False)
    assert (found.answers[0].listing, found.answers[0].says, found.answers[0].age) == (
        "greengo",
        Availability.UNKNOWN,
        timedelta(hours=3),
    )
    assert "greengo" in found.reason["en"]
    assert asked(mill(), HOUSE, {}).answers[0].reason == "was never read"


def test_taken_is_taken_however_old_it_is() -> None:
    found = asked(mill(stay("guest", "greengo", july(12, 20))), HOUSE, {**FRESH, "greengo": OLD})
    assert found.availability is Availability.TAKEN


def test_a_source_that_sells_no_room_of_the_home_is_not_asked() -> None:
    state = mill()
    green = Property("green", "Green", frozenset({"green"}))
    state = replace(state, site=replace(state.site, properties={**state.site.properties, "green": green}))
    found = asked(state, BookingRequest("green", july(10, 13)), {**FRESH, "greengo": OLD})
    assert found.is_available
    assert {one.listing for one in found.answers} == {"airbnb", "booking"}


@pytest.mark.parametrize(("listing", "free"), [("booking", True), ("airbnb", False), ("", False)])
def test_a_hold_stands_against_everybody_but_the_channel_it_was_given_to(listing: str, free: bool) -> None:
    state = placed(mill(), "booking", july(11, 14), NOW)
    found = asked(state, replace(HOUSE, listing=listing))
    assert found.is_available is free
    assert found.taken == (() if free else (july(11, 13),))


def test_a_stay_that_moves_does_not_stand_in_its_own_way() -> None:
    state = mill(stay("guest", "airbnb", july(9, 12)))
    assert not asked(state, HOUSE).is_available
    assert asked(state, replace(HOUSE, reservation="airbnb|guest")).is_available


def test_an_unreadable_row_is_unknown() -> None:
    found = asked(replace(mill(), whole=False), HOUSE)
    assert found.availability is Availability.UNKNOWN
    assert "cannot be read" in found.reason["en"]


def test_what_keeps_a_conflict_from_growing() -> None:
    """Closed where it could still be sold a third time; what is only claimed is asked about again; nobody is
    bothered."""
    claimed = stay("claimed", "booking", july(12, 15))
    claimed = replace(claimed, parts=(), hinted=claimed.parts, status=Status.PENDING)
    state = mill(stay("guest", "airbnb", july(10, 13)), claimed)
    state = apply_plan(state, plan(state, NOW))
    (clash,) = ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), NOW).values()
    steps = ConflictDetector().auto_resolve_blocking(clash, state, NOW)
    closes = {(one.listing, one.dates) for one in steps if one.kind is StepKind.CLOSE}
    assert ("greengo", july(12, 13)) in closes
    assert not any(name in ("airbnb", "booking") and dates.overlaps(july(12, 13)) for name, dates in closes)
    assert [(one.kind, one.fact) for one in steps if one.kind is not StepKind.CLOSE] == [
        (StepKind.REREAD, claimed.key)
    ]
    shut = {key: replace(row, phase=Phase.ACCEPTED, taken_at=NOW) for key, row in state.blocks.items()}
    left = ConflictDetector().auto_resolve_blocking(clash, replace(state, blocks=shut), NOW)
    assert [one.kind for one in left] == [StepKind.REREAD]
    assert ConflictDetector().auto_resolve_blocking(replace(clash, ended_at=NOW), state, NOW) == ()
