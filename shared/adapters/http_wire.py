"""One exchange on the wire: the httpx API over aiohttp's connections, errors translated, body capped.

The transport is called without ``httpx.AsyncClient`` around it. The client would follow its own redirects and keep
cookies, which we do not want, write every URL with its secrets to the log at INFO, and cost 1.7 times the CPU of a
call (measured on loopback, httpx 0.28.1). Imports httpx and aiohttp at once: import it late.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from shared.adapters.http_body import ACCEPTED_ENCODINGS, CappedBody
from shared.adapters.http_guard import GuardedConnector, Resolve
from shared.domain.errors import AddressRefused, PayloadRejected, PlatformDown
from shared.ports.http import Response


class Wire:
    """A pool of connections and the exchanges made over it. Make it inside the running loop."""

    def __init__(self, connector: aiohttp.BaseConnector, context: ssl.SSLContext, user_agent: str) -> None:
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"Accept-Encoding": ACCEPTED_ENCODINGS, "User-Agent": user_agent},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            skip_auto_headers=("Accept", "Content-Type"),
        )
        # aiohttp would repeat an idempotent call on a connection that went away: a write that opens nights is one
        # attempt (rule 2), and reads are repeated by the resilience layer within its budget.
        self._session._retry_connection = False
        self._transport = AiohttpTransport(verify=context, trust_env=False, client=self._session)

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, most_bytes: int, host: str
    ) -> Response:
        """Send one request and read its whole answer, whatever its status.

        Raises ``PlatformDown``, ``PayloadRejected`` and, when the URL cannot be read, ``AddressRefused``; none of
        them holds more of the URL than ``host``.
        """
        request = self._request(method, url, headers, body, host)
        try:
            answer = await self._transport.handle_async_request(request)
            stream = answer.stream
            assert isinstance(stream, httpx.AsyncByteStream)
            try:
                return await _read(answer, stream, host, most_bytes)
            finally:
                await stream.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise PlatformDown(f"{host}: {_kind(error)}") from None

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    @staticmethod
    def _request(method: str, url: str, headers: Mapping[str, str], body: bytes, host: str) -> httpx.Request:
        if _FORBIDDEN.search("".join(headers.values())):
            raise PayloadRejected(f"{host}: a header of ours holds a line break")
        try:
            # Given as a stream, httpx adds nothing of its own; Host and Content-Length are aiohttp's.
            request = httpx.Request(method, _parsed(url), headers=headers, stream=httpx.ByteStream(body))
        except httpx.InvalidURL:
            raise AddressRefused(f"{host}: the address cannot be read") from None
        except UnicodeEncodeError:
            raise PayloadRejected(f"{host}: a header of ours cannot be written") from None
        request.read()
        return request


def open_wire(*, limit: int, user_agent: str) -> Wire:
    """A pool for calls to the platforms' own hosts, whose addresses are ours by configuration."""
    context = _trust()
    return Wire(aiohttp.TCPConnector(ssl=context, limit=limit), context, user_agent)


def open_guarded_wire(
    resolve: Resolve, loopback_ports: frozenset[int], *, limit: int, user_agent: str
) -> Wire:
    """A pool of its own for links from strangers: a connection made without the checks is never reused here."""
    context = _trust()
    connector = GuardedConnector(resolve, loopback_ports, ssl=context, limit=limit)
    return Wire(connector, context, user_agent)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The public authorities of certifi; loading them costs 30 ms, so both pools share one."""
    return httpx.create_ssl_context(trust_env=False)


_FORBIDDEN = re.compile("[\r\n\0]")
_parsed = lru_cache(maxsize=256)(httpx.URL)


async def _read(
    answer: httpx.Response, stream: httpx.AsyncByteStream, host: str, most_bytes: int
) -> Response:
    headers: dict[str, str] = {}
    for raw_name, raw_value in answer.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    collected = CappedBody(host, headers.get("content-encoding", ""), most_bytes)
    pieces = stream.__aiter__()
    try:
        async for piece in pieces:
            collected.add(piece)
    finally:
        # A body given up half-way would leave its generator to the collector.
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
    return Response(answer.status_code, headers, collected.finish())


_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "its TLS certificate was not accepted"),
    (ssl.SSLCertVerificationError, "its TLS certificate was not accepted"),
    (aiohttp.ClientSSLError, "the TLS handshake failed"),
    (ssl.SSLError, "the TLS handshake failed"),
    (aiohttp.ClientConnectorDNSError, "its name was not found"),
    (aiohttp.ClientConnectorError, "no connection could be made"),
    (aiohttp.ClientPayloadError, "the body was cut short or broken"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientOSError, "the connection broke"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
)


def _kind(error: BaseException) -> str:
    """What happened, in our own words: the libraries' messages may hold the whole URL."""
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    for kind, words in _KINDS:
        if isinstance(cause, kind):
            return words
    return f"the exchange failed ({type(cause).__name__})"
