"""How fast one caller may ask: a bucket that fills again, in this process's memory.

Several hosts each have their own buckets, so the true limit is a multiple of it: this protects the engine from a script
that runs wild and slows down whoever guesses codes; what a code is worth is decided by its length.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 10_000
"""Callers remembered; the one that has been silent longest is forgotten first."""


class Limit:
    """``calls`` at once, and as many again in each ``seconds``."""

    def __init__(self, calls: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._calls = calls
        self._rate = calls / seconds
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Take one call for a caller: 0 when it may go on, else the seconds until it may."""
        now = self._monotonic()
        left, at = self._buckets.pop(caller, (float(self._calls), now))
        left = min(float(self._calls), left + (now - at) * self._rate)
        granted = left >= 1
        self._buckets[caller] = (left - granted, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - left) / self._rate
