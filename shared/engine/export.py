"""The calendar each destination fetches from us, and the record of who fetched which version (rules 5 and 24)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from shared.domain.dates import StayDates
from shared.domain.errors import SyncError
from shared.domain.export import exported, is_news, is_servable
from shared.domain.model import Listing, SiteState
from shared.engine.world import WORK, World
from shared.ports import Message
from shared.use_cases import HttpAnswer

Render = Callable[[Iterable[tuple[StayDates, str]]], bytes]
"""Ranges with their seeds into a calendar; equal ranges give an equal body."""

_NOT_FOUND = HttpAnswer(404, b"not found", {"content-type": "text/plain"})
_RETRY = {"content-type": "text/plain", "retry-after": "60"}


class Export:
    """Serves our calendars."""

    def __init__(self, world: World, render: Render) -> None:
        self._world = world
        self._render = render

    async def calendar(self, token: str, headers: Mapping[str, str]) -> HttpAnswer:
        """200 with the calendar, 304 when the caller has it, 404 for any other token, 503 whenever the calendar could
        be too short: a peer keeps what it has then, while a short one opens nights there."""
        try:
            place = await self._world.accounts.find_link(token)
            if place is None:
                return _NOT_FOUND
            state = await self._world.sites.load(place.site)
        except SyncError:
            return HttpAnswer(503, b"the calendar cannot be read now", _RETRY)
        if not is_servable(state) or place.listing not in state.listings:
            return HttpAnswer(503, b"the calendar is not complete yet", _RETRY)
        body = self._render(exported(state, place.listing, self._world.now()))
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        given = {name.lower(): value for name, value in headers.items()}
        await self._record(state, place.listing, given.get("user-agent", ""))
        kind = {"content-type": "text/calendar; charset=utf-8", "etag": etag, "cache-control": "no-cache"}
        if etag in given.get("if-none-match", ""):
            return HttpAnswer(304, b"", kind)
        return HttpAnswer(200, body, kind)

    async def _record(self, state: SiteState, name: str, agent: str) -> None:
        """Remember that the peer has this version; a browser's visit is no evidence."""
        listing = state.listings[name]
        if not is_news(state, name) or not self._is_peer(listing, agent):
            return
        now = self._world.now()
        if await self._world.reads.record(name, state.head.version, now, agent):
            etag = await self._world.due.put(state.site.id, now, f"{listing.platform} fetched the calendar")
            await self._world.ring(WORK, Message("site", state.site.id, etag))

    def _is_peer(self, listing: Listing, agent: str) -> bool:
        known = (listing.agent,) if listing.agent else self._world.agents.get(listing.platform, ())
        return any(name.lower() in agent.lower() for name in known)
