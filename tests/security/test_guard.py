"""Guarded calls over real sockets: no connection ever reaches an inner address, whoever says to go there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from shared.adapters.http import HttpxHttp
from shared.domain.addresses import parse_feed_url
from shared.domain.errors import AddressRefused, PlatformDown
from shared.domain.redirects import next_address
from shared.memory.http import MemoryHttp
from shared.ports.http import Request, Response
from tests.loopback import Loopback, Seen, plain
from tests.security import corpus
from tests.security.recorder import Record, recorded

OWN = "feeds.example"
INNER = (
    "127.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "10.0.0.1",
    "::1",
    "fd00:ec2::254",
    "64:ff9b::a00:1",
)


class Names:
    """A resolver that answers from a list, in turn; the last answer stays. Counts who asks for what."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def sockets() -> Iterator[Record]:
    with recorded() as record:
        yield record


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with Loopback(plain(200, b"BEGIN:VCALENDAR")) as running:
        yield running


def guarded(names: Names, *ports: int) -> HttpxHttp:
    return HttpxHttp(resolve=names, loopback_ports=frozenset(ports))


def feed(url: str, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("GET", url, named, deadline=5.0, guarded=True)


async def refusal(http: HttpxHttp, request: Request) -> str:
    try:
        with pytest.raises(AddressRefused) as caught:
            await http.send(request)
    finally:
        await http.close()
    return str(caught.value)


async def test_the_recorder_sees_a_connection(sockets: Record, server: Loopback) -> None:
    http = HttpxHttp()
    await http.send(Request("GET", server.url()))
    await http.close()
    assert sockets.connected == [("127.0.0.1", server.port)]


async def test_published_attacks_reach_no_inner_address(sockets: Record) -> None:
    rows = corpus.load("url/ssrf_urls_payloadsallthethings.json")
    assert len(rows) == 120
    names = Names(["169.254.169.254"])
    http = HttpxHttp(resolve=names)
    for row in rows:
        with pytest.raises(AddressRefused):
            await http.send(feed(row["url"]))
        if row["kind"] in ("address", "scheme"):
            assert not names.asked, row
        names.asked.clear()
    await http.close()
    assert not sockets.connected
    assert not sockets.looked_up


async def test_names_that_lead_inward_are_refused_when_the_resolver_says_so(sockets: Record) -> None:
    for inner in INNER:
        names = Names([inner])
        assert "169.254.169.254.nip.io leads to" in await refusal(
            guarded(names), feed("http://169.254.169.254.nip.io/invented-secret")
        )
        assert names.asked == [("169.254.169.254.nip.io", 80)]
    assert not sockets.connected


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_one_inner_address_among_public_ones_refuses_the_name(
    sockets: Record, inner: str, place: int
) -> None:
    answer = ["93.184.215.14", "2606:4700::1111"]
    answer.insert(place, inner)
    text = await refusal(guarded(Names(answer)), feed("https://feeds.example/invented-secret.ics"))
    assert text == f"{OWN} leads to an address that is not public"
    assert not sockets.connected


async def test_published_redirectors_are_refused_at_the_hop() -> None:
    rows = corpus.load("url/ssrf_urls_payloadsallthethings.json")
    for row in [row for row in rows if row["kind"] == "redirects inward"]:
        for target in ("http://localhost", "https://127.0.0.1/", "//169.254.169.254/x", "https://[::1]/"):

            async def answer(request: Request, target: str = target) -> Response:
                return Response(307, {"Location": target}, b"")

            http = MemoryHttp()
            http.on("GET", "", answer)
            with pytest.raises(AddressRefused):
                await http.send(feed(row["url"]))
            assert len(http.requests) == 1


INWARD = [
    "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/",
    "//10.0.0.1/",
    "http://127.0.0.1:{other}/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]:8080/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://user@feeds.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{other}/_x",
    "http:///169.254.169.254/",
    "http://feeds.example:22/",
    "http://metadata.google.internal/",
    "http://inner.example:{own}/",
    "http://inner.example/",
    "\\\\127.0.0.1\\x",
    "http://127.0.0.1:{own}@169.254.169.254/",
    "http://169.254.169.254#@127.0.0.1:{own}/",
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", INWARD)
async def test_a_redirect_inward_is_refused_and_never_connected_to(
    sockets: Record, server: Loopback, target: str, status: int
) -> None:
    class Own(Names):
        async def __call__(self, host: str, port: int) -> Sequence[str]:
            await super().__call__(host, port)
            return ["127.0.0.1"] if host == OWN else ["169.254.169.254"]

    async with Loopback() as other:
        location = target.format(own=server.port, other=other.port)
        server.answer = plain(status, Location=location)
        http = guarded(Own([]), server.port)
        await refusal(http, feed(server.url("/invented-secret", OWN)))
        assert not other.connections
    assert sockets.connected == [("127.0.0.1", server.port)]
    assert not sockets.looked_up


@pytest.mark.parametrize("inner", INNER)
async def test_a_name_that_changes_its_answer_is_asked_once(
    sockets: Record, server: Loopback, inner: str
) -> None:
    names = Names(["127.0.0.1"], [inner])
    http = guarded(names, server.port)
    for _ in range(3):
        assert (await http.send(feed(server.url("/", OWN)))).body == b"BEGIN:VCALENDAR"
    await http.close()
    assert names.asked == [(OWN, server.port)]
    assert sockets.connected == [("127.0.0.1", server.port)]
    assert not sockets.looked_up


@pytest.mark.parametrize("inner", [text for text in INNER if text not in ("127.0.0.1", "::1")])
async def test_a_name_that_changes_its_answer_between_hops_is_refused(
    sockets: Record, server: Loopback, inner: str
) -> None:
    names = Names(["127.0.0.1"], [inner])
    async with Loopback() as other:
        server.answer = plain(302, Location=other.url("/", OWN), Connection="close")
        await refusal(guarded(names, server.port, other.port), feed(server.url("/", OWN)))
        assert not other.connections
    assert sockets.connected == [("127.0.0.1", server.port)]


async def test_a_new_connection_asks_for_the_name_again(sockets: Record, server: Loopback) -> None:
    server.answer = plain(200, Connection="close")
    http = guarded(Names(["127.0.0.1"], ["169.254.169.254"]), server.port)
    await http.send(feed(server.url("/", OWN)))
    await refusal(http, feed(server.url("/", OWN)))
    assert sockets.connected == [("127.0.0.1", server.port)]


async def test_a_look_up_without_end_ends_at_the_deadline() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    http = HttpxHttp(resolve=never)
    with pytest.raises(PlatformDown, match=r"feeds\.example: no complete answer within 0\.05 s"):
        await http.send(Request("GET", "https://feeds.example/", deadline=0.05, guarded=True))
    await http.close()


class Closes(frozenset[int]):
    """Ports that are open for the first looks and shut afterwards."""

    looks = 0

    def __contains__(self, port: object) -> bool:
        self.looks -= 1
        return self.looks >= 0 and super().__contains__(port)


@pytest.mark.parametrize(
    ("looks", "stage"),
    [(1, "the name"), (2, "the socket"), (3, "the peer")],
)
async def test_each_of_three_guards_stands_alone(
    sockets: Record, server: Loopback, looks: int, stage: str
) -> None:
    """One look by the link's reader, then one each by the resolver, the socket's maker and the peer check."""
    ports = Closes({server.port})
    ports.looks = looks
    http = HttpxHttp(resolve=Names(["127.0.0.1"]), loopback_ports=ports)
    with pytest.raises((AddressRefused, PlatformDown)):
        await http.send(feed(server.url("/", OWN)))
    await http.close()
    assert bool(sockets.connected) is (stage == "the peer")
    assert not server.seen


async def test_a_kept_connection_is_checked_again_before_it_is_used(server: Loopback) -> None:
    ports = Closes({server.port})
    ports.looks = 4
    http = HttpxHttp(resolve=Names(["127.0.0.1"]), loopback_ports=ports)
    await http.send(feed(server.url("/", OWN)))
    ports.looks = 1
    assert "answered from" in await refusal(http, feed(server.url("/", OWN)))
    assert len(server.seen) == 1


async def test_plain_calls_lend_no_connection_to_guarded_ones(sockets: Record, server: Loopback) -> None:
    http = HttpxHttp()
    await http.send(Request("GET", server.url()))
    await refusal(http, feed(server.url()))
    assert len(server.seen) == 1


async def test_a_name_without_address_is_no_refusal() -> None:
    http = guarded(Names([]))
    with pytest.raises(PlatformDown, match=r"feeds\.example: its name was not found"):
        await http.send(feed("https://feeds.example/"))
    await http.close()


# ----------------------------------------------------------------------------- redirects that are followed


async def test_three_redirects_are_followed_and_the_fourth_is_not(server: Loopback) -> None:
    left = 0

    async def hop(seen: Seen, writer: object) -> None:
        nonlocal left
        left -= 1
        step = plain(200, b"there") if left < 0 else plain(302, Location=f"/step{left}")
        await step(seen, writer)  # type: ignore[arg-type]

    server.answer = hop
    for most, arrives in ((3, True), (4, False)):
        left = most
        http = guarded(Names(["127.0.0.1"]), server.port)
        if arrives:
            assert (await http.send(feed(server.url("/", OWN)))).body == b"there"
            await http.close()
        else:
            assert "after 3 times" in await refusal(http, feed(server.url("/", OWN)))


async def test_only_harmless_headers_cross_to_another_host(server: Loopback) -> None:
    async with Loopback(plain(200, b"there")) as other:
        server.answer = plain(301, Location=other.url("/x", "elsewhere.example"))
        http = guarded(Names(["127.0.0.1"]), server.port, other.port)
        request = feed(
            server.url("/", OWN),
            Authorization="Bearer invented",
            Cookie="a=b",
            If_None_Match='"v1"',
            If_Modified_Since="x",
            X_Key="invented",
            User_Agent="calendar (a@b.example)",
            Accept="text/calendar",
        )
        assert (await http.send(request)).body == b"there"
        await http.close()
    (first,), (second,) = server.seen, other.seen
    assert first.headers["if-none-match"] == '"v1"'
    assert set(second.headers) == {"host", "user-agent", "accept", "accept-encoding"}
    assert second.headers["user-agent"] == "calendar (a@b.example)"


async def test_validators_stay_within_one_host(server: Loopback) -> None:
    async def once(seen: Seen, writer: object) -> None:
        step = plain(302, Location="second?a=b") if seen.target == "/dir/first" else plain(200, b"there")
        await step(seen, writer)  # type: ignore[arg-type]

    server.answer = once
    http = guarded(Names(["127.0.0.1"]), server.port)
    await http.send(feed(server.url("/dir/first", OWN), If_None_Match='"v1"'))
    await http.close()
    assert [seen.target for seen in server.seen] == ["/dir/first", "/dir/second?a=b"]
    assert server.seen[1].headers["if-none-match"] == '"v1"'


async def test_a_redirected_post_is_an_answer(server: Loopback) -> None:
    server.answer = plain(307, Location="/elsewhere")
    http = guarded(Names(["127.0.0.1"]), server.port)
    answer = await http.send(Request("POST", server.url("/", OWN), body=b"x", guarded=True))
    await http.close()
    assert answer.status == 307
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://b.example/x?y#z", "https://b.example/x?y"),
        ("//b.example/x", "https://b.example/x"),
        ("/x", "https://a.example:8443/x"),
        ("x", "https://a.example:8443/dir/x"),
        ("?q", "https://a.example:8443/dir/feed.ics?q"),
        ("", "https://a.example:8443/dir/feed.ics"),
        ("../x", "https://a.example:8443/dir/../x"),
    ],
)
def test_where_a_location_leads(location: str, expected: str) -> None:
    here = parse_feed_url("https://a.example:8443/dir/feed.ics?key=1")
    assert next_address(here, location).url == expected


@pytest.mark.parametrize("location", ["http://b.example/", "http://a.example/", "HTTP://a.example/"])
def test_a_step_down_to_http_is_refused(location: str) -> None:
    with pytest.raises(AddressRefused, match=r"a\.example redirects from https to http"):
        next_address(parse_feed_url("https://a.example/invented-secret"), location)
    assert next_address(parse_feed_url("http://a.example/"), "https://b.example/").scheme == "https"
