"""Many homes at rest, and several hosts at work.

    python -m bench.many [--short]

10,000 calendars that did not change, in 100 shards, over tables in memory: transactions and requests a calendar and
pass, and what a process still holds after more passes (traced by ``tracemalloc`` from the second pass on, once caches
are full). An account of 5,000 units is polled beside: a queue with nothing in it costs its requests and a few
transactions, however many units there are.

Then the real stack with 1, 2 and 3 hosts over one store and one bus, told of more stays at once than it can do: stays
closed everywhere per second from the first sale to the last closure, and everything that is wrong in the end (nothing).
All of it shares this machine's cores with the emulator: more hosts than cores to spare bring nothing here. ``--short``
tells of fewer stays.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections import Counter
from dataclasses import dataclass

from bench.counting import CountingTables
from bench.journal import share
from bench.realtime import real
from bench.score import Score, missed, table
from bench.stage import wall
from bench.street import APIS, site
from bench.twins import UNCHANGED, StillFeeds, Twins
from shared.domain.platform import BOOKING
from shared.engine.operations import Operations
from shared.memory.tables import MemoryTables
from shared.state.accounts import Place
from shared.state.feeds import SHARD_SIZE, Feed, Visit

LISTINGS, PASSES = 10_000, 5
TRANSACTIONS, REQUESTS = 0.02, 1.0
GROWTH = 0.02
"""Share of what a process held after the second pass that it may hold more after the last one."""

UNITS, POLL_TRIPS = 5_000, 12

HOSTS, HOST_LATENCY, HOSTS_RATE = (1, 2, 3), 0.05, 100.0
FEW, MANY = 50, 300


@dataclass(frozen=True)
class Rest:
    """What passes over what is at rest cost: transactions and requests of one pass, calls of one poll of each account
    with its transactions, and the bytes held after each pass."""

    trips: Counter[str]
    requests: int
    polls: int
    poll_trips: int
    held: list[int]


async def rest() -> Rest:
    """Pass after pass; the bench forgets what it counted before it looks at what is held."""
    counting, feeds = CountingTables(MemoryTables(wall)), StillFeeds()
    found = Twins(1, 0.0, wall, tables=counting, feeds=feeds)
    engine = found.engines[0]
    await found.settle()
    shards = await _fill(engine)
    poll_calls, poll_trips = await _poll(found, counting)
    held: list[int] = []
    trips: Counter[str] = Counter()
    requests = 0
    tracemalloc.start()
    try:
        for _ in range(PASSES):
            counting.trips.clear()
            before = feeds.fetched
            for name in shards:
                report = await engine.calendars.shard(name, force=True)
                assert (report.asked, report.unchanged) == (SHARD_SIZE, SHARD_SIZE), report
            trips = Counter(f"{trip.operation} {trip.table}" for trip in counting.trips)
            requests = feeds.fetched - before
            counting.trips.clear()
            found.telemetry.events.clear()
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return Rest(trips, requests, poll_calls, poll_trips, held)


async def _fill(engine: Operations) -> list[str]:
    """So many calendars whose last answer is known, and as many units of the account that is polled."""
    shards = [f"{number:04d}" for number in range(LISTINGS // SHARD_SIZE)]
    for number in range(LISTINGS):
        url = f"https://calendars.invalid/{number}.ics"
        feed = Feed(f"rest{number}", site(0), "rest", BOOKING, url, digest=UNCHANGED)
        await engine.world.shards.put(shards[number // SHARD_SIZE], feed)
        if number < UNITS:
            await engine.world.accounts.put_unit(BOOKING, f"1:{number}", Place(site(0), f"{site(0)}-booking"))
    for name in shards:  # the first good answer of a day is always merged
        shard = await engine.world.shards.load(name)
        await engine.world.shards.finish(shard, dict.fromkeys(shard.feeds, Visit(good=wall())), [])
    return shards


async def _poll(found: Twins, counting: CountingTables) -> tuple[int, int]:
    """Calls and transactions of one poll of an account with nothing in its queue; the one before fills what is kept."""
    engine, api = found.engines[0], found.apis[BOOKING]
    await engine.world.accounts.load(BOOKING)
    counting.trips.clear()
    before = api.calls
    said = await engine.queues.poll(BOOKING)
    assert said.startswith("0 stored"), said
    return api.calls - before, len(counting.trips)


def at_rest() -> list[Score]:
    """The lines of the calendars at rest."""
    found = asyncio.run(rest())
    listed = ", ".join(f"{count} {name}" for name, count in sorted(found.trips.items()))
    growth = found.held[-1] / found.held[1] - 1
    held = ", ".join(f"{one / 1e6:.2f}" for one in found.held)
    return [
        Score(
            "many",
            f"{LISTINGS:,} unchanged calendars: transactions a calendar and pass",
            found.trips.total() / LISTINGS,
            TRANSACTIONS,
            note=listed,
        ),
        Score("many", "the same: requests a calendar and pass", found.requests / LISTINGS, REQUESTS),
        Score(
            "many",
            f"the same: growth of what is held from pass 2 to pass {PASSES}",
            growth,
            GROWTH,
            note=f"MB after each pass: {held}",
        ),
        Score("many", f"an account of {UNITS:,} units with nothing new: calls a poll", found.polls, 1),
        Score("many", "the same: transactions a poll", found.poll_trips, POLL_TRIPS),
    ]


def several(stays: int) -> list[Score]:
    """The lines of several hosts."""
    found: list[Score] = []
    for hosts in HOSTS:
        selling = real(HOST_LATENCY, stays / HOSTS_RATE, hosts=hosts, rate=HOSTS_RATE, origins=APIS[:1])
        run = asyncio.run(selling)
        done = [max(one.accepted.values()) for one in run.journal.journeys.values() if one.done]
        begun = min(one.booked for one in run.journal.journeys.values())
        speed = len(done) / (max(done, default=float("inf")) - begun)
        calls = run.journal.delays([APIS[0]], APIS)
        name = f"{hosts} host{'s' if hosts > 1 else ''}, {stays} calls at once"
        told = f"known -> accepted p50 {share(calls, 50):.2f} s, p99 {share(calls, 99):.2f} s"
        note = f"{told}; answered p99 {share(run.journal.answers, 99):.2f} s"
        found += [
            Score("many", f"{name}: stays closed everywhere a second", speed, rising=True, note=note),
            Score(
                "many",
                f"{name}: stays lost, nights wrong",
                run.left + len(run.wrong),
                0,
                note="; ".join(run.wrong[:3]),
            ),
        ]
    return found


def scores(*, short: bool = False) -> list[Score]:
    """All of them."""
    return at_rest() + several(FEW if short else MANY)


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores(short="--short" in sys.argv[1:])
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
