"""Why: explains a night of a home from what is stored, with the chain from the doorbell to the platform.

The facts and the ledger say how things stand; the site's record says by which bell each step came. The record is read
from the moment the cause first appeared, a bounded stretch of it, and what is not found there is left unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.domain.dates import ONE_DAY
from shared.domain.errors import Moved, NotFound, PayloadRejected
from shared.domain.model import SiteState
from shared.domain.recall import covers, recalled
from shared.domain.spoken import Names, names_of
from shared.domain.story import tell, told_by
from shared.domain.why import Cause, Closure, Reasons, Why, why
from shared.domain.why_text import (
    cause_said,
    closure_said,
    headline,
    held_back_said,
    hold_said,
    listing_said,
)
from shared.engine.answers import json_answer, problem
from shared.engine.freshness import Freshness
from shared.engine.history import site_of
from shared.engine.world import World
from shared.state.history import Entry, HistoryStore
from shared.use_cases import HttpAnswer

MOST_CAUSES = 8
"""Facts whose chain is looked up for one night; more than two or three is a calendar gone wild."""

STRETCH = 200
"""Commits of the record that are read behind the first of a cause: its closures follow within minutes."""

MOST_BACK = 4_000
"""Commits that are looked at for a night that is over."""

MOST_STEPS = 40
"""Lines of one chain."""

_FIELDS = ("home", "date")
_YEARS = range(2000, 2201)


class Explain:
    """Answers "why is this night closed?"."""

    def __init__(self, world: World, freshness: Freshness) -> None:
        self._world = world
        self._freshness = freshness
        self._record = HistoryStore(world.tables)

    async def night(self, query: Mapping[str, str]) -> HttpAnswer:
        """200 with the reasons of ``home`` and ``date``; 400 naming a wrong parameter, 404 for no such home."""
        try:
            home, night = _read(query)
            site = await site_of(self._world, "", home)
            state = await self._world.sites.load(site)
        except PayloadRejected as wrong:
            return problem(400, str(wrong))
        except (NotFound, Moved) as wrong:
            return problem(404, str(wrong))
        if home not in state.site.properties:
            return problem(404, f"there is no home {home!r}")
        if night < state.site.properties[home].today(self._world.now()):
            return await self._past(state, home, night)
        stale = await self._freshness.stale(state.listings.values())
        found = why(state, home, night, self._world.now(), stale)
        chains = await self._chains(state, found)
        return json_answer(200, _shown(found, chains, names_of(state, self._world.platform_names)))

    async def _past(self, state: SiteState, home: str, night: date) -> HttpAnswer:
        """A night that is over, from the lines of the record about it."""
        entries, doubt = await self._about_night(state, home, night)
        then = recalled(state, (entry.words for entry in entries), night)
        found = why(then, home, night, self._world.now(), dict.fromkeys(state.listings, doubt))
        keys = {cause.key for cause in found.causes}
        keys |= {closure.cause for one in found.listings for closure in one.closures}
        chains = {key: [entry for entry in entries if _is_about(entry, key)] for key in keys}
        names = names_of(state, self._world.platform_names)
        shown = _shown(found, chains, names)
        return json_answer(200, {**shown, "record": _steps(entries[-MOST_STEPS:], names)})

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


def _read(query: Mapping[str, str]) -> tuple[str, date]:
    unknown = sorted(query.keys() - set(_FIELDS))
    if unknown:
        raise PayloadRejected(f"unknown parameter {unknown[0]!r}: known are {', '.join(_FIELDS)}")
    if not query.get("home"):
        raise PayloadRejected("home is missing: the id of a home")
    try:
        night = date.fromisoformat(query.get("date", ""))
    except ValueError:
        raise PayloadRejected("date is not a date like 2027-03-01") from None
    if night.year not in _YEARS:
        raise PayloadRejected(f"date is not in a year from {_YEARS[0]} to {_YEARS[-1]}")
    return query["home"], night


# ---------------------------------------------------------------------------------------- as it is shown


def _shown(found: Why, chains: Mapping[str, Sequence[Entry]], names: Names) -> dict[str, object]:
    return {
        "home": found.home,
        "home_name": names.homes.get(found.home, found.home),
        "night": found.night.isoformat(),
        "past": found.past,
        "text": headline(found, names),
        "listings": [_listing(one, chains, names) for one in found.listings],
        "facts": [_cause(one, chains.get(one.key, ()), names) for one in found.causes],
        "holds": [
            {"listing": h.listing, "until": h.expires.isoformat(), "text": hold_said(h, names)}
            for h in found.holds
        ],
        "held_back": [held_back_said(reason) for reason in found.held_back],
    }


def _listing(one: Reasons, chains: Mapping[str, Sequence[Entry]], names: Names) -> dict[str, object]:
    return {
        "listing": one.listing,
        "platform": names.listings.get(one.listing, one.listing),
        "state": one.face.value,
        "units_left": one.left,
        "doubt": one.doubt or None,
        "text": listing_said(one, names),
        "facts": [cause.key for cause in one.own],
        "closures": [_closure(each, one.listing, chains, names) for each in one.closures],
    }


def _closure(
    one: Closure, listing: str, chains: Mapping[str, Sequence[Entry]], names: Names
) -> dict[str, object]:
    key = one.cause if one.cause in chains else one.cause.rpartition("#")[0]
    chain = [entry for entry in chains.get(key, ()) if _leads_to(entry, listing)]
    seen = [entry.words.get("at") for entry in chain if entry.words.get("what") == "close seen"]
    return {
        "because_of": one.cause,
        "nights": str(one.dates),
        "phase": one.phase.value,
        "decided": one.decided.isoformat() if one.decided else None,
        "accepted": one.taken.isoformat() if one.taken else None,
        "seen": seen[-1] if seen and one.phase.value == "seen" else None,
        "opening_since": one.opening_since.isoformat() if one.opening_since else None,
        "attempts": one.attempts,
        "error": one.error or None,
        "text": closure_said(one, names),
        "chain": _steps(chain, names),
    }


def _leads_to(entry: Entry, listing: str) -> bool:
    """Whether a step belongs to the way of a fact to one listing: its own story, and what we did there."""
    return entry.words.get("kind") not in ("closure", "opening") or entry.words.get("on") == listing


def _cause(one: Cause, chain: Sequence[Entry], names: Names) -> dict[str, object]:
    own = [entry for entry in chain if entry.words.get("kind") not in ("closure", "opening")]
    first = own[0].words if own else {}
    removal = one.removal
    return {
        "of": one.key,
        "home": one.home,
        "listing": one.listing,
        "platform": names.listings.get(one.listing, one.listing),
        "nights": str(one.dates),
        "class": one.kind.value,
        "status": one.status.value,
        "shown": one.shown.value,
        "since": one.since.isoformat(),
        "by": first.get("by"),
        "by_text": told_by(first, names) if first else None,
        "correlation": first.get("correlation"),
        "missing_since": removal.since.isoformat() if removal else None,
        "at_the_latest": removal.by.isoformat() if removal and removal.by else None,
        "text": cause_said(one, names),
        "chain": _steps(own, names),
    }


def _steps(chain: Iterable[Entry], names: Names) -> list[dict[str, object]]:
    return [
        {
            "at": entry.words.get("at"),
            "version": entry.version,
            "what": entry.words.get("what"),
            "correlation": entry.words.get("correlation"),
            "text": tell(entry.words, names),
            "by": told_by(entry.words, names),
        }
        for entry in list(chain)[:MOST_STEPS]
    ]
