"""A village to test in: one home on three platforms that keep their own truth, a clock that only moves when told, and
the whole engine over the shipped twins. Everything that can go wrong on the way can be made to."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from shared.connectors import airbnb_notification
from shared.connectors.airbnb_check import AirbnbCheck
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected, PlatformDown, TransientError
from shared.domain.facts import FeedEvent, Polled, SeenRoom, SeenStay, WriteOutcome
from shared.domain.model import Account, Busy, Listing, Property, Site, Status, Write
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.messages import encode
from shared.ports.bus import Message
from shared.ports.platforms import ApiConnector, Circuits, FeedBusy, FeedFetch, Notification, Validators
from shared.ports.stores import Delete, Tables
from shared.resilience.ladder import climb
from shared.state import site_codec
from shared.state.history import MARK
from shared.state.limits import MOST_CHANGES
from shared.state.names import SITES
from shared.use_cases import WebhookCall
from tests.engine.behind_guard import behind_guard
from tests.engine.virtual_loop import VirtualLoop
from tests.planted import GUEST

T = TypeVar("T")

START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
HOME = "gite"
VILLAGES = itertools.count(1)
"""No two villages of a process make equal ids: what is secret in one is looked for in what all of them say."""


LATEST = timedelta(seconds=60)
"""How long after it was sent a write may still land: deadline and grace of rule 2, less what the calls took."""


class Crash(BaseException):
    """The process dies here."""


class Store:
    """The tables as several workers meet them: others get their turn at every call, and a dead process gets none. The
    time is the village's, also over a real store."""

    def __init__(self, inner: Tables, now: Callable[[], datetime]) -> None:
        self.inner = inner
        self.now = now
        self.crash_in = -1

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if name in ("before", "after"):
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            if self.crash_in == 0:
                raise Crash
            self.crash_in -= 1 if self.crash_in > 0 else 0
            if name == "submit" and args[0] == SITES:
                return await self._guarded(method, *args)
            return await method(*args, **kwargs)

        return call

    async def _guarded(self, submit: Any, table: str, site: str, changes: Sequence[Any]) -> Any:
        """The version rises by one with each commit; only the first parts of one over 100 rows keep it."""
        record_alone = all(
            isinstance(one, Delete) or one.row.key.startswith(MARK) for one in changes
        )  # old lines are taken away beside the lock
        if record_alone or not isinstance(self.inner, MemoryTables):
            return await submit(table, site, changes)
        before = await self._version(site)
        done = await submit(table, site, changes)
        rise = await self._version(site) - before
        part = len(changes) == MOST_CHANGES
        assert rise == 1 or (part and rise == 0), "a commit was decided on a state that another had replaced"
        return done

    async def _version(self, site: str) -> int:
        row = await self.inner.get(SITES, site, site_codec.HEAD)
        return -1 if row is None else site_codec.to_head(row).version


class Clock:
    """Time that moves when told; each look takes a microsecond, so that no two instants are equal."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(microseconds=1)
        return self._now

    def peek(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> None:
        self._now += span

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Sold:
    """A guest's stay as its platform knows it."""

    id: str
    dates: StayDates
    version: int
    live: bool = True
    booked_at: datetime = START


@dataclass
class Calendar:
    """One platform's truth about one listing: what it sold, what it holds closed for us."""

    name: str
    clock: Clock
    sold: dict[str, Sold] = field(default_factory=dict)
    closed: set[date] = field(default_factory=set)
    ids: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    def taken(self) -> set[date]:
        return self.closed | {n for s in self.sold.values() if s.live for n in s.dates.nights()}

    def book(self, dates: StayDates) -> Sold | None:
        """Sell the nights if the calendar shows them free."""
        if self.taken() & set(dates.nights()):
            return None
        stay = Sold(f"{self.name}{next(iter(self.ids))}", dates, self._version(), booked_at=self.clock.now())
        self.sold[stay.id] = stay
        return stay

    def move(self, stay: Sold, dates: StayDates) -> bool:
        others = {n for s in self.sold.values() if s.live and s is not stay for n in s.dates.nights()}
        closed = self.closed - set(stay.dates.nights())
        if (others | closed) & set(dates.nights()):
            return False
        stay.dates, stay.version = dates, self._version()
        return True

    def cancel(self, stay: Sold) -> None:
        stay.live, stay.version = False, self._version()

    def live(self) -> list[Sold]:
        return [stay for stay in self.sold.values() if stay.live]

    def _version(self) -> int:
        return int(self.clock.now().timestamp() * 1_000_000)


