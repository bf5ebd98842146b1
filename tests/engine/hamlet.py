"""A hamlet to test in: several homes on one platform with a queue, and calendars read as they came over the wire. What
the platform says is written by the test; what it holds of ours is kept night by night."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from shared.bootstrap.portfolio import YamlPortfolio
from shared.connectors.ical import IcalConnector
from shared.connectors.ical_export import write_calendar
from shared.connectors.ical_links import ICAL, VRBO, platform_of
from shared.domain.addresses import parse_feed_url
from shared.domain.dates import StayDates
from shared.domain.errors import PlatformDown, SyncError
from shared.domain.facts import Polled, SeenRoom, SeenStay, Unplaced, WriteOutcome
from shared.domain.model import Account, Listing, Status, Write
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.portfolio import Home, Portfolio, PortfolioListing
from shared.domain.site_groups import resolve
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.messages import encode
from shared.ports.http import Request, Response
from shared.ports.people import Notify, Telemetry
from shared.ports.platforms import ApiConnector, Circuits, Notification
from shared.ports.stores import Tables
from tests.engine.behind_guard import behind_guard
from tests.engine.village import START, VILLAGES, Clock, Store, unheard
from tests.engine.virtual_loop import VirtualLoop

T = TypeVar("T")


@dataclass
class Channel:
    """A platform with an API and a queue: what it says of its stays, and what it holds for sale of ours."""

    platform: Platform
    said: dict[str, SeenStay] = field(default_factory=dict)
    waiting: dict[str, SeenStay] = field(default_factory=dict)
    unreadable: list[Unplaced] = field(default_factory=list)
    levels: dict[str, dict[date, int]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    on_acknowledge: Callable[[], None] = lambda: None

    def tell(self, stay: SeenStay) -> None:
        """Put a state into the queue; its receipt is its id, with a number when the id stands there already."""
        self.said[stay.id] = stay
        receipt = next(r for n in itertools.count() if (r := f"{stay.id}@{n}") not in self.waiting)
        self.waiting[receipt] = stay

    def closed(self, unit: str) -> set[date]:
        return {night for night, level in self.levels.get(unit, {}).items() if level == 0}

    def did(self, what: str) -> list[str]:
        return [detail for kind, detail in self.log if kind == what]

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        await asyncio.sleep(0)
        self.log.append(("write", listing.unit))
        if self.down:
            raise PlatformDown(f"{self.platform}: no answer")
        self.levels.setdefault(listing.unit, {}).update(write.levels)
        return WriteOutcome(accepted=frozenset(write.levels))

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        return self.levels.get(listing.unit, {})

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        return self.said.get(reservation)

    async def poll(self, account: Account) -> Polled:
        await asyncio.sleep(0)
        if self.down:
            raise PlatformDown(f"{self.platform}: no answer")
        return Polled(tuple(self.waiting.items()), tuple(self.unreadable))

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        self.on_acknowledge()
        for receipt in receipts:
            self.log.append(("acknowledge", receipt))
            self.waiting.pop(receipt, None)
        self.unreadable = [one for one in self.unreadable if one.receipt not in receipts]
        return ()

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        rooms = ((stay, {room.unit for room in stay.rooms}) for stay in self.said.values())
        return tuple(stay for stay, units in rooms if unit in units)

    def read_notification(self, body: bytes) -> Notification:
        return Notification("test", (body.decode(),))


@dataclass
class Web:
    """The way out: calendars by their links, or what goes wrong with them."""

    answers: dict[str, bytes | SyncError | Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(0)
        if request.guarded:
            parse_feed_url(request.url)
        self.asked.append(request.url)
        answer = self.answers.get(request.url, PlatformDown("no answer"))
        if isinstance(answer, SyncError):
            raise answer
        if isinstance(answer, Response):
            return answer
        return Response(200, {"content-type": "text/calendar"}, answer)

    async def close(self) -> None:
        """Nothing to free."""


class Hamlet:
    """Homes of one owner, each listed on Booking.com (one unit a home) and, with a link, on further platforms."""

    def __init__(
        self,
        homes: Sequence[Home],
        links: Mapping[str, Platform] | None = None,
        start: datetime = START,
        voices: tuple[Notify, Telemetry] | None = None,
        *,
        guarded: bool = False,
    ) -> None:
        """``links`` name homes with a calendar link, and whose calendar that is; ``voices`` speak for the engine where
        the ones in memory should not; ``guarded``: Booking.com stands behind circuit and repetition."""
        self.guarded = guarded
        self.clock = Clock(start)
        self.loop = VirtualLoop(self.clock)
        self.memory = MemoryTables(self.clock.now)
        self.tables: Tables = Store(self.memory, self.clock.now)
        self.bus = MemoryBus(self.clock.now, self.clock.sleep)
        self.notify, self.telemetry = MemoryNotify(), MemoryTelemetry()
        self._voices = voices or (self.notify, self.telemetry)
        self.booking, self.web = Channel(BOOKING), Web()
        self.serial, self.name = itertools.count(1), f"v{next(VILLAGES)}"
        self.engine = self._engine()
        self.links = dict(links or {})
        for home in self.links:
            self.web.answers[link(home)] = calendar()
        self.tokens = self.run(self.engine.portfolio.run(portfolio(homes, self.links))).tokens
        self.run(unheard(self.bus))

    def _engine(self) -> Operations:
        feeds = IcalConnector(self.web, agent="Test/1 (+nobody)", retry_after=lambda value: None)
        apis: Mapping[Platform, ApiConnector] = {BOOKING: self.booking}
        circuits: Circuits | None = None
        if self.guarded:
            apis, circuits = behind_guard(apis, self.tables, self.telemetry, self.clock)
        world = World(
            tables=self.tables,
            bus=self.bus,
            apis=apis,
            circuits=circuits,
            feeds=feeds,
            notify=self._voices[0],
            telemetry=self._voices[1],
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"id{next(self.serial):06d}{self.name}",
            agents={GREENGO: ("greengo",), AIRBNB: ("airbnb",), BOOKING: ("booking",)},
            recognise=platform_of,
            calendars=(AIRBNB, BOOKING, GREENGO, VRBO, ICAL),
            portfolio_text=YamlPortfolio,
        )
        engine = Operations(world, render, {BOOKING: 20.0}, {})
        engine.reconciler.queues = frozenset()  # what opens shows at once, without a poll of the queue before
        return engine

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def close(self) -> None:
        self.loop.close()

    async def first_answers(self) -> None:
        await self.engine.observer.observe("booking")
        if self.links:
            await self.engine.calendars.shard("0000", force=True)

    async def poll(self) -> None:
        """Ask the queue, when its turn has come."""
        await self.clock.sleep(30)
        await self.engine.queues.poll("booking")

    async def drain(self) -> None:
        """Let the workers do what stands in the queues."""
        for queue, handler in (("work", self.engine.work), ("conflicts", self.engine.conflict)):
            while found := await self.bus.receive(queue, 10, 0):
                for one in found:
                    await handler(encode(one.message), one.deliveries, one.message.message_id)
                    await self.bus.complete(queue, one)


def render(ranges: Iterable[tuple[StayDates, str]]) -> bytes:
    return write_calendar(ranges, seed="", name="Hamlet", domain="hamlet.example")


def portfolio(homes: Sequence[Home], links: Mapping[str, Platform]) -> Portfolio:
    sites = resolve(homes)
    site_of = {home: site.id for site in sites for home in site.properties}
    listings = [
        PortfolioListing(f"{h.id}-booking", h.id, site_of[h.id], BOOKING, "booking", Link.API, h.id)
        for h in homes
    ]
    listings += [
        PortfolioListing(linked(h, p), h, site_of[h], p, f"{p}-owner", Link.ICAL, import_url=link(h))
        for h, p in links.items()
    ]
    accounts = (Account("booking", BOOKING, "owner"),) if homes else ()
    return Portfolio((), accounts, sites, tuple(listings))


def linked(home: str, platform: Platform) -> str:
    """The id of the home's listing by calendar link."""
    return f"{home}-{platform}" if platform != BOOKING else f"{home}-booking-link"


def link(home: str) -> str:
    """The calendar link of a home."""
    return f"https://calendars.example/{home}.ics"


def stay(name: str, *rooms: tuple[str, StayDates], status: Status = Status.CONFIRMED) -> SeenStay:
    """A reservation of these rooms, each a unit with its nights."""
    seen = (SeenRoom(unit, str(number), dates) for number, (unit, dates) in enumerate(rooms))
    return SeenStay(name, status, tuple(seen))


def calendar(*events: tuple[str, StayDates], summary: str = "CLOSED - Not available") -> bytes:
    """A calendar as a platform would send it: UIDs with their nights."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    for uid, dates in events:
        lines += ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART;VALUE=DATE:{dates.check_in:%Y%m%d}"]
        lines += [f"DTEND;VALUE=DATE:{dates.check_out:%Y%m%d}", f"SUMMARY:{summary}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()
