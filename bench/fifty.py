"""Fifty homes as a manager of many has them: listed on three platforms, three weeks in four sold for the months ahead,
a few closed by their owners, one sold twice. Names and stays are invented, and the same each time."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from shared.connectors.registry import PLATFORMS
from shared.domain.changes import apply_plan
from shared.domain.dates import StayDates
from shared.domain.errors import PlatformDown
from shared.domain.model import (
    Account,
    Block,
    Busy,
    Part,
    Phase,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.ports.platforms import FeedBusy, FeedFetch, Validators
from shared.ports.stores import Tables
from shared.state.sites import Changes

HOMES, SEED = 50, 2027

_WHAT = ["Gîte", "Chalet", "Moulin", "Mas", "Villa", "Loft", "Grange", "Cabane", "Studio", "Bergerie"]
_WHERE = [
    "des Tilleuls",
    "du Lac",
    "de la Roche",
    "aux Hirondelles",
    "du Vallon",
    "des Oliviers",
    "de l’Étang",
    "du Pré Haut",
]
_GUESTS = [
    "Zoé T.",
    "Yann K.",
    "Inès B.",
    "Otto W.",
    "Ada L.",
    "Noé F.",
    "Maïa R.",
    "Ivo S.",
    "Lou D.",
    "Élie P.",
]
_LINKS: tuple[tuple[Platform, Link], ...] = ((AIRBNB, Link.API), (BOOKING, Link.API), (GREENGO, Link.ICAL))


def portfolio(homes: int = HOMES, owner: str = "owner") -> Portfolio:
    """The file of that manager; one in ten is a kind of room of which there are three."""
    sites, listings = [], []
    for number in range(homes):
        name = f"home{number:02d}"
        title = f"{_WHAT[number % len(_WHAT)]} {_WHERE[(number // len(_WHAT) + number) % len(_WHERE)]}"
        sites.append(
            Site(name, owner, {name: Property(name, title, frozenset({name}))}, {name: units(number)})
        )
        for platform, link in _LINKS:
            account = platform if link is Link.API else f"{platform}-{owner}"
            unit, url = (name, "") if link is Link.API else ("", f"https://calendars.example/{name}.ics")
            listings.append(
                PortfolioListing(f"{name}-{platform}", name, name, platform, account, link, unit, url)
            )
    accounts = (Account("airbnb", AIRBNB, owner), Account("booking", BOOKING, owner))
    return Portfolio((), accounts, tuple(sites), tuple(listings))


def units(number: int) -> int:
    """How many of that home there are."""
    return 3 if number % 11 == 4 else 1


async def furnish(world: World, today: date, homes: int = HOMES, days: int = 120) -> None:
    """Fill the imported homes with stays and the closures that follow from them, as far along as chance has it."""
    chance = random.Random(SEED)
    for number in range(homes):
        before = await world.sites.load(f"home{number:02d}")
        complete = {key: replace(one, complete=True) for key, one in before.listings.items()}
        facts = {one.key: one for one in _stays(chance, number, today, days, world.now())}
        full = replace(before, listings=complete, reservations=facts)
        planned = apply_plan(full, plan(full, world.now()))
        blocks = [_along(chance, planned, row, world.now()) for row in planned.blocks.values()]
        changes = Changes(
            listings=list(complete.values()),
            reservations=list(facts.values()),
            blocks=blocks,
            conflicts=list(planned.conflicts.values()),
        )
        await world.sites.commit(before, changes)


def _stays(
    chance: random.Random, number: int, today: date, days: int, now: datetime
) -> Iterator[Reservation]:
    for unit in range(units(number)):
        day = today - timedelta(days=chance.randint(0, 6))
        while day < today + timedelta(days=days):
            nights = chance.choice((1, 2, 2, 3, 3, 4, 5, 7, 7))
            name = f"{number:02d}{unit}{day:%m%d}"
            yield _fact(chance, f"home{number:02d}", name, StayDates.of_nights(day, nights), now)
            day += timedelta(days=nights + chance.choice((0, 0, 1, 1, 2, 3)))
    if number == 17:  # the one that is sold twice
        dates = StayDates.of_nights(today + timedelta(days=9), 4)
        for platform in (AIRBNB, BOOKING):
            part = Part("1", f"home17-{platform}", dates, now)
            yield Reservation(
                platform, f"twice-{platform}", Busy.STAY, Status.CONFIRMED, (part,), guest="Léa M."
            )


def _fact(chance: random.Random, home: str, name: str, dates: StayDates, now: datetime) -> Reservation:
    platform, link = chance.choice(_LINKS)
    listing = f"{home}-{platform}"
    part = Part("1", listing, dates, now - timedelta(days=chance.randint(1, 90)))
    if link is Link.API:
        status = Status.PENDING if chance.random() < 0.04 else Status.CONFIRMED
        return Reservation(platform, f"HM{name}", Busy.STAY, status, (part,), guest=chance.choice(_GUESTS))
    kind = Busy.BLOCK if chance.random() < 0.25 else Busy.CLOSED
    return Reservation(f"{platform}-owner", name, kind, Status.CONFIRMED, (part,), feed=listing)


def _along(chance: random.Random, state: SiteState, row: Block, now: datetime) -> Block:
    """Most closures were seen long ago, some are on their way."""
    phase = chance.choices((Phase.SEEN, Phase.ACCEPTED, Phase.SENT, Phase.INTENDED), (70, 20, 7, 3))[0]
    if state.listings[row.listing].link is Link.ICAL and phase is Phase.INTENDED:
        phase = Phase.SENT  # what stands in our own calendar is published at once
    taken = now if phase in (Phase.SEEN, Phase.ACCEPTED) else None
    return replace(row, phase=phase, taken_at=taken)


class _NoCalendars:
    """No calendar link is asked here."""

    async def fetch(self, url: str, validators: Validators) -> FeedFetch:
        """Nobody is asked."""
        raise PlatformDown(f"{url} does not exist")

    def read(self, body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        """Nothing was fetched."""
        raise PlatformDown("nothing was fetched")


def engine(tables: Tables) -> Operations:
    """The engine over these tables; no platform is ever asked."""
    serial = itertools.count(1)
    world = World(
        tables=tables,
        bus=MemoryBus(tables.now, asyncio.sleep),
        apis={},
        feeds=_NoCalendars(),
        notify=MemoryNotify(),
        telemetry=MemoryTelemetry(),
        sleep=asyncio.sleep,
        chance=lambda: 0.5,
        new_id=lambda: f"id{next(serial):08d}",
        platform_names={name: entry.name for name, entry in PLATFORMS.items()},
    )
    return Operations(world, lambda ranges: b"", {})


async def furnished(tables: Tables, homes: int = HOMES) -> Operations:
    """The engine with the whole portfolio, as it is today."""
    made = engine(tables)
    await made.portfolio.run(portfolio(homes))
    await furnish(made.world, made.world.now().date(), homes)
    return made
