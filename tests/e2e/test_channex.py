"""One home sold through Channex and on Booking.com, through everything that ``make run`` starts and over real HTTP:
webhook, revision feed, acknowledgement and counts, and what happens when a call is lost or refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from local.ports import free_port
from local.run_session import Session, Wanted, session
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.stays import NightState
from shared.domain.dates import StayDates
from tests.e2e.days import day_ahead
from tests.e2e.support import QUICK, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PROMISE = 30.0
"""Seconds within which a stay is closed elsewhere."""

OPENED = 45.0
"""Seconds within which free nights are for sale again: before Booking.com's are, its own queue is asked once more
(every 20 s), and whether it was is looked at every 20 s."""

FALLBACK = 90.0
"""Seconds within which a stay whose webhook was lost is closed elsewhere: the feed is asked every 60."""

ROOM = "7d0c9a44-52be-4a57-9d0e-6c1b8e2f9a02"
LISTINGS = {"channex": ROOM, "booking": "123457001"}
WAIT = 6.0
"""Seconds that Channex asks us to wait, once."""


def july(day: int) -> StayDates:
    return StayDates.of_nights(day_ahead(f"2027-07-{day:02}"), 3)


@dataclass
class Seen:
    """What was measured. ``acknowledged``: whether a revision's nights stood closed on Booking.com when it was."""

    seconds: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, bool] = field(default_factory=dict)
    writes: list[tuple[datetime, str]] = field(default_factory=list)


