"""The calendar as a person sees it: the homes they look after over some weeks, and one home night by night.

Only homes of owners the person sees are there. It is drawn from copies (``shared.engine.shelf``) and says of when it
is; while nothing changed, drawing it again costs two reads of the tables however many homes there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from shared.domain.access import Person
from shared.domain.dates import StayDates
from shared.domain.errors import NotFound
from shared.domain.holds import living
from shared.domain.model import Property
from shared.domain.nights import Night, nights
from shared.domain.spoken import PARIS, names_of
from shared.domain.timeline import Row, alphabetical, for_channel, timeline
from shared.engine.freshness import Freshness
from shared.engine.modes import Modes
from shared.engine.scope import sites_seen
from shared.engine.shelf import Copy, Shelf
from shared.engine.stamps import Stamp, Stamps
from shared.engine.world import World

DAYS = 31
"""Nights on one page."""

PAGE = 50
"""Sites on one page; most are one home."""

MOST_KEPT = 400
"""Sites and windows that are kept laid out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants to see: the first day (None: today at the homes), one home, one platform's own view (both
    empty: all), and which page of homes, from 1. A home is found on whatever page it is."""

    start: date | None = None
    home: str = ""
    channel: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the page shows. ``at`` is the instant everything was last looked at (store time), ``today`` the day at most
    of the homes and ``zone`` theirs. ``homes`` and ``channels`` can be chosen, by id and name; ``names`` are those of
    all homes and platforms in it, ``page`` of ``pages`` is the one shown."""

    at: datetime
    zone: str
    today: date
    window: StayDates
    rows: tuple[Row, ...]
    homes: tuple[tuple[str, str], ...]
    channels: tuple[tuple[str, str], ...]
    names: Mapping[str, str]
    page: int
    pages: int
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class HomeCalendar:
    """One home over some weeks, night by night. ``codes`` are what people call the facts behind its bars, by key."""

    at: datetime
    zone: str
    today: date
    window: StayDates
    row: Row
    nights: tuple[Night, ...]
    names: Mapping[str, str]
    codes: Mapping[str, str]
    stamp: Stamp


