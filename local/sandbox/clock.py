"""The sandbox's clock: a source of instants that a test may move forward, and the calendar day it makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Instants = Callable[[], datetime]
"""Where instants come from: aware, in UTC."""


def machine_time() -> datetime:
    """The machine's own time; only the entry points pass it in."""
    return datetime.fromtimestamp(time.time(), UTC)


def frozen(at: datetime) -> Instants:
    """A source that stands still, so that only ``Clock.advance`` moves time."""
    return lambda: at


class Clock:
    """What time it is on the platforms. ``advance`` moves it forward; it never goes back."""

    def __init__(self, source: Instants = machine_time, zone: str = "Europe/Paris") -> None:
        self._source = source
        self._zone = ZoneInfo(zone)
        self._shift = timedelta()

    def now(self) -> datetime:
        """The instant, aware and in UTC."""
        return self._source() + self._shift

    def today(self) -> date:
        """The day at the homes: a platform's past and its rolling blocks begin there."""
        return self.now().astimezone(self._zone).date()

    def advance(self, seconds: float) -> None:
        """Move forward by so many seconds. Raises ``ValueError`` for a negative number."""
        if seconds < 0:
            raise ValueError(f"the clock only moves forward, not by {seconds} s")
        self._shift += timedelta(seconds=seconds)
