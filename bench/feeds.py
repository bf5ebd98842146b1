"""What a pass over calendars that did not change costs, beside the bare client fetching the same ones.

    python -m bench.feeds

1,000 links in 10 shards of 60 events each, all shards at once as a worker has them, served by a process of its own:
after 50 ms, like the platforms of ``bench.fanout``, and without any delay, when nothing hides what we compute. The bare
client is the shipped one with the same requests, the address guard included, as many at a time as in a pass; it reads
each body and does nothing with it. Our pass reads a shard, asks, compares digests and writes the shard. The tables are
the emulator's, and their requests are counted where they leave the process; the twin tells the store's share. Pass and
client take turns; the median of the ratios is told.
"""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from bench.feed_server import BODY, ETAG, EVENTS
from bench.score import Score, missed, table
from local.azurite import Azurite
from shared.adapters.http import HttpxHttp
from shared.adapters.table_store import open_tables
from shared.connectors.ical import IcalConnector
from shared.connectors.ical_fetch import digest
from shared.domain.platform import BOOKING
from shared.engine.calendars import AT_ONCE
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.ports.http import Http, Request
from shared.ports.platforms import Validators
from shared.ports.stores import Tables
from shared.state.feeds import SHARD_SIZE, Feed, Visit

FEEDS = 1_000
SHARDS = [f"{number:04d}" for number in range(FEEDS // SHARD_SIZE)]
ROUNDS = 9
DELAY = 0.05
AGENT = "SyncEngine/0.1 (+bench@example.com)"

GOAL = 1.3
TRANSACTIONS = 0.02


@dataclass(frozen=True)
class Feeds:
    """An engine that knows the feeds' last answers, and a bare client beside it."""

    engine: Operations
    bare: Http
    urls: list[str]
    headers: dict[str, str]

    async def pass_over(self) -> None:
        """One pass; every answer must be the known one."""
        reports = await asyncio.gather(*(self.engine.calendars.shard(shard, force=True) for shard in SHARDS))
        for report in reports:
            assert (report.asked, report.unchanged, report.stored) == (SHARD_SIZE, SHARD_SIZE, True), report

    async def fetch(self) -> None:
        """The same requests and nothing else."""
        gates = [asyncio.Semaphore(AT_ONCE) for _ in SHARDS]

        async def one(number: int, url: str) -> None:
            async with gates[number // SHARD_SIZE]:
                answer = await self.bare.send(Request("GET", url, self.headers, guarded=True))
                assert answer.status in (200, 304)

        await asyncio.gather(*(one(*item) for item in enumerate(self.urls)))


@contextmanager
def serving(delay: float) -> Iterator[int]:
    """The feeds' port, while the block runs."""
    command = [sys.executable, "-m", "bench.feed_server", "--delay", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdin
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


@asynccontextmanager
async def known_feeds(port: int, tables: Tables, kind: str) -> AsyncIterator[Feeds]:
    """Feeds whose last answers are stored already: "plain" by digest, "tagged" by the host's own ETag."""
    http, bare = (HttpxHttp(loopback_ports=frozenset({port})) for _ in range(2))
    urls = [f"http://127.0.0.1:{port}/{kind}/{number}.ics" for number in range(FEEDS)]
    engine = _engine(tables, http)
    known = Validators(ETAG) if kind == "tagged" else Validators()
    for first in range(0, FEEDS, AT_ONCE):  # all at once the emulator would not answer in time
        some = range(first, min(first + AT_ONCE, FEEDS))
        await asyncio.gather(*(_store(engine, number, urls[number], known) for number in some))
    await _seen_today(engine)
    headers = {"User-Agent": AGENT} | ({"If-None-Match": ETAG} if kind == "tagged" else {})
    try:
        yield Feeds(engine, bare, urls, headers)
    finally:
        await http.close()
        await bare.close()


async def _seen_today(engine: Operations) -> None:
    """Note a good answer for each: the first of a day is always merged, for the blocks that slide day by day."""
    for name in SHARDS:
        shard = await engine.world.shards.load(name)
        await engine.world.shards.finish(shard, dict.fromkeys(shard.feeds, Visit(good=_wall())), [])


async def _store(engine: Operations, number: int, url: str, known: Validators) -> None:
    name = f"home{number}-booking"
    feed = Feed(name, f"home{number}", "booking", BOOKING, url, digest=digest(BODY), validators=known)
    await engine.world.shards.put(SHARDS[number // SHARD_SIZE], feed)


def _engine(tables: Tables, http: Http) -> Operations:
    world = World(
        tables=tables,
        bus=MemoryBus(tables.now, asyncio.sleep),
        apis={},
        feeds=IcalConnector(http, agent=AGENT, retry_after=lambda value: None),
        notify=MemoryNotify(),
        telemetry=MemoryTelemetry(),
        sleep=asyncio.sleep,
        chance=random.Random(1).random,
        new_id=lambda: "never",
    )
    return Operations(world, lambda closed: b"", {})


async def ratio(feeds: Feeds) -> float:
    """Our pass over the bare fetch, median of rounds."""
    await feeds.pass_over()
    await feeds.fetch()
    gc.collect()
    gc.freeze()  # what the bench itself has loaded is no part of either
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await feeds.fetch()
        middle = time.perf_counter()
        await feeds.pass_over()
        found.append((time.perf_counter() - middle) / (middle - begun))
    gc.unfreeze()
    return median(found)


async def over_twin(port: int, kind: str = "plain") -> float:
    """The ratio without any table client."""
    async with known_feeds(port, MemoryTables(_wall), kind) as feeds:
        return await ratio(feeds)


async def over_emulator(port: int) -> tuple[float, Counter[str]]:
    """The ratio over real tables, and the requests of one pass, by method and table, as they left the process."""
    counted: Counter[str] = Counter()
    async with Azurite() as azurite:
        tables = open_tables(
            connection_string=azurite.connection_string,
            monotonic=time.monotonic,
            wall=_wall,
            on_request=lambda method, name: counted.update([f"{method} {name}"]),
        )
        async with known_feeds(port, tables, "plain") as feeds:
            found = await ratio(feeds)
            counted.clear()
            await feeds.pass_over()
        await tables.close()
    return found, counted


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def scores() -> list[Score]:
    """All of them."""
    with serving(DELAY) as port:
        far, counted = asyncio.run(over_emulator(port))
    with serving(0.0) as port:
        near, _ = asyncio.run(over_emulator(port))
        twin = asyncio.run(over_twin(port))
        tagged = asyncio.run(over_twin(port, "tagged"))
    what = f"{FEEDS:,} unchanged feeds of {EVENTS} events / bare client"
    listed = ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
    cause = f"{twin:.2f} with tables in memory: the rest is the table SDK's CPU, about 10 ms a shard"
    return [
        Score(
            "feeds",
            f"{what}, hosts at {DELAY * 1000:.0f} ms",
            far,
            goal=GOAL,
            note="shards read and written by the table SDK",
        ),
        Score("feeds", "the same, hosts at 0 ms", near, goal=GOAL, note=cause),
        Score("feeds", "the same by 304, at 0 ms, tables in memory", tagged),
        Score("feeds", "table requests a listing", counted.total() / FEEDS, goal=TRANSACTIONS, note=listed),
    ]


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
