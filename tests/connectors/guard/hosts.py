"""Several hosts on one store, with a clock that moves when told and a count of what the store was asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from shared.connectors.guard.breakers import Breakers
from shared.domain.errors import StoreUnavailable
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryTelemetry
from shared.resilience.circuit_breaker import Outcome
from shared.state.notes import NoteStore

START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
ACCOUNT = "airbnb-owner"


class Hosts:
    """One store, one clock, and as many processes over them as asked for."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.asked: Counter[str] = Counter()
        self.down = False
        self.stuck = False
        self.telemetry = MemoryTelemetry()
        self.tables = MemoryTables(self.now, before=self._before)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def _before(self, operation: str, table: str, partition: str) -> None:
        """Others get their turn at every request."""
        self.asked[operation] += 1
        await asyncio.sleep(0)
        if self.stuck:
            await asyncio.Event().wait()
        if self.down:
            raise StoreUnavailable("for the test")

    def host(self) -> Breakers:
        return Breakers(NoteStore(self.tables), self.telemetry, now=self.now, monotonic=lambda: self.seconds)

    def requests(self) -> int:
        """What the store was asked since the last look."""
        asked, self.asked = self.asked, Counter()
        return asked.total()

    def events(self) -> list[str]:
        return [name for name, _ in self.telemetry.events]


async def call(breakers: Breakers, outcome: Outcome, operation: str = "write", seconds: float = 0.2) -> None:
    permit = await breakers.permit(ACCOUNT, operation)
    await breakers.record(ACCOUNT, operation, permit, outcome, seconds)


async def break_it(breakers: Breakers, operation: str = "write") -> None:
    for _ in range(3):
        await call(breakers, Outcome.FAILED, operation)
