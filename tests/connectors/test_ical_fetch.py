"""Fetching from real servers: what goes out, what each answer means, and that the link stays out of sight."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest

from shared.adapters.http import HttpxHttp
from shared.connectors.ical import IcalConnector
from shared.connectors.ical_fetch import DEADLINE, digest
from shared.connectors.ical_links import ICAL
from shared.connectors.ical_text import MOST_BYTES
from shared.domain.errors import AddressRefused, AuthFailed, FeedRefused, PlatformDown, RateLimited, SyncError
from shared.memory.http import MemoryHttp
from shared.ports.http import Http, Request, Response
from shared.ports.platforms import FeedConnector, FeedFetch, Validators
from shared.resilience.retry_after import parse_retry_after
from tests.loopback import Loopback, plain, raw

SECRET = "inventedsecret"
PATH = f"/calendar/ical/1.ics?s={SECRET}"
AGENT = "SyncEngine/0.1 (+https://sync.example/contact)"
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20270101T000000Z\r\n"
    b"DTSTART;VALUE=DATE:20270710\r\nDTEND;VALUE=DATE:20270713\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
NOTHING = Validators()


def wait(header: str | None) -> float | None:
    return parse_retry_after(header, datetime(2027, 1, 1, tzinfo=UTC))


def connector(http: Http) -> FeedConnector:
    return IcalConnector(http, agent=AGENT, retry_after=wait)


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with Loopback(
        plain(200, CALENDAR, ETag='"v1"', Last_Modified="Fri, 01 Jan 2027 00:00:00 GMT")
    ) as running:
        yield running


@pytest.fixture
async def feeds(server: Loopback) -> AsyncIterator[FeedConnector]:
    http = HttpxHttp(loopback_ports=frozenset({server.port}))
    yield connector(http)
    await http.close()


@pytest.fixture(autouse=True)
def nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every test of this file: no log record of any library holds the link's secret."""
    caplog.set_level(logging.DEBUG)
    yield
    assert not [record.getMessage() for record in caplog.records if SECRET in record.getMessage()]


async def test_a_whole_calendar_comes_with_its_validators_and_digest(
    server: Loopback, feeds: FeedConnector
) -> None:
    fetched = await feeds.fetch(server.url(PATH), NOTHING)
    assert fetched == FeedFetch(
        False, Validators('"v1"', "Fri, 01 Jan 2027 00:00:00 GMT"), digest(CALENDAR), CALENDAR
    )
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("GET", PATH)
    assert seen.headers["user-agent"] == AGENT
    assert "if-none-match" not in seen.headers
    assert "if-modified-since" not in seen.headers
    busy = feeds.read(fetched.body, ICAL, "Europe/Paris", date(2027, 1, 1))
    assert [str(dates) for event in busy.events for dates in event.dates] == ["2027-07-10/2027-07-13"]


