"""What only the twin of the bus has; its contract is tested beside the real one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import BusUnavailable
from shared.memory.bus import BusRules, MemoryBus
from shared.ports.bus import Message

NOTE = Message("site", "home", "1")


class Hand:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 7, 1, tzinfo=UTC)
        self.naps: list[float] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.moment += timedelta(seconds=seconds)


async def test_while_down_every_call_is_refused_and_nothing_is_lost() -> None:
    hand = Hand()
    bus = MemoryBus(hand.now, hand.sleep)
    await bus.send("work", [NOTE])
    [received] = await bus.receive("work", 1, 0)
    bus.down = True
    for call in (
        bus.send("work", [NOTE]),
        bus.receive("work", 1, 0),
        bus.complete("work", received),
        bus.abandon("work", received),
        bus.dead_letters("work", 1),
        bus.replay("work", 1),
    ):
        with pytest.raises(BusUnavailable, match="down"):
            await call
    bus.down = False
    await bus.complete("work", received)


async def test_a_wait_sleeps_exactly_until_something_is_due() -> None:
    hand = Hand()
    bus = MemoryBus(hand.now, hand.sleep)
    await bus.send("work", [Message("site", "home", "2", due=hand.moment + timedelta(seconds=7))])
    [received] = await bus.receive("work", 1, 60)
    assert (received.message.version, hand.naps) == ("2", [7.0])


async def test_a_wait_leaves_no_task_behind() -> None:
    hand = Hand()
    bus = MemoryBus(hand.now, lambda seconds: asyncio.Event().wait())  # type: ignore[arg-type, return-value]
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(bus.receive("work", 1, 60))
    await asyncio.sleep(0)
    await bus.send("work", [NOTE])
    assert len(await waiting) == 1
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_rules_are_a_parameter() -> None:
    hand = Hand()
    bus = MemoryBus(hand.now, hand.sleep, ["mine"], BusRules(max_deliveries=1))
    await bus.send("mine", [NOTE])
    [received] = await bus.receive("mine", 1, 0)
    await bus.abandon("mine", received)
    assert len(await bus.dead_letters("mine", 1)) == 1
    with pytest.raises(BusUnavailable, match="no such queue"):
        await bus.send("work", [NOTE])
