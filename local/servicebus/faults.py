"""Faults on demand: the next few operations of a kind fail, come late, or succeed without anybody hearing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["send", "receive", "settle"]
"""Sending includes scheduling; receiving is one delivery; settling is complete, abandon, release, dead-letter."""
Action = Literal["fail", "delay", "lose"]
"""Refuse it, do it later, or do it and drop the connection before the answer."""

KINDS: tuple[Kind, ...] = get_args(Kind)
ACTIONS: tuple[Action, ...] = get_args(Action)
SERVER_BUSY = "com.microsoft:server-busy"
"""What an overloaded namespace answers; the SDK calls it retryable."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do to one operation; ``queue`` is an address in lower case, empty for any queue."""

    kind: Kind
    action: Action
    seconds: float = 0.0
    condition: str = SERVER_BUSY
    queue: str = ""


class Faults:
    """The faults not yet used, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault, count: int = 1) -> None:
        """Let the next ``count`` operations meet this fault."""
        self._waiting.extend([fault] * count)

    def take(self, kind: Kind, queue: str) -> Fault | None:
        """The fault this operation meets, used up by asking."""
        for place, fault in enumerate(self._waiting):
            if fault.kind == kind and fault.queue in ("", queue):
                return self._waiting.pop(place)
        return None

    def clear(self) -> None:
        """Forget what was asked for."""
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)
