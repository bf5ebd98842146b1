"""Read-back: a closure is confirmed where guests would see it; drift is closed again, never taken for the owner's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.drift import Drift, standing
from shared.domain.errors import PlatformDown
from shared.domain.model import Account, Listing, Phase
from tests.engine.stories import cancelled, ledger, nights, told
from tests.engine.village import HOME, Village

JULY = StayDates(date(2027, 7, 1), date(2027, 7, 4))
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


def phases(village: Village) -> list[Phase]:
    return [row.phase for row in ledger(village, "booking")]


def drift(village: Village) -> tuple[Drift, ...]:
    """What goes on, as the account of Booking.com has it."""
    account = village.run(village.engine.world.accounts.load("booking"))
    assert account is not None
    return standing(account.drift, village.clock.peek())


def minutes(village: Village, number: int) -> None:
    village.clock.advance(number * MINUTE)
    village.run(village.drain())


def test_a_closure_is_seen_in_the_platforms_own_calendar_a_minute_later(village: Village) -> None:
    told(village, "airbnb", JULY)
    assert phases(village) == [Phase.ACCEPTED]
    minutes(village, 1)
    assert phases(village) == [Phase.SEEN]


def test_closures_of_one_minute_share_one_reading(village: Village) -> None:
    read: list[StayDates] = []
    right = village.booking.read_levels

    async def read_levels(account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        read.append(dates)
        return await right(account, listing, dates)

    village.booking.read_levels = read_levels  # type: ignore[method-assign]
    told(village, "airbnb", JULY)
    told(village, "airbnb", AUGUST)
    minutes(village, 2)
    assert read == [StayDates(JULY.check_in, AUGUST.check_out)]
    assert phases(village) == [Phase.SEEN, Phase.SEEN]


def test_rule_23_a_stale_calendar_soon_after_a_write_opens_nothing_and_is_no_owners_block(
    village: Village,
) -> None:
    """It may be behind, so it contradicts nothing; the closure is said once more, which can do no harm."""
    right = village.booking.read_levels

    async def stale(account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        return dict.fromkeys(dates.nights(), 1)

    village.booking.read_levels = stale  # type: ignore[method-assign]
    told(village, "airbnb", JULY)
    minutes(village, 1)
    village.booking.read_levels = right  # type: ignore[method-assign]
    minutes(village, 2)
    assert phases(village) == [Phase.SEEN]
    assert [set(levels.values()) for levels in village.booking.writes] == [{0}, {0}]
    assert [name for name, _ in village.telemetry.events if name == "drift"] == []


def test_a_closure_that_never_shows_is_said_once_a_minute_for_ten_and_then_told_of(village: Village) -> None:
    async def blind(account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        return dict.fromkeys(dates.nights(), 1)

    village.booking.read_levels = blind  # type: ignore[method-assign]
    told(village, "airbnb", JULY)
    for _ in range(40):
        minutes(village, 1)
    assert 5 <= len(village.booking.writes) <= 14
    assert "drift" in [name for name, _ in village.telemetry.events]
    (one,) = drift(village)
    assert not one.was_closed


def test_rule_23_what_is_open_long_after_our_closure_is_drift_and_closed_again(village: Village) -> None:
    told(village, "airbnb", JULY)
    minutes(village, 1)
    village.booking.calendar.closed.clear()  # somebody opened the nights by hand, on the platform itself
    village.clock.advance(15 * MINUTE)
    village.run(village.engine.readback.check_all(HOME))
    assert village.booking.calendar.closed == nights(JULY)
    assert [fields["nights"] for name, fields in village.telemetry.events if name == "drift"] == [str(JULY)]
    assert village.airbnb.calendar.closed == set(), "never an owner's block of Booking.com's"


def test_a_night_opened_by_hand_is_remembered_until_a_night_passes_without_one(village: Village) -> None:
    told(village, "airbnb", JULY)
    minutes(village, 1)
    assert drift(village) == ()
    for _ in range(2):
        village.booking.calendar.closed.clear()
        village.clock.advance(24 * 60 * MINUTE)
        village.run(village.engine.readback.check_all(HOME))
        minutes(village, 2)
    (one,) = drift(village)
    assert (one.listing, one.times, set(one.nights)) == (f"{HOME}-booking", 2, nights(JULY))
    assert one.was_closed
    village.clock.advance(24 * 60 * MINUTE)
    village.run(village.engine.readback.check_all(HOME))  # nobody opened it this night
    village.clock.advance(7 * 60 * MINUTE)
    assert drift(village) == ()


def test_a_calendar_that_cannot_be_read_confirms_nothing_and_is_read_again(village: Village) -> None:
    async def read_levels(account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        raise PlatformDown("Booking.com: HTTP 503")

    told(village, "airbnb", JULY)
    village.booking.read_levels = read_levels  # type: ignore[method-assign]
    minutes(village, 1)
    assert phases(village) == [Phase.ACCEPTED]
    del village.booking.read_levels
    village.run(village.engine.readback.check(HOME))
    assert phases(village) == [Phase.SEEN]


def test_a_closure_that_did_nothing_is_said_again_within_a_minute(
    village: Village,
) -> None:
    """Accepted, and not there: the platform had just sold the night itself, and its guest cancelled since."""
    told(village, "airbnb", JULY)
    village.booking.calendar.closed.clear()
    minutes(village, 1)
    assert village.booking.calendar.closed == nights(JULY)


def test_a_night_the_calendar_does_not_name_is_not_confirmed(village: Village) -> None:
    async def read_levels(account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        return dict.fromkeys(list(JULY.nights())[:-1], 0)

    village.booking.read_levels = read_levels  # type: ignore[method-assign]
    told(village, "airbnb", JULY)
    minutes(village, 1)
    assert phases(village) == [Phase.ACCEPTED]


def test_nights_released_while_the_calendar_was_read_stay_released(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    right = village.booking.read_levels

    async def read_levels(account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        levels = await right(account, listing, dates)
        village.clock.advance(timedelta(seconds=20))
        return levels

    village.booking.read_levels = read_levels  # type: ignore[method-assign]
    minutes(village, 1)
    cancelled(village, "airbnb", stay)
    village.run(village.settle())
    assert village.booking.calendar.closed == set()
    assert village.run(village.engine.readback.check_all(HOME)) == "0 read, 0 failed"
