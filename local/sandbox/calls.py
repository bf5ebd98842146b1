"""The log of calls the sandbox got and made: kinds, times, outcomes. No address, no body, no name."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

KEPT = 20_000
"""Calls remembered one by one; the counts go on."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One call: when it came, what it was, its status ("cut" when no answer left), the handler's note."""

    at: datetime
    platform: str
    call: str
    outcome: str
    note: str = ""
    agent: str = ""


class CallLog:
    """Counts every call by "platform.call" and remembers the latest ones."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.latest: deque[Logged] = deque(maxlen=KEPT)

    def add(self, logged: Logged) -> None:
        """Write one call down."""
        self.counts[f"{logged.platform}.{logged.call}"] += 1
        self.latest.append(logged)

    def as_json(self, kind: str = "") -> Mapping[str, object]:
        """Counts, and the latest calls of one kind ("airbnb.calendar_write") or of all."""
        calls = [
            {
                "at": logged.at.isoformat(),
                "kind": f"{logged.platform}.{logged.call}",
                "outcome": logged.outcome,
                "note": logged.note,
                "agent": logged.agent,
            }
            for logged in self.latest
            if kind in ("", f"{logged.platform}.{logged.call}")
        ]
        return {"counts": dict(sorted(self.counts.items())), "calls": calls}
