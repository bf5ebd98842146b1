"""The HTTP side: an ASGI application over the route table."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from local.host.inputs import RawRequest, RawResponse, http_request, http_response
from local.host.invocations import Invocations, call, log_failure
from local.host.plan import Plan, Target
from shared.log_line import log_line

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

_MOST_BYTES = 100 * 1024 * 1024
"""The Functions host's own limit for a request body."""

_log = logging.getLogger("host")


class HttpFront:
    """Answers requests with the app's HTTP functions: 404 for no route or method, 413 for a body over 100 MiB, 500
    without a body for a function that raised. Logs the route's template, never an address: it may hold a secret."""

    def __init__(self, plan: Plan, invocations: Invocations) -> None:
        self._plan = plan
        self._invocations = invocations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI, ``http`` only."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        answer = await self._answer(scope, receive)
        if answer is not None:
            await _send(answer, scope["method"], send)

    async def _answer(self, scope: Scope, receive: Receive) -> RawResponse | None:
        found = self._plan.routes.find(scope["method"], scope["raw_path"].decode("latin-1"))
        if found is None:
            return RawResponse(404, (), b"")
        route, params = found
        body = await _body(receive)
        if body is None:
            return None
        if len(body) > _MOST_BYTES:
            return RawResponse(413, (), b"")
        answer = await self._invoke(self._plan.targets[route.function], _raw(scope, body), params)
        fields: dict[str, str | int] = {"function": route.function, "method": scope["method"]}
        fields |= {"route": f"/{route.template}", "status": answer.status}
        _log.info("%s", log_line("info", "http_request", fields))
        return answer

    async def _invoke(self, target: Target, raw: RawRequest, params: Mapping[str, str]) -> RawResponse:
        try:
            result = await self._invocations.track(target.name, call(target, http_request(raw, params)))
            return http_response(result)
        except Exception as error:  # noqa: BLE001 - whatever a function raises, the caller gets an answer
            log_failure(target.name, error)
            return RawResponse(500, (), b"")


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or a little more than the limit; None when the caller went away."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > _MOST_BYTES or not event.get("more_body"):
            return b"".join(parts)


def _raw(scope: Scope, body: bytes) -> RawRequest:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    query = scope["query_string"].decode("latin-1")
    host = next((value for name, value in headers if name == "host"), "localhost")
    path = scope["raw_path"].decode("latin-1")
    url = f"{scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")
    return RawRequest(scope["method"], url, query, headers, body)


async def _send(answer: RawResponse, method: str, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in answer.headers]
    if not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
