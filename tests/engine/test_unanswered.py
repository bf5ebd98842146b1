"""Writes nobody answered for, and sales a moment faster than a closure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.facts import WriteOutcome
from tests.engine.village import Crash, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    built.run(built.poll_booking())
    yield built
    built.close()


def test_a_closure_whose_sender_died_is_sent_again_after_its_deadline(village: Village) -> None:
    write = village.booking.write

    async def die(*_: object) -> WriteOutcome:
        raise Crash

    village.booking.write = die  # type: ignore[method-assign]
    village.book("airbnb", JULY)
    village.dies_in(999, village.webhook(village.deliveries.pop()))
    village.booking.write = write  # type: ignore[method-assign]
    for _ in range(2):  # the first look finds a write that may still be under way
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())
        village.clock.advance(timedelta(seconds=13))
    assert village.booking.calendar.closed == set(JULY.nights())


def test_nights_sold_a_moment_before_their_closure_are_not_opened_before_the_next_poll(
    village: Village,
) -> None:
    assert village.book("booking", JULY) is not None
    mine = village.book("airbnb", JULY)
    assert mine is not None
    village.run(village.webhook(village.deliveries.pop()))
    assert village.booking.calendar.closed == set(JULY.nights())
    village.airbnb.calendar.cancel(mine)
    village.say("airbnb", mine, "cancel")
    village.run(village.webhook(village.deliveries.pop()))
    village.run(village.poll_booking())
    village.run(village.drain())
    assert all(level == 0 for write in village.booking.writes for level in write.values())


def test_nights_closed_before_the_last_poll_open_at_once(village: Village) -> None:
    mine = village.book("airbnb", JULY)
    assert mine is not None
    village.run(village.webhook(village.deliveries.pop()))
    village.run(village.poll_booking())
    village.clock.advance(timedelta(seconds=6))
    village.airbnb.calendar.cancel(mine)
    village.say("airbnb", mine, "cancel")
    village.run(village.webhook(village.deliveries.pop()))
    assert village.booking.calendar.closed == set()