@dataclass
class Faults:
    """What goes wrong with the next writes and reads of a platform."""

    down: bool = False
    lose_answer: bool = False
    late: bool = False
    refuse: bool = False
    hang: bool = False


@dataclass
class Lane:
    """Answers on their way: the next one can be held up after it was given, and let go much later."""

    slow: bool = False
    held: list[asyncio.Future[None]] = field(default_factory=list)

    async def wait(self) -> None:
        await asyncio.sleep(0)
        if self.slow:
            self.slow = False
            self.held.append(asyncio.get_running_loop().create_future())
            await self.held[-1]

    def let_go(self) -> None:
        for future in self.held:
            if not future.done():
                future.set_result(None)
        self.held.clear()


@dataclass
class ApiPlatform:
    """A platform with an API: Airbnb (versions, notifications) or Booking.com (a queue, no versions)."""

    platform: Platform
    calendar: Calendar
    queue: bool
    faults: Faults = field(default_factory=Faults)
    lane: Lane = field(default_factory=Lane)
    waiting: dict[str, str] = field(default_factory=dict)
    late_writes: list[tuple[datetime, dict[date, int]]] = field(default_factory=list)
    writes: list[dict[date, int]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Coroutine[Any, Any, object]] | None = None
    on_open: Callable[[str, date], None] = lambda name, night: None

    def told(self, stay: Sold, kind: str) -> None:
        """Queue what the platform will say; a change before the acknowledgement of "new" is folded into it."""
        if self.queue and self.waiting.get(stay.id) != "new":
            self.waiting[stay.id] = kind

    def land_late(self) -> None:
        """What arrived without an answer takes effect now, unless it is so old that it never will (rule 2)."""
        limit = self.calendar.clock.now() - LATEST
        for sent, levels in self.late_writes:
            if sent >= limit:
                self.land(levels, checked=False)
        self.late_writes.clear()

    def land(self, levels: Mapping[date, int], *, checked: bool = True) -> None:
        for night, level in levels.items():
            if level > 0:
                if checked:
                    self.on_open(self.platform, night)
                self.calendar.closed.discard(night)
            else:
                self.calendar.closed.add(night)

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        await asyncio.sleep(0)
        levels = dict(write.levels)
        self.asked["write"] += 1
        self.writes.append(levels)
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens()
        if self.faults.hang:
            await asyncio.Event().wait()
        if self.faults.refuse:
            return WriteOutcome(refused=dict.fromkeys(levels, "refused for the test"))
        if self.faults.late:
            self.late_writes.append((self.calendar.clock.now(), levels))
        elif not self.faults.down:
            self.land(levels)
        if self.faults.down or self.faults.late or self.faults.lose_answer:
            raise PlatformDown(f"{self.platform}: no answer")
        return WriteOutcome(accepted=frozenset(levels))

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        taken = self.calendar.taken()
        return {night: 0 if night in taken else 1 for night in dates.nights()}

    def seen(self, stay: Sold) -> SeenStay:
        room = SeenRoom(f"unit-{self.platform}", "1", stay.dates)
        if not stay.live and self.queue:
            return SeenStay(stay.id, Status.CANCELLED)
        if not stay.live:
            return SeenStay(stay.id, Status.CANCELLED, (room,), stay.version, GUEST)
        return SeenStay(stay.id, Status.CONFIRMED, (room,), 0 if self.queue else stay.version, GUEST)

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        self.asked["reread"] += 1
        await asyncio.sleep(0)
        if self.faults.down:
            raise PlatformDown(f"{self.platform}: no answer")
        stay = self.calendar.sold.get(reservation)
        seen = None if stay is None else self.seen(stay)
        await self.lane.wait()
        return seen

    async def poll(self, account: Account) -> Polled:
        self.asked["poll"] += 1
        await asyncio.sleep(0)
        if self.faults.down:
            raise PlatformDown(f"{self.platform}: no answer")
        sold = self.calendar.sold
        stays = [(f"{name}@{sold[name].version}", self.seen(sold[name])) for name in self.waiting]
        await self.lane.wait()
        return Polled(tuple(stays))

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        refused = []
        for receipt in receipts:
            name, _, version = receipt.partition("@")
            if self.calendar.sold[name].version == int(version):
                self.waiting.pop(name, None)
                self.acknowledged.append(receipt)
            else:
                refused.append(receipt)
        return tuple(refused)

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        if self.faults.down:
            raise PlatformDown(f"{self.platform}: no answer")
        return tuple(self.seen(stay) for stay in self.calendar.live())

    def read_notification(self, body: bytes) -> Notification:
        try:
            claim = json.loads(body)
            if "confirmation_code" in claim:  # "make reservation", in Airbnb's own words
                return airbnb_notification.read_notification(claim)
            name, dates, cancelled = str(claim["id"]), StayDates.parse(claim["dates"]), claim["cancelled"]
        except (ValueError, LookupError, TypeError) as wrong:
            raise PayloadRejected("not a notification") from wrong
        rooms = () if cancelled else (SeenRoom(f"unit-{self.platform}", "1", dates),)
        status = Status.CANCELLED if cancelled else Status.CONFIRMED
        return Notification("test", (name,), (SeenStay(name, status, rooms),) if rooms else ())


