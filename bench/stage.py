"""The real stack for measuring: hosts as processes, AMQP, Azurite, and the sandbox's platforms, all on loopback.

The street is put into tables in memory first, through the same use cases, and copied into the emulator whole: row by
row its import would take longer than what is measured. Rhythms are the shipped ones: nothing is hurried.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx

from bench.journal import Journal, Journey
from bench.street import FEED, home_of, played, site, street, unit
from local.ports import free_port
from local.run_settings import base_values
from local.run_stack import Hosts, Stack, running_stack
from local.sandbox.calls import CallLog, Logged
from local.sandbox.config import Platform as Played
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.server import Sandbox, running
from local.sandbox.stays import NightState
from local.sandbox_config import sandbox_config, sandbox_settings
from local.servicebus.config import QueueConfig
from local.servicebus.standin import StandIn
from shared.adapters.service_bus import ServiceBus
from shared.bootstrap.joined import Joined, join
from shared.config import read
from shared.domain.dates import StayDates
from shared.domain.platform import AIRBNB, BOOKING, Platform
from shared.domain.portfolio import Portfolio
from shared.memory.tables import MemoryTables
from shared.ports.bus import Message
from shared.ports.stores import Put, Row, Tables
from shared.state.names import ACCOUNTS, DUE, FEED_READS, FEEDS, INBOX, RESERVATIONS, RUNS, SITES
from tests.e2e.judge import Judge

_TABLES = {
    name.lower(): name for name in (ACCOUNTS, DUE, FEED_READS, FEEDS, INBOX, RESERVATIONS, RUNS, SITES)
}
_PROBES = 30
_COPIES = 8
"""Transactions into the emulator at a time."""


class Watch(CallLog):
    """The sandbox's log, that also tells the journal what each call meant for the stays that are on their way.

    Whether a call closed a stay's nights is asked of the sandbox's own books as its answer leaves.
    """

    def __init__(self, sandbox: Sandbox, journal: Journal) -> None:
        super().__init__()
        self._world, self._journal = sandbox.world, journal

    def add(self, logged: Logged) -> None:
        """Write the call down, and what it changed."""
        super().add(logged)
        if not logged.outcome.startswith("2"):
            return
        at = logged.at.timestamp()
        if logged.call in ("calendar_write", "availability", "bxml_availability"):
            for listing in filter(None, logged.note.split(",")):
                self._written(Platform(logged.platform), listing, at)
        elif (logged.platform, logged.call) == (BOOKING, "new_get"):
            for stay, message in self._world.queue.messages.items():
                if message.seen:
                    self._journal.know(stay, at)

    def _written(self, platform: Platform, listing: str, at: float) -> None:
        key = f"{platform}/{listing}"
        for journey in self._journal.waiting(home_of(listing), platform):
            states = (self._world.truth.night(key, night).state for night in journey.dates.nights())
            if all(state is not NightState.OPEN for state in states):
                self._journal.accept(journey, platform, at)


def watch_calls(client: httpx.AsyncClient, journal: Journal) -> None:
    """Note when each of Airbnb's calls leaves for us, and how long its answer takes."""
    sent: dict[httpx.Request, float] = {}

    async def leaves(request: httpx.Request) -> None:
        if request.url.path.endswith("/notification"):
            sent[request] = time.time()
            stay = json.loads(request.content)["reservation"]["confirmation_code"]
            journal.know(stay, sent[request])

    async def answered(response: httpx.Response) -> None:
        begun = sent.pop(response.request, None)
        if begun is not None and response.is_success:
            journal.answers.append(time.time() - begun)

    client.event_hooks = {"request": [leaves], "response": [answered]}


@dataclass(frozen=True, slots=True)
class Floor:
    """The parts of the ideal, in seconds, each the median of many alone: nothing else ran. ``hand_over`` is a message
    from a send to its receipt, ``trip`` one round trip to the tables, ``call`` one call of the slowest platform."""

    hand_over: float
    trip: float
    call: float


