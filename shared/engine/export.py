"""The calendar each destination fetches from us, and the record of who fetched which version (rules 5 and 24).

A peer that fetches closures it did not have yet is asked for its own calendar first, in the same breath. What it sold
until then is seen as a sale; only what shows up after it took our closures can be their echo. Without that look, a
sale of equal nights a minute before the fetch would pass for an echo. A look that misses what we believe stands there
may miss that sale too: it counts only once the absence is believed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping

from shared.domain.confirm import Read
from shared.domain.dates import StayDates
from shared.domain.doubt import is_doubted
from shared.domain.errors import SyncError
from shared.domain.export import exported, is_news, is_one_of, is_servable, opens
from shared.domain.model import Listing, SiteState
from shared.engine.calendars import Calendars
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.accounts import Place
from shared.state.fetches import Fetch
from shared.use_cases import HttpAnswer

Render = Callable[[Iterable[tuple[StayDates, str]]], bytes]
"""Ranges with their seeds into a calendar; equal ranges give an equal body."""

LOOK = 4.0
"""Seconds a peer's fetch may wait for the look at its own calendar; without it the fetch is no evidence."""

_NOT_FOUND = HttpAnswer(404, b"not found", {"content-type": "text/plain"})
_RETRY = {"content-type": "text/plain", "retry-after": "60"}
_UNREADABLE = HttpAnswer(503, b"the calendar cannot be read now", _RETRY)


class Export:
    """Serves our calendars."""

    def __init__(self, world: World, render: Render, calendars: Calendars) -> None:
        self._world = world
        self._render = render
        self._calendars = calendars

    async def calendar(self, token: str, headers: Mapping[str, str]) -> HttpAnswer:
        """200 with the calendar, 304 when the caller has it, 404 for any other token, 503 whenever the calendar could
        be too short: a peer keeps what it has then, while a short one opens nights there."""
        given = {name.lower(): value for name, value in headers.items()}
        try:
            place = await self._world.accounts.find_link(token)
            if place is None:
                return _NOT_FOUND
            state = await self._world.sites.load(place.site)
        except SyncError:
            return _UNREADABLE
        listing = state.listings.get(place.listing)
        if listing is not None and not opens(listing, token, self._world.now()):
            return _NOT_FOUND
        answer = await self._served(place, state, given)
        if listing is not None:
            await self._note(listing, given.get("user-agent", ""), answer.status)
        return answer

    async def _served(self, place: Place, state: SiteState, given: Mapping[str, str]) -> HttpAnswer:
        agent = given.get("user-agent", "")
        try:
            counts, bell = self._counts(state, place.listing, agent), ""
            looked = counts and await self._look_first(state.listings[place.listing])
            if counts:
                # Whoever records reads by it; put down first, so that what is served is as young as it can be.
                reason = f"{state.listings[place.listing].platform} fetched the calendar"
                bell = await self._world.due.put(place.site, self._world.now(), reason)
                state = await self._world.sites.load(place.site)
        except SyncError:
            return _UNREADABLE
        if not is_servable(state) or place.listing not in state.listings:
            return HttpAnswer(503, b"the calendar is not complete yet", _RETRY)
        body = self._render(exported(state, place.listing, self._world.now()))
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if counts:
            await self._record(state, place.listing, agent, bell, looked=looked)
        kind = {"content-type": "text/calendar; charset=utf-8", "etag": etag, "cache-control": "no-cache"}
        if etag in given.get("if-none-match", ""):
            return HttpAnswer(304, b"", kind)
        return HttpAnswer(200, body, kind)

    def _counts(self, state: SiteState, name: str, agent: str) -> bool:
        """Whether this fetch teaches anything: it is the known peer (a browser's visit proves nothing), and there is
        something new for it."""
        listing = state.listings.get(name)
        return listing is not None and is_news(state, name) and self._is_peer(listing, agent)

    async def _look_first(self, listing: Listing) -> bool:
        """Whether the peer's own calendar was read just before. Without that, its fetch proves what it let go of and
        nothing about what it took: what it shows later may have been sold before."""
        if not listing.shard:
            return True
        try:
            async with asyncio.timeout(LOOK):
                looked = await self._calendars.look(listing.shard, listing.id)
        except TimeoutError:
            looked = False
        if not looked:
            self._world.telemetry.count("fetched_without_a_look", platform=listing.platform)
        return looked

    async def _record(self, state: SiteState, name: str, agent: str, bell: str, *, looked: bool) -> None:
        """Remember that the peer has this version: the very last thing before the answer leaves."""
        now = self._world.now()
        listing = state.listings[name]
        doubted = looked and is_doubted(state, name, now)
        if doubted:
            self._world.telemetry.count("fetched_in_doubt", platform=listing.platform)
        # While its owner wishes that nobody reads it, nothing was looked at that could turn out true later.
        may_come_true = doubted and listing.unread_since is None
        read = Read(state.head.version, now, looked and not doubted, may_come_true)
        await self._world.reads.record(name, read, agent)
        await self._world.ring(WORK, Message("site", state.site.id, bell))

    async def _note(self, listing: Listing, agent: str, status: int) -> None:
        """Put down for people that somebody asked. It proves nothing, so the calendar is served without it too."""
        fetch = Fetch(self._world.now(), agent, status)
        try:
            await self._world.fetches.note(listing.id, fetch, peer=self._is_peer(listing, agent))
        except SyncError:
            self._world.telemetry.count("fetch_not_noted", platform=listing.platform)

    def _is_peer(self, listing: Listing, agent: str) -> bool:
        known = (listing.agent,) if listing.agent else self._world.agents.get(listing.platform, ())
        return is_one_of(agent, known)