class Village:
    """The running session, seen from outside."""

    def __init__(self, running: Session) -> None:
        assert running.sandbox is not None
        self.session, self.sandbox = running, running.sandbox
        self.seen = Seen()
        revisions = self.sandbox.world.revisions
        acknowledge = revisions.acknowledge

        def watched(revision: str) -> None:
            dates = revisions.revisions[revision].stay.parts[0].dates
            self.seen.acknowledged[revision] = self.states("booking", dates) == {NightState.PARTNER}
            acknowledge(revision)

        revisions.acknowledge = watched  # type: ignore[method-assign]

    async def ask(self, path: str, **body: object) -> str:
        answer = await self.session.client.post(f"{self.sandbox.base}/sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        return str(answer.json().get("id", ""))

    async def book(self, platform: str, dates: StayDates) -> str:
        return await self.ask(
            f"{platform}/book", listing=LISTINGS[platform], check_in=str(dates.check_in), nights=len(dates)
        )

    def states(self, platform: str, dates: StayDates) -> set[NightState]:
        truth = self.sandbox.world.truth
        return {truth.night(f"{platform}/{LISTINGS[platform]}", night).state for night in dates.nights()}

    async def when(
        self, what: str, platform: str, dates: StayDates, state: NightState, most: float = OPENED + 15
    ) -> None:
        """Note the seconds until all the nights are in that state on a platform."""
        began = time.monotonic()

        async def look() -> bool:
            return self.states(platform, dates) == {state}

        await until(look, f"{what}: {platform} {dates} {state}, is {self.states(platform, dates)}", most)
        self.seen.seconds[what] = time.monotonic() - began


async def sold_through_channex(village: Village) -> None:
    """A guest books, moves, cancels."""
    stay = await village.book("channex", july(1))
    await village.when("booked on Channex", "booking", july(1), NightState.PARTNER)
    await village.ask("channex/modify", id=stay, check_in=str(july(6).check_in), nights=3)
    await village.when("moved on Channex", "booking", july(6), NightState.PARTNER)
    await village.when("its old nights", "booking", july(1), NightState.OPEN)
    await village.ask("channex/cancel", id=stay)
    await village.when("cancelled on Channex", "booking", july(6), NightState.OPEN)


async def sold_on_booking(village: Village) -> None:
    stay = await village.book("booking", july(12))
    await village.when("booked on Booking.com", "channex", july(12), NightState.PARTNER)
    await village.ask("booking/cancel", id=stay)
    await village.when("cancelled on Booking.com", "channex", july(12), NightState.OPEN)


async def webhook_lost(village: Village) -> None:
    lost = village.sandbox.world.webhooks.counts.lost
    village.sandbox.world.faults.add(Fault(FaultKind.LOST, platform="channex", call="webhook", times=1))
    await village.book("channex", july(18))
    assert village.sandbox.world.webhooks.counts.lost == lost + 1
    await village.when("webhook lost", "booking", july(18), NightState.PARTNER, FALLBACK)


async def told_to_wait(village: Village) -> None:
    world = village.sandbox.world
    fault = Fault(FaultKind.RATE, platform="channex", call="availability", times=1, retry_after=f"{WAIT:.0f}")
    world.faults.add(fault)
    began = world.clock.now()
    await village.book("booking", july(24))
    await village.when("told to wait", "channex", july(24), NightState.PARTNER)
    village.seen.writes = [
        (call.at, call.outcome)
        for call in world.calls.latest
        if (call.platform, call.call) == ("channex", "availability") and call.at >= began
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    """Everything happened: what disturbs nobody side by side, the rest after it."""
    folder: Path = tmp_path_factory.mktemp("run")
    wanted = Wanted(
        hosts=1, port=free_port(), sandbox_port=free_port(), guests=0, folder=folder, rhythm=QUICK
    )
    async with session(wanted, print) as running:
        found = Village(running)
        await asyncio.gather(sold_through_channex(found), sold_on_booking(found))
        # Alone with Channex's feed: another booking's webhook would tell of this one too.
        await asyncio.gather(webhook_lost(found), told_to_wait(found))
        yield found


@pytest.mark.parametrize("what", ["booked on Channex", "moved on Channex", "booked on Booking.com"])
async def test_a_stay_closes_the_other_side_within_the_promise(village: Village, what: str) -> None:
    assert village.seen.seconds[what] <= PROMISE


@pytest.mark.parametrize("what", ["booked on Channex", "moved on Channex"])
async def test_a_webhook_makes_it_real_time(village: Village, what: str) -> None:
    """Far below the 20 s and 60 s of any poll."""
    assert village.seen.seconds[what] <= 10.0


async def test_what_ended_is_open_again(village: Village) -> None:
    for what in ("its old nights", "cancelled on Channex", "cancelled on Booking.com"):
        assert village.seen.seconds[what] <= OPENED


async def test_a_revision_is_acknowledged_only_once_its_nights_are_closed(village: Village) -> None:
    feed = village.sandbox.world.revisions
    taking = {name: one.status for name, one in feed.revisions.items() if one.status != "cancelled"}

    async def empty() -> bool:
        return not feed.waiting()

    await until(empty, "every revision acknowledged")
    assert sorted(taking.values()) == ["modified", "new", "new"]
    assert {name: village.seen.acknowledged[name] for name in taking} == dict.fromkeys(taking, True)


async def test_a_lost_webhook_is_found_by_the_poll(village: Village) -> None:
    assert village.seen.seconds["webhook lost"] <= FALLBACK


async def test_a_429_is_waited_for(village: Village) -> None:
    (refused, first), (taken, second) = village.seen.writes[:2]
    assert (first, second) == ("429", "200")
    assert (taken - refused).total_seconds() >= WAIT


async def test_nothing_was_sold_twice_or_opened_over_a_sale(village: Village) -> None:
    truth = village.sandbox.world.truth
    assert truth.double_sold() == {}
    assert truth.contradictions == []


async def test_every_call_of_channex_proved_itself(village: Village) -> None:
    [hook] = village.sandbox.world.subscriptions.webhooks.values()
    assert hook.headers["x-webhook-secret"]
    answer = await village.session.client.post(hook.callback_url, json={"event": "booking"})
    assert answer.status_code == 401  # the address alone is not enough
