"""One home on three platforms through everything that ``make run`` starts, with two hosts sharing the work: a guest
books, moves and cancels on each, and the other two follow. Judged by the platforms' own books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from local.ports import free_port
from local.run_session import Session, Wanted, session
from local.sandbox.stays import NightState
from shared.domain.dates import StayDates
from tests.e2e.days import day_ahead
from tests.e2e.support import QUICK, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PROMISE = 30.0
"""Seconds within which a stay is closed elsewhere."""

LISTINGS = {"airbnb": "9876543", "booking": "123456701", "greengo": "moulin-greengo"}
CLOSED_AS = {
    "airbnb": NightState.PARTNER,
    "booking": NightState.PARTNER,
    "greengo": NightState.IMPORTED,
}
FIRST = day_ahead("2027-07-10")
STAYS = {
    name: StayDates.of_nights(FIRST + timedelta(days=30 * place), 3) for place, name in enumerate(LISTINGS)
}
ORIGINS = pytest.mark.parametrize("origin", list(LISTINGS))


@dataclass
class Story:
    """What happened to a guest's stay that began on one platform: seconds by platform and step."""

    closed: dict[str, float] = field(default_factory=dict)
    moved: dict[str, float] = field(default_factory=dict)
    opened: dict[str, float] = field(default_factory=dict)
    held: bool = False


