"""How soon a stay sold on one platform is closed on the others, through everything that runs in earnest.

    python -m bench.realtime [--short]

500 homes on three platforms (two by API, our calendar for the third), five stays a second for a minute, at 50 and at
200 ms a call: HTTP, AMQP, Azurite, one host. Then fifty a second on the twins. ``--short`` takes ten seconds each.

Judged is the time from the moment we could know (the platform's call left for us; its answer to our poll left with the
stay in it) until every API platform has accepted the closure and our feed shows it, divided by an ideal measured in the
same run while nothing else went on: a message through the stand-in (for calls; a poll's answer is there already), three
round trips to the tables (load, commit, and one more before the call), one call of the slowest platform. A call is only
a hint and is re-read first: with that second call in the ideal too, the ratio is told beside.

Measures: acknowledgement of calls (p99), known -> accepted by origin (p50, p99 against the ideal, the longest),
booked -> closed with Booking.com's 20 s between polls (p99), what was lost or is wrong in the end (none).
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench.journal import Journal, share
from bench.score import Score, missed, table
from bench.stage import Floor, Stage, floor, stage, wall, weeks_ahead
from bench.street import APIS
from bench.twins import Twins
from shared.domain.dates import StayDates
from shared.domain.platform import AIRBNB, Platform

HOMES, RATE, TWINS_RATE = 500, 5.0, 50.0
SECONDS, SHORT = 60.0, 10.0
LATENCIES = (0.05, 0.2)
TRIPS = 3
PATIENCE = 90.0
"""Seconds after the last sale until what is not closed counts as lost."""

P50, P99, LONGEST, PROMISE, ACKNOWLEDGED = 1.5, 3.0, 5.0, 30.0, 0.25

_WARM = 4
"""Homes that sell one stay each before anything is measured: connections open at the first use."""


@dataclass(frozen=True)
class Run:
    """What one run gave. ``first`` is the answer to the first call a fresh host got, in seconds."""

    name: str
    journal: Journal
    floor: Floor
    left: int
    wrong: list[str]
    first: float = 0.0

    def ideal(self, origin: Platform, *, reread: bool = False) -> float:
        """The least time from known to accepted, in seconds."""
        called = origin == AIRBNB
        hint = self.floor.hand_over + (self.floor.call if reread else 0.0) if called else 0.0
        return hint + TRIPS * self.floor.trip + self.floor.call


async def pace(rate: float, seconds: float, sell: Callable[[int], object]) -> None:
    """Call ``sell`` with 0, 1, 2 ... evenly."""
    begun = time.monotonic()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        found = sell(number)
        if asyncio.iscoroutine(found):
            await found


async def real(
    latency: float,
    seconds: float,
    *,
    hosts: int = 1,
    rate: float = RATE,
    origins: Sequence[Platform] = APIS,
) -> Run:
    """The real stack: each stay at a home of its own, as long as there are homes; sold on ``origins`` in turn."""
    async with stage(HOMES, hosts) as scene:
        parts = await floor(scene, latency)
        scene.slow(latency)
        first = await _warmed(scene)
        homes = random.Random(7).sample(range(HOMES - _WARM), HOMES - _WARM)

        async def sell(number: int) -> None:
            dates = weeks_ahead(10 + number // len(homes), scene.sandbox)
            await scene.sell(origins[number % len(origins)], homes[number % len(homes)], dates)

        await pace(rate, seconds, sell)
        left = await scene.journal.finish(PATIENCE)
        await scene.served()
        wrong = await scene.faults()
        return Run(f"real, {latency * 1000:.0f} ms", scene.journal, parts, left, wrong, first)


async def _warmed(scene: Stage) -> float:
    """Stays nobody counts, so that links are open; returns how long the very first call waited."""
    for home in range(HOMES - _WARM, HOMES):
        await scene.sell(AIRBNB, home, weeks_ahead(10, scene.sandbox))
    await scene.journal.finish(PATIENCE)
    await scene.sandbox.settled()
    first = scene.journal.answers[0]
    scene.journal.journeys.clear()
    scene.journal.answers.clear()
    return first


async def twin(latency: float, seconds: float) -> Run:
    """The twins at ten times the rate, more than an account may write: two nights a stay, every home in turn, week by
    week."""
    street = Twins(HOMES, 0.0, wall, limits=False)
    await street.settle()
    for api in street.apis.values():
        api.latency = latency
    friday = street.now().date() + timedelta(days=70)
    street.start()

    def sell(number: int) -> None:
        week, home = divmod(number, HOMES)
        dates = StayDates.of_nights(friday + timedelta(days=7 * week), 2)
        street.sell(APIS[(number + week) % 2], home, dates)

    await pace(TWINS_RATE, seconds, sell)
    left = await street.journal.finish(PATIENCE)
    await street.stop()
    name = f"twins, {TWINS_RATE:.0f}/s, {latency * 1000:.0f} ms"
    return Run(name, street.journal, Floor(0.0, 0.0, latency), left, await street.wrong())


def judged(run: Run) -> list[Score]:
    """A run's lines."""
    found = [
        Score(
            "realtime",
            f"{run.name}: a call answered, p99, s",
            share(run.journal.answers, 99),
            ACKNOWLEDGED,
            note=f"{len(run.journal.answers)} calls, p50 {share(run.journal.answers, 50):.3f}; {_first(run)}",
        )
    ]
    for origin in APIS:
        found += _from(run, origin)
    what = f"{run.name}: stays lost or not closed everywhere, nights wrong"
    return [*found, Score("realtime", what, run.left + len(run.wrong), 0, note="; ".join(run.wrong[:3]))]


