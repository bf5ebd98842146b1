"""The trigger edge: the only place that catches everything.

Whatever escapes a use case ends here: logged once with the correlation id, counted, and turned into a failed
invocation (timer, queue) or a problem document (HTTP, RFC 9457). The text of a foreign exception may hold an
address with a token or a guest's name, so only its type and the places it passed are kept; the texts of
our own errors are safe by contract.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os.path
import traceback
from collections.abc import Awaitable, Callable
from typing import ParamSpec
from urllib.parse import urlsplit

import azure.functions as func

from shared import bootstrap
from shared.config import SettingsRefused
from shared.correlation import correlated, current
from shared.domain.errors import StaleWrite, SyncError, TransientError
from shared.log_line import log_line
from shared.use_cases import Ask, HttpAnswer
from shared.web.failure import Failure, failure_page

P = ParamSpec("P")
Handler = Callable[P, Awaitable[func.HttpResponse]]

_log = logging.getLogger("sync.edge")

_UNSET = 60
"""Seconds after which to come again while the settings are refused: whoever mends them restarts the app."""

_FRAMES = 6
"""How many places of a foreign exception's way are kept: enough to find it, too few to flood a log."""


class InvocationFailed(Exception):
    """What a host sees of a failed timer or queue invocation: it fails, is retried or dead-lettered, and says no
    more than is safe to log."""


def response(answer: HttpAnswer) -> func.HttpResponse:
    """An engine's answer as the Functions worker wants it."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    kind = headers.pop("content-type", "application/octet-stream")
    # Given as a header, since the SDK's mimetype argument appends a charset of its own to text types.
    return func.HttpResponse(
        answer.body, status_code=answer.status, headers={**headers, "content-type": kind}
    )


def ask(req: func.HttpRequest) -> Ask:
    """A worker's request as the console reads it."""
    headers = {name.lower(): value for name, value in req.headers.items()}
    path = urlsplit(req.url).path or "/"
    return Ask(req.method, path, req.route_params, req.params, headers, req.get_body())


def http(handler: Handler[P]) -> Handler[P]:
    """Guard an HTTP handler: a failure answers 500, or 503 with Retry-After when trying again can help."""
    return _guarded(handler, _problem)


def page(handler: Handler[P]) -> Handler[P]:
    """The same for a page that a person opens: the failure is told in words, French and English."""
    return _guarded(handler, _told)


def _guarded(handler: Handler[P], answer: Callable[[Exception], HttpAnswer]) -> Handler[P]:
    @functools.wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        with correlated():
            try:
                return await handler(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the trigger edge
                _report(handler.__name__, error)
                return response(answer(error))
            finally:
                _flush_meanwhile()

    return guarded


def timer(handler: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Guard a timer's handler: a failure fails the invocation; the next tick tries again."""

    @functools.wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        with correlated():
            for given in (*args, *kwargs.values()):
                if isinstance(given, func.TimerRequest) and given.past_due:
                    _log.info("%s", log_line("info", "runs_late", {"function": handler.__name__}))
            await _background(handler.__name__, handler(*args, **kwargs))

    return guarded


def queue(handler: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Guard a queue's handler: a failure gives the message back. Runs under the message's correlation id."""

    @functools.wraps(handler)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        messages = [g for g in (*args, *kwargs.values()) if isinstance(g, func.ServiceBusMessage)]
        with correlated(next((m.correlation_id or "" for m in messages), "")):
            await _background(handler.__name__, handler(*args, **kwargs))

    return guarded


async def _background(name: str, running: Awaitable[None]) -> None:
    try:
        await running
    except Exception as error:  # noqa: BLE001 - the trigger edge
        # The host logs what it is given together with its causes: so it is given no foreign text and no cause.
        raise InvocationFailed(f"{name}: {_report(name, error)} correlation={current()}") from None
    finally:
        await bootstrap.flush()


_flushing: set[asyncio.Task[None]] = set()


def _flush_meanwhile() -> None:
    """Whoever asked over HTTP does not wait for our numbers to be sent."""
    task = asyncio.ensure_future(bootstrap.flush())
    _flushing.add(task)
    task.add_done_callback(_flushing.discard)


def _report(name: str, error: Exception) -> str:
    """Log and count one failure, or each of a group; returns its safe description."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(_report(name, one) for one in error.exceptions)
    said = f"{type(error).__name__}: {error}" if isinstance(error, SyncError) else _places(error)
    _log.error("%s", log_line("error", "trigger_failed", {"function": name, "why": said}))
    bootstrap.telemetry().count("trigger_failed", function=name, error=type(error).__name__)
    return said


def _places(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    way = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {way}"


def _problem(error: Exception) -> HttpAnswer:
    status, headers = _status(error)
    title = "Temporarily unavailable" if status == 503 else "Internal error"
    body = {"type": "about:blank", "title": title, "status": status, "correlation": current()}
    headers["content-type"] = "application/problem+json"
    return HttpAnswer(status, json.dumps(body).encode(), headers)


def _told(error: Exception) -> HttpAnswer:
    """A page that needs nothing: neither templates nor styles, which may be what failed."""
    status, headers = _status(error)
    failure = Failure.PASSES if status == 503 else Failure.OURS
    text = failure_page(current(), Failure.UNSET if isinstance(error, SettingsRefused) else failure)
    headers |= {"content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'"}
    return HttpAnswer(status, text.encode(), headers)


def _status(error: Exception) -> tuple[int, dict[str, str]]:
    """The status of a failure, with its headers: 503 where trying again can help. So it can while the settings are
    refused, as after a deployment: a peer keeps the calendar it has, a platform sends its webhook again."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if isinstance(error, SettingsRefused):
        return 503, {**headers, "retry-after": str(_UNSET)}
    if not isinstance(error, (TransientError, StaleWrite)):
        return 500, headers
    wait = error.retry_after if isinstance(error, TransientError) else None
    return 503, {**headers, "retry-after": str(max(1, round(wait or 5)))}
