"""A sign of life for a service outside (healthchecks.io and its like): it tells a person when we stop giving one, which
nobody can who has stopped. Only sent while the health report is well, so that silence also means "not well"."""

from __future__ import annotations

from collections.abc import Callable

from shared.domain.errors import SyncError
from shared.ports.http import Http, Request
from shared.ports.people import Telemetry

EVERY = 240.0
"""Seconds between two signs of one process, at least: set the service to a period of 5 minutes and as long a grace. The
timer that asks for it comes every minute, so four of them make one."""

DEADLINE = 2.0
"""Seconds a sign may take: the timer has other things to do."""


class DeadMan:
    """Calls one address. The address is a secret: whoever has it can pretend that we live."""

    def __init__(self, http: Http, url: str, telemetry: Telemetry, monotonic: Callable[[], float]) -> None:
        self._http = http
        self._url = url
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._last = float("-inf")

    async def __call__(self) -> None:
        """One GET, at most every ``EVERY`` seconds. Raises nothing: a sign that did not arrive is counted, and tried
        again a minute later."""
        now = self._monotonic()
        if now - self._last < EVERY:
            return
        try:
            answer = await self._http.send(Request("GET", self._url, deadline=DEADLINE, most_bytes=65_536))
        except SyncError as wrong:
            self._telemetry.count("dead_man_failed", result=type(wrong).__name__)
            return
        if 200 <= answer.status < 300:
            self._last = now
        else:
            self._telemetry.count("dead_man_failed", result=str(answer.status))
