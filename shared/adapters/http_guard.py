"""Connections for guarded calls: only to addresses that were checked, looked up once for each connection.

Imports aiohttp at once, so only the factories of ``shared.adapters.http_wire`` may import it.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv6Address, ip_address
from ssl import SSLContext
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.domain.addresses import endpoint_allowed
from shared.domain.errors import AddressRefused

if TYPE_CHECKING:
    from aiohttp.client import ClientRequest, ClientTimeout
    from aiohttp.connector import AddrInfoType, Connection
    from aiohttp.tracing import Trace

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Look a name up: host and port in, address texts out. Raises ``OSError`` when there is none."""


class CheckedResolver(AbstractResolver):
    """Hands the connector exactly the addresses it checked, so a second answer can never slip in between.

    One inner address among them refuses the name as a whole: which one is used would be up to chance.
    """

    def __init__(self, resolve: Resolve, loopback_ports: frozenset[int]) -> None:
        self._resolve = resolve
        self._loopback_ports = loopback_ports

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of the name. Raises ``AddressRefused`` unless all of them may be reached on that port."""
        addresses = [ip_address(text) for text in await self._resolve(host, port)]
        if not addresses:
            raise OSError("the name has no address")
        if not all(endpoint_allowed(address, port, self._loopback_ports) for address in addresses):
            raise AddressRefused(f"{host} leads to an address that is not public")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


class GuardedConnector(aiohttp.TCPConnector):
    """Checks again at the two places where an address becomes a connection: before the socket exists, and on
    the peer it ended up with, before a byte of the request is sent."""

    def __init__(
        self, resolve: Resolve, loopback_ports: frozenset[int], *, ssl: SSLContext, limit: int
    ) -> None:
        super().__init__(
            ssl=ssl,
            limit=limit,
            resolver=CheckedResolver(resolve, loopback_ports),
            use_dns_cache=False,
            socket_factory=self._open_socket,
        )
        self._ports_opened = loopback_ports

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - the base class's signature
    ) -> Connection:
        """A connection from the pool or a new one. Raises ``AddressRefused`` when its peer is not allowed."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        if peer is None or not self._allowed(peer):
            connection.close()
            raise AddressRefused(f"{req.url.host} answered from an address that is not public")
        return connection

    def _open_socket(self, place: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = place
        if not self._allowed(address):
            # The staggered connect understands OSError only.
            raise PermissionError("not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)

    def _allowed(self, place: tuple[object, ...]) -> bool:
        return endpoint_allowed(ip_address(str(place[0])), int(str(place[1])), self._ports_opened)
