"""History as people ask for it: newest lines first, page by page, as JSON or as a file for a spreadsheet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

from shared.domain.access import Person
from shared.domain.errors import Moved, NotFound, PayloadRejected, Unreadable
from shared.domain.record import Kind, kind_of
from shared.domain.spoken import Names, names_of
from shared.domain.story import tell, told_by
from shared.engine.scope import must_see, owner_of, sites_seen
from shared.engine.world import World
from shared.state.history import MOST_CLEANED, Entry, HistoryStore

PAGE, MOST_PAGE, MOST_CSV = 50, 500, 5_000
"""Lines of a page as it is, as it may be asked for, and of one file."""

MOST_ROWS = 2_000
"""Commits one answer looks at: a page that found little in them ends there, and says where to go on."""

FIRST_LOOK, MOST_LOOK = 32, 256
"""Commits one read brings: few first, since most pages are the newest one."""

SITES_A_TICK = 40
"""Sites whose oldest rows are looked at in one tick: two small reads each, and a write where there is something."""

PARTS_A_SITE = 5
"""Transactions a site gets in one tick: more rows than the busiest home adds until its next turn."""

_PAGE = re.compile(r"([0-9]{1,12})-([0-9]{1,6})")
HEADER = (
    "instant",
    "version",
    "type / kind",
    "logement / home",
    "plateforme / platform",
    "nuits avant / nights before",
    "nuits après / nights after",
    "français",
    "English",
    "par",
    "by",
    "correlation",
)
"""The columns of a file."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: lines of versions ``[low, high)``, before the place ``place`` of version ``high`` where one is
    given, of a home (empty: all of the site) and a kind (None: all)."""

    site: str
    names: Names
    low: int
    high: int
    home: str = ""
    kind: Kind | None = None
    place: int = 0

    def wants(self, entry: Entry) -> bool:
        """Whether a line is one of those asked for. One that names no home concerns them all."""
        if self.kind is not None and kind_of(entry.words) is not self.kind:
            return False
        return self.home in ("", entry.words.get("home") or self.home)


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first; ``next`` is where to go on, empty at the end."""

    entries: tuple[Entry, ...]
    next: str = ""


class History:
    """Answers questions about what happened."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = HistoryStore(world.tables)

    async def question(
        self,
        person: Person,
        site: str = "",
        home: str = "",
        first: date | None = None,
        last: date | None = None,
        kind: Kind | None = None,
        page: str = "",
    ) -> Question:
        """What is asked about a site or a home of this person's: from ``first`` to ``last`` (days of the home's own
        calendar, both of them part of it), of a kind, from a page on that an answer named. Raises ``NotFound``,
        ``PayloadRejected``."""
        site = await site_of(self._world, person, site, home)
        try:
            state = await self._world.sites.load(site)
        except Moved as wrong:
            raise NotFound(str(wrong)) from None
        names, newest = names_of(state, self._world.platform_names), state.head.version
        low = await self._since(site, first, names, newest) if first else await self._store.cleaned(site)
        high = await self._since(site, last + timedelta(days=1), names, newest) if last else newest + 1
        high, place = _before(page, high)
        return Question(site, names, low, high, home, kind, place)

    async def page(self, asked: Question, limit: int) -> Page:
        """The newest lines asked for, at most so many."""
        found: list[Entry] = []
        high, looked, step = asked.high + (1 if asked.place else 0), 0, FIRST_LOOK
        while high > asked.low and looked < MOST_ROWS:
            low = max(asked.low, high - step)
            for entry in reversed(await self._store.entries(asked.site, low, high)):
                if (entry.version, entry.place) >= (asked.high, asked.place) or not asked.wants(entry):
                    continue
                if len(found) == limit:
                    last = found[-1]
                    return Page(tuple(found), f"{last.version}-{last.place}")
                found.append(entry)
            looked, high, step = looked + high - low, low, min(2 * step, MOST_LOOK)
        return Page(tuple(found), f"{high}-0" if high > asked.low else "")

    async def _since(self, site: str, first: date, names: Names, newest: int) -> int:
        midnight = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(names.zone))
        return await self._store.first_since(site, midnight, newest)

    async def clean(self) -> int:
        """Take away what is older than it is kept, of some sites: a tick's share, another one each time, so that each
        site has its turn within days however many there are. Returns how many rows are gone."""
        sites = sorted(await self._world.accounts.directory("site"), key=self._turn)
        gone = 0
        for site in sites[:SITES_A_TICK]:
            try:
                newest = (await self._world.sites.head(site)).version
            except (NotFound, Unreadable):
                continue  # the health report names one that cannot be read
            for _ in range(PARTS_A_SITE):
                part = await self._store.clean(site, self._world.now(), newest)
                gone += part
                if part < MOST_CLEANED:
                    break
        return gone

    def _turn(self, site: str) -> int:
        """A place in a line that is another one each hour."""
        return crc32(f"{self._world.now():%Y%m%d%H}{site}".encode())


async def site_of(world: World, person: Person, site: str, home: str) -> str:
    """The site that is meant by its own name, by a home in it, or because the person sees no other. Raises
    ``PayloadRejected`` where that is none or several, ``NotFound`` for a name that is not there for this person."""
    if home:
        missing = f"there is no home {home!r}"
        of_home = (await world.accounts.directory("home", home)).get(home, {}).get("site", "")
        owner = await owner_of(world, of_home) if of_home else None
        if owner is None:
            raise NotFound(missing)
        must_see(person, owner, missing)
        if site not in ("", of_home):
            raise PayloadRejected(f"home {home!r} is not in site {site!r}")
        return of_home
    known = await sites_seen(world, person)
    if site:
        if site not in known:
            raise NotFound(f"there is no site {site!r}")
        return site
    if len(known) != 1:
        raise PayloadRejected("name a site or a home: there are several")
    return known[0]


def _before(page: str, high: int) -> tuple[int, int]:
    """Where a page begins: before this line of this version. Raises ``PayloadRejected`` for what no answer named."""
    if not page:
        return high, 0
    found = _PAGE.fullmatch(page)
    if found is None:
        raise PayloadRejected("page is not one that an answer named as its next")
    version, place = int(found[1]), int(found[2])
    return (version, place) if version < high else (high, 0)


def as_json(entry: Entry, names: Names) -> dict[str, object]:
    """One line as the API shows it."""
    words = entry.words
    shown = {name: words.get(name) for name in ("at", "what", "of", "home", "why", "correlation")}
    listing = words.get("on", "")
    return {
        **shown,
        "version": entry.version,
        "kind": kind_of(words).value,
        "listing": listing or None,
        "platform": names.listings.get(listing),
        "before": words.get("before"),
        "after": words.get("nights"),
        "by": words.get("by"),
        "text": tell(words, names),
        "by_text": told_by(words, names),
    }


def cells(entry: Entry, names: Names) -> tuple[str, ...]:
    """A line as cells. A calendar's own ids stay out of it: they may hold a guest's name."""
    words = entry.words
    said, by = tell(words, names), told_by(words, names)
    home, listing = words.get("home", ""), words.get("on", "")
    return (
        words.get("at", ""),
        str(entry.version),
        kind_of(words).value,
        names.homes.get(home, home),
        names.listings.get(listing, listing),
        words.get("before", ""),
        words.get("nights", ""),
        said["fr"],
        said["en"],
        by["fr"],
        by["en"],
        words.get("correlation", ""),
    )
