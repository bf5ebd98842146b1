"""Homes to count by: the engine with every timer and queue of a deployment, on a virtual clock, over tables in memory.

A table request takes 10 ms and a platform's answer 300 ms, so that executions last as long as they would; what they
overlap with is seen, and nothing waits in earnest. The engine, its guard, limits and worker loop are the real ones.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from bench.cost_ledger import HTTP, CountedTelemetry, Ledger, LogScale
from bench.counting import CountingTables
from bench.street import APIS, site, unit
from bench.twins import SlowApi, Twins
from shared.domain.dates import StayDates
from shared.domain.facts import FeedEvent
from shared.domain.model import Account, Busy, Property, Site
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.engine.operations import Operations
from shared.memory.tables import MemoryTables
from shared.messages import encode
from shared.ports.bus import Message, Received
from shared.ports.platforms import FeedBusy, FeedFetch, Validators
from shared.resilience.politeness import pace, rate_of
from shared.use_cases import WebhookCall
from tests.engine.village import Clock

TABLE, CALL = 0.010, 0.300
"""Seconds of one table request, the SDK's own work included, and of one answer of a platform: assumed."""

AT_ONCE = 16
"""Messages of one queue an instance works on side by side (``host.json``)."""

HOMES_OF_ONE = 5
"""Homes one owner has, with one account at Airbnb; Booking.com gives all homes of a program one queue."""

PLATFORMS = (AIRBNB, BOOKING, GREENGO)
HOSTS = {AIRBNB: "www.airbnb.fr", BOOKING: "ical.booking.com", GREENGO: "www.greengo.voyage"}
AGENTS = {AIRBNB: "airbnb", BOOKING: "booking", GREENGO: "greengo"}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between two ticks of the timers that tick within an hour; the defaults are the shipped schedules."""

    accounts: int = 5
    sweep: int = 15
    feeds: int = 60
    health: int = 60


@dataclass
class Links:
    """Calendars behind links; each says the same until something is sold there."""

    ledger: Ledger
    telemetry: CountedTelemetry
    sold: dict[str, list[StayDates]] = field(default_factory=dict)

    async def fetch(self, url: str, validators: Validators) -> FeedFetch:
        """The whole body each time, as most hosts answer."""
        await asyncio.sleep(CALL)
        _told(self.ledger, self.telemetry, url.split("/")[2], "fetch")
        body = json.dumps([str(dates) for dates in self.sold.get(url, [])]).encode()
        return FeedFetch(False, Validators(), f"{url}{body!r}", body)

    def read(self, body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        """Its stays."""
        return FeedBusy(
            tuple(FeedEvent(one, Busy.CLOSED, (StayDates.parse(one),)) for one in json.loads(body))
        )


def _told(ledger: Ledger, telemetry: CountedTelemetry, platform: str, operation: str) -> None:
    """A call is counted and logged as ``MeteredHttp`` does it."""
    ledger.counts["calls"] += 1
    said = {"platform": platform, "account": "owner-00000", "operation": operation, "ended": "2xx"}
    telemetry.event("platform_call", **said, status=200, duration_ms=300, bytes=2_000)
    telemetry.count("platform_calls", platform=platform, result="2xx")


class Inline(ThreadPoolExecutor):
    """Does at once what is meant for a thread: while one works, a clock that jumps would run away."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Done when it returns."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class CountedApi(SlowApi):
    """A platform whose calls are counted and logged."""

    told: Callable[[], None] = staticmethod(lambda: None)

    async def _answer(self) -> None:
        await super()._answer()
        self.told()