@dataclass
class Stage:
    """The running street. ``folder`` has the hosts' logs."""

    stack: Stack
    sandbox: Sandbox
    portfolio: Portfolio
    journal: Journal
    joined: Joined
    folder: Path
    tokens: Mapping[str, str]

    async def sell(self, platform: Platform, home: int, dates: StayDates) -> None:
        """A guest books. Raises ``Closed`` when the nights are not for sale."""
        awaited = frozenset({AIRBNB, BOOKING, FEED}) - {platform}
        rooms = [(played(home, platform), dates)]
        stay = await self.sandbox.desk.book(Played(platform), rooms)
        self.journal.book(Journey(stay.id, platform, home, dates, time.time(), awaited - {FEED}))

    def slow(self, seconds: float) -> None:
        """From now on every answer of a platform takes so long."""
        for platform in (AIRBNB, BOOKING, FEED):
            self.sandbox.world.faults.add(Fault(FaultKind.DELAY, platform, seconds=seconds))

    async def faults(self) -> list[str]:
        """What is wrong in the end at the homes that sold, once Greengo has fetched: lost stays, nights held open."""
        world = self.sandbox.world
        world.faults.clear()
        homes = {
            home_of(part.listing.partition("/")[2]) for s in world.truth.stays.values() for part in s.parts
        }
        gate = asyncio.Semaphore(_COPIES)

        async def pull(home: int) -> None:
            async with gate:
                await world.importer.pull(world.truth.calendars[f"{FEED}/{played(home, FEED)}"])

        await asyncio.gather(*(pull(home) for home in homes))
        sites = self.joined.operations.world.sites
        states = [await sites.load(site(home)) for home in sorted(homes)]
        keys = {
            f"{site(home)}-{name}": f"{name}/{played(home, name)}"
            for home in homes
            for name in (AIRBNB, BOOKING, FEED)
        }
        names = set(keys.values())
        said = Judge(world.truth, keys).faults(states)
        return [fault for fault in said if not fault.startswith("held open") or fault.split()[2] in names]

    async def served(self) -> None:
        """Take from the ledger when each closure stood in our feed: when it was decided, and the two round trips that
        made it stand."""
        trip = await table_trip(self.joined.tables)
        sites = self.joined.operations.world.sites
        for home in {one.home for one in self.journal.journeys.values()}:
            state = await sites.load(site(home))
            for one in self.journal.journeys.values():
                rows = [r for r in state.blocks.values() if r.listing == f"{site(home)}-{FEED}"]
                found = [r.created_at for r in rows if r.dates == one.dates and r.created_at]
                if one.home == home and found and one.known is not None:
                    at = min(found).timestamp() + 2 * trip
                    one.accepted[FEED] = max(at, one.known)


@asynccontextmanager
async def stage(homes: int, hosts: int) -> AsyncIterator[Stage]:
    """A street of so many homes that has settled: first answers are in, nothing waits, hosts are up."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, port, public = Path(name), free_port(), free_port()
        portfolio = street(homes, f"http://127.0.0.1:{port}", feeds=True)
        secrets = sandbox_settings(portfolio)
        base = base_values(own=False) | secrets
        base |= {"PUBLIC_BASE_URL": f"http://127.0.0.1:{public}", "LOCAL_LOOPBACK_PORTS": str(port)}
        with _environment(secrets):
            async with (
                running_stack(Hosts(folder, public, hosts), base) as stack,
                running(sandbox_config(portfolio), port=port) as sandbox,
            ):
                joined = join(read(stack.values))
                try:
                    tokens = await _settle(stack, joined.tables, portfolio)
                    yield await _begin(stack, sandbox, portfolio, joined, folder, tokens)
                finally:
                    await joined.close()


async def _begin(
    stack: Stack,
    sandbox: Sandbox,
    portfolio: Portfolio,
    joined: Joined,
    folder: Path,
    tokens: Mapping[str, str],
) -> Stage:
    journal = Journal()
    sandbox.world.calls = Watch(sandbox, journal)
    watch_calls(sandbox.world.client, journal)
    public = stack.hosts.public
    sandbox.world.webhooks.base = f"{public}/webhooks/airbnb/{stack.values['WEBHOOK_SECRET_AIRBNB']}"
    for listing, token in tokens.items():
        calendar = sandbox.world.truth.calendars.get(f"{FEED}/{listing}")
        if calendar is not None:
            from local.sandbox.config import Link

            sandbox.world.importer.subscribe(calendar, Link(f"{public}/export/{token}.ics", 1e9))
    stack.bus.reset()
    await stack.start_hosts()
    return Stage(stack, sandbox, portfolio, journal, joined, folder, tokens)


async def _settle(stack: Stack, tables: Tables, portfolio: Portfolio) -> Mapping[str, str]:
    """Import and first answers over tables in memory, then everything into the emulator; returns the tokens of our
    calendars."""
    touched: dict[tuple[str, str], None] = {}
    memory = MemoryTables(wall, before=lambda _, table, partition: touched.setdefault((table, partition)))
    joined = join(read(stack.values), tables=memory)
    engine = joined.operations
    try:
        done = await engine.portfolio.run(portfolio)
        for account in (AIRBNB, BOOKING):
            assert await engine.observer.observe(account) == {}
        for shard in await engine.world.accounts.directory("shard"):
            assert (await engine.calendars.shard(shard, force=True)).failed == 0
        for work in await engine.world.due.all():
            await engine.worker.site(work.site)
    finally:
        await joined.close()
    gate = asyncio.Semaphore(_COPIES)

    async def copy(table: str, partition: str) -> None:
        rows = await memory.query(table, partition)
        async with gate:
            for some in _hundreds(rows):
                await tables.submit(table, partition, [Put(row) for row in some])

    await _make(tables)
    await asyncio.gather(*(copy(_TABLES[table.lower()], partition) for table, partition in touched))
    return done.tokens


async def _make(tables: Tables) -> None:
    """A table's first write makes it: one at a time."""
    for table in _TABLES.values():
        await tables.upsert(table, Row("~made", "~made"))


