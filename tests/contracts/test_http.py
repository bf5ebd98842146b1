"""What every ``Http`` does, over real sockets and in memory alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from shared.adapters.http import HttpxHttp
from shared.domain.errors import AddressRefused, PayloadRejected, PlatformDown
from shared.memory.http import MemoryHttp
from shared.ports.http import Http, Request, Response
from tests.loopback import Loopback, Seen

Handler = Callable[[str, str, bytes], Awaitable[Response]]
"""Method, path and body in; the other side's answer out."""


class World(Protocol):
    """An ``Http`` and another side that it can reach."""

    http: Http

    def url(self, path: str) -> str: ...

    def nowhere(self) -> str: ...

    def answer(self, handler: Handler) -> None: ...

    def arrived(self) -> list[tuple[str, str, dict[str, str], bytes]]: ...


class Wired:
    """The adapter against a server on loopback."""

    def __init__(self, server: Loopback, gone: Loopback) -> None:
        self._server = server
        self._gone = gone
        self.http: Http = HttpxHttp(loopback_ports=frozenset({server.port}))

    def url(self, path: str) -> str:
        return self._server.url(path)

    def nowhere(self) -> str:
        return self._gone.url()

    def answer(self, handler: Handler) -> None:
        async def write(seen: Seen, writer: asyncio.StreamWriter) -> None:
            answer = await handler(seen.method, seen.target, seen.body)
            head = [f"HTTP/1.1 {answer.status} Invented", f"Content-Length: {len(answer.body)}"]
            head += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + answer.body)
            await writer.drain()

        self._server.answer = write

    def arrived(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        return [(seen.method, seen.target, seen.headers, seen.body) for seen in self._server.seen]


class Remembered:
    """The twin against its routes."""

    def __init__(self) -> None:
        self._twin = MemoryHttp(loopback_ports=frozenset({5001}))
        self.http: Http = self._twin

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:5001{path}"

    def nowhere(self) -> str:
        return "http://127.0.0.1:5002/"

    def answer(self, handler: Handler) -> None:
        async def answer(request: Request) -> Response:
            return await handler(request.method, request.url.removeprefix(self.url("")), request.body)

        for method in ("GET", "POST", "PUT"):
            self._twin.on(method, self.url(""), answer)

    def arrived(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        return [
            (
                sent.method,
                sent.url.removeprefix(self.url("")),
                {name.lower(): value for name, value in sent.headers.items()},
                sent.body,
            )
            for sent in self._twin.requests
        ]


@pytest.fixture(params=["adapter", "memory"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            made: World = Remembered()
        else:
            async with Loopback() as gone:
                pass
            made = Wired(await stack.enter_async_context(Loopback()), gone)
        stack.push_async_callback(made.http.close)
        yield made


def fixed(status: int = 200, body: bytes = b"", **headers: str) -> Handler:
    async def handler(method: str, path: str, sent: bytes) -> Response:
        return Response(status, headers, body)

    return handler


async def test_the_request_arrives_and_the_answer_comes_back(world: World) -> None:
    world.answer(fixed(201, b'{"id": 1}', ETag='"v1"'))
    answer = await world.http.send(Request("POST", world.url("/a?b=c"), {"X-Key": "k"}, b"body"))
    assert (answer.status, answer.body, answer.headers["etag"]) == (201, b'{"id": 1}', '"v1"')
    ((method, path, headers, body),) = world.arrived()
    assert (method, path, headers["x-key"], body) == ("POST", "/a?b=c", "k", b"body")


@pytest.mark.parametrize("status", [304, 400, 429, 500, 503])
async def test_any_status_is_an_answer(world: World, status: int) -> None:
    world.answer(fixed(status))
    assert (await world.http.send(Request("GET", world.url("/")))).status == status


async def test_a_plain_call_follows_no_redirect(world: World) -> None:
    world.answer(fixed(302, Location="/elsewhere"))
    assert (await world.http.send(Request("GET", world.url("/")))).headers["location"] == "/elsewhere"
    assert len(world.arrived()) == 1


async def test_a_body_over_its_cap_is_rejected(world: World) -> None:
    world.answer(fixed(200, b"x" * 101))
    with pytest.raises(PayloadRejected):
        await world.http.send(Request("GET", world.url("/"), most_bytes=100))
    assert len((await world.http.send(Request("GET", world.url("/"), most_bytes=101))).body) == 101


async def test_nobody_there(world: World) -> None:
    with pytest.raises(PlatformDown):
        await world.http.send(Request("GET", world.nowhere()))


async def test_no_answer_in_time(world: World) -> None:
    async def never(method: str, path: str, sent: bytes) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    world.answer(never)
    with pytest.raises(PlatformDown, match=r"within 0\.05 s"):
        await world.http.send(Request("GET", world.url("/"), deadline=0.05))


async def test_guarded_calls_follow_redirects_and_lose_their_credentials_on_the_way(world: World) -> None:
    async def there(method: str, path: str, sent: bytes) -> Response:
        return (
            Response(200, {}, b"there")
            if path == "/3"
            else Response(302, {"Location": f"/{int(path[1:]) + 1}"}, b"")
        )

    world.answer(there)
    assert (await world.http.send(Request("GET", world.url("/0"), guarded=True))).body == b"there"
    assert [path for _, path, _, _ in world.arrived()] == ["/0", "/1", "/2", "/3"]


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/", "http://localhost/", "ftp://h.example/", "http://10.0.0.1:5001/"]
)
async def test_guarded_calls_are_refused_at_the_hop_that_leads_inward(world: World, location: str) -> None:
    world.answer(fixed(307, Location=location))
    with pytest.raises(AddressRefused):
        await world.http.send(Request("GET", world.url("/"), guarded=True))
    assert len(world.arrived()) == 1


async def test_guarded_calls_stop_after_three_redirects(world: World) -> None:
    world.answer(fixed(307, Location="/again"))
    with pytest.raises(AddressRefused):
        await world.http.send(Request("GET", world.url("/"), guarded=True))
    assert len(world.arrived()) == 4


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://127.0.0.1/", "file:///etc/passwd", "x"])
async def test_guarded_calls_go_nowhere_inward(world: World, url: str) -> None:
    with pytest.raises(AddressRefused):
        await world.http.send(Request("GET", url, guarded=True))
    assert not world.arrived()


async def test_closing_twice_is_fine(world: World) -> None:
    world.answer(fixed())
    await world.http.send(Request("GET", world.url("/")))
    await world.http.close()
    await world.http.close()
