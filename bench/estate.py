"""Many homes on two platforms, several hosts of the whole engine over one store and one queue, and virtual time. One of
the platforms sells; the other refuses and counts whatever is one call too many."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from shared.connectors.guard.breakers import Breakers
from shared.connectors.guard.guarded import Guard, GuardedConnector
from shared.connectors.guard.limiter import PlatformBudgets, SlidingLimiter
from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.dates import StayDates
from shared.domain.errors import RateLimited
from shared.domain.facts import WriteOutcome
from shared.domain.model import Account, Listing, Property, Site, Write
from shared.domain.platform import AIRBNB, BOOKING, Link
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.messages import encode
from shared.resilience.rate_limit import Limit
from shared.state.notes import NoteStore
from tests.connectors.guard.counting_platform import CountingPlatform
from tests.engine.hamlet import Channel, Web, render, stay
from tests.engine.village import Clock
from tests.engine.virtual_loop import VirtualLoop

T = TypeVar("T")

KEEPER = Person("bench", {ALL_OWNERS: Role.OPERATOR})
"""Who looks at the status."""

ANSWER = 0.2
"""Seconds the limited platform takes for an answer, and how unevenly calls travel to it."""

STORE = 0.01
"""Seconds the store takes."""

WORKERS = 16
"""Messages a host handles at once."""

SWEEP = 15.0
"""Seconds between two sweeps."""


class Strict(Channel):
    """A platform that answers 429 to one call too many in any window."""

    def __init__(self, platform: CountingPlatform) -> None:
        super().__init__(AIRBNB)
        self.counting = platform
        self.chance = itertools.cycle((0.1, 0.9, 0.4, 0.0, 0.7))

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        await asyncio.sleep(ANSWER * next(self.chance))
        if not self.counting.call("", listing.unit, "write"):
            raise RateLimited("too many requests", 30.0)
        self.levels.setdefault(listing.unit, {}).update(write.levels)
        await asyncio.sleep(ANSWER)
        return WriteOutcome(accepted=frozenset(write.levels))


class Estate:
    """The homes, and what happens to them."""

    def __init__(self, homes: int, limits: Sequence[Limit], hosts: int = 1) -> None:
        self.homes = [f"home{number:04}" for number in range(homes)]
        self.limits = tuple(limits)
        self.clock = Clock()
        self.loop = VirtualLoop(self.clock)
        self.tables = MemoryTables(self.clock.now, before=_slowly)
        self.bus = MemoryBus(self.clock.now, asyncio.sleep)
        self.telemetry = MemoryTelemetry()
        self.booking = Channel(BOOKING)
        self.counting = CountingPlatform(self.limits, self.clock)
        self.airbnb = Strict(self.counting)
        self.serial = itertools.count(1)
        self.stays = itertools.count(1)
        self.hosts = [self._engine(f"host{number}") for number in range(hosts)]
        self.run(self._connect())

    def _engine(self, name: str) -> Operations:
        notes = NoteStore(self.tables)
        breakers = Breakers(notes, self.telemetry, now=self.clock.now, monotonic=self.loop.time)
        guard = Guard(
            breakers,
            now=self.clock.now,
            monotonic=self.loop.time,
            sleep=asyncio.sleep,
            chance=lambda: 0.5,
        )
        limiter = SlidingLimiter(
            AIRBNB,
            self.limits,
            notes,
            clock=self.clock.now,
            sleep=asyncio.sleep,
            host=name,
            telemetry=self.telemetry,
        )
        world = World(
            tables=self.tables,
            bus=self.bus,
            apis={BOOKING: self.booking, AIRBNB: GuardedConnector(self.airbnb, guard, limiter)},
            feeds=_no_feeds(),
            notify=MemoryNotify(),
            telemetry=self.telemetry,
            sleep=asyncio.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"id{next(self.serial):06d}",
            budgets=PlatformBudgets({AIRBNB: limiter}),
        )
        return Operations(world, render, {BOOKING: 20.0}, {})

    async def _connect(self) -> None:
        await self.hosts[0].portfolio.run(portfolio(self.homes))
        for account in ("booking", "airbnb"):
            await self.hosts[0].observer.observe(account)
        for one in await self.bus.receive("work", 10_000, 0):
            await self.bus.complete("work", one)

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def close(self) -> None:
        self.loop.close()

    # ------------------------------------------------------------------------------- what happens

    def sell(self, home: str, start: int, nights: int) -> None:
        """A guest books on the selling platform, from in ``start`` days on."""
        check_in = self.clock.peek().date() + timedelta(days=start)
        name = f"stay{next(self.stays)}"
        self.booking.tell(stay(name, (home, StayDates.of_nights(check_in, nights))))

    def tell_again(self) -> None:
        """The platform tells of every stay once more, as it was."""
        for one in list(self.booking.said.values()):
            self.booking.tell(one)

    def open_homes(self) -> list[str]:
        """Those with a night that was sold and is not closed on the other platform."""
        sold: dict[str, set[date]] = {}
        for one in self.booking.said.values():
            for room in one.rooms:
                sold.setdefault(room.unit, set()).update(room.dates.nights())
        return [home for home, nights in sold.items() if not nights <= self.airbnb.closed(home)]

    async def live(self, most: int, done: Callable[[], bool] = lambda: False) -> None:
        """Every host polls, works and sweeps for so many seconds, or until it is ``done``."""
        tasks = [asyncio.create_task(self._poll())]
        for host in self.hosts:
            tasks += [asyncio.create_task(self._worker(host)) for _ in range(WORKERS)]
            tasks.append(asyncio.create_task(self._sweeps(host)))
        for _ in range(most):
            if done():
                break
            await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            assert task.cancelled(), task.exception()

    def all_closed(self) -> bool:
        """Whether everything sold is known and closed on the other platform."""
        return not self.booking.waiting and not self.open_homes()

    def accounts(self) -> list[dict[str, Any]]:
        """The accounts as the first host's status shows them."""
        shown: Any = self.run(self.hosts[0].overview.everything(KEEPER))
        found: list[dict[str, Any]] = shown["accounts"]
        return found

    async def _poll(self) -> None:
        for host in itertools.cycle(self.hosts):
            await host.queues.poll("booking")
            await asyncio.sleep(20)

    async def _worker(self, host: Operations) -> None:
        while True:
            for one in await self.bus.receive("work", 1, 5):
                await host.work(encode(one.message), one.deliveries, one.message.message_id)
                await self.bus.complete("work", one)

    async def _sweeps(self, host: Operations) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            await host.on_timer_sweep()


async def _slowly(operation: str, table: str, partition: str) -> None:
    await asyncio.sleep(STORE)


def _no_feeds() -> Any:
    from shared.connectors.ical import IcalConnector

    return IcalConnector(Web(), agent="Bench/1 (+nobody)", retry_after=lambda value: None)


def portfolio(homes: Sequence[str]) -> Portfolio:
    """Each home alone, on both platforms."""
    sites = tuple(
        Site(home, "owner", {home: Property(home, "Invented", frozenset({home}))}, {home: 1})
        for home in homes
    )
    accounts = (Account("booking", BOOKING, "owner"), Account("airbnb", AIRBNB, "owner"))
    listings = tuple(
        PortfolioListing(f"{home}-{platform}", home, home, platform, platform, Link.API, home)
        for home in homes
        for platform in (BOOKING, AIRBNB)
    )
    return Portfolio((), accounts, sites, listings)
