"""Where texts leave the process: each says to the watch what it is given. Nothing is held back or changed."""

from __future__ import annotations

import asyncio
import functools
import gzip
import logging
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import pytest

from tests.planted import PERSONAL, SHOWN, WATCH, Sink

LOG, EVENT, METRIC = Sink("log"), Sink("event"), Sink("metric")
ERROR, NOTICE, FEED, REFUSAL = Sink("error"), Sink("notice"), Sink("feed"), Sink("refusal")
HOST = Sink("log of a host")
OUTPUT = Sink("output", frozenset({SHOWN}), "who asks at the terminal is shown our own addresses")
PAGE = Sink(
    "page or answer",
    frozenset({PERSONAL, SHOWN}),
    "pages and the API show names and our own addresses to people who are signed in",
)
SINKS = (LOG, EVENT, METRIC, ERROR, NOTICE, FEED, REFUSAL, HOST, OUTPUT, PAGE)


def watch_sinks() -> None:
    """Once a process, before the first test."""
    from local.children import Child
    from shared import edge
    from shared.adapters.log_voice import LogNotify
    from shared.adapters.notify_many import NotifyMany
    from shared.config_reader import SettingsRefused
    from shared.connectors import ical_export
    from shared.domain.errors import SyncError
    from shared.engine.export import Export
    from shared.engine.operations import Operations
    from shared.memory.voices import MemoryNotify
    from shared.web.door import Door
    from tests.planted_sources import before

    before(logging.Logger, "callHandlers", _record)
    _telemetry()
    for error in (SyncError, SettingsRefused):
        _errors(error)
    for notify in (LogNotify, NotifyMany, MemoryNotify):
        before(notify, "tell", lambda _, notice: WATCH.hear(NOTICE, repr(dict(notice.text))))
    _results(ical_export, "write_calendar", lambda body: _bytes(FEED, body))
    _answers(Export, "calendar", lambda answer: _answer(FEED, answer))
    _answers(Operations, "receive_webhook", lambda answer: _answer(REFUSAL, answer))
    _doors(Door)
    before(edge, "response", lambda answer: answer.status >= 400 and _answer(REFUSAL, answer))
    before(Child, "start", lambda of, *_, **__: WATCH.files.setdefault(of.log, 0))
    _results(subprocess.Popen, "communicate", _spoken)
    _answers(asyncio.subprocess.Process, "communicate", _spoken)
    _results(pytest.CaptureFixture, "readouterr", _spoken)


def _record(_: logging.Logger, record: logging.LogRecord) -> None:
    """Whatever logger it is, also one that hands nothing on. The tests' own HTTP client tells each address it asks;
    ours is used below the client that does (``http_wire``), and in the hosts' logs nothing is left out."""
    if record.name != "httpx":
        WATCH.hear(LOG, line_of(record))


_FORMAT = logging.Formatter("%(message)s")


def line_of(record: logging.LogRecord) -> str:
    """A record with the text of the exception it carries: a host writes both."""
    try:
        return f"{record.name} {_FORMAT.format(record)}"
    except Exception as wrong:  # noqa: BLE001 - a record that cannot be written: its parts then
        return f"{record.name} {record.msg!r} {record.args!r} {wrong}"


def _telemetry() -> None:
    """Every voice there is, and those that tests will define."""
    from shared.adapters import log_voice, telemetry_azure  # noqa: F401 - so that their classes are known
    from shared.memory import voices  # noqa: F401
    from shared.ports.people import Telemetry

    inner = Telemetry.__init_subclass__.__func__  # type: ignore[attr-defined]

    def defined(cls: type, **kwargs: Any) -> None:
        inner(cls, **kwargs)
        _voice(cls)

    Telemetry.__init_subclass__ = classmethod(defined)  # type: ignore[assignment]
    for one in Telemetry.__subclasses__():
        _voice(one)


def _voice(cls: type) -> None:
    for name, sink in (("event", EVENT), ("count", METRIC), ("gauge", METRIC), ("duration", METRIC)):
        method = cls.__dict__.get(name)
        if method is not None and not hasattr(method, "__wrapped__"):
            setattr(cls, name, _said(method, sink))


def _said(method: Callable[..., None], sink: Sink) -> Callable[..., None]:
    @functools.wraps(method)
    def watched(self: Any, name: str, *args: Any, **fields: Any) -> None:
        WATCH.hear(sink, f"{name} {fields}")
        method(self, name, *args, **fields)

    return watched


def _errors(error: type[Exception]) -> None:
    inner = error.__init__

    def watched(self: Exception, *args: Any, **kwargs: Any) -> None:
        inner(self, *args, **kwargs)  # type: ignore[misc]
        WATCH.hear(ERROR, f"{type(self).__name__}: {self}")

    error.__init__ = watched  # type: ignore[misc, method-assign]


def _results(owner: Any, name: str, told: Callable[[Any], None]) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def watched(*args: Any, **kwargs: Any) -> Any:
        result = inner(*args, **kwargs)
        told(result)
        return result

    setattr(owner, name, watched)


def _answers(owner: Any, name: str, told: Callable[[Any], None]) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    async def watched(*args: Any, **kwargs: Any) -> Any:
        result = await inner(*args, **kwargs)
        told(result)
        return result

    setattr(owner, name, watched)


def _doors(door: Any) -> None:
    """A page, also one that refuses a form, may repeat what the asker just typed, and nothing else."""
    inner = door.answer

    @functools.wraps(inner)
    async def watched(self: Any, route: Any, ask: Any) -> Any:
        answer = await inner(self, route, ask)
        sink = REFUSAL if answer.status >= 400 and not route.is_page else PAGE
        _answer(sink, answer, unquote_plus(ask.body.decode(errors="replace")))
        return answer

    door.answer = watched


def _answer(sink: Sink, answer: Any, typed: str = "") -> None:
    body = answer.body
    if "gzip" in answer.headers.get("content-encoding", ""):
        body = gzip.decompress(body)
    WATCH.hear(sink, WATCH.without(body.decode(errors="replace"), typed))


def _bytes(sink: Sink, body: bytes) -> None:
    WATCH.hear(sink, body.decode(errors="replace"))


def _spoken(said: Any) -> None:
    for one in said:
        if one:
            WATCH.hear(OUTPUT, one if isinstance(one, str) else one.decode(errors="replace"))
