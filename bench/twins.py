"""The street over the shipped twins: engine, worker loop and timers are the real ones, tables and queue are in memory,
the platforms answer after a wait. On the machine's clock it shows what the engine itself costs; on a virtual one an
hour passes in seconds and only waiting takes time."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bench.journal import Journal, Journey
from bench.street import APIS, FEED, site, street, unit
from local.host.invocations import Invocations
from local.host.plan import QueuePlan, Target
from local.host.queues import QueuePump
from local.host.server import GRACE
from shared.connectors.guard.breakers import Breakers
from shared.connectors.guard.guarded import Guard, GuardedConnector
from shared.connectors.guard.limiter import limiter_for
from shared.connectors.ical_export import write_calendar
from shared.connectors.registry import find
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected, PlatformDown
from shared.domain.facts import FeedEvent, Polled, SeenRoom, SeenStay, WriteOutcome
from shared.domain.model import Account, Busy, Listing, Status, Write
from shared.domain.platform import AIRBNB, BOOKING, Platform
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.ports.platforms import (
    ApiConnector,
    FeedBusy,
    FeedConnector,
    FeedFetch,
    Notification,
    Validators,
)
from shared.ports.stores import Tables
from shared.resilience.ladder import climb
from shared.state.names import SITES
from shared.state.notes import NoteStore
from shared.use_cases import WebhookCall

AT_ONCE = 16
"""Messages one host works on side by side: what ``host.json`` says."""

QUEUE_EVERY, SWEEP_EVERY = 20.0, 15.0
"""The shipped timers, in seconds."""

LAST_RECEIVE = 1.5
"""Seconds until a pump that was told to stop has received for the last time."""


@dataclass
class Trouble:
    """What is wrong with a platform: ``failing`` is the share of calls that end with an error after the usual wait;
    ``silent`` never answers, ``refusing`` fails every call at once."""

    failing: float = 0.0
    silent: bool = False
    refusing: bool = False


@dataclass
class SlowApi:
    """A platform with an API that answers after ``latency`` seconds: Airbnb calls us, Booking.com keeps a queue."""

    platform: Platform
    journal: Journal
    latency: float
    clock: Callable[[], float]
    chance: random.Random
    trouble: Trouble = field(default_factory=Trouble)
    sold: dict[str, SeenStay] = field(default_factory=dict)
    waiting: dict[str, SeenStay] = field(default_factory=dict)
    closed: dict[str, set[date]] = field(default_factory=dict)
    calls: int = 0

    async def _answer(self) -> None:
        """What a call costs, and how it may end."""
        self.calls += 1
        if self.trouble.refusing:
            raise PlatformDown(f"{self.platform}: no connection")
        await asyncio.sleep(60.0 if self.trouble.silent else self.latency)
        if self.trouble.silent or self.chance.random() < self.trouble.failing:
            raise PlatformDown(f"{self.platform}: no answer")

    def book(self, stay: str, home: int, dates: StayDates) -> None:
        """A guest booked."""
        room = SeenRoom(unit(home, self.platform), "1", dates)
        self.sold[stay] = SeenStay(stay, Status.CONFIRMED, (room,), 1 if self.platform == AIRBNB else 0)
        if self.platform == BOOKING:
            self.waiting[stay] = self.sold[stay]

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """Effect and answer come together, after the wait."""
        await self._answer()
        closed = self.closed.setdefault(listing.unit, set())
        for night, level in write.levels.items():
            (closed.discard if level else closed.add)(night)
        for journey in self.journal.waiting(int(listing.id[4:9]), self.platform):
            if closed.issuperset(journey.dates.nights()):
                self.journal.accept(journey, self.platform, self.clock())
        return WriteOutcome(accepted=frozenset(write.levels))

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """What is closed."""
        await self._answer()
        closed = self.closed.get(listing.unit, set())
        return {night: int(night not in closed) for night in dates.nights()}

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """One stay."""
        await self._answer()
        return self.sold.get(reservation)

    async def poll(self, account: Account) -> Polled:
        """What was not acknowledged yet."""
        stays = tuple(self.waiting.items())
        await self._answer()
        for stay, _ in stays:
            self.journal.know(stay, self.clock())
        return Polled(stays)

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """Take them out of the queue."""
        await self._answer()
        for receipt in receipts:
            self.waiting.pop(receipt, None)
        return ()

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """Everything sold of a unit."""
        await self._answer()
        return tuple(one for one in self.sold.values() if one.rooms[0].unit == unit)

    def read_notification(self, body: bytes) -> Notification:
        """A stay's id with what it claims."""
        try:
            claim = json.loads(body)
            name, dates, unit = str(claim["id"]), StayDates.parse(claim["dates"]), str(claim["unit"])
        except (ValueError, LookupError, TypeError) as wrong:
            raise PayloadRejected("not a notification") from wrong
        hint = SeenStay(name, Status.CONFIRMED, (SeenRoom(unit, "1", dates),))
        return Notification("sold", (name,), (hint,))


