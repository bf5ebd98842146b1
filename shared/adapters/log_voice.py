"""Notices and numbers in the process's log, one line of JSON each: the default, and all a laptop needs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from shared.ports import Notice

_log = logging.getLogger("sync")


def one_line(fields: Mapping[str, str | int | float]) -> str:
    """JSON that is one line to every reader of logs. JSON itself leaves U+0085, U+2028, U+2029 and the marks that turn
    the writing direction as they are: they cut a line in two, or make it look like another."""
    written = json.dumps(fields, ensure_ascii=False)
    if written.isprintable():
        return written
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in written)


class LogNotify:
    """The ports ``Notify`` and ``Channel``: what a person should know, in the log."""

    name = "log"

    def __init__(self, language: str = "fr") -> None:
        self._language = language

    async def tell(self, notice: Notice) -> None:
        """One warning line."""
        text = notice.text.get(self._language) or next(iter(notice.text.values()), "")
        line = {"notice": notice.kind, "severity": notice.severity, "key": notice.key, "text": text}
        _log.warning("%s", one_line(line))

    async def send(self, notice: Notice) -> None:
        """The same, as a channel among others."""
        await self.tell(notice)

    async def again(self) -> None:
        """Nothing is ever left: the log takes everything."""

    async def close(self) -> None:
        """Nothing is under way."""


class LogTelemetry:
    """The port ``Telemetry``: events and numbers, in the log."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """One line."""
        _log.info("%s", one_line({"event": name, **fields}))

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """One line."""
        _log.info("%s", one_line({"count": name, "value": value, **dimensions}))

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """One line."""
        _log.info("%s", one_line({"gauge": name, "value": value, **dimensions}))


class SilentTelemetry:
    """The port ``Telemetry`` for those who want none."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """Dropped."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Dropped."""

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Dropped."""
