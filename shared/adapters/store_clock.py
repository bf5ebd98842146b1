"""The store's time, kept between its answers by this host's monotonic clock (rule 26)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class StoreClock:
    """``now()`` in the store's time, from the ``Date`` header of its answers.

    The header counts whole seconds and is written before the answer arrives, so one answer tells the difference
    to the monotonic clock only within a second and the round trip: it is at least ``date - received`` and less
    than ``date + 1 s - sent``. The first bound is taken and each later answer narrows it: ``now()`` is never
    ahead of the store by more than the drift since the last answer, and behind it by at most 1 s plus the
    fastest round trip. It never goes backwards.

    Before the first answer the host's own clock stands in. Nothing is decided on it: a time from the store can
    only be compared once it was read, and that read was an answer. ``monotonic`` gives seconds, ``wall`` an aware
    datetime.
    """

    def __init__(self, monotonic: Callable[[], float], wall: Callable[[], datetime]) -> None:
        self.monotonic = monotonic
        self._wall = wall
        self._ahead: float | None = None
        self._last = datetime.min.replace(tzinfo=UTC)

    def observe(self, date: str | None, sent: float) -> None:
        """Take in one answer's header and when (monotonic) its request left; an unreadable header is ignored."""
        stamp = _seconds(date)
        if stamp is None:
            return
        least, most = stamp - self.monotonic(), stamp + 1.0 - sent
        self._ahead = least if self._ahead is None else min(max(self._ahead, least), most)

    def now(self) -> datetime:
        """The store's time, aware and in UTC."""
        if self._ahead is None:
            return self._wall()
        self._last = max(self._last, datetime.fromtimestamp(self._ahead + self.monotonic(), UTC))
        return self._last


def _seconds(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