UNCHANGED = "unchanged"
"""The digest of what never changes."""


@dataclass
class StillFeeds:
    """Calendars that never change."""

    fetched: int = 0

    async def fetch(self, url: str, validators: Validators) -> FeedFetch:
        """The same body every time."""
        self.fetched += 1
        return FeedFetch(False, Validators(), UNCHANGED, b"one stay")

    def read(self, body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        """One stay, two months ahead of the first look."""
        return FeedBusy((FeedEvent("one", Busy.CLOSED, (StayDates.parse("2027-06-04/2027-06-06"),)),))


class Twins:
    """A street over the twins. ``now`` is their time, ``sleep`` what the twins wait with."""

    def __init__(
        self,
        homes: int,
        latency: float,
        now: Callable[[], datetime],
        *,
        hosts: int = 1,
        tables: Tables | None = None,
        feeds: FeedConnector | None = None,
        limits: bool = True,
    ) -> None:
        """``tables`` and ``feeds`` stand in for the plain ones: then nobody sees when our feed shows a closure. Without
        ``limits`` the platforms allow any number of calls: one account may write 160 times a minute on Airbnb."""
        self.homes, self.now, self._limits = homes, now, limits
        self.journal = Journal()
        self.chance = random.Random(20261122)
        self.tables: Tables = tables or MemoryTables(now, after=self._committed)
        self.feeds = feeds or StillFeeds()
        self.bus = MemoryBus(now, asyncio.sleep)
        self.notify, self.telemetry = MemoryNotify(), MemoryTelemetry()
        self.apis = {name: SlowApi(name, self.journal, latency, self.seconds, self.chance) for name in APIS}
        self.engines = [self._engine(number) for number in range(hosts)]
        self._serial = itertools.count(1)
        self._running: set[asyncio.Task[None]] = set()
        self._pumps: list[QueuePump] = []
        self._invocations: list[Invocations] = []

    def seconds(self) -> float:
        """The time as a number."""
        return self.now().timestamp()

    def _engine(self, number: int) -> Operations:
        serial = itertools.count(1)
        world = World(
            tables=self.tables,
            bus=self.bus,
            apis=self._guarded(number),
            feeds=self.feeds,
            notify=self.notify,
            telemetry=self.telemetry,
            sleep=_sleep,
            chance=random.Random(number).random,
            new_id=lambda: f"h{number}n{next(serial):012d}",
            ladder=climb,
        )
        return Operations(world, _render, {BOOKING: 20.0}, {"airbnb": ("secret",)})

    def _guarded(self, number: int) -> dict[Platform, ApiConnector]:
        """Each host's connectors behind breakers and limits, as the bootstrap joins them."""
        notes = NoteStore(self.tables)
        breakers = Breakers(notes, self.telemetry, now=self.now, monotonic=self.seconds)
        guard = Guard(
            breakers, now=self.now, monotonic=self.seconds, sleep=_sleep, chance=random.Random(number).random
        )
        limiters = {
            name: limiter_for(
                find(name), notes, clock=self.now, sleep=_sleep, host=f"h{number}", telemetry=self.telemetry
            )
            for name in APIS
        }
        return {
            name: GuardedConnector(api, guard, limiters[name] if self._limits else None)
            for name, api in self.apis.items()
        }

    def _committed(self, operation: str, table: str, partition: str) -> None:
        """A site's commit: from here our feed shows what is in it."""
        if operation == "submit" and table == SITES and partition.startswith("home"):
            for journey in self.journal.waiting(int(partition[4:9]), FEED):
                if journey.known is not None:
                    self.journal.accept(journey, FEED, self.seconds())

    async def settle(self) -> None:
        """Import and first answers."""
        engine = self.engines[0]
        await engine.portfolio.run(street(self.homes, "http://platforms.invalid", feeds=False))
        for account in APIS:
            assert await engine.observer.observe(account) == {}
        while received := await self.bus.receive("work", 100, 0):
            for one in received:
                await self.bus.complete("work", one)

    # ------------------------------------------------------------------------------------- what runs

    def start(self) -> None:
        """Start the hosts: workers and timers."""
        for engine in self.engines:
            self._drive(engine.on_timer_poll_accounts, QUEUE_EVERY)
            self._drive(engine.on_timer_sweep, SWEEP_EVERY)
            for queue, handler in (("work", engine.work), ("conflicts", engine.conflict)):
                plan = QueuePlan(Target(queue, _worker(handler), "message"), "", queue, AT_ONCE)
                self._invocations.append(Invocations())
                pump = QueuePump(plan, self.bus, self._invocations[-1], asyncio.sleep)
                self._pumps.append(pump)
                self._keep(pump.run())

    async def stop(self) -> None:
        """End them: what runs may come to its end, then everything is cut."""
        for pump in self._pumps:
            pump.stop()
        await asyncio.sleep(LAST_RECEIVE)
        for invocations in self._invocations:
            await invocations.drain(GRACE)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _drive(self, timer: Callable[[], Awaitable[None]], every: float) -> None:
        async def ticks() -> None:
            while True:
                await asyncio.sleep(every)
                await timer()

        self._keep(ticks())

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    # ------------------------------------------------------------------------------------- what happens

    def sell(self, platform: Platform, home: int, dates: StayDates, *, tell: bool = True) -> bytes:
        """A guest books; Airbnb's call, on its way unless it is not to be told."""
        stay = f"{platform[0].upper()}{next(self._serial):07d}"
        self.apis[platform].book(stay, home, dates)
        awaited = frozenset({*APIS, FEED}) - {platform}
        self.journal.book(Journey(stay, platform, home, dates, self.seconds(), awaited))
        body = json.dumps({"id": stay, "dates": str(dates), "unit": unit(home, platform)}).encode()
        if tell and platform == AIRBNB:
            self.deliver(stay, body)
        return body

    def deliver(self, stay: str, body: bytes) -> None:
        """Airbnb's call leaves for us."""
        self._keep(self._call(stay, body))

    async def _call(self, stay: str, body: bytes) -> None:
        """Airbnb calls the host whose turn it is."""
        engine, begun = self.engines[len(self.journal.answers) % len(self.engines)], self.seconds()
        self.journal.know(stay, begun)
        answer = await engine.receive_webhook(WebhookCall("airbnb", "secret", "notification", body=body))
        assert answer.status == 200, answer.status
        self.journal.answers.append(self.seconds() - begun)

    async def wrong(self) -> list[str]:
        """Stays the engine does not know, or nights it does not hold closed, in the end."""
        found = []
        for one in self.journal.journeys.values():
            state = await self.engines[0].world.sites.load(site(one.home))
            if f"{one.sold_on}|{one.id}" not in state.reservations:
                found.append(f"lost: {one.id}")
            held = {(row.listing, row.dates) for row in state.blocks.values() if row.wanted}
            found += [
                f"open: {one.id} on {n}"
                for n in one.awaited
                if (f"{site(one.home)}-{n}", one.dates) not in held
            ]
        return found


def _worker(handler: Callable[[bytes, int, str], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """The trigger's function, as ``sync_worker`` is."""
    import azure.functions as func

    async def worker(message: func.ServiceBusMessage) -> None:
        await handler(message.get_body(), message.delivery_count or 1, message.message_id)

    return worker


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _render(ranges: Iterable[tuple[StayDates, str]]) -> bytes:
    return write_calendar(ranges, seed="", name="Bench", domain="bench.example.com")
