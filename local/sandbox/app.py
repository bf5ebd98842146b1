"""The ASGI application: one port that is every platform, with faults between the wire and the handlers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.sandbox.airbnb import AirbnbApi
from local.sandbox.asgi import Answer, Call, Handler, Route, Router, as_json, query_of
from local.sandbox.booking import BookingApi
from local.sandbox.calls import Logged
from local.sandbox.channex import ChannexApi
from local.sandbox.control import Control
from local.sandbox.desk import Desk
from local.sandbox.errors import SandboxError
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.feed_routes import FeedRoutes
from local.sandbox.machine import Machine
from local.sandbox.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Cut = Callable[[tuple[str, int], bool], None]
"""Cuts the connection of a client (host, port); the flag lets bytes already written leave first."""

Struck = dict[FaultKind, Fault]

MOST_BYTES = 8 * 1024 * 1024
_EMPTY = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//sandbox//empty//EN\r\nEND:VCALENDAR\r\n"
_LOGIN = b"<!DOCTYPE html><html><body>Sign in</body></html>"
_HEEDED = frozenset({FaultKind.CHURN, FaultKind.REFUSE, FaultKind.IGNORE})


class SandboxApp:
    """Routes a request, lets faults strike, runs the handler, writes the call down.

    Control calls (under ``/sandbox``) know no faults and are not in the log.
    """

    def __init__(self, world: World, cut: Cut) -> None:
        self.world = world
        self.desk = Desk(world)
        self._cut = cut
        self._router = Router()
        for part in (
            AirbnbApi(world),
            BookingApi(world),
            ChannexApi(world),
            FeedRoutes(world),
            Machine(world),
        ):
            part.routes(self._router)
        Control(world, self.desk).routes(self._router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP is left alone."""
        if scope["type"] != "http":
            return
        call = Call(
            method=scope["method"],
            path=scope["path"],
            query=query_of(scope["query_string"]),
            headers={
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
            },
            body=await _body(receive),
        )
        found = self._router.find(call.method, call.path)
        if found is None:
            await _send(send, as_json({"error": "no such path"}, 404))
            return
        route, call.path_args = found
        answer = await self._answered(route, call)
        if answer is not None:
            await _send(send, answer)
        if answer is None or answer.truncated:
            # A lost answer leaves no byte; a truncated one leaves what was written, then nothing.
            self._cut(scope["client"], answer is not None)
            await _gone(receive)

    async def _answered(self, route: Route, call: Call) -> Answer | None:
        """The answer as the faults leave it; None where the connection is cut."""
        if route.platform == "sandbox":
            return await route.handler(call)
        struck = self.world.faults.take(route.platform, route.call, call.path)
        call.flags = frozenset(struck) & _HEEDED
        call.night = struck[FaultKind.REFUSE].night if FaultKind.REFUSE in struck else ""
        answer = await self._struck(route.handler, call, struck)
        outcome = "cut" if answer is None else str(answer.status)
        agent = call.headers.get("user-agent", "")
        logged = Logged(self.world.clock.now(), route.platform, route.call, outcome, call.note, agent)
        self.world.calls.add(logged)
        return answer

    async def _struck(self, handler: Handler, call: Call, struck: Struck) -> Answer | None:
        if FaultKind.LATE in struck:
            await self.world.sleep(struck[FaultKind.LATE].seconds)
        if FaultKind.DOWN in struck:
            return None
        instead = _instead(struck)
        if instead is not None and not _effect_first(struck):
            return instead
        answer = await _handled(handler, call)
        if FaultKind.DELAY in struck:
            await self.world.sleep(struck[FaultKind.DELAY].seconds)
        if FaultKind.LOST in struck:
            return None
        answer = instead or answer
        answer.truncated = FaultKind.TRUNCATED in struck
        return answer


async def _handled(handler: Handler, call: Call) -> Answer:
    try:
        return await handler(call)
    except SandboxError as refused:
        return as_json({"error": str(refused)}, refused.status)


def _instead(struck: Struck) -> Answer | None:
    """The answer that a fault puts in the place of the real one."""
    if FaultKind.RATE in struck:
        wait = struck[FaultKind.RATE].retry_after
        body = json.dumps({"error": "too many requests"}).encode()
        return Answer(429, body, headers={"Retry-After": wait} if wait else {})
    if FaultKind.ERROR in struck:
        return Answer(struck[FaultKind.ERROR].status, b"Internal Server Error", "text/plain")
    if FaultKind.HTML in struck:
        return Answer(200, _LOGIN, "text/html; charset=utf-8")
    if FaultKind.EMPTY in struck:
        return Answer(200, _EMPTY, "text/calendar; charset=utf-8")
    return None


def _effect_first(struck: Struck) -> bool:
    return any(fault.after for fault in struck.values())


async def _body(receive: Receive) -> bytes:
    """The whole body, or its first ``MOST_BYTES``: the sandbox has no reason to hold more."""
    body = b""
    more = True
    while more:
        message = await receive()
        body = (body + message.get("body", b""))[:MOST_BYTES]
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


async def _send(send: Send, answer: Answer) -> None:
    announced = len(answer.body) + (64 if answer.truncated else 0)
    headers = [(b"content-type", answer.kind.encode()), (b"content-length", str(announced).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": answer.truncated})


async def _gone(receive: Receive) -> None:
    """Wait until the server has noticed that the client is cut off, lest it answers by itself."""
    while (await receive())["type"] != "http.disconnect":
        pass