def _hundreds(rows: list[Row]) -> Iterator[list[Row]]:
    for first in range(0, len(rows), 100):
        yield rows[first : first + 100]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """The sandbox's invented keys where connectors look for keys."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def floor(stage: Stage, latency: float) -> Floor:
    """The ideal's parts, measured while the hosts rest."""
    return Floor(await hand_over(), await table_trip(stage.joined.tables), latency + await _call(stage))


async def hand_over() -> float:
    """A message from its send to its receipt, through a stand-in of its own and the shipped client."""
    found = []
    async with StandIn([QueueConfig("probe")]) as standin:
        sender, receiver = (ServiceBus(connection_string=standin.connection_string) for _ in range(2))
        try:
            for number in range(_PROBES):
                waiting = asyncio.create_task(receiver.receive("probe", 1, 5.0))
                await asyncio.sleep(0.02)
                begun = time.perf_counter()
                await sender.send("probe", [Message("site", f"probe{number}", "1")])
                [received] = await waiting
                found.append(time.perf_counter() - begun)
                await receiver.complete("probe", received)
        finally:
            await sender.close()
            await receiver.close()
    return median(found[5:])


async def table_trip(tables: Tables) -> float:
    """One round trip: a read of a site and a small transaction, in turns."""
    found = []
    for number in range(_PROBES):
        begun = time.perf_counter()
        await tables.query(SITES, site(0))
        await tables.submit(INBOX, "~probe", [Put(Row("~probe", f"{number:02d}", {"value": number}))])
        found.append((time.perf_counter() - begun) / 2)
    return median(found[5:])


async def _call(stage: Stage) -> float:
    """What a call costs without any latency: a calendar read of Airbnb."""
    asked = itertools.count()
    connector = stage.joined.operations.world.apis[AIRBNB]
    state = await stage.joined.operations.world.accounts.load(AIRBNB)
    assert state is not None
    found = []
    while next(asked) < _PROBES:
        begun = time.perf_counter()
        await connector.stays(state.account, unit(0, AIRBNB))
        found.append(time.perf_counter() - begun)
    return median(found[5:])


def wall() -> datetime:
    """This machine's time."""
    return datetime.fromtimestamp(time.time(), UTC)


def weeks_ahead(number: int, sandbox: Sandbox) -> StayDates:
    """Two nights from the Friday so many weeks ahead."""
    today = sandbox.world.clock.today()
    friday = today + timedelta(days=(4 - today.weekday()) % 7 + 7 * number)
    return StayDates.of_nights(friday, 2)