class Town(Twins):
    """So many homes, by API or (``links``) by calendar links alone."""

    def __init__(self, homes: int, *, links: bool, clock: Clock) -> None:
        self.links = links
        self.ledger = Ledger(lambda: clock.peek().timestamp())
        voice = CountedTelemetry(self.ledger)
        self.inner_tables = MemoryTables(clock.now, before=_slowly)
        tables = CountingTables(self.inner_tables)
        self.trips = tables.trips
        super().__init__(homes, CALL, clock.now, tables=tables, feeds=Links(self.ledger, voice))
        self.telemetry = voice  # type: ignore[assignment]
        for name, api in self.apis.items():
            api.__class__ = CountedApi
            api.told = lambda name=name: _told(self.ledger, voice, name, "call")  # type: ignore[attr-defined]
        self.engines = [self._engine(0)]
        world = self.engines[0].world
        ids = itertools.count(1)
        own = {"pacing": _pacing, "agents": {name: (one,) for name, one in AGENTS.items()}}
        for name, value in (own | {"new_id": lambda: f"{next(ids):012d}"}).items():
            object.__setattr__(world, name, value)
        self.tokens: dict[str, str] = {}
        self._stays = itertools.count(1)
        self._work: set[asyncio.Task[None]] = set()
        self._ticking: list[asyncio.Task[None]] = []

    @property
    def engine(self) -> Operations:
        """The only one."""
        return self.engines[0]

    # ------------------------------------------------------------------------------------- what runs

    async def open(self) -> None:
        """Import, first answers, first fetches; the queues are served from here on."""
        asyncio.get_running_loop().set_default_executor(Inline())
        logging.getLogger("sync").addHandler(LogScale(self.ledger))
        self.tokens = (await self.engine.portfolio.run(portfolio(self.homes, links=self.links))).tokens
        for queue, name in (("work", "sync_worker"), ("conflicts", "conflict_resolver")):
            handler = self.engine.work if queue == "work" else self.engine.conflict
            self._keep(self._serve(queue, name, handler))
        await self.idle()

    def tick(self, rhythm: Rhythm) -> None:
        """Start the timers that tick within an hour."""
        of = self.engine
        for name, every, doing in (
            ("sync_scheduler_accounts", rhythm.accounts, of.on_timer_poll_accounts),
            ("sync_scheduler_sweep", rhythm.sweep, of.on_timer_sweep),
            ("sync_scheduler_feeds", rhythm.feeds, of.on_timer_poll_feeds),
            ("health_monitor", rhythm.health, of.on_timer_health),
        ):
            self._ticking.append(asyncio.ensure_future(self._ticks(name, every, doing)))

    async def _ticks(self, name: str, every: int, doing: Callable[[], Awaitable[None]]) -> None:
        """On the schedule's own instants; one that is still running makes the next one late, as on the host."""
        while True:
            await asyncio.sleep(every - self.seconds() % every)
            await self.invoke(name, doing)

    async def quiet(self) -> None:
        """Stop the timers, and let what is under way come to its end."""
        for task in self._ticking:
            task.cancel()
        await asyncio.gather(*self._ticking, return_exceptions=True)
        self._ticking.clear()
        await self.idle()

    async def idle(self) -> None:
        """Until nothing has been worked on for a while."""
        still = 0
        while still < 3:
            await asyncio.sleep(2)
            still = 0 if self._work else still + 1

    async def invoke(self, name: str, doing: Callable[[], Awaitable[object]], group: str = "") -> None:
        """One execution of a function."""
        with self.ledger.execution(name, group):
            await doing()

    async def _serve(
        self, queue: str, name: str, handler: Callable[[bytes, int, str], Awaitable[None]]
    ) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        while True:
            for one in await self.bus.receive(queue, AT_ONCE, 600):
                await gate.acquire()
                task = asyncio.ensure_future(self._handle(queue, name, handler, one))
                self._work.add(task)
                task.add_done_callback(lambda done: (self._work.discard(done), gate.release()))

    async def _handle(
        self, queue: str, name: str, handler: Callable[[bytes, int, str], Awaitable[None]], one: Received
    ) -> None:
        message: Message = one.message
        self.ledger.counts["messages"] += 1
        await self.invoke(name, lambda: handler(encode(message), one.deliveries, message.message_id))
        await self.bus.complete(queue, one)

    # ------------------------------------------------------------------------------------- what happens

    async def sale(self, home: int, platform: Platform, dates: StayDates) -> None:
        """A guest books; by API the platform tells as it does, by link its calendar shows it."""
        if self.links or platform == GREENGO:
            found: Links = self.feeds  # type: ignore[assignment]
            found.sold.setdefault(link(home, platform), []).append(dates)
            return
        stay = f"{platform[0].upper()}{next(self._stays):07d}"
        self.apis[platform].book(stay, home, dates)
        if platform == AIRBNB:
            body = json.dumps({"id": stay, "dates": str(dates), "unit": unit(home, platform)}).encode()
            call = WebhookCall("airbnb", "secret", "notification", body=body)
            await self.invoke("webhook_receiver", partial(self.engine.receive_webhook, call), HTTP)

    async def fetched(self, homes: Sequence[int]) -> int:
        """Every peer fetches our calendars of these homes once; returns how many fetches that were."""
        asked = 0
        for home, platform in itertools.product(homes, PLATFORMS):
            token = self.tokens.get(f"{site(home)}-{platform}")
            if token is None:
                continue
            asked += 1
            ask = partial(self.engine.export_calendar, token, {"user-agent": f"{AGENTS[platform]}/1.0"})
            await self.invoke("console_export", ask, HTTP)
            await asyncio.sleep(2)  # they come one by one, each at its own time
        return asked

    def take(self) -> dict[str, float]:
        """What was counted since the last time, table requests included."""
        for trip in self.trips:
            kind = "reads" if trip.reads else "batches" if trip.operation == "submit" else "writes"
            self.ledger.counts[f"tables {kind}"] += 1
            self.ledger.counts[f"requests {trip.table}"] += 1
            self.ledger.counts["rows written"] += 0 if trip.reads else trip.rows
        self.trips.clear()
        return self.ledger.take()

    def rows(self) -> int:
        """Rows that are stored."""
        return sum(len(rows) for rows in self.inner_tables._partitions.values())

    async def shut(self) -> None:
        """End everything."""
        for task in (*self._running, *self._ticking):
            task.cancel()
        await asyncio.gather(*self._running, *self._ticking, return_exceptions=True)
        log = logging.getLogger("sync")
        for handler in [one for one in log.handlers if isinstance(one, LogScale)]:
            log.removeHandler(handler)