class Village:
    """The running session, seen from outside."""

    def __init__(self, running: Session) -> None:
        assert running.sandbox is not None
        self.session, self.sandbox = running, running.sandbox
        self.link = running.links["moulin-greengo"]
        self.echoed: dict[str, object] = {}

    async def ask(self, path: str, **body: object) -> dict[str, object]:
        answer = await self.session.client.post(f"{self.sandbox.base}/sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        found: dict[str, object] = answer.json()
        return found

    def states(self, platform: str, dates: StayDates) -> set[NightState]:
        truth = self.sandbox.world.truth
        return {truth.night(f"{platform}/{LISTINGS[platform]}", night).state for night in dates.nights()}

    async def when(self, platform: str, dates: StayDates, state: NightState, began: float) -> float:
        """Seconds since ``began`` when all the nights are in that state on a platform."""

        async def look() -> bool:
            return self.states(platform, dates) == {state}

        await until(look, f"{platform} {dates} {state}, is {self.states(platform, dates)}")
        return time.monotonic() - began

    async def feed_has(self, dates: StayDates) -> bool:
        """Whether our calendar for Greengo shows a closure that begins there."""
        answer = await self.session.client.get(self.link)
        return answer.status_code == 200 and f"DTSTART;VALUE=DATE:{dates.check_in:%Y%m%d}" in answer.text

    async def vanished(self, dates: StayDates) -> bool:
        """Whether the engine has noticed that the nights are gone from their feed."""
        status = await self.session.status()
        sites = status.get("sites", [])
        assert isinstance(sites, list)
        return any(str(dates) in stay["vanished"] for site in sites for stay in site["stays"])

    async def in_all(self, origin: str, dates: StayDates, began: float) -> dict[str, float]:
        others = [name for name in LISTINGS if name != origin]
        seconds = await asyncio.gather(*(self.when(n, dates, CLOSED_AS[n], began) for n in others))
        if origin != "greengo":
            assert await self.feed_has(dates)
        return dict(zip(others, seconds, strict=True))


async def echo(village: Village) -> dict[str, object]:
    """A home on calendar links alone, whose Booking.com shows as its own what it imported from us: its state once we
    have read that twice."""
    nights = StayDates.of_nights(day_ahead("2027-10-10"), 3)
    truth, calls = village.sandbox.world.truth, village.sandbox.world.calls
    await village.ask("airbnb/book", listing="9876551", check_in=str(nights.check_in), nights=3)

    async def imported() -> bool:
        return all(
            truth.night("booking/cabane-booking", n).state is NightState.IMPORTED for n in nights.nights()
        )

    def read() -> int:
        return sum(1 for call in calls.latest if (call.call, call.note) == ("feed", "cabane-booking"))

    await until(imported, "Booking.com has our closure")
    before = read()

    async def read_twice() -> bool:
        return read() >= before + 2

    await until(read_twice, "we have read Booking.com's calendar")
    sites = (await village.session.status())["sites"]
    assert isinstance(sites, list)
    found: dict[str, object] = next(site for site in sites if site["id"] == "cabane")
    return found


async def tell(village: Village, origin: str) -> Story:
    """A guest books, moves by five days, cancels."""
    story, first = Story(), STAYS[origin]
    later = StayDates(first.check_in + timedelta(days=5), first.check_out + timedelta(days=5))
    others = [name for name in LISTINGS if name != origin]
    began = time.monotonic()
    dates = {"check_in": str(first.check_in), "check_out": str(first.check_out)}
    stay = await village.ask(f"{origin}/book", listing=LISTINGS[origin], **dates)
    story.closed = await village.in_all(origin, first, began)
    began = time.monotonic()
    await village.ask(f"{origin}/modify", id=stay["id"], check_in=str(later.check_in), nights=3)
    story.moved = await village.in_all(origin, later, began)
    if origin == "greengo":
        await until(lambda: village.vanished(first), "the move is noticed")
    else:
        for name in others:
            await village.when(name, first, NightState.OPEN, began)
    began = time.monotonic()
    await village.ask(f"{origin}/cancel", id=stay["id"])
    if origin == "greengo":
        await until(lambda: village.vanished(later), "the cancellation is noticed")
        story.held = all(village.states(n, d) == {CLOSED_AS[n]} for n in others for d in (first, later))
    else:
        for name in others:
            story.opened[name] = await village.when(name, later, NightState.OPEN, began)
    return story


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    folder: Path = tmp_path_factory.mktemp("run")
    wanted = Wanted(
        hosts=2, port=free_port(), sandbox_port=free_port(), guests=0, folder=folder, rhythm=QUICK
    )
    async with session(wanted, print) as running:
        yield Village(running)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stories(village: Village) -> dict[str, Story]:
    """All at once, on nights of their own."""
    echoing = asyncio.create_task(echo(village))
    told = await asyncio.gather(*(tell(village, origin) for origin in LISTINGS))
    village.echoed = await echoing
    return dict(zip(LISTINGS, told, strict=True))


@ORIGINS
async def test_a_stay_closes_the_other_platforms_within_the_promise(
    stories: dict[str, Story], origin: str
) -> None:
    assert len(stories[origin].closed) == 2
    assert max(stories[origin].closed.values()) <= PROMISE, stories[origin].closed


@ORIGINS
async def test_a_moved_stay_closes_its_new_nights_within_the_promise(
    stories: dict[str, Story], origin: str
) -> None:
    assert max(stories[origin].moved.values()) <= PROMISE, stories[origin].moved


@pytest.mark.parametrize("origin", ["airbnb", "booking"])
async def test_a_cancellation_by_api_opens_at_once(stories: dict[str, Story], origin: str) -> None:
    assert max(stories[origin].opened.values()) <= PROMISE, stories[origin].opened


async def test_what_vanished_from_a_feed_stays_closed_until_it_is_proven(stories: dict[str, Story]) -> None:
    assert stories["greengo"].held


async def test_what_a_platform_repeats_of_ours_is_no_stay(
    village: Village, stories: dict[str, Story]
) -> None:
    stays, blocks = village.echoed["stays"], village.echoed["blocks"]
    assert isinstance(stays, list)
    assert isinstance(blocks, list)
    assert "cabane-booking" in str(stays)  # it was seen
    assert [block for block in blocks if block["listing"] == "cabane-airbnb"] == []
    assert village.echoed["conflicts"] == []


async def test_nothing_was_sold_twice_or_opened_over_a_sale(
    village: Village, stories: dict[str, Story]
) -> None:
    truth = village.sandbox.world.truth
    assert truth.double_sold() == {}
    assert truth.contradictions == []


async def test_our_calendar_for_greengo_never_shows_what_greengo_sold(
    village: Village, stories: dict[str, Story]
) -> None:
    assert not await village.feed_has(STAYS["greengo"])