class CalendarView:
    """Lays out calendars for people."""

    def __init__(self, world: World, modes: Modes, freshness: Freshness) -> None:
        self._world = world
        self._freshness = freshness
        self.stamps = Stamps(world)
        self._shelf = Shelf(world, modes, self.stamps)
        self._drawn: dict[tuple[str, StayDates, str], _Drawn] = {}

    async def show(self, person: Person, asked: Asked) -> Calendar:
        """The homes this person looks after. Raises ``NotFound`` for a home, a platform or a page that is not there
        for them, ``StoreUnavailable``."""
        stamp = await self._shelf.stamp()
        sites = sorted(await sites_seen(self._world, person))
        page = await self._page(sites, asked)
        copies = await self._shelf.copies(sites[(page - 1) * PAGE : page * PAGE], stamp)
        now = self._world.now()
        homes = [home for copy in copies for home in copy.state.site.properties.values()]
        today, zone = _here(homes, now)
        start = asked.start or today
        window = StayDates.of_nights(start, DAYS)
        rows = list(chain.from_iterable(self._rows(copy, window, asked.channel, now) for copy in copies))
        platforms = self._platforms(copies)
        if asked.channel and asked.channel not in platforms:
            raise NotFound(f"there is no channel {asked.channel!r}")
        return Calendar(
            at=stamp.at,
            zone=zone,
            today=today,
            window=window,
            rows=tuple(sorted((row for row in rows if asked.home in ("", row.home)), key=_by_name)),
            homes=tuple(sorted(((home.id, home.name) for home in homes), key=_by_second)),
            channels=tuple(sorted(platforms.items(), key=_by_second)),
            names=platforms | {home.id: home.name for home in homes},
            page=page,
            pages=_pages(sites),
            stamp=stamp,
        )

    async def home(self, person: Person, home: str, start: date | None = None) -> HomeCalendar:
        """One home from a day on, today where none is named. Raises ``NotFound``, ``StoreUnavailable``."""
        stamp = await self._shelf.stamp()
        site = await self._site(home)
        seen = await sites_seen(self._world, person)
        copies = await self._shelf.copies([site] if site in seen else [], stamp)
        if not copies or home not in copies[0].state.site.properties:
            raise NotFound(f"there is no home {home!r}")
        state, silent = copies[0].state, copies[0].silent
        now, place = self._world.now(), state.site.properties[home]
        window = StayDates.of_nights(start or place.today(now), DAYS)
        (row,) = (one for one in timeline(state, window, now, silent) if one.home == home)
        mine = [one for one in state.listings.values() if one.property == home]
        stale = await self._freshness.stale(mine)
        spoken = names_of(state, self._world.platform_names)
        return HomeCalendar(
            at=stamp.at,
            zone=place.zone,
            today=row.today,
            window=window,
            row=row,
            nights=tuple(nights(state, row, window, now, stale, silent)),
            names=self._platforms(copies) | {one.id: one.name for one in state.site.properties.values()},
            codes={bar.key: spoken.cause(bar.key) for bar in row.bars() if bar.key},
            stamp=stamp,
        )

    async def still(self, written: str) -> bool:
        """Whether a page that carries this stamp shows all that is known: at most one read of the tables."""
        return await self.stamps.still(Stamp.parse(written))

    async def _site(self, home: str) -> str:
        return (await self._world.accounts.directory("home")).get(home, {}).get("site", "")

    async def _page(self, sites: Sequence[str], asked: Asked) -> int:
        if asked.home:
            site = await self._site(asked.home)
            if site not in sites:
                raise NotFound(f"there is no home {asked.home!r}")
            return sites.index(site) // PAGE + 1
        if not 1 <= asked.page <= _pages(sites):
            raise NotFound(f"there is no page {asked.page}")
        return asked.page

    def _platforms(self, copies: Iterable[Copy]) -> dict[str, str]:
        there = {str(one.platform) for copy in copies for one in copy.state.listings.values()}
        return {name: self._world.platform_names.get(name, name) for name in there}

    def _rows(self, copy: Copy, window: StayDates, channel: str, now: datetime) -> tuple[Row, ...]:
        """A site laid out; kept for as long as nothing about it changes, the day and its holds among it."""
        key = (copy.state.site.id, window, channel)
        kept = self._drawn.pop(key, None)
        if kept is None or not kept.holds(copy, now):
            rows = timeline(copy.state, window, now, copy.silent)
            if channel:
                rows = tuple(one for row in rows if (one := for_channel(row, channel)) is not None)
            ends = [hold.expires for hold in living(copy.state, now)]
            kept = _Drawn(copy, rows, _tomorrow(copy, now), min(ends, default=None))
        self._drawn[key] = kept
        while len(self._drawn) > MOST_KEPT:
            del self._drawn[next(iter(self._drawn))]
        return kept.rows


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What was laid out of a copy, and until when that can be shown: the next midnight of a home, the end of a hold."""

    copy: Copy
    rows: tuple[Row, ...]
    midnight: datetime
    expires: datetime | None

    def holds(self, copy: Copy, now: datetime) -> bool:
        same = copy.state is self.copy.state and copy.silent == self.copy.silent
        return same and now < self.midnight and (self.expires is None or now < self.expires)


def _tomorrow(copy: Copy, now: datetime) -> datetime:
    """When the day ends at the first of a site's homes where it does."""
    zones = {home.zone for home in copy.state.site.properties.values()}
    ends = (
        datetime.combine(now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), datetime.min.time())
        .replace(tzinfo=ZoneInfo(zone))
        .astimezone(now.tzinfo)
        for zone in zones
    )
    return min(ends, default=now)


def _here(homes: Sequence[Property], now: datetime) -> tuple[date, str]:
    """The day and the zone of most homes."""
    zones = Counter(home.zone for home in homes)
    zone = min(zones, key=lambda name: (-zones[name], name), default=PARIS)
    return now.astimezone(ZoneInfo(zone)).date(), zone


def _pages(sites: Sequence[str]) -> int:
    return max(1, -(-len(sites) // PAGE))


def _by_name(row: Row) -> tuple[str, str]:
    return alphabetical(row.name), row.home


def _by_second(named: tuple[str, str]) -> tuple[str, str]:
    return alphabetical(named[1]), named[0]
