"""The way out against real servers that misbehave. The secrets in every URL and header must stay out of sight."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ipaddress
import logging
import socket
import ssl
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.adapters.http import HttpxHttp
from shared.domain.errors import AddressRefused, PayloadRejected, PlatformDown, SyncError
from shared.ports.http import Request
from tests.loopback import Answer, Loopback, Seen, plain, raw

SECRET = "invented-secret"
PATH = f"/ical/{SECRET}.ics?s={SECRET}"
HEADERS = {"Authorization": f"Bearer {SECRET}"}
MEGABYTE = 1024 * 1024


@pytest.fixture
async def http() -> AsyncIterator[HttpxHttp]:
    client = HttpxHttp()
    yield client
    await client.close()


@pytest.fixture(autouse=True)
def nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every test of this file: no log record of any library holds the path, the query or the key."""
    caplog.set_level(logging.DEBUG)
    yield
    assert not [record.getMessage() for record in caplog.records if SECRET in record.getMessage()]


def call(server: Loopback, **changes: object) -> Request:
    fields: dict[str, object] = {
        "method": "GET",
        "url": server.url(PATH),
        "headers": HEADERS,
        "deadline": 5.0,
    }
    return Request(**(fields | changes))  # type: ignore[arg-type]


async def failure(http: HttpxHttp, request: Request, kind: type[SyncError]) -> str:
    """The error's text, after seeing that it is of that kind and names the host, not the secret."""
    with pytest.raises(kind) as caught:
        await http.send(request)
    text = str(caught.value)
    assert type(caught.value) is kind
    assert "127.0.0.1" in text
    assert SECRET not in text
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


# ---------------------------------------------------------------------------------- whole answers


@pytest.mark.parametrize("status", [200, 204, 301, 302, 304, 404, 429, 500, 503])
async def test_every_status_is_an_answer_and_no_redirect_is_followed(http: HttpxHttp, status: int) -> None:
    async with Loopback(plain(status, Location="/elsewhere", Retry_After="7")) as server:
        answer = await http.send(call(server))
    assert answer.status == status
    assert answer.headers["retry-after"] == "7"
    assert len(server.seen) == 1


async def test_the_request_arrives_as_it_was_given(http: HttpxHttp) -> None:
    async with Loopback(plain(200, b"{}")) as server:
        await http.send(call(server, method="PUT", body=b'{"nights": []}', headers={**HEADERS, "X-Key": "k"}))
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == ("PUT", PATH, b'{"nights": []}')
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.headers["x-key"] == "k"
    assert seen.headers["accept-encoding"] == "gzip, deflate"
    assert seen.headers["user-agent"] == "sync-engine"
    assert seen.headers["host"] == f"127.0.0.1:{server.port}"


async def test_the_callers_own_agent_and_encoding_win(http: HttpxHttp) -> None:
    async with Loopback() as server:
        await http.send(
            call(server, headers={"user-agent": "calendar (a@b.example)", "ACCEPT-ENCODING": "identity"})
        )
    assert server.seen[0].headers["user-agent"] == "calendar (a@b.example)"
    assert server.seen[0].headers["accept-encoding"] == "identity"


async def test_connections_are_kept_and_cookies_are_not(http: HttpxHttp) -> None:
    async with Loopback(plain(200, b"x", Set_Cookie="account=one")) as server:
        for _ in range(3):
            await http.send(call(server, url=server.url(PATH, "localhost")))
    assert server.connections == 1
    assert not any("cookie" in seen.headers for seen in server.seen)


async def test_headers_said_twice_are_joined(http: HttpxHttp) -> None:
    async with Loopback(raw(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 0\r\nx-a: 2\r\n\r\n")) as server:
        assert (await http.send(call(server))).headers["x-a"] == "1, 2"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"calendar", mtime=0)),
        ("x-gzip", gzip.compress(b"calendar", mtime=0)),
        ("GZip", gzip.compress(b"cal", mtime=0) + gzip.compress(b"endar", mtime=0)),
        ("deflate", zlib.compress(b"calendar")),
        ("deflate", zlib.compress(b"calendar", wbits=-15)),
        ("identity", b"calendar"),
    ],
)
async def test_packed_bodies_are_unpacked(http: HttpxHttp, encoding: str, packed: bytes) -> None:
    async with Loopback(plain(200, packed, Content_Encoding=encoding)) as server:
        assert (await http.send(call(server))).body == b"calendar"


