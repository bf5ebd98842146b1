"""Homes sold by count, and nights that a platform puts back on sale by itself: what was written once must be said
again when the platform's own sales changed under it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from tests.engine.village import Sold, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


@pytest.fixture
def studios() -> Iterator[Village]:
    built = Village(units=3)
    yield built
    built.close()


def sell(village: Village, platform: str) -> Sold:
    stay = village.book(platform, JULY)
    assert stay is not None
    return stay


def written(village: Village) -> set[int]:
    """The counts of the last write into Booking.com's calendar."""
    last = village.booking.writes[-1]
    assert set(last) == set(JULY.nights())
    return set(last.values())


def test_nights_that_a_cancellation_puts_back_on_sale_are_closed_again(village: Village) -> None:
    lost = sell(village, "booking")
    sell(village, "airbnb")
    village.run(village.webhook(village.deliveries.pop()))
    village.run(village.poll_booking())
    village.booking.calendar.cancel(lost)
    village.booking.calendar.closed.clear()  # its own rule: a cancelled stay's nights are for sale again
    village.say("booking", lost, "cancel")
    village.run(village.poll_booking())
    assert village.booking.calendar.closed == set(JULY.nights())


def test_a_count_written_before_a_sale_was_known_is_written_again(studios: Village) -> None:
    sell(studios, "greengo")
    sell(studios, "booking")  # not polled yet: the count that goes out is one too high
    studios.run(studios.poll_greengo())
    assert written(studios) == {2}
    studios.run(studios.poll_booking())
    assert written(studios) == {1}


def test_a_count_is_raised_by_the_poll_that_began_after_the_release(studios: Village) -> None:
    stay = sell(studios, "greengo")
    studios.book("greengo", StayDates.of_nights(date(2027, 9, 1), 2))
    studios.run(studios.poll_greengo())
    studios.greengo.calendar.cancel(stay)
    for minutes in (0, 21):
        studios.clock.advance(timedelta(minutes=minutes))
        studios.run(studios.poll_greengo())
    assert min(studios.booking.writes[-1].values()) == 2  # nothing raised: a sale may be on its way
    studios.run(studios.poll_booking())
    studios.clock.advance(timedelta(seconds=20))
    studios.run(studios.engine.on_timer_sweep())
    studios.run(studios.drain())
    assert written(studios) == {3}


def test_a_closure_to_be_said_again_and_then_released_is_opened_not_forgotten(village: Village) -> None:
    mine = sell(village, "airbnb")
    village.run(village.webhook(village.deliveries.pop()))
    village.booking.calendar.closed.clear()
    own = sell(village, "booking")
    village.booking.calendar.closed.update(JULY.nights())
    pause(village, "revoked")
    village.run(village.poll_booking())
    village.airbnb.calendar.cancel(mine)
    village.say("airbnb", mine, "cancel")
    village.run(village.webhook(village.deliveries.pop()))
    village.booking.calendar.cancel(own)
    village.say("booking", own, "cancel")
    pause(village, "")
    village.run(village.settle())
    assert village.booking.calendar.closed == set()


def pause(village: Village, why: str) -> None:
    village.run(village.engine.world.accounts.pause("booking", why))
    village.clock.advance(timedelta(seconds=10))
