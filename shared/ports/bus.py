"""The bus: queues with duplicate detection, schedules and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What a queue carries: a kind, a key and a version, never a reservation. ``due`` delays its delivery."""

    kind: str
    key: str
    version: str = ""
    correlation: str = ""
    due: datetime | None = None

    @property
    def message_id(self) -> str:
        """Kind, key and version: never the key alone, or a change within the duplicate window is swallowed."""
        return f"{self.kind}|{self.key}|{self.version}"


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery. ``deliveries`` counts from 1; ``token`` is the transport's own handle on its lock."""

    message: Message
    deliveries: int
    sequence: int
    token: object = None
    reason: str = ""
    raw: bytes = b""


class Bus(Protocol):
    """Azure Service Bus as the engine sees it: queues with duplicate detection, schedules and dead letters."""

    async def send(self, queue: str, messages: Sequence[Message]) -> None:
        """Hand over messages within 1 s, or raise ``BusUnavailable``. A message with ``due`` is scheduled."""
        ...

    async def receive(self, queue: str, most: int, wait: float) -> list[Received]:
        """Up to ``most`` messages, locked for us, waiting at most ``wait`` seconds for the first."""
        ...

    async def complete(self, queue: str, received: Received) -> None:
        """Done with it. Raises ``BusUnavailable`` when the lock was lost."""
        ...

    async def abandon(self, queue: str, received: Received) -> None:
        """Give it back at once; the delivery counts."""
        ...

    async def dead_letters(self, queue: str, most: int) -> list[Received]:
        """Look at dead letters without taking them."""
        ...

    async def replay(self, queue: str, sequence: int) -> bool:
        """Send one dead letter again under a new id and remove it; False when it is gone."""
        ...

    async def close(self) -> None:
        """Free the links."""
        ...