async def test_an_answer_without_body_may_name_an_encoding(http: HttpxHttp) -> None:
    async with Loopback(raw(b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n")) as server:
        answer = await http.send(call(server))
    assert (answer.status, answer.body) == (304, b"")


async def test_a_body_of_exactly_the_cap_passes(http: HttpxHttp) -> None:
    async with Loopback(plain(200, b"x" * 1000)) as server:
        assert len((await http.send(call(server, most_bytes=1000))).body) == 1000
        await failure(http, call(server, most_bytes=999), PayloadRejected)


# ------------------------------------------------------------------------- bodies that must not pass


CUT = {
    "shorter than its length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nBEGIN", close=True),
    "chunk without its end": raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nBEGIN\r\n", close=True
    ),
    "chunk shorter than said": raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nBE", close=True
    ),
    "gzip without its end": plain(200, gzip.compress(b"calendar" * 50)[:-9], Content_Encoding="gzip"),
    "no answer at all": raw(b"", close=True),
    "half a head": raw(b"HTTP/1.1 200 OK\r\nContent-Le", close=True),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", close=True),
    "a length that is none": raw(b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nBEGIN", close=True),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n", close=True),
    "a head without end": raw(b"HTTP/1.1 200 OK\r\n" + b"X-Long: y\r\n" * 40_000, close=True),
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
async def test_a_broken_answer_is_no_answer(http: HttpxHttp, answer: Answer) -> None:
    async with Loopback(answer) as server:
        await failure(http, call(server), PlatformDown)


UNREADABLE = {
    "an encoding nobody asked for": plain(200, b"\x0b\x02\x80hello\x03", Content_Encoding="br"),
    "two encodings": plain(200, gzip.compress(gzip.compress(b"x", mtime=0)), Content_Encoding="gzip, gzip"),
    "not gzip at all": plain(200, b"<html>not packed</html>", Content_Encoding="gzip"),
    "deflate with more behind it": plain(200, zlib.compress(b"x") + b"more", Content_Encoding="deflate"),
}


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_body_nobody_can_unpack_is_rejected(http: HttpxHttp, answer: Answer) -> None:
    async with Loopback(answer) as server:
        await failure(http, call(server), PayloadRejected)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_given_up_within_its_cap(http: HttpxHttp, encoding: str) -> None:
    zeros = bytes(10 * MEGABYTE)
    bomb = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros, 9)
    assert len(bomb) < 11_000
    del zeros
    async with Loopback(plain(200, bomb, Content_Encoding=encoding)) as server:
        await http.send(call(server, url=server.url("/"), most_bytes=20 * MEGABYTE))  # imports are paid here
        tracemalloc.start()
        try:
            assert "more bytes" in await failure(http, call(server), PayloadRejected)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 6 * MEGABYTE