async def test_validators_go_back_as_they_came_and_304_keeps_them(
    server: Loopback, feeds: FeedConnector
) -> None:
    known = Validators('W/"v1"', "Fri, 01 Jan 2027 00:00:00 GMT")
    server.answer = plain(304)
    assert await feeds.fetch(server.url(PATH), known) == FeedFetch(True, known)
    assert server.seen[0].headers["if-none-match"] == 'W/"v1"'
    assert server.seen[0].headers["if-modified-since"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    server.answer = plain(304, ETag='"v2"')
    assert (await feeds.fetch(server.url(PATH), known)).validators == Validators('"v2"', known.last_modified)


async def test_validators_of_a_new_answer_replace_the_old_ones(
    server: Loopback, feeds: FeedConnector
) -> None:
    server.answer = plain(200, CALENDAR)
    assert (await feeds.fetch(server.url(PATH), Validators('"old"', "x"))).validators == NOTHING
    server.answer = plain(200, CALENDAR, ETag="x" * 1001)
    assert (await feeds.fetch(server.url(PATH), NOTHING)).validators == NOTHING


ANSWERS = [
    (304, {}, FeedRefused, None),
    (204, {}, FeedRefused, None),
    (206, {}, FeedRefused, None),
    (400, {}, FeedRefused, None),
    (401, {}, AuthFailed, None),
    (403, {}, AuthFailed, None),
    (404, {}, AuthFailed, None),
    (410, {}, AuthFailed, None),
    (408, {}, PlatformDown, None),
    (429, {}, RateLimited, None),
    (429, {"Retry_After": "7"}, RateLimited, 7.0),
    (429, {"Retry_After": "Fri, 01 Jan 2027 00:01:00 GMT"}, RateLimited, 60.0),
    (429, {"Retry_After": "soon"}, RateLimited, None),
    (500, {}, PlatformDown, None),
    (502, {}, PlatformDown, None),
    (503, {}, PlatformDown, None),
    (503, {"Retry_After": "7"}, RateLimited, 7.0),
]


@pytest.mark.parametrize(("status", "headers", "kind", "pause"), ANSWERS)
async def test_each_status_has_its_meaning(
    server: Loopback,
    feeds: FeedConnector,
    status: int,
    headers: dict[str, str],
    kind: type[SyncError],
    pause: float | None,
) -> None:
    server.answer = plain(status, b"" if status in (204, 304) else CALENDAR, **headers)
    with pytest.raises(kind) as caught:
        await feeds.fetch(server.url(PATH), NOTHING)
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", None) == pause
    assert str(caught.value).startswith(f"127.0.0.1/… answered {status}")
    assert SECRET not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.airbnb.fr/calendar/ical/1.ics?s=0", RateLimited),
        ("https://ical.booking.com/v1/export?t=0", RateLimited),
        ("https://www.abritel.fr/icalendar/0.ics", RateLimited),
        ("https://calendars.greengo.voyage/calendar/greengo-icalendar/0", AuthFailed),
    ],
)
async def test_403_of_a_platform_that_keeps_robots_out_is_a_budget(url: str, kind: type[SyncError]) -> None:
    async def forbidden(request: Request) -> Response:
        return Response(403, {}, b"")

    http = MemoryHttp()
    http.on("GET", "", forbidden)
    with pytest.raises(kind):
        await connector(http).fetch(url, NOTHING)
    (request,) = http.requests
    assert (request.guarded, request.deadline, request.most_bytes) == (True, DEADLINE, MOST_BYTES)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b'{"error":"no"}',
        CALENDAR[:-17],
        CALENDAR.replace(b"BEGIN:VCALENDAR", b""),
    ],
    ids=["empty", "page", "json", "torn", "headless"],
)
async def test_200_without_a_whole_calendar_is_refused(
    server: Loopback, feeds: FeedConnector, body: bytes
) -> None:
    server.answer = plain(200, body)
    with pytest.raises(FeedRefused, match="answered 200 with") as caught:
        await feeds.fetch(server.url(PATH), NOTHING)
    assert SECRET not in str(caught.value)


async def test_a_body_cut_short_or_too_long_is_no_calendar(server: Loopback, feeds: FeedConnector) -> None:
    server.answer = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + CALENDAR, close=True)
    with pytest.raises(PlatformDown):
        await feeds.fetch(server.url(PATH), NOTHING)
    server.answer = plain(200, CALENDAR + b" " * MOST_BYTES)
    with pytest.raises(FeedRefused) as caught:
        await feeds.fetch(server.url(PATH), NOTHING)
    assert SECRET not in str(caught.value)


async def test_an_inner_address_is_never_asked(server: Loopback) -> None:
    http = HttpxHttp()
    with pytest.raises(AddressRefused):
        await connector(http).fetch(server.url(PATH), NOTHING)
    await http.close()
    assert server.seen == []


# ----------------------------------------------------------------------------------------------- digest


def test_the_digest_ignores_stamps_of_the_export_and_nothing_else() -> None:
    later = CALENDAR.replace(b"20270101T000000Z", b"20270102T111111Z")
    folded = CALENDAR.replace(b"20270101T000000Z", b"20270103T\r\n 111\r\n\t111Z")
    stamped = CALENDAR.replace(
        b"UID:1", b"UID:1\r\nLAST-MODIFIED:20270101T000000Z\r\nCREATED;X=1:20270101T000000Z"
    )
    assert digest(CALENDAR) == digest(later) == digest(folded) == digest(stamped)
    for changed in (
        CALENDAR.replace(b"20270713", b"20270714"),
        CALENDAR.replace(b"UID:1", b"UID:2"),
        CALENDAR.replace(b"END:VEVENT", b"STATUS:CANCELLED\r\nEND:VEVENT"),
        CALENDAR.replace(b"UID:1", b"UID:1\r\nDESCRIPTION:a\r\n DTSTAMP:b"),
        CALENDAR.replace(b"UID:1", b"UID:1\r\nDTSTAMPS:1"),
        CALENDAR.replace(b"\r\n", b"\n"),
    ):
        assert digest(changed) != digest(CALENDAR)
    bare = CALENDAR.replace(b"DTSTAMP:20270101T000000Z\r\n", b"")
    assert digest(CALENDAR) == sha256(bare).hexdigest()