@dataclass
class FeedPlatform:
    """A platform by calendar links both ways: Greengo. It shows closures and stays alike, but for ``kinds`` by id;
    ``stale`` are closures it still shows from some copy of its own. ``unchanged``: it answers 304 to everybody;
    ``oddities``: its answers are partial."""

    calendar: Calendar
    faults: Faults = field(default_factory=Faults)
    lane: Lane = field(default_factory=Lane)
    empty: bool = False
    hidden: set[str] = field(default_factory=set)
    imported: dict[str, StayDates] = field(default_factory=dict)
    echoes: bool = True
    kinds: dict[str, Busy] = field(default_factory=dict)
    stale: set[StayDates] = field(default_factory=set)
    unchanged: bool = False
    oddities: tuple[str, ...] = ()
    fetches: int = 0
    on_open: Callable[[str, date], None] = lambda name, night: None

    def take(self, body: bytes) -> None:
        """Import our export: what is gone from it is opened again."""
        new = {seed: StayDates.parse(dates) for dates, seed in json.loads(body)}
        after = {night for dates in new.values() for night in dates.nights()}
        for night in self.calendar.closed - after:
            self.on_open(GREENGO, night)
        self.imported, self.calendar.closed = new, after

    def leaves_out(self, stay: Sold) -> bool:
        """Whether its calendar does not show a stay now."""
        return self.empty or stay.id in self.hidden

    async def fetch(self, url: str, validators: Validators) -> FeedFetch:
        await asyncio.sleep(0)
        self.fetches += 1
        if self.faults.down:
            raise PlatformDown("greengo: no answer")
        if self.unchanged:
            return FeedFetch(True, validators)
        events = [[stay.id, str(stay.dates)] for stay in self.calendar.live() if not self.leaves_out(stay)]
        if self.echoes and not self.empty:
            shown = set(self.imported.values()) | self.stale
            events += [[f"echo-{dates}", str(dates)] for dates in sorted(shown)]
        body = json.dumps(events).encode()
        await self.lane.wait()
        bytes_of_it = body + repr(self.oddities).encode()  # what cannot be read stands in them too
        return FeedFetch(False, Validators(), hashlib.sha256(bytes_of_it).hexdigest(), body)

    def read(self, body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        found = [
            FeedEvent(uid, self.kinds.get(uid, Busy.CLOSED), (StayDates.parse(dates),))
            for uid, dates in json.loads(body)
        ]
        return FeedBusy(tuple(found), self.oddities)


def render(ranges: Iterable[tuple[StayDates, str]]) -> bytes:
    return json.dumps([[str(dates), seed] for dates, seed in ranges]).encode()


class Village:
    """One home on Airbnb (webhooks), Booking.com (queue) and Greengo (feeds), and the engine between them."""

    def __init__(
        self,
        units: int = 1,
        inner: Tables | None = None,
        *,
        polls_first: bool = False,
        guarded: bool = False,
    ) -> None:
        """``polls_first``: nothing opens on Booking.com before a poll of its queue was stored, as in earnest. Most
        stories do without, so that what they are about shows at once. ``guarded``: the platforms stand behind circuit
        and repetition; stories about one lost answer do without."""
        self.polls_first, self.guarded = polls_first, guarded
        self.clock = Clock()
        # A real store answers in real time: on a virtual clock every wait for it would be a timeout.
        self.loop = asyncio.new_event_loop() if inner else VirtualLoop(self.clock)
        self.tables = MemoryTables(self.clock.now)
        self.store = Store(inner or self.tables, self.clock.now)
        # On the virtual loop a wait lets others go on: moving the clock under them would be a hanging machine.
        self.bus = MemoryBus(self.clock.now, self.clock.sleep if inner else asyncio.sleep)
        self.notify, self.telemetry = MemoryNotify(), MemoryTelemetry()
        self.airbnb = ApiPlatform(AIRBNB, Calendar("A", self.clock), queue=False)
        self.booking = ApiPlatform(BOOKING, Calendar("B", self.clock), queue=True)
        self.greengo = FeedPlatform(Calendar("G", self.clock))
        self.serial, self.name = itertools.count(1), f"v{next(VILLAGES)}"
        self.deliveries: list[bytes] = []
        self.pulling = False
        self.blindly_taken: set[StayDates] = set()
        self.never_shown: set[str] = set()
        self.engine = self._engine()
        self.tokens = self.run(self.engine.portfolio.run(portfolio(units))).tokens
        self.run(unheard(self.bus))
        self.run(self.first_answers())

    def _engine(self) -> Operations:
        apis: Mapping[Platform, ApiConnector] = {AIRBNB: self.airbnb, BOOKING: self.booking}
        circuits: Circuits | None = None
        if self.guarded:
            apis, circuits = behind_guard(apis, self.store, self.telemetry, self.clock)
        world = World(
            tables=self.store,
            bus=self.bus,
            apis=apis,
            circuits=circuits,
            feeds=self.greengo,
            notify=self.notify,
            telemetry=self.telemetry,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"id{next(self.serial):06d}{self.name}",
            agents={GREENGO: ("greengo",)},
            callers=frozenset({AIRBNB}),
            ladder=climb,
        )
        checks = {AIRBNB: AirbnbCheck()}
        engine = Operations(world, render, {BOOKING: 20.0}, {"airbnb": ("secret",)}, checks=checks)
        if not self.polls_first:
            engine.reconciler.queues = frozenset()
        return engine

    def another_host(self) -> Operations:
        """A second process over the same tables and queues."""
        return self._engine()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def close(self) -> None:
        self.loop.close()

    def dies_in(self, calls: int, doing: Coroutine[Any, Any, object]) -> None:
        """Run something in a process that dies at its n-th call of the store, and start a new one, which knows nothing
        but the tables."""
        self.store.crash_in, self.died = calls, False
        try:
            self.run(doing)
        except Crash:
            self.died = True
        finally:
            self.restart()

    def restart(self) -> None:
        """End the process, with all that it was doing, and start a new one on the same tables."""
        self.store.crash_in = 0
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
            with contextlib.suppress(Crash, asyncio.CancelledError):
                self.loop.run_until_complete(task)
        self.store.crash_in = -1
        self.engine = self._engine()

    async def first_answers(self) -> None:
        await self.engine.observer.observe("airbnb")
        await self.engine.observer.observe("booking")
        await self.engine.calendars.shard("0000", force=True)

    # ------------------------------------------------------------------------------------ what guests do

    def platforms(self) -> dict[str, Calendar]:
        return {
            AIRBNB: self.airbnb.calendar,
            BOOKING: self.booking.calendar,
            GREENGO: self.greengo.calendar,
        }

    def book(self, platform: str, dates: StayDates) -> Sold | None:
        stay = self.platforms()[platform].book(dates)
        if stay is not None:
            self.say(platform, stay, "new")
        return stay

    def say(self, platform: str, stay: Sold, kind: str) -> None:
        """Let the platform tell of a change in its own way; what a webhook carries may be old when it arrives."""
        if platform == AIRBNB:
            claim = {"id": stay.id, "dates": str(stay.dates), "cancelled": not stay.live}
            self.deliveries.append(json.dumps(claim).encode())
        elif platform == BOOKING:
            self.booking.told(stay, kind)

    # ----------------------------------------------------------------------------------- what reaches us

    async def webhook(self, body: bytes) -> None:
        """One delivery, and the worker's answer to it."""
        answer = await self.engine.receive_webhook(WebhookCall("airbnb", "secret", "notification", body=body))
        assert answer.status == 200
        await self.drain()

    async def drain(self, most: int = 50) -> None:
        """Let the workers do what stands in the queues now; while the bus is down they get nothing."""
        for _ in range(0 if self.bus.down else most):
            busy = False
            for queue, handler in (("work", self.engine.work), ("conflicts", self.engine.conflict)):
                for one in await self.bus.receive(queue, 10, 0):
                    busy = True
                    await handler(one.raw, one.deliveries, one.message.message_id)
                    await self.bus.complete(queue, one)
            if not busy:
                return

    async def poll_booking(self) -> None:
        self.clock.advance(timedelta(seconds=20))
        with contextlib.suppress(TransientError):
            await self.engine.queues.poll("booking")

    async def poll_greengo(self) -> None:
        await self.engine.calendars.shard("0000", force=True)

    async def greengo_pulls(self) -> int:
        """The peer fetches our export; returns the status it got, 0 while it is down itself."""
        if self.greengo.faults.down or self.pulling:
            return 0
        self.pulling = True
        before = self.unproven()
        try:
            answer = await self.engine.export_calendar(
                self.tokens[f"{HOME}-greengo"], {"user-agent": "GreenGo/1"}
            )
        finally:
            self.pulling = False
        if answer.status == 200:
            self.never_shown |= await self._left_out()
            self.greengo.take(answer.body)
            if self.unproven() > before:
                self.blindly_taken |= set(self.greengo.imported.values())
        return answer.status

    async def _left_out(self) -> set[str]:
        """Sales that the peer leaves out of its calendar as it takes ours, and that were never in it: nothing tells
        them from sales made a moment later (docs/limits.md), and what shows of them may pass for our closures. An
        empty calendar in which something had stood tells by itself."""
        known = (await self.engine.world.sites.load(HOME)).reservations.values()
        names = {uid for one in known for uid in one.aliases}
        if self.greengo.empty and (names or self.greengo.imported):
            return set()
        here = self.greengo.calendar.live()
        return {one.id for one in here if self.greengo.leaves_out(one)} - names

    def unproven(self) -> int:
        """How often a peer fetched our calendar without a look at its own that proves something."""
        counts = self.telemetry.counts
        return counts["fetched_without_a_look"] + counts["fetched_in_doubt"]

    async def settle(self, hours: int = 30) -> None:
        """Everything works again for long enough: messages arrive, feeds are read, peers pull, time passes."""
        for platform in (self.airbnb, self.booking):
            platform.land_late()
        for faults in (self.airbnb.faults, self.booking.faults, self.greengo.faults):
            faults.down = faults.lose_answer = faults.late = faults.refuse = faults.hang = False
        self.greengo.empty, self.greengo.hidden, self.bus.down = False, set(), False
        await self.first_answers()
        for step in range(12):
            while self.deliveries:
                await self.webhook(self.deliveries.pop(0))
            await self.poll_booking()
            await self.poll_greengo()
            await self.engine.on_timer_poll_accounts()  # asks again what a circuit refused
            await self.engine.on_timer_sweep()
            await self.drain()
            await self.greengo_pulls()
            await self.drain()
            self.clock.advance(timedelta(minutes=25) if step < 4 else timedelta(hours=hours / 8))


async def unheard(bus: MemoryBus) -> None:
    """The import's bells: who tests says himself when the first answers come."""
    for one in await bus.receive("work", 100, 0):
        await bus.complete("work", one)


def portfolio(units: int = 1) -> Portfolio:
    """The home, as a file would name it; with several ``units`` it is sold by count."""
    home = Property(HOME, "Gîte du Moulin", frozenset({HOME}))
    site = Site(HOME, "owner", {HOME: home}, {HOME: units})
    accounts = (Account("airbnb", AIRBNB, "owner"), Account("booking", BOOKING, "owner"))
    listings = (
        PortfolioListing(f"{HOME}-airbnb", HOME, HOME, AIRBNB, "airbnb", Link.API, "unit-airbnb"),
        PortfolioListing(f"{HOME}-booking", HOME, HOME, BOOKING, "booking", Link.API, "unit-booking"),
        PortfolioListing(
            f"{HOME}-greengo",
            HOME,
            HOME,
            GREENGO,
            "greengo-owner",
            Link.ICAL,
            "",
            "https://greengo.example/x",
        ),
    )
    return Portfolio((), accounts, (site,), listings)


def site_message(site: str) -> bytes:
    return encode(Message("site", site, "test"))
