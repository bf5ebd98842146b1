"""Faults on demand: what goes wrong on which call, for the next so many calls or until it is cleared."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong. "effect" is what the call would have done."""

    DELAY = "delay"
    """Effect at once, answer after ``seconds``."""
    LATE = "late"
    """Effect only after ``seconds``, even when the client has given up meanwhile."""
    ERROR = "error"
    """An answer with ``status`` (500 where unset) and no effect; with ``after`` the effect happens first."""
    RATE = "rate"
    """429 with ``retry_after`` (any text, none when empty) and no effect."""
    HTML = "html"
    """A login page with status 200, no effect."""
    EMPTY = "empty"
    """A valid calendar without a single event."""
    TRUNCATED = "truncated"
    """The effect happens; the body ends before its Content-Length and the connection is cut."""
    LOST = "lost"
    """The effect happens; the connection is cut without a byte of answer."""
    DOWN = "down"
    """No effect, the connection is cut without a byte of answer."""
    CHURN = "churn"
    """Every event of the calendar gets a new UID on each fetch."""
    REFUSE = "refuse"
    """The write is refused inside a body whose HTTP status says success; with ``night`` that night of it alone, where
    the platform takes nights one by one (Booking.com)."""
    IGNORE = "ignore"
    """The write is answered as done and does nothing."""
    TWICE = "twice"
    """An outgoing webhook is delivered twice."""


@dataclass(slots=True)
class Fault:
    """One fault and where it strikes. ``platform`` and ``call`` may be "*"; ``path`` is a part of the path.

    ``times`` counts down; None means until cleared.
    """

    kind: FaultKind
    platform: str = "*"
    call: str = "*"
    times: int | None = None
    seconds: float = 0.0
    status: int = 500
    retry_after: str = "1"
    after: bool = False
    path: str = field(default="", repr=False)
    night: str = ""
    id: int = 0

    def strikes(self, platform: str, call: str, path: str) -> bool:
        """Whether this call is meant."""
        return self.platform in ("*", platform) and self.call in ("*", call) and self.path in path


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> int:
        """Put a fault in force; returns the id that clears it."""
        fault.id = next(self._ids)
        self._active.append(fault)
        return fault.id

    def clear(self, fault_id: int | None = None) -> None:
        """Take one fault away, or all."""
        self._active = [fault for fault in self._active if fault_id is not None and fault.id != fault_id]

    def active(self) -> list[Fault]:
        """The faults that will strike again."""
        return list(self._active)

    def take(self, platform: str, call: str, path: str = "") -> dict[FaultKind, Fault]:
        """The faults that strike this call, one of a kind; their counts go down."""
        struck: dict[FaultKind, Fault] = {}
        for fault in self._active:
            if fault.kind not in struck and fault.strikes(platform, call, path):
                struck[fault.kind] = fault
                if fault.times is not None:
                    fault.times -= 1
        self._active = [fault for fault in self._active if fault.times is None or fault.times > 0]
        return struck
