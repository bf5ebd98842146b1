"""The platforms reading a calendar of ours, and what they make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from local.sandbox.clock import Clock
from local.sandbox.config import WITH_CALENDARS, Link, Listing, Platform, SandboxConfig
from local.sandbox.server import running
from shared.domain.dates import StayDates
from tests.local.sandbox.play import Player, nights
from tests.loopback import Loopback, plain

EMPTY = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ours//EN\r\nEND:VCALENDAR\r\n"


def ours(*stays: tuple[str, str]) -> bytes:
    events = b"".join(
        f"BEGIN:VEVENT\r\nUID:{start}@ours.example\r\nDTSTAMP:20270502T101500Z\r\n"
        f"DTSTART;VALUE=DATE:{start}\r\nDTEND;VALUE=DATE:{end}\r\nSUMMARY:Closed\r\nEND:VEVENT\r\n".encode()
        for start, end in stays
    )
    return EMPTY.replace(b"END:VCALENDAR", events + b"END:VCALENDAR")


@pytest.fixture
def config() -> SandboxConfig:
    return SandboxConfig(listings=tuple(Listing(platform, "1", "home") for platform in WITH_CALENDARS))


@pytest.fixture
async def feed(play: Player) -> AsyncIterator[Loopback]:
    async with Loopback(plain(200, ours(("20270710", "20270713")), ETag='"v1"')) as server:
        for platform in WITH_CALENDARS:
            await play.ask(f"{platform}/link/1", 201, url=server.url(f"/ours/{platform}.ics"))
        yield server


async def pull(play: Player, platform: str) -> dict[str, object]:
    answer = await play.ask(f"{platform}/pull/1")
    results = answer["pulled"]
    assert isinstance(results, list)
    result: dict[str, object] = results[0]
    return result


@pytest.mark.parametrize("platform", WITH_CALENDARS)
async def test_imported_nights_are_closed_after_the_pull_and_not_before(
    play: Player, feed: Loopback, platform: Platform
) -> None:
    assert play.sandbox.world.truth.bookable(platform, "1", StayDates.parse("2027-07-10/2027-07-13"))
    assert (await pull(play, platform))["events"] == 1
    assert await play.states(f"{platform}/1") == dict.fromkeys(nights("2027-07-10", 3), "imported")
    await play.refused(platform, "1", "2027-07-12", 2)
    await play.book(platform, "1", "2027-07-13", 1)


async def test_the_reader_says_who_it_is_and_brings_our_etag_back(play: Player, feed: Loopback) -> None:
    await pull(play, "greengo")
    feed.answer = plain(304, ETag='"v1"')
    result = await pull(play, "greengo")
    first, second = feed.seen
    assert first.headers["user-agent"] == "GreenGo-Calendar/1.0"
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"] == '"v1"'
    assert (result["status"], result["changed"]) == (304, False)
    assert len(await play.states("greengo/1")) == 3


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>Sign in</html>"), (200, b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"), (503, b""), (404, b"")],
)
async def test_what_is_no_calendar_changes_nothing(
    play: Player, feed: Loopback, status: int, body: bytes
) -> None:
    await pull(play, "greengo")
    feed.answer = plain(status, body)
    assert (await pull(play, "greengo"))["status"] == status
    assert len(await play.states("greengo/1")) == 3


async def test_a_valid_empty_calendar_opens_every_night(play: Player, feed: Loopback) -> None:
    await pull(play, "greengo")
    feed.answer = plain(200, EMPTY)
    await pull(play, "greengo")
    assert await play.states("greengo/1") == {}


async def test_a_reader_that_is_down_does_not_come(play: Player, feed: Loopback) -> None:
    await play.fault(kind="down", platform="greengo", call="pull", times=1)
    assert (await pull(play, "greengo"))["error"] == "fault"
    assert feed.seen == []


@pytest.mark.parametrize("platform", WITH_CALENDARS)
async def test_only_booking_repeats_what_it_imported_unless_told_otherwise(
    play: Player, feed: Loopback, platform: Platform
) -> None:
    await pull(play, platform)
    echoed = [event[1:] for event in await play.events(f"{platform}/1")]
    assert echoed == ([("2027-07-10", "2027-07-13")] if platform is Platform.BOOKING else [])


async def test_an_echo_can_be_switched_on_per_listing(clock: Clock) -> None:
    config = SandboxConfig(listings=(Listing(Platform.GREENGO, "1", "home", echo=True),))
    async with (
        Loopback(plain(200, ours(("20270710", "20270713")))) as server,
        running(config, clock=clock) as sandbox,
        httpx.AsyncClient(base_url=sandbox.base, verify=False) as client,
    ):
        play = Player(sandbox, client)
        await play.ask("greengo/link/1", 201, url=server.url())
        await pull(play, "greengo")
        assert await play.events("greengo/1") == [("GreenGo (Not Available)", "2027-07-10", "2027-07-13")]


async def test_left_alone_each_platform_reads_on_its_own_rhythm(clock: Clock) -> None:
    turn = asyncio.Semaphore(0)
    turned = asyncio.Event()

    async def sleep(seconds: float) -> None:
        turned.set()
        await turn.acquire()
        turned.clear()
        clock.advance(30)

    async with Loopback(plain(200, EMPTY)) as server:
        links = (Link(server.url(), every=60),)
        config = SandboxConfig(listings=(Listing(Platform.GREENGO, "1", "home", pulls=links),))
        async with running(config, clock=clock, sleep=sleep, pulling=True):
            seen = []
            for _ in range(5):
                await turned.wait()
                seen.append(len(server.seen))
                turned.clear()
                turn.release()
    assert seen == [1, 1, 2, 2, 3]
