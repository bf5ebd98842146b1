"""The way out: one client a process, a gate per host, a total deadline, and the address guard for links.

Importing this module loads neither httpx nor aiohttp (0.4 s of a cold start); the first call does.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.domain.addresses import FeedAddress, parse_feed_url
from shared.domain.errors import AddressRefused, PlatformDown
from shared.domain.redirects import Hop
from shared.ports.http import Request, Response

if TYPE_CHECKING:
    from shared.adapters.http_wire import Wire

CALLS_PER_HOST = 100
"""Calls to one host at a time; the others wait in line within their own deadline.

Measured with ``bench/fanout.py``: 200 calls over three hosts reach 0.8 of the ideal with 100, 0.6 with 64 (some
wait a whole round trip), and no more with 200; a platform's own limit is far below either."""

CONNECTIONS = 512
"""Open connections of one process and kind (plain, guarded), well below the usual limit of 1,024 files."""

USER_AGENT = "sync-engine"
"""What we call ourselves when the caller does not say."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, by the running loop's resolver. Raises ``OSError`` when there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


class HttpxHttp:
    """The port ``Http`` over httpx and aiohttp. No retries, no cookies, no proxies from the environment.

    ``loopback_ports`` opens those ports of this machine to guarded calls: for the local runner and tests alone.
    ``resolve`` looks names up for guarded calls, once for each new connection.
    """

    def __init__(
        self,
        *,
        calls_per_host: int = CALLS_PER_HOST,
        loopback_ports: frozenset[int] = frozenset(),
        resolve: Callable[[str, int], Awaitable[Sequence[str]]] = system_resolve,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._calls_per_host = calls_per_host
        self._loopback_ports = loopback_ports
        self._resolve = resolve
        self._user_agent = user_agent
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._plain: Wire | None = None
        self._guarded: Wire | None = None

    async def send(self, request: Request) -> Response:
        """Make the call within ``request.deadline`` seconds, the wait at the gate and the body included.

        Raises ``PlatformDown``, ``PayloadRejected`` and ``AddressRefused``; they name the host, never the path.
        Only guarded GET and HEAD calls follow redirects.
        """
        address = self._judged(request)
        host = address.host if address else _host_of(request.url)
        try:
            async with asyncio.timeout(request.deadline):
                if address:
                    return await self._follow(request, address)
                return await self._once(self._plain_wire(), request, request.url, host, request.headers)
        except TimeoutError:
            raise PlatformDown(f"{host}: no complete answer within {request.deadline:g} s") from None

    async def close(self) -> None:
        """Close every connection; a later call would open new ones."""
        wires, self._plain, self._guarded = (self._plain, self._guarded), None, None
        for wire in wires:
            if wire is not None:
                await wire.close()

    def _judged(self, request: Request) -> FeedAddress | None:
        if not request.guarded:
            return None
        return parse_feed_url(request.url, loopback_ports=self._loopback_ports)

    async def _follow(self, request: Request, address: FeedAddress) -> Response:
        hop = Hop(address, request.headers)
        while True:
            url, host = hop.address.url, hop.address.host
            answer = await self._once(self._guarded_wire(), request, url, host, hop.headers)
            onward = hop.onward(
                request.method,
                answer.status,
                answer.headers.get("location"),
                loopback_ports=self._loopback_ports,
            )
            if onward is None:
                return answer
            hop = onward

    async def _once(
        self, wire: Wire, request: Request, url: str, host: str, headers: Mapping[str, str]
    ) -> Response:
        async with self._gate(host):
            return await wire.exchange(request.method, url, headers, request.body, request.most_bytes, host)

    def _gate(self, host: str) -> asyncio.Semaphore:
        gate = self._gates.get(host)
        if gate is None:
            gate = self._gates[host] = asyncio.Semaphore(self._calls_per_host)
        return gate

    def _plain_wire(self) -> Wire:
        if self._plain is None:
            from shared.adapters.http_wire import open_wire

            self._plain = open_wire(limit=CONNECTIONS, user_agent=self._user_agent)
        return self._plain

    def _guarded_wire(self) -> Wire:
        if self._guarded is None:
            from shared.adapters.http_wire import open_guarded_wire

            self._guarded = open_guarded_wire(
                self._resolve, self._loopback_ports, limit=CONNECTIONS, user_agent=self._user_agent
            )
        return self._guarded


@lru_cache(maxsize=256)
def _host_of(url: str) -> str:
    """Host, and the port where one is written: what errors may say of a URL. Raises ``AddressRefused``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("the address cannot be read") from None
    if not host or parts.scheme not in ("https", "http"):
        raise AddressRefused("the address must begin with https:// or http:// and a host name")
    if parts.username is not None:
        raise AddressRefused(f"{host} is called with a user name in its address: use a header")
    return host if port is None else f"{host}:{port}"
