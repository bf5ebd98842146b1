"""Why: explains a night of a home from what is stored, with the chain from the doorbell to the platform.

The facts and the ledger say how things stand; the site's record says by which bell each step came. The record is read
from the moment the cause first appeared, a bounded stretch of it, and what is not found there is left unsaid.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.domain.access import Person
from shared.domain.dates import ONE_DAY
from shared.domain.errors import Moved, NotFound
from shared.domain.model import SiteState
from shared.domain.recall import covers, recalled
from shared.domain.spoken import names_of
from shared.domain.why import Why, why
from shared.engine.freshness import Freshness
from shared.engine.history import site_of
from shared.engine.modes import Modes
from shared.engine.why_view import MOST_STEPS, Json, shown, steps
from shared.engine.world import World
from shared.state.history import Entry, HistoryStore

MOST_CAUSES = 8
"""Facts whose chain is looked up for one night; more than two or three is a calendar gone wild."""

STRETCH = 200
"""Commits of the record that are read behind the first of a cause: its closures follow within minutes."""

MOST_BACK = 4_000
"""Commits that are looked at for a night that is over."""


class Explain:
    """Answers "why is this night closed?"."""

    def __init__(self, world: World, freshness: Freshness, modes: Modes) -> None:
        self._world = world
        self._modes = modes
        self._freshness = freshness
        self._record = HistoryStore(world.tables)

    async def reasons(self, person: Person, home: str, night: date) -> Json:
        """Why a night of a home is as it is, as the JSON API shows it. Raises ``NotFound`` for a home this person does
        not see, ``StoreUnavailable``."""
        try:
            state = await self._world.sites.load(await site_of(self._world, person, "", home))
        except Moved as wrong:
            raise NotFound(str(wrong)) from None
        if home not in state.site.properties or not person.sees(state.site.owner):
            raise NotFound(f"there is no home {home!r}")
        if night < state.site.properties[home].today(self._world.now()):
            return await self._past(state, home, night)
        stale = await self._freshness.stale(state.listings.values())
        found = why(state, home, night, self._world.now(), stale, await self._modes.silent(state))
        chains = await self._chains(state, found)
        return shown(found, chains, names_of(state, self._world.platform_names))

    async def _past(self, state: SiteState, home: str, night: date) -> Json:
        """A night that is over, from the lines of the record about it."""
        entries, doubt = await self._about_night(state, home, night)
        then = recalled(state, (entry.words for entry in entries), night)
        found = why(then, home, night, self._world.now(), dict.fromkeys(state.listings, doubt))
        keys = {cause.key for cause in found.causes}
        keys |= {closure.cause for one in found.listings for closure in one.closures}
        chains = {key: [entry for entry in entries if _is_about(entry, key)] for key in keys}
        names = names_of(state, self._world.platform_names)
        told = shown(found, chains, names)
        return {**told, "record": steps(entries[-MOST_STEPS:], names)}

    async def _about_night(self, state: SiteState, home: str, night: date) -> tuple[list[Entry], str]:
        """The lines about a past night, oldest first, and why they may not be all; empty where they are."""
        site, zone = state.site.id, ZoneInfo(state.site.properties[home].zone)
        over = datetime(night.year, night.month, night.day, tzinfo=zone) + 2 * ONE_DAY
        oldest = await self._record.cleaned(site)
        high = end = await self._record.first_since(site, over, state.head.version)
        stop, found = max(oldest, end - MOST_BACK), list[Entry]()
        while high > stop:
            low = max(stop, high - STRETCH)
            entries = await self._record.entries(site, low, high)
            found = [entry for entry in entries if covers(entry.words, night)] + found
            high = low
        if end <= max(oldest, 1):
            return found, "was not known yet, or is remembered no longer"
        return found, "" if stop == oldest else "was not looked for so far back"

    async def _chains(self, state: SiteState, found: Why) -> dict[str, list[Entry]]:
        """The lines of the record about each fact behind the night, oldest first."""
        keys = {cause.key: cause for cause in found.causes[:MOST_CAUSES]}
        gone = {closure.cause for one in found.listings for closure in one.closures} - keys.keys()
        newest, chains = state.head.version, {}
        for cause in keys.values():
            start = await self._record.first_since(state.site.id, cause.since, newest)
            chains[cause.key] = await self._about(state.site.id, cause.key, start, newest)
        for key in sorted(gone)[:MOST_CAUSES]:
            start = min(c.since_version for one in found.listings for c in one.closures if c.cause == key)
            chains[key] = await self._about(state.site.id, key, start, newest)
        return chains

    async def _about(self, site: str, key: str, start: int, newest: int) -> list[Entry]:
        entries = await self._record.entries(site, start, min(start + STRETCH, newest + 1))
        return [entry for entry in entries if _is_about(entry, key)]


def _is_about(entry: Entry, key: str) -> bool:
    of = entry.words.get("of", "")
    return of == key or of.startswith(f"{key}#")
