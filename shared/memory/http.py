"""The port ``Http`` in memory: routes to handlers, and a record of every request that would have gone out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.domain.addresses import parse_feed_url
from shared.domain.errors import PayloadRejected, PlatformDown
from shared.domain.redirects import Hop
from shared.ports.http import Request, Response

Handler = Callable[[Request], Awaitable[Response]]
"""Answers a request, or raises what the port may raise."""


class MemoryHttp:
    """Answers from routes. Guarded requests meet the same guard and the same rules for redirects.

    ``requests`` holds each request as it would have gone out, hop by hop, in order.
    """

    def __init__(self, *, loopback_ports: frozenset[int] = frozenset()) -> None:
        self.requests: list[Request] = []
        self._routes: list[tuple[str, str, Handler]] = []
        self._loopback_ports = loopback_ports

    def on(self, method: str, url_prefix: str, handler: Handler) -> None:
        """Send that method's calls on URLs that begin so to the handler; the longest prefix, then the latest
        route wins. An empty prefix takes every URL."""
        self._routes.insert(0, (method, url_prefix, handler))
        self._routes.sort(key=lambda route: -len(route[1]))

    async def send(self, request: Request) -> Response:
        """The handler's answer. ``PlatformDown`` where no route leads or the deadline (real time) passes."""
        try:
            async with asyncio.timeout(request.deadline):
                if request.guarded:
                    return await self._follow(request)
                return await self._once(request)
        except TimeoutError:
            raise PlatformDown(f"no complete answer within {request.deadline:g} s") from None

    async def close(self) -> None:
        """Nothing is held."""

    async def _follow(self, request: Request) -> Response:
        hop = Hop(parse_feed_url(request.url, loopback_ports=self._loopback_ports), request.headers)
        while True:
            answer = await self._once(replace(request, url=hop.address.url, headers=hop.headers))
            location = answer.headers.get("location")
            onward = hop.onward(request.method, answer.status, location, loopback_ports=self._loopback_ports)
            if onward is None:
                return answer
            hop = onward

    async def _once(self, request: Request) -> Response:
        self.requests.append(request)
        for method, prefix, handler in self._routes:
            if method == request.method and request.url.startswith(prefix):
                answer = await handler(request)
                break
        else:
            raise PlatformDown("no route leads there: no connection could be made")
        if len(answer.body) > request.most_bytes:
            raise PayloadRejected("the answer holds more bytes than are allowed")
        return replace(answer, headers={name.lower(): value for name, value in answer.headers.items()})
