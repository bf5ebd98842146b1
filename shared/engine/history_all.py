"""The record of all homes of a person as one, newest first: the sites' own records, merged by their instants.

A page reads a bounded stretch of each site. Where a filter finds little in it the page ends early, and says from which
instant to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from shared.domain.model import SiteState
from shared.domain.record import Kind, kind_of
from shared.domain.spoken import LANGUAGES, Names, names_of
from shared.domain.story import told_by
from shared.engine.history import FIRST_LOOK, MOST_LOOK, as_json
from shared.engine.side_by_side import side_by_side
from shared.engine.world import World
from shared.state.history import Entry, HistoryStore

PAGE, MOST_PAGE = 50, 5_000
"""Lines of a page, and of one file."""

MOST_SITES = 300
"""Sites one answer merges; who looks after more names a home."""

MOST_LOOKED = 512
"""Commits of each site that one page looks at; a file, ten times as many."""

_YEARS = range(1970, 2201)
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: after the line at this instant, of this site, commit and place in it."""

    at: datetime
    site: str = ""
    version: int = 0
    number: int = 0

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """What ``str`` wrote; None for anything else."""
        try:
            at, version, number, site = written.split("_", 3)
            found = cls(datetime.fromisoformat(at), site, int(version), int(number))
        except ValueError:
            return None
        return found if found.at.tzinfo is not None and found.at.year in _YEARS else None

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.version}_{self.number}_{self.site}"

    @property
    def rank(self) -> tuple[datetime, str, int, int]:
        """By which lines are ordered."""
        return (self.at, self.site, self.version, self.number)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: lines of a home (empty: of all), of some kinds (empty: of any), from the first to the last of
    these days (both included, by each home's calendar), told of somebody (``who``, a part of their name in any case).
    """

    home: str = ""
    kinds: frozenset[Kind] = frozenset()
    first: date | None = None
    last: date | None = None
    who: str = ""
    before: Place | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a site's record."""

    place: Place
    entry: Entry
    names: Names

    def json(self) -> dict[str, object]:
        """As the API shows it, with the name of its home and the zone in which its time is told."""
        shown = as_json(self.entry, self.names)
        home = str(shown["home"] or "")
        return {**shown, "home_name": self.names.homes.get(home, home), "zone": self.names.zone}


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines, newest first; ``next`` is where to go on, None at the end. ``left_out``: there are more sites than one
    answer merges."""

    told: tuple[Told, ...]
    next: Place | None = None
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What one site gave: lines that are wanted, and down to which instant it was looked at (None: to its end)."""

    told: tuple[Told, ...]
    reached: datetime | None


class Records:
    """Reads the records of several sites."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = HistoryStore(world.tables)

    async def newest(self, states: Sequence[SiteState], search: Search, limit: int = PAGE) -> Lines:
        """The newest lines of these sites. Raises ``StoreUnavailable``."""

        async def look(state: SiteState) -> _Stretch:
            return await self._stretch(state, search, limit)

        there = [one for one in states if search.home in ("", *one.site.properties)]
        found = await side_by_side(look, there[:MOST_SITES])
        return replace(merged(found, limit), left_out=len(there) > MOST_SITES)

    async def _stretch(self, state: SiteState, search: Search, limit: int) -> _Stretch:
        site, newest = state.site.id, state.head.version
        names = names_of(state, self._world.platform_names)
        since = _midnight(search.first, names.zone) or _OLDEST
        until = _midnight(search.last and search.last + timedelta(days=1), names.zone)
        high = await self._high(site, newest, search.before, until)
        low = await self._store.cleaned(site)
        most = MOST_LOOKED if limit <= PAGE else 10 * MOST_LOOKED
        found: list[Told] = []
        at, looked, step = until or datetime.max.replace(tzinfo=UTC), 0, FIRST_LOOK
        while high > low and looked < most and len(found) <= limit:
            start = max(low, high - step)
            for entry in reversed(await self._store.entries(site, start, high)):
                at = min(at, _instant(entry) or at)
                if at < since:
                    return _Stretch(tuple(found), None)
                place = Place(at, site, entry.version, entry.place)
                if _is_asked(place, search.before, until) and _wants(search, entry, names):
                    found.append(Told(place, entry, names))
            looked, high, step = looked + high - start, start, min(2 * step, MOST_LOOK)
        return _Stretch(tuple(found), at if high > low else None)

    async def _high(self, site: str, newest: int, before: Place | None, until: datetime | None) -> int:
        """The first version that need not be looked at: of what came later than a page's end, nothing."""
        ends = [one for one in (until, before.at + timedelta(microseconds=1) if before else None) if one]
        return await self._store.first_since(site, min(ends), newest) if ends else newest + 1


def merged(found: Sequence[_Stretch], limit: int) -> Lines:
    """The newest lines of all. What is older than the point down to which every site was looked at is left for the
    next page: a site that was not looked at so far may have newer ones."""
    cut = max((one.reached for one in found if one.reached is not None), default=None)
    every = sorted(
        (told for one in found for told in one.told), key=lambda told: told.place.rank, reverse=True
    )
    safe = [told for told in every if cut is None or told.place.at >= cut]
    if len(safe) > limit:
        return Lines(tuple(safe[:limit]), safe[limit - 1].place)
    return Lines(tuple(safe), None if cut is None else Place(cut))


def _is_asked(place: Place, before: Place | None, until: datetime | None) -> bool:
    if until is not None and place.at >= until:
        return False
    return before is None or place.rank < before.rank


def _wants(search: Search, entry: Entry, names: Names) -> bool:
    words = entry.words
    if search.kinds and kind_of(words) not in search.kinds:
        return False
    if search.home not in ("", words.get("home") or search.home):
        return False
    if not search.who:
        return True
    told = told_by(words, names)
    return any(search.who.casefold() in told[language].casefold() for language in LANGUAGES)


def _midnight(day: date | None, zone: str) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) if day else None


def _instant(entry: Entry) -> datetime | None:
    """When a line was written; None where it does not say so: then it is as old as the one before."""
    try:
        return datetime.fromisoformat(entry.words.get("at", ""))
    except ValueError:
        return None
