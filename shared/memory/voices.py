"""Notices and numbers kept in memory, for tests and for a first run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from shared.domain.errors import SyncError
from shared.ports.people import Notice, Telemetry


@dataclass(slots=True)
class MemoryNotify:
    """Keeps every notice."""

    notices: list[Notice] = field(default_factory=list)

    async def tell(self, notice: Notice) -> None:
        """Kept in order."""
        self.notices.append(notice)

    async def again(self) -> None:
        """Nothing is ever left."""

    async def close(self) -> None:
        """Nothing is under way."""


@dataclass(slots=True)
class MemoryChannel:
    """The port ``Channel``: keeps every notice, or fails with what it is told to."""

    name: str = "memory"
    notices: list[Notice] = field(default_factory=list)
    failure: SyncError | None = None

    async def send(self, notice: Notice) -> None:
        """Kept in order; raises ``failure`` while there is one."""
        if self.failure is not None:
            raise self.failure
        self.notices.append(notice)


@dataclass(slots=True)
class MemoryTelemetry(Telemetry):
    """Keeps events, counts, gauges and durations; ``numbers`` is each number in order, with its dimensions."""

    events: list[tuple[str, dict[str, str | int | float]]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    gauges: dict[str, float] = field(default_factory=dict)
    numbers: list[tuple[str, float, dict[str, str]]] = field(default_factory=list)
    flushed: int = 0

    def event(self, name: str, **fields: str | int | float) -> None:
        """Kept in order."""
        self.events.append((name, fields))

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Added up by name."""
        self.counts[name] += value
        self.numbers.append((name, value, dimensions))

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """The last level by name."""
        self.gauges[name] = value
        self.numbers.append((name, value, dimensions))

    def duration(self, name: str, milliseconds: float, **dimensions: str) -> None:
        """Kept in order."""
        self.numbers.append((name, milliseconds, dimensions))

    async def flush(self, *, everything: bool = False) -> None:
        """Counted."""
        self.flushed += 1
