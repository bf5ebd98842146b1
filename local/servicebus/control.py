"""The control endpoint: a very small HTTP for tests and curious people. Loopback, no rights, JSON in and out.

GET  /queues                     counts and ids per queue
POST /reset                      empty the queues, forget the faults
POST /faults  {"kind": "send", "action": "fail", "count": 1, "seconds": 0, "condition": "...", "queue": "work"}
DELETE /faults                   forget the faults, and leave the queues as they are
POST /advance {"seconds": 61}    set the broker's clock forward
POST /drop                       cut every connection
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from local.servicebus.faults import ACTIONS, KINDS, SERVER_BUSY, Fault
from local.servicebus.queues import Queue
from local.servicebus.stored import State

if TYPE_CHECKING:
    from local.servicebus.standin import StandIn

MOST_BODY = 64 * 1024
"""Bytes of a request body."""
REQUEST_SECONDS = 5.0
MOST_IDS = 1000
"""Ids listed per queue and state."""

Fields = dict[str, object]
T = TypeVar("T", bound=str)


class _BadRequest(ValueError):
    """The request cannot be understood; the text says why."""


class Control:
    """Serves one request per connection."""

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self._routes: dict[tuple[str, str], Callable[[Fields], Fields]] = {
            ("GET", "/queues"): self._queues,
            ("POST", "/reset"): self._reset,
            ("POST", "/faults"): self._faults,
            ("DELETE", "/faults"): self._forget_faults,
            ("POST", "/advance"): self._advance,
            ("POST", "/drop"): self._drop,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, answer it, close."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                status, answer = await self._answer(reader)
                body = json.dumps(answer).encode()
                head = (
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode("ascii") + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away or never asked: nobody is left to tell
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, Fields]:
        try:
            method, path, fields = await _read_request(reader)
            route = self._routes.get((method, path))
            if route is None:
                known = [f"{verb} {where}" for verb, where in self._routes]
                return HTTPStatus.NOT_FOUND, {"error": f"no {method} {path}", "known": known}
            return HTTPStatus.OK, route(fields)
        except _BadRequest as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}

    def _queues(self, fields: Fields) -> Fields:
        named = [queue for queue in self._standin.broker if queue.dead is not None]
        return {"queues": {queue.config.name: _describe(queue) for queue in named}}

    def _reset(self, fields: Fields) -> Fields:
        self._standin.reset()
        return {"reset": True}

    def _faults(self, fields: Fields) -> Fields:
        fault = Fault(
            kind=_one_of(fields, "kind", KINDS),
            action=_one_of(fields, "action", ACTIONS),
            seconds=_number(fields, "seconds", 0.0),
            condition=_text(fields, "condition", SERVER_BUSY),
            queue=_text(fields, "queue", "").lower(),
        )
        self._standin.faults.add(fault, int(_number(fields, "count", 1)))
        return {"waiting": len(self._standin.faults)}

    def _forget_faults(self, fields: Fields) -> Fields:
        self._standin.faults.clear()
        return {"waiting": 0}

    def _advance(self, fields: Fields) -> Fields:
        self._standin.advance(_number(fields, "seconds", 0.0))
        return {"now": self._standin.clock()}

    def _drop(self, fields: Fields) -> Fields:
        return {"dropped": self._standin.hub.drop_peers()}


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, str, Fields]:
    """Method, path and the JSON object in the body (empty without one)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ")
    if len(words) != 3:
        raise _BadRequest("not an HTTP request")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
    }
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BODY:
        raise _BadRequest(f"Content-Length: a number up to {MOST_BODY} is expected")
    body = await reader.readexactly(int(length))
    try:
        fields = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise _BadRequest("the body is not JSON") from error
    if not isinstance(fields, dict):
        raise _BadRequest("the body must be a JSON object")
    return words[0], words[1].partition("?")[0], fields


def _describe(queue: Queue) -> Fields:
    """What is in a queue and its dead-letter queue; ids by state, oldest first."""
    assert queue.dead is not None
    stored = queue.peek(0, MOST_IDS)
    dead = queue.dead.peek(0, MOST_IDS)

    def ids(state: State, locked: bool) -> list[str]:
        wanted = [one for one in stored if one.state is state and (one.token is not None) is locked]
        return [one.parcel.message_id for one in wanted]

    return {
        **queue.counts(),
        "dead": sum(queue.dead.counts().values()),
        "ids": {
            "active": ids(State.ACTIVE, locked=False),
            "locked": ids(State.ACTIVE, locked=True),
            "scheduled": ids(State.SCHEDULED, locked=False),
            "dead": [one.parcel.message_id for one in dead],
        },
        "reasons": [one.parcel.text("DeadLetterReason") for one in dead],
    }


def _one_of(fields: Fields, key: str, known: tuple[T, ...]) -> T:
    for choice in known:
        if choice == fields.get(key):
            return choice
    raise _BadRequest(f"{key}: one of {', '.join(known)} is expected")


def _number(fields: Fields, key: str, otherwise: float) -> float:
    given = fields.get(key, otherwise)
    if not isinstance(given, (int, float)) or isinstance(given, bool) or not 0 <= given < 1e9:
        raise _BadRequest(f"{key}: a number from 0 is expected")
    return given


def _text(fields: Fields, key: str, otherwise: str) -> str:
    given = fields.get(key, otherwise)
    if not isinstance(given, str):
        raise _BadRequest(f"{key}: text is expected")
    return given