def _first(run: Run) -> str:
    return f"the first of a fresh host {run.first:.2f}" if run.first else "no cold start"


def _from(run: Run, origin: Platform) -> list[Score]:
    [other] = [name for name in APIS if name != origin]
    stays = [one for one in run.journal.journeys.values() if one.sold_on == origin and one.known is not None]
    all_done = [max(one.accepted.values()) - (one.known or 0.0) for one in stays if one.accepted]
    ideal, own = run.ideal(origin), run.ideal(origin, reread=True)
    half, most = share(all_done, 50), share(all_done, 99)
    name = f"{run.name}: sold on {origin}, known -> accepted everywhere"
    parts = run.floor
    note = (
        f"ideal {ideal:.3f} s (hand-over {parts.hand_over:.4f}, {TRIPS} x {parts.trip:.4f}, "
        f"call {parts.call:.3f}); {len(stays)} stays, p50 {half:.3f} s"
    )
    lines = [
        Score("realtime", f"{name}, p50 / ideal", half / ideal, P50, note=note),
        Score("realtime", f"{name}, p99 / ideal", most / ideal, P99, note=f"p99 {most:.3f} s"),
        Score("realtime", f"{name}, longest, s", max(all_done, default=float("inf")), LONGEST),
    ]
    if origin == AIRBNB:
        both = f"p99 {most / own:.3g}; ideal {own:.3f} s"
        lines.append(Score("realtime", f"{name}, p50 / ideal with the re-read", half / own, note=both))
    whole = run.journal.delays([origin], [other], whole=True)
    note = f"p50 {share(whole, 50):.2f} s"
    lines.append(
        Score(
            "realtime",
            f"{run.name}: booked on {origin} -> closed on {other}, p99, s",
            share(whole, 99),
            PROMISE,
            note=note,
        )
    )
    return lines


def scores(*, short: bool = False) -> list[Score]:
    """All of them."""
    seconds = SHORT if short else SECONDS
    found: list[Score] = []
    for latency in LATENCIES:
        found += judged(asyncio.run(real(latency, seconds)))
    return found + judged(asyncio.run(twin(LATENCIES[0], seconds)))


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores(short="--short" in sys.argv[1:])
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
