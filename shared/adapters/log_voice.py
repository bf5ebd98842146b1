"""Notices and numbers in the process's log, one line of JSON each: the default, and all a laptop needs."""

from __future__ import annotations

import logging

from shared.log_line import log_line
from shared.ports.people import Notice, Telemetry

_log = logging.getLogger("sync")


class LogNotify:
    """The ports ``Notify`` and ``Channel``: what a person should know, in the log."""

    name = "log"

    def __init__(self, language: str = "fr") -> None:
        self._language = language

    async def tell(self, notice: Notice) -> None:
        """One warning line."""
        text = notice.text.get(self._language) or next(iter(notice.text.values()), "")
        line = {"notice": notice.kind, "severity": notice.severity, "key": notice.key, "text": text}
        _log.warning("%s", log_line("warning", "notice", line))

    async def send(self, notice: Notice) -> None:
        """The same, as a channel among others."""
        await self.tell(notice)

    async def again(self) -> None:
        """Nothing is ever left: the log takes everything."""

    async def close(self) -> None:
        """Nothing is under way."""


_TOLD = frozenset(
    {
        "sync_completed",
        "sync_runs",
        "sync_duration_ms",
        "bookings_changed",
        "platform_calls",
        "webhook_rejected",
    }
)
"""What another line says already ("reconciled", "run", "platform_call", "webhook_refused"), or what tells of an idle
run, which has none on purpose."""


class LogTelemetry(Telemetry):
    """Events and numbers, in the log."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """One line, unless another says it."""
        if name not in _TOLD:
            _log.info("%s", log_line("info", name, fields))

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """One line, unless another says it."""
        if name not in _TOLD:
            _log.info("%s", log_line("info", "count", {"count": name, "value": value, **dimensions}))

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """One line."""
        _log.info("%s", log_line("info", "gauge", {"gauge": name, "value": value, **dimensions}))

    def duration(self, name: str, milliseconds: float, **dimensions: str) -> None:
        """One line, unless another says it."""
        if name not in _TOLD:
            value = round(milliseconds, 1)
            _log.info("%s", log_line("info", "duration", {"duration": name, "value": value, **dimensions}))

    async def flush(self, *, everything: bool = False) -> None:
        """The log takes each line as it comes."""


class SilentTelemetry(Telemetry):
    """For those who want none."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """Dropped."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Dropped."""

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Dropped."""

    def duration(self, name: str, milliseconds: float, **dimensions: str) -> None:
        """Dropped."""

    async def flush(self, *, everything: bool = False) -> None:
        """Nothing to hand on."""