async def test_an_endless_body_is_given_up_at_its_cap(http: HttpxHttp) -> None:
    sent = 0

    async def endless(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()
            sent += 0x10000

    async with Loopback(endless) as server:
        await failure(http, call(server, most_bytes=MEGABYTE), PayloadRejected)
        server.answer = plain(200, b"fine")
        assert (await http.send(call(server))).body == b"fine"
    assert sent < 40 * MEGABYTE


async def test_bytes_behind_an_answer_never_answer_the_next_call(http: HttpxHttp) -> None:
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    async with Loopback(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue" + smuggled)) as server:
        first = await http.send(call(server))
        server.answer = plain(200, b"second")
        second = await http.send(call(server))
    assert (first.body, second.body) == (b"true", b"second")


# ------------------------------------------------------------------------------------- no answer in time


async def drip(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip_head(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(seen: Seen, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("answer", [drip, drip_head, silence])
async def test_the_deadline_is_for_the_whole_answer(http: HttpxHttp, answer: Answer) -> None:
    async with Loopback(answer) as server:
        await http.send(call(await _warm(server)))
        server.answer = answer
        start = asyncio.get_running_loop().time()
        text = await failure(http, call(server, deadline=0.2), PlatformDown)
        taken = asyncio.get_running_loop().time() - start
    assert "0.2 s" in text
    assert 0.19 < taken < 1.5


async def _warm(server: Loopback) -> Loopback:
    server.answer = plain()
    return server


async def test_waiting_at_the_gate_counts_and_frees_nothing_it_did_not_take() -> None:
    release = asyncio.Event()

    async def held(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await plain(200, b"late")(seen, writer)

    http = HttpxHttp(calls_per_host=1)
    async with Loopback(held) as server:
        first = asyncio.create_task(http.send(call(server)))
        while not server.seen:
            await asyncio.sleep(0)
        await failure(http, call(server, deadline=0.05), PlatformDown)
        assert len(server.seen) == 1
        release.set()
        assert (await first).body == b"late"
        assert (await http.send(call(server))).body == b"late"
    await http.close()


async def test_the_gate_holds_back_what_is_over_its_size() -> None:
    now, most = 0, 0

    async def counted(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.005)
        now -= 1
        await plain()(seen, writer)

    http = HttpxHttp(calls_per_host=5)
    async with Loopback(counted) as server:
        await asyncio.gather(*(http.send(call(server)) for _ in range(30)))
    await http.close()
    assert most == 5


async def test_a_cancelled_call_gives_its_place_back() -> None:
    http = HttpxHttp(calls_per_host=1)
    async with Loopback(silence) as server:
        task = asyncio.create_task(http.send(call(server)))
        while not server.seen:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.answer = plain(200, b"free")
        assert (await http.send(call(server))).body == b"free"
    await http.close()


# ---------------------------------------------------------------------------------------- no connection


async def test_a_refused_connection(http: HttpxHttp) -> None:
    async with Loopback() as server:
        pass
    assert "no connection" in await failure(http, call(server), PlatformDown)


async def test_a_reset_connection(http: HttpxHttp) -> None:
    async def reset(seen: Seen, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with Loopback(reset) as server:
        await failure(http, call(server), PlatformDown)


async def test_a_name_that_does_not_exist(http: HttpxHttp) -> None:
    with pytest.raises(PlatformDown, match=r"nowhere\.invalid: its name was not found") as caught:
        await http.send(Request("GET", f"https://nowhere.invalid{PATH}"))
    assert SECRET not in str(caught.value)


async def test_nothing_is_repeated_on_a_kept_connection_that_went_away(http: HttpxHttp) -> None:
    """Rule 2: a write that opens nights is one attempt; aiohttp alone would send this PUT twice."""
    async with Loopback(plain()) as server:
        await http.send(call(server))
        server.answer = raw(b"", close=True)
        await failure(http, call(server, method="PUT", body=b"open"), PlatformDown)
    assert [seen.method for seen in server.seen] == ["GET", "PUT"]
    assert server.seen[1].connection == server.seen[0].connection


def certificate(directory: Path) -> ssl.SSLContext:
    """A server's context with a certificate that nobody vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = directory / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_nobody_vouches_for_has_its_own_words(http: HttpxHttp, tmp_path: Path) -> None:
    async with Loopback(tls=certificate(tmp_path)) as server:
        assert "TLS certificate was not accepted" in await failure(http, call(server), PlatformDown)
    assert not server.seen


async def test_a_server_without_tls_has_other_words(http: HttpxHttp) -> None:
    async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(speak_http, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        request = Request("GET", f"https://127.0.0.1:{port}{PATH}", deadline=5.0)
        assert "TLS handshake failed" in await failure(http, request, PlatformDown)


# ------------------------------------------------------------------------------------- our own mistakes


@pytest.mark.parametrize("value", ["key\r\nX-Other: 1", "key\n", "key\0"])
async def test_a_header_with_a_line_break_is_never_sent(http: HttpxHttp, value: str) -> None:
    async with Loopback() as server:
        await failure(http, call(server, headers={"Authorization": f"{SECRET}{value}"}), PayloadRejected)
    assert not server.connections


@pytest.mark.parametrize(
    "url", ["", "calendar", "ftp://h.example/", "https://", "https://[::1", "https://h:x/"]
)
async def test_a_call_to_no_readable_address_is_refused(http: HttpxHttp, url: str) -> None:
    with pytest.raises(AddressRefused):
        await http.send(Request("GET", url))


async def test_credentials_in_a_platforms_address_are_refused(http: HttpxHttp) -> None:
    with pytest.raises(AddressRefused) as caught:
        await http.send(Request("GET", f"https://user:{SECRET}@api.example/"))
    assert "api.example" in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_the_environments_proxies_are_ignored(http: HttpxHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Loopback(plain(200, b"proxy")) as proxy, Loopback(plain(200, b"direct")) as server:
        monkeypatch.setenv("http_proxy", proxy.url())
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        assert (await http.send(call(server))).body == b"direct"


async def test_closing_twice_is_fine_and_a_later_call_opens_again(http: HttpxHttp) -> None:
    async with Loopback(plain(200, b"again")) as server:
        await http.send(call(server))
        await http.close()
        await http.close()
        assert (await http.send(call(server))).body == b"again"
    assert server.connections == 2


def test_importing_the_adapter_loads_no_client() -> None:
    code = "import sys, shared.adapters.http; print(*sorted({'httpx', 'aiohttp'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
