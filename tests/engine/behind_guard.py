"""The platforms of a test behind the guard they stand behind in earnest, on the test's clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

from shared.connectors.guard.breakers import Breakers
from shared.connectors.guard.guarded import Guard, GuardedConnector
from shared.domain.platform import Platform
from shared.ports.people import Telemetry
from shared.ports.platforms import ApiConnector
from shared.ports.stores import Tables
from shared.state.notes import NoteStore


class Told(Protocol):
    """A clock that moves when it is told to."""

    def now(self) -> datetime: ...

    def peek(self) -> datetime: ...

    @property
    def sleep(self) -> Callable[[float], Awaitable[None]]: ...


def behind_guard(
    apis: Mapping[Platform, ApiConnector], tables: Tables, telemetry: Telemetry, clock: Told
) -> tuple[Mapping[Platform, ApiConnector], Breakers]:
    """What one process would reach, and the circuits on the way."""

    def monotonic() -> float:
        return clock.peek().timestamp()

    breakers = Breakers(NoteStore(tables), telemetry, now=clock.now, monotonic=monotonic)
    guard = Guard(breakers, now=clock.now, monotonic=monotonic, sleep=clock.sleep, chance=lambda: 0.5)
    return {platform: GuardedConnector(one, guard) for platform, one in apis.items()}, breakers
