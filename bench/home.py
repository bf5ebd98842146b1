"""One home on three platforms for counting: the engine and its real connectors, the sandbox's platforms on loopback,
the queue in memory, and the tables that are handed in."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.counting import CountingHttp, CountingTables
from local.sandbox.airbnb_payloads import ACCEPTED, notification
from local.sandbox.config import Platform as Played
from local.sandbox.config import sample
from local.sandbox.server import Sandbox, running
from shared.adapters.http import HttpxHttp
from shared.adapters.secrets import SettingSecrets
from shared.connectors.ical import IcalConnector
from shared.connectors.ical_export import write_calendar
from shared.connectors.registry import PLATFORMS, connect
from shared.domain.dates import StayDates
from shared.domain.model import Account, Property, Site
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.messages import encode
from shared.ports.stores import Row, Tables
from shared.state.names import ACCOUNTS, DUE, FEED_READS, FEEDS, INBOX, RESERVATIONS, SITES
from shared.use_cases import WebhookCall

SITE = "moulin"
SHARD = "0000"
_IDS = {AIRBNB: "9876543", BOOKING: "123456701", GREENGO: "greengo-1"}
_HOTEL = "1234567"


@dataclass
class Home:
    """The home and everything around it; ``tables`` and ``http`` write down what passes."""

    engine: Operations
    sandbox: Sandbox
    tables: CountingTables
    http: CountingHttp
    bus: MemoryBus
    token: str = ""

    async def settle(self) -> None:
        """First answers of every platform, our calendar fetched, no message left: nothing waits."""
        for table in (ACCOUNTS, DUE, FEED_READS, FEEDS, INBOX, RESERVATIONS, SITES):
            await self.tables.upsert(
                table, Row("~made", "~made")
            )  # a table's first write makes it: not counted
        tokens = (await self.engine.portfolio.run(_portfolio(self.sandbox))).tokens
        self.token = tokens[f"{SITE}-greengo"]
        for account in ("airbnb", "booking"):
            assert await self.engine.observer.observe(account) == {}
        await self.engine.calendars.shard(SHARD, force=True)
        await self.rest()

    async def rest(self) -> None:
        """Let Greengo fetch and the workers finish, and read Greengo's calendar after that as often as it matters."""
        for _ in range(4):
            await self.drain()
            await self.pull()
            await self.drain()
            await self.engine.calendars.shard(SHARD, force=True)
        await self.engine.reconciler.reconcile(SITE, "rest")

    async def pull(self) -> None:
        """Greengo fetches our calendar; it imports nothing here, the sandbox's truth is not what is counted."""
        answer = await self.engine.export_calendar(self.token, {"User-Agent": "greengo-importer"})
        assert answer.status == 200, answer.status

    async def drain(self) -> None:
        """Do what stands in the queue."""
        while received := await self.bus.receive("work", 10, 0):
            for one in received:
                await self.engine.work(encode(one.message), one.deliveries, one.message.message_id)
                await self.bus.complete("work", one)

    async def sell(self, platform: Platform, days_ahead: int) -> None:
        """A guest books two nights there, and the platform tells us in its own way."""
        today = self.sandbox.world.clock.today()
        dates = StayDates.of_nights(today + timedelta(days=days_ahead), 2)
        stay = await self.sandbox.desk.book(Played(platform), [(_IDS[platform], dates)])
        if platform == AIRBNB:
            body = json.dumps(notification(ACCEPTED, stay)).encode()
            answer = await self.engine.receive_webhook(
                WebhookCall("airbnb", "key", "notification", body=body)
            )
            assert answer.status == 200
        elif platform == BOOKING:
            await self.engine.queues.poll("booking")
        else:
            await self.engine.calendars.shard(SHARD, force=True)
        await self.drain()

    async def closed(self) -> set[tuple[str, str]]:
        """Listing and nights of every closure that stands."""
        state = await self.engine.world.sites.load(SITE)
        return {(row.listing, str(row.dates)) for row in state.blocks.values() if row.wanted}


@asynccontextmanager
async def home(tables: Tables) -> AsyncIterator[Home]:
    """A settled home over these tables, while the block runs."""
    counted = CountingTables(tables)
    async with running(sample()) as sandbox:
        port = int(sandbox.base.rpartition(":")[2])
        http = CountingHttp(HttpxHttp(loopback_ports=frozenset({port})))
        bus = MemoryBus(tables.now, asyncio.sleep)
        built = Home(_engine(counted, bus, http, sandbox), sandbox, counted, http, bus)
        try:
            await built.settle()
            yield built
        finally:
            await http.close()


def _engine(tables: Tables, bus: MemoryBus, http: CountingHttp, sandbox: Sandbox) -> Operations:
    config, serial = sandbox.world.config, itertools.count(1)
    client = config.booking.clients[0]
    keys = SettingSecrets(
        {
            "KEY": config.airbnb.api_key,
            "TOKEN": config.airbnb.tokens["main"],
            "CLIENT": client.client_id,
            "SECRET": client.client_secret,
        }
    )
    apis = {
        name: connect(name, http, keys, clock=tables.now, retry_after=lambda value: None)
        for name in (AIRBNB, BOOKING)
    }
    world = World(
        tables=tables,
        bus=bus,
        apis=apis,
        feeds=IcalConnector(
            http, agent="SyncEngine/0.1 (+bench@example.com)", retry_after=lambda value: None
        ),
        notify=MemoryNotify(),
        telemetry=MemoryTelemetry(),
        sleep=asyncio.sleep,
        chance=lambda: 0.5,
        new_id=lambda: f"id-{next(serial):013d}",
        agents={name: entry.agents for name, entry in PLATFORMS.items()},
    )

    def render(closed: Iterable[tuple[StayDates, str]]) -> bytes:
        return write_calendar(closed, seed="", name="Bench", domain="bench.example.com")

    return Operations(world, render, {BOOKING: 20.0}, {"airbnb": ("key",)})


def _portfolio(sandbox: Sandbox) -> Portfolio:
    owner, base = "owner", sandbox.base
    place = Property(SITE, "Moulin", frozenset({SITE}))
    secrets = {"airbnb": {"api_key": "KEY", "oauth_token": "TOKEN"}} | {
        "booking": {"client_id": "CLIENT", "client_secret": "SECRET"}
    }
    accounts = [Account(name, Platform(name), owner, roles, base) for name, roles in secrets.items()]
    feed = sandbox.feed(f"greengo/{_IDS[GREENGO]}")
    api, ical = Link.API, Link.ICAL
    listings = [
        PortfolioListing(f"{SITE}-airbnb", SITE, SITE, AIRBNB, "airbnb", api, _IDS[AIRBNB]),
        PortfolioListing(f"{SITE}-booking", SITE, SITE, BOOKING, "booking", api, f"{_HOTEL}:{_IDS[BOOKING]}"),
        PortfolioListing(f"{SITE}-greengo", SITE, SITE, GREENGO, "greengo", ical, "", feed),
    ]
    site = Site(SITE, owner, {SITE: place}, {SITE: 1})
    return Portfolio((), tuple(accounts), (site,), tuple(listings))


def wall() -> datetime:
    """This machine's time."""
    return datetime.fromtimestamp(time.time(), UTC)
