"""The calendar each destination fetches from us, and the record of who fetched which version (rules 5 and 24).

A peer that fetches closures it did not have yet is asked for its own calendar first, in the same breath. What it sold
until then is seen as a sale; only what shows up after it took our closures can be their echo. Without that look, a
sale of equal nights a minute before the fetch would pass for an echo.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping

from shared.domain.dates import StayDates
from shared.domain.errors import SyncError
from shared.domain.export import exported, is_news, is_servable
from shared.domain.model import Listing, SiteState
from shared.engine.poll import Poller
from shared.engine.world import WORK, World
from shared.ports import Message
from shared.use_cases import HttpAnswer

Render = Callable[[Iterable[tuple[StayDates, str]]], bytes]
"""Ranges with their seeds into a calendar; equal ranges give an equal body."""

LOOK = 4.0
"""Seconds a peer's fetch may wait for the look at its own calendar; without it the fetch is no evidence."""

_NOT_FOUND = HttpAnswer(404, b"not found", {"content-type": "text/plain"})
_RETRY = {"content-type": "text/plain", "retry-after": "60"}


class Export:
    """Serves our calendars."""

    def __init__(self, world: World, render: Render, poller: Poller) -> None:
        self._world = world
        self._render = render
        self._poller = poller

    async def calendar(self, token: str, headers: Mapping[str, str]) -> HttpAnswer:
        """200 with the calendar, 304 when the caller has it, 404 for any other token, 503 whenever the calendar could
        be too short: a peer keeps what it has then, while a short one opens nights there."""
        try:
            place = await self._world.accounts.find_link(token)
            if place is None:
                return _NOT_FOUND
            given = {name.lower(): value for name, value in headers.items()}
            state = await self._world.sites.load(place.site)
            looked = await self._look_first(state, place.listing, given.get("user-agent", ""))
            if looked:
                state = await self._world.sites.load(place.site)
        except SyncError:
            return HttpAnswer(503, b"the calendar cannot be read now", _RETRY)
        if not is_servable(state) or place.listing not in state.listings:
            return HttpAnswer(503, b"the calendar is not complete yet", _RETRY)
        body = self._render(exported(state, place.listing, self._world.now()))
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if looked:
            await self._record(state, place.listing, given.get("user-agent", ""))
        kind = {"content-type": "text/calendar; charset=utf-8", "etag": etag, "cache-control": "no-cache"}
        if etag in given.get("if-none-match", ""):
            return HttpAnswer(304, b"", kind)
        return HttpAnswer(200, body, kind)

    async def _look_first(self, state: SiteState, name: str, agent: str) -> bool:
        """Whether this fetch may count as evidence: it is the known peer (a browser's visit proves nothing), there is
        something new for it, and its own calendar was read just before."""
        listing = state.listings.get(name)
        if listing is None or not is_news(state, name) or not self._is_peer(listing, agent):
            return False
        if not listing.shard:
            return True
        try:
            async with asyncio.timeout(LOOK):
                looked = await self._poller.one(listing.shard, name)
        except TimeoutError:
            looked = False
        if not looked:
            self._world.telemetry.count("fetched_without_a_look", platform=listing.platform)
        return looked

    async def _record(self, state: SiteState, name: str, agent: str) -> None:
        """Remember that the peer has this version: the very last thing before the answer leaves."""
        listing = state.listings[name]
        reason = f"{listing.platform} fetched the calendar"
        etag = await self._world.due.put(state.site.id, self._world.now(), reason)
        await self._world.reads.record(name, state.head.version, self._world.now(), agent)
        await self._world.ring(WORK, Message("site", state.site.id, etag))

    def _is_peer(self, listing: Listing, agent: str) -> bool:
        known = (listing.agent,) if listing.agent else self._world.agents.get(listing.platform, ())
        return any(name.lower() in agent.lower() for name in known)
