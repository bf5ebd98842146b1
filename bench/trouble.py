"""What trouble costs those who have none: one platform failing or dead, a Friday evening, an hour of standstill.

    python -m bench.trouble

On the twins and a virtual clock: calls take 200 ms, waiting costs nothing, and the same seed gives the same figures on
any machine. The engine, its guard, the worker loop with its 16 messages at once and the timers are the real ones.

- One platform fails 30 % of its calls, refuses every one at once, or never answers: p99 from known to accepted by the
  others (and shown in our feed), divided by the same of a healthy run. A sale on the sick platform counts too, as soon
  as we could know.
- Friday evening: ten times the rate for ten seconds, everybody wants the same two weekends. Told: how long until the
  last closure; judged: no stay lost, each double sale a conflict.
- All hosts stand still for an hour while guests book; calls wait at the platform, messages in its queue. Told: virtual
  seconds from the start to the last closure, and this machine's seconds of work in them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from bench.journal import Journal, share
from bench.score import Score, missed, table
from bench.street import APIS, FEED, site
from bench.twins import Trouble, Twins
from shared.domain.dates import StayDates
from shared.domain.platform import Platform
from tests.engine.village import Clock
from tests.engine.virtual_loop import VirtualLoop

T = TypeVar("T")

HOMES, RATE, SECONDS, LATENCY = 200, 5.0, 60, 0.2
BURST, EVENING, WEEKENDS = 10, 10, 2
PAUSE, PAUSE_RATE = 3_600, 0.25
"""The standstill: an hour, with a stay every four seconds."""

OTHERS = 1.5
SICK = {
    "fails 30 % of its calls": Trouble(failing=0.3),
    "refuses every call": Trouble(refusing=True),
    "never answers": Trouble(silent=True),
}


def virtual(doing: Coroutine[Any, Any, T], clock: Clock) -> T:
    """Run it on a clock that jumps to whatever is next."""
    loop = VirtualLoop(clock)
    try:
        return loop.run_until_complete(doing)
    finally:
        loop.close()


async def settled(clock: Clock) -> Twins:
    """A street whose platforms answer at their usual pace."""
    street = Twins(HOMES, 0.0, clock.now)
    await street.settle()
    for api in street.apis.values():
        api.latency = LATENCY
    return street


def weekend(street: Twins, number: int) -> StayDates:
    """Two nights, so many weeks from the tenth on."""
    return StayDates.of_nights(street.now().date() + timedelta(days=7 * (10 + number)), 2)


async def evening(clock: Clock, sick: Platform | None = None, trouble: Trouble | None = None) -> Journal:
    """A minute of sales, each at a home and weekend of its own."""
    street = await settled(clock)
    if sick is not None and trouble is not None:
        street.apis[sick].trouble = trouble
    street.start()
    for number in range(round(RATE * SECONDS)):
        week, home = divmod(number, HOMES)
        street.sell(APIS[(number + week) % 2], home, weekend(street, week))
        await asyncio.sleep(1 / RATE)
    await asyncio.sleep(120)
    await street.stop()
    return street.journal


def others(journal: Journal, sick: Platform, sources: Sequence[Platform]) -> float:
    """p99 from known to accepted, on everybody but the sick one."""
    return share(journal.delays(sources, {*APIS, FEED} - {sick}), 99)


def sick_runs() -> list[Score]:
    """Each kind of trouble on each platform, against the healthy run."""
    clock = Clock()
    healthy = virtual(evening(clock), clock)
    found = []
    for sick in APIS:
        for name, trouble in SICK.items():
            clock = Clock()
            journal = virtual(evening(clock, sick, trouble), clock)
            known = {one.sold_on for one in journal.journeys.values() if one.known is not None}
            sources = [one for one in APIS if one in known]
            well, ill = others(healthy, sick, sources), others(journal, sick, sources)
            count = len(journal.delays(sources, {*APIS, FEED} - {sick}))
            note = f"p99 {ill:.2f} s, healthy {well:.2f} s; {count} closures"
            found.append(
                Score("trouble", f"{sick} {name}: the others' p99 / healthy", ill / well, OTHERS, note=note)
            )
    return found


@dataclass(frozen=True)
class Drained:
    """How long the last closure took, in the clock's seconds and in this machine's work, and what is wrong."""

    stays: int
    seconds: float
    work: float
    left: int
    wrong: int
    clashes: int
    told: int


async def friday(clock: Clock) -> Drained:
    """Ten times the rate, everybody wants the same weekends."""
    street = await settled(clock)
    street.start()
    sales = round(RATE * BURST * EVENING)
    for _ in range(sales):
        home = street.chance.randrange(HOMES)
        street.sell(street.chance.choice(APIS), home, weekend(street, street.chance.randrange(WEEKENDS)))
        await asyncio.sleep(1 / (RATE * BURST))
    return await _drained(street, clock, sales)


async def standstill(clock: Clock) -> Drained:
    """Nobody listens for an hour; then everything comes at once."""
    street = await settled(clock)
    calls = []
    for number in range(round(PAUSE * PAUSE_RATE)):
        week, home = divmod(number, HOMES)
        platform = APIS[(number + week) % 2]
        body = street.sell(platform, home, weekend(street, week), tell=False)
        calls += [(list(street.journal.journeys)[-1], body)] if platform == APIS[0] else []
        await asyncio.sleep(1 / PAUSE_RATE)
    street.start()
    for stay, body in calls:
        street.deliver(stay, body)
    return await _drained(street, clock, round(PAUSE * PAUSE_RATE))


async def _drained(street: Twins, clock: Clock, stays: int) -> Drained:
    begun, work = clock.peek(), time.process_time()
    left = await street.journal.finish(3_600)
    seconds, work = (clock.peek() - begun).total_seconds(), time.process_time() - work
    wrong = await street.wrong()
    await asyncio.sleep(60)
    await street.stop()
    clashes = told = 0
    for home in range(HOMES):
        state = await street.engines[0].world.sites.load(site(home))
        sold = [one.dates for one in street.journal.journeys.values() if one.home == home]
        clashes += sum(sold.count(dates) > 1 for dates in set(sold))
        told += len({one.conflict_dates for one in state.conflicts.values()})
    return Drained(stays, seconds, work, left, len(wrong), clashes, told)


def drains() -> list[Score]:
    """The evening and the hour."""
    clock = Clock()
    rush = virtual(friday(clock), clock)
    clock = Clock()
    pause = virtual(standstill(clock), clock)
    burst = f"Friday evening, {rush.stays} sales in {EVENING} s on {HOMES} homes and {WEEKENDS} weekends"
    down = f"an hour's standstill, {pause.stays} stays"
    return [
        Score("trouble", f"{burst}: seconds after the last sale", rush.seconds),
        Score("trouble", f"{burst}: stays lost or not closed", rush.left + rush.wrong, 0),
        Score(
            "trouble",
            f"{burst}: clashes not told",
            rush.clashes - rush.told,
            0,
            note=f"{rush.clashes} clashes",
        ),
        Score(
            "trouble",
            f"{down}: seconds to drain",
            pause.seconds,
            note=f"{pause.work:.1f} s of work; the tail waits for Airbnb's 160 writes a minute",
        ),
        Score("trouble", f"{down}: stays lost or not closed", pause.left + pause.wrong, 0),
    ]


def scores() -> list[Score]:
    """All of them."""
    return sick_runs() + drains()


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
