"""A platform that counts calls in every window there is, and hosts that share its limits over one store."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shared.connectors.guard.limiter import SlidingLimiter
from shared.domain.errors import RateLimited
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryTelemetry
from shared.resilience.rate_limit import ACCOUNT, Limit
from shared.state.notes import NoteStore
from tests.engine.village import Clock
from tests.engine.virtual_loop import VirtualLoop

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    at: float
    host: str
    unit: str
    operation: str


@dataclass
class CountingPlatform:
    """Refuses whatever is one call too many in any window that holds both its ends, and writes it down."""

    limits: tuple[Limit, ...]
    clock: Clock
    calls: list[Call] = field(default_factory=list)
    refused: list[Call] = field(default_factory=list)
    rests_until: float = 0.0
    _arrived: dict[tuple[Limit, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def call(self, host: str, unit: str, operation: str) -> bool:
        call = Call(self.clock.peek().timestamp(), host, unit, operation)
        if call.at < self.rests_until or not all(self._bears(limit, call) for limit in self.limits):
            self.refused.append(call)
            return False
        self.calls.append(call)
        for limit in self.limits:
            if operation in limit.operations:
                self._arrived[limit, self._of(limit, call)].append(call.at)
        return True

    def _of(self, limit: Limit, call: Call) -> str:
        return "" if limit.scope == ACCOUNT else call.unit.partition(":")[0]

    def _bears(self, limit: Limit, call: Call) -> bool:
        if call.operation not in limit.operations:
            return True
        arrived = self._arrived[limit, self._of(limit, call)]
        return len(arrived) - bisect_left(arrived, call.at - limit.seconds) < limit.calls


class Town:
    """Hosts of one engine in one loop, each with a limiter of its own over the same tables."""

    def __init__(self, *limits: Limit, margin: int = 0, way: float = 0.0, seed: int = 1) -> None:
        self.limits, self.margin, self.way = limits, margin, way
        self.clock = Clock()
        self.loop = VirtualLoop(self.clock)
        self.tables = MemoryTables(self.clock.now, before=self._before)
        self.telemetry = MemoryTelemetry()
        self.platform = CountingPlatform(limits, self.clock)
        self.chance = random.Random(seed)
        self.trips: Counter[str] = Counter()
        self.slow_store = 0.0
        self.sent_away = 0
        self.lag: dict[str, float] = {}

    async def _before(self, operation: str, table: str, partition: str) -> None:
        self.trips[operation] += 1
        await asyncio.sleep(self.slow_store * self.chance.random())

    def host(self, name: str, clock: Callable[[], datetime] | None = None) -> Host:
        lag = timedelta(seconds=self.lag.get(name, 0.0))
        limiter = SlidingLimiter(
            "test",
            self.limits,
            NoteStore(self.tables),
            clock=clock or (lambda: self.clock.now() - lag),
            sleep=asyncio.sleep,
            host=name,
            telemetry=self.telemetry,
            margin=self.margin,
        )
        return Host(name, limiter, self)

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def seconds(self) -> float:
        return self.loop.time()

    def close(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.close()


@dataclass
class Host:
    name: str
    limiter: SlidingLimiter
    town: Town

    async def call(self, unit: str = "home", operation: str = "write", *, urgent: bool = False) -> bool:
        """One call as the guard makes it; False when the platform refused it."""
        await self.limiter.acquire("account", unit, operation, urgent)
        await asyncio.sleep(self.town.way * self.town.chance.random())
        return self.town.platform.call(self.name, unit, operation)

    async def call_until_done(self, unit: str = "home", operation: str = "write") -> None:
        """The same as the engine does it: what is sent away comes back when it was told to."""
        while True:
            try:
                await self.call(unit, operation)
                return
            except RateLimited as wrong:
                self.town.sent_away += 1
                await asyncio.sleep(wrong.retry_after or 0)


async def outcome(doing: Coroutine[Any, Any, T]) -> T | BaseException:
    found = await asyncio.gather(doing, return_exceptions=True)
    return found[0]


def units_of(calls: Sequence[Call]) -> list[str]:
    return [call.unit for call in calls]
