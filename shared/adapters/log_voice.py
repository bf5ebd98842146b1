"""Notices and numbers in the process's log, one line of JSON each: the default, and all a laptop needs."""

from __future__ import annotations

import json
import logging

from shared.ports import Notice

_log = logging.getLogger("sync")


class LogNotify:
    """The port ``Notify``: what a person should know, in the log."""

    def __init__(self, language: str = "fr") -> None:
        self._language = language

    async def tell(self, notice: Notice) -> None:
        """One warning line."""
        text = notice.text.get(self._language) or next(iter(notice.text.values()), "")
        line = {"notice": notice.kind, "severity": notice.severity, "key": notice.key, "text": text}
        _log.warning("%s", json.dumps(line, ensure_ascii=False))


class LogTelemetry:
    """The port ``Telemetry``: events and numbers, in the log."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """One line."""
        _log.info("%s", json.dumps({"event": name, **fields}, ensure_ascii=False))

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """One line."""
        _log.info("%s", json.dumps({"count": name, "value": value, **dimensions}, ensure_ascii=False))

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """One line."""
        _log.info("%s", json.dumps({"gauge": name, "value": value, **dimensions}, ensure_ascii=False))


class SilentTelemetry:
    """The port ``Telemetry`` for those who want none."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """Dropped."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Dropped."""

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Dropped."""
