"""Simulated guests: the same life for the same seed, and never a night sold twice on one listing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.sandbox.clock import Clock, frozen
from local.sandbox.config import sample
from local.sandbox.desk import Desk
from local.sandbox.guests import Tally, live
from local.sandbox.world import World


async def lives(seed: int, acts: int = 300) -> tuple[Tally, World, list[float]]:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    world = World(sample(3), Clock(frozen(datetime(2027, 5, 2, tzinfo=UTC))), sleep)
    try:
        tally = await live(Desk(world), sleep, seed=seed, pause=4.0, acts=acts)
    finally:
        await world.close()
    return tally, world, waits


async def test_guests_do_everything_and_keep_their_pace() -> None:
    tally, world, waits = await lives(1)
    assert min(tally.booked, tally.moved, tally.cancelled, tally.refused) > 10
    assert tally.booked + tally.moved + tally.cancelled + tally.refused == 300
    assert len(waits) == 300
    assert sum(waits) / 300 == pytest.approx(4.0, rel=0.1)
    for calendar in world.truth.calendars.values():
        assert all(calendar.sold_on(night) == 1 for night in calendar.sold)


async def test_the_same_seed_is_the_same_life() -> None:
    first, again, other = await lives(7, 60), await lives(7, 60), await lives(8, 60)
    assert first[0] == again[0]
    assert first[1].truth.stays == again[1].truth.stays
    assert first[1].truth.stays != other[1].truth.stays


async def test_bookings_guests_leave_messages_behind() -> None:
    _, world, _ = await lives(1, 60)
    waiting = {message.stay_id for message in world.queue.messages.values() if message.waiting}
    assert waiting
    assert waiting <= set(world.truth.stays)