async def _slowly(operation: str, table: str, partition: str) -> None:
    await asyncio.sleep(TABLE)


def _pacing(host: str, links: int, wished: float, stake: float | None) -> tuple[float, str]:
    found = pace(links, wished=wished, stake=stake, rate=rate_of(host))
    return found.seconds, found.reason.get("en", "")


def link(home: int, platform: Platform) -> str:
    """Where a platform shows a home's calendar."""
    return f"https://{HOSTS[platform]}/{home}.ics"


def portfolio(homes: int, *, links: bool) -> Portfolio:
    """The homes with their listings; an owner has five."""
    sites = tuple(_home(site(home)) for home in range(homes))
    owners = range((homes + HOMES_OF_ONE - 1) // HOMES_OF_ONE)
    own = () if links else tuple(Account(f"airbnb{n:05d}", AIRBNB, "owner") for n in owners)
    accounts = () if links else (*own, Account(BOOKING, BOOKING, "owner"))
    listings = tuple(_listing(home, name, links) for home in range(homes) for name in PLATFORMS)
    return Portfolio((), accounts, sites, listings)


def _home(name: str) -> Site:
    return Site(name, "owner", {name: Property(name, name, frozenset({name}))}, {name: 1})


def _listing(home: int, platform: Platform, links: bool) -> PortfolioListing:
    name = site(home)
    if links or platform not in APIS:
        where = link(home, platform)
        return PortfolioListing(
            f"{name}-{platform}", name, name, platform, platform, Link.ICAL, import_url=where
        )
    account = f"airbnb{home // HOMES_OF_ONE:05d}" if platform == AIRBNB else platform
    return PortfolioListing(
        f"{name}-{platform}", name, name, platform, account, Link.API, unit(home, platform)
    )
