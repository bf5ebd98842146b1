"""The port ``Telemetry`` towards Application Insights, whichever library carries it there.

Everything goes to the log as well. What is watched is gathered in memory and sent at the end of an invocation by a
thread that lives for this one sending: no timer, no worker in the background, nothing that a frozen process would leave
half done. Whoever waits for it waits a second at most; what cannot be sent is counted and forgotten.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from shared.adapters.log_voice import LogTelemetry
from shared.adapters.telemetry_points import Batch, Points
from shared.correlation import current
from shared.ports.people import Telemetry

PATIENCE = 1.0
"""Seconds an invocation waits for its numbers to be taken."""

TIMEOUT = 0.8
"""Seconds a connection, and then each silence of the other side, may last before one request is given up."""

REST = 30.0
"""Seconds nothing is sent after a failure: while nobody answers, not every invocation shall wait for it. The numbers
add up meanwhile."""

PERIOD = 30.0
"""Seconds numbers add up before they are sent; each that is sent costs as much as a hundred that are added to it. An
event is sent with the invocation it happened in, and takes along what there is. A process that is killed takes up to so
much with it."""

ROUNDS = 3
"""How often one thread sends what came while it sent, before it leaves the rest to the next."""


class Sender(Protocol):
    """One library's way to Application Insights. Used by one thread at a time."""

    def send(self, batch: Batch) -> int:
        """Send, blocking for a few times ``TIMEOUT`` at most; returns how many points and events were not taken."""
        ...


class AzureTelemetry(Telemetry):
    """Gathers, and sends when asked to. ``build`` imports the library and makes the sender; it is called in the first
    sending's thread, so that no start-up pays for it."""

    def __init__(
        self,
        build: Callable[[], Sender],
        *,
        log: Telemetry | None = None,
        patience: float = PATIENCE,
        rest: float = REST,
        period: float = PERIOD,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lost = 0
        """Points and events that were not taken, since the process began."""
        self._build = build
        self._log = log or LogTelemetry()
        self._patience, self._rest, self._period = patience, rest, period
        self._wall, self._monotonic = wall, monotonic
        self._points = Points()
        self._sender: Sender | None = None
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._sending = self._in_vain = False
        self._rests_until = self._sent_at = float("-inf")

    def event(self, name: str, **fields: str | int | float) -> None:
        """Logged; gathered if it is one that is watched."""
        self._log.event(name, **fields)
        own = {"correlation": current()} if current() else {}
        self._points.happened(name, {**fields, **own}, self._wall())

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Logged; added up if it is one that is watched."""
        self._log.count(name, value, **dimensions)
        self._points.add(name, value, dimensions, self._wall())

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Logged; kept if it is one that is watched."""
        self._log.gauge(name, value, **dimensions)
        self._points.measure(name, value, dimensions, self._wall())

    def duration(self, name: str, milliseconds: float, **dimensions: str) -> None:
        """Logged; kept if it is one that is watched."""
        self._log.duration(name, milliseconds, **dimensions)
        self._points.measure(name, milliseconds, dimensions, self._wall())

    async def flush(self, *, everything: bool = False) -> None:
        """Send what was gathered, off the event loop's thread; returns after ``patience`` seconds at the latest, while
        the thread may still be at it. Several at once share one sending. One that somebody waited for in vain is waited
        for by nobody else."""
        if self._in_vain or not self._is_due(everything):
            return
        sent = asyncio.Event()
        with self._lock:
            self._waiting.append((asyncio.get_running_loop(), sent))
            start, self._sending = not self._sending, True
        if start:
            try:
                threading.Thread(target=self._send, name="telemetry", daemon=True).start()
            except RuntimeError:  # no thread to be had
                self._over()
                return
        try:
            async with asyncio.timeout(self._patience):
                await sent.wait()
        except TimeoutError:
            with self._lock:
                self._in_vain = self._sending

    def _is_due(self, everything: bool) -> bool:
        now = self._monotonic()
        if not self._points or now < self._rests_until:
            return False
        return everything or self._points.has_events or now - self._sent_at >= self._period

    def _send(self) -> None:
        try:
            for _ in range(ROUNDS):
                batch = self._points.take()
                if not batch:
                    break
                if self._failed(batch):
                    break
        finally:
            self._over()

    def _failed(self, batch: Batch) -> bool:
        """Send one batch. True when nothing more should be sent for a while."""
        try:
            if self._sender is None:
                self._sender = self._build()
            self._sent_at = self._monotonic()
            lost = self._sender.send(batch)
        except Exception as error:  # noqa: BLE001 - a library's mistake must cost numbers, never a sync
            lost = len(batch)
            # The kind alone: the text may hold the connection string.
            self._log.event("telemetry_failed", why=type(error).__name__)
        lost_here = lost + self._points.dropped()
        if lost_here:
            self.lost += lost_here
            self._log.count("telemetry_lost", lost_here)
        if lost:
            self._rests_until = self._monotonic() + self._rest
            self._sender = (
                None  # a new one asks the host of the setting; this one may have been sent elsewhere
            )
        return bool(lost)

    def _over(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._sending = self._in_vain = False
        for loop, sent in waiting:
            with suppress(RuntimeError):  # that loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(sent.set)
