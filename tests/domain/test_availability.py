"""Availability on values alone: a house and its rooms, homes sold by count, holds, and what is too old."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.availability import Availability, concerned, judge
from shared.domain.dates import StayDates
from shared.domain.holds import HOLD_FOR, held_until, lifted, placed, without_expired
from shared.domain.model import (
    Busy,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.platform import AIRBNB, BOOKING, Link, Platform

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
NEXT = StayDates(date(2027, 7, 13), date(2027, 7, 15))

FREE, TAKEN, UNKNOWN = Availability.FREE, Availability.TAKEN, Availability.UNKNOWN


def listing(name: str, home: str, platform: Platform) -> Listing:
    return Listing(name, home, platform, platform, Link.API, name, complete=True)


def site(*stays: Reservation, rooms: int = 1, whole: bool = True) -> SiteState:
    """A house of two rooms, both also sold by themselves, each on Airbnb; the house on Booking.com too."""
    homes = {
        "house": Property("house", "House", frozenset({"red", "blue"})),
        "red": Property("red", "Red room", frozenset({"red"})),
        "blue": Property("blue", "Blue room", frozenset({"blue"})),
    }
    listings = [listing(home, home, AIRBNB) for home in homes] + [listing("booking", "house", BOOKING)]
    return SiteState(
        Site("house", "owner", homes, dict.fromkeys(("red", "blue"), rooms)),
        Head(),
        {one.id: one for one in listings},
        {one.key: one for one in stays},
        whole=whole,
    )


def stay(on: str, dates: StayDates, name: str = "S1", status: Status = Status.CONFIRMED) -> Reservation:
    return Reservation("airbnb", name, Busy.STAY, status, (Part("", on, dates, NOW),))


@pytest.mark.parametrize(
    ("asking", "expected"), [("house", TAKEN), ("red", TAKEN), ("blue", FREE), ("booking", TAKEN)]
)
def test_a_room_takes_the_house_and_not_the_other_room(asking: str, expected: Availability) -> None:
    assert judge(site(stay("red", JULY)), asking, JULY, NOW).availability is expected


def test_nights_that_touch_do_not_meet() -> None:
    assert judge(site(stay("red", JULY)), "house", NEXT, NOW).availability is FREE


def test_a_cancelled_stay_and_a_platforms_own_rule_take_nothing() -> None:
    rule = Reservation(
        "airbnb", "R", Busy.LIMIT, Status.CONFIRMED, (Part("", "blue", JULY, NOW),), feed="blue"
    )
    gone = stay("red", JULY, status=Status.CANCELLED)
    assert judge(site(gone, rule), "house", JULY, NOW).availability is FREE


def test_rule_20_the_reservation_that_asks_does_not_stand_against_itself() -> None:
    state = site(stay("red", JULY))
    assert judge(state, "red", JULY, NOW, mine="airbnb|S1").availability is FREE
    assert judge(state, "red", JULY, NOW, mine="airbnb|S2").own


def test_only_its_own_stays_stand_against_it() -> None:
    mixed = site(stay("red", JULY), stay("house", JULY, "S2"))
    assert not judge(mixed, "red", JULY, NOW).own


def test_rule_20_a_hold_counts_for_whoever_shares_its_rooms_but_its_own_listing() -> None:
    state = placed(site(), "red", JULY, NOW)
    found = {name: judge(state, name, JULY, NOW).availability for name in state.listings}
    assert found == {"house": TAKEN, "red": FREE, "blue": FREE, "booking": TAKEN}
    later = NOW + HOLD_FOR
    assert {judge(state, name, JULY, later).availability for name in state.listings} == {FREE}


def test_each_unit_may_be_promised_once() -> None:
    two = site(stay("red", JULY), rooms=2)
    assert judge(two, "house", JULY, NOW).availability is FREE
    assert judge(placed(two, "red", JULY, NOW), "house", JULY, NOW).availability is TAKEN


def test_rule_22_what_is_too_old_is_unknown_and_what_is_taken_stays_taken() -> None:
    stale = {"booking": "was never read"}
    assert judge(site(), "house", JULY, NOW, stale=stale).availability is UNKNOWN
    assert judge(site(stay("red", JULY)), "house", JULY, NOW, stale=stale).availability is TAKEN
    assert judge(site(whole=False), "house", JULY, NOW).availability is UNKNOWN


def test_rule_22_only_sources_that_can_sell_the_same_nights_matter() -> None:
    assert {one.id for one in concerned(site(), "red")} == {"house", "booking"}
    assert {one.id for one in concerned(site(), "house")} == {"red", "blue", "booking"}


def test_a_hold_is_renewed_lifted_and_forgotten() -> None:
    once = placed(site(), "red", JULY, NOW)
    again = placed(once, "red", JULY, NOW + timedelta(minutes=1))
    assert [hold.expires for hold in again.holds.values()] == [NOW + timedelta(minutes=1) + HOLD_FOR]
    both = placed(again, "blue", JULY, NOW)
    assert [hold.listing for hold in lifted(both, "red", JULY).holds.values()] == ["blue"]
    assert len(lifted(both, "red", NEXT).holds) == 2
    assert [hold.listing for hold in without_expired(both, NOW + HOLD_FOR).holds.values()] == ["red"]
    assert without_expired(both, NOW) is both


def test_rule_1_a_promise_keeps_closed_what_shares_its_rooms() -> None:
    state = placed(site(), "red", JULY, NOW)
    assert held_until(state, "house", JULY, NOW) == NOW + HOLD_FOR
    assert held_until(state, "red", JULY, NOW) is None
    assert held_until(state, "blue", JULY, NOW) is None
    assert held_until(state, "house", NEXT, NOW) is None
    assert held_until(state, "house", JULY, NOW + HOLD_FOR) is None
