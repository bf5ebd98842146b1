"""Freshness: whether what we know of a source is young enough to promise nights on it (rule 22).

A source is fresh for three of its periods. An unchanged answer writes nothing into a site, so a site cannot tell how
old it is: the time of a calendar's last good answer stands in its shard, an account's in its own row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain.model import Listing
from shared.domain.modes import is_fresh, look_period
from shared.domain.platform import Link, Platform
from shared.engine.modes import Modes
from shared.engine.world import World
from shared.state.accounts import AccountState
from shared.state.feeds import Feed, Visit

K = TypeVar("K")
V = TypeVar("V")

AGE = timedelta(seconds=5)
"""How old a row may be that says when a calendar was last read; each process keeps its own copy."""

MOST_KEPT = 10_000
"""Copies a process keeps before it forgets them all: some megabytes."""


class Freshness:
    """Asks the rows of sources, at most every 5 s each, and once more before "too old" is believed."""

    def __init__(self, world: World, modes: Modes, rhythms: Mapping[Platform, float]) -> None:
        """``rhythms`` are the seconds between two polls that a platform prescribes for itself."""
        self._world = world
        self._modes = modes
        self._rhythms = rhythms
        self._visits: dict[str, tuple[datetime, Mapping[str, Visit]]] = {}
        self._feeds: dict[tuple[str, str], tuple[datetime, Feed | None]] = {}

    async def stale(self, listings: Iterable[Listing]) -> dict[str, str]:
        """The listings whose source is too old or was never read, each with the reason in words. Raises
        ``StoreUnavailable``."""
        asked = list(listings)
        reasons = await asyncio.gather(*(self._reason(one) for one in asked))
        return {one.id: why for one, why in zip(asked, reasons, strict=True) if why}

    async def _reason(self, listing: Listing) -> str:
        if listing.link is Link.API:
            return await self._account(listing.account, listing.platform)
        # A listing that only fetches our calendar has none of its own to be read.
        return await self._calendar(listing) if listing.shard else ""

    async def _account(self, name: str, platform: Platform) -> str:
        why = self._why_not(await self._modes.readable(name), name, platform)
        return why and self._why_not(await self._modes.readable(name, fresh=True), name, platform)

    def _why_not(self, state: AccountState | None, name: str, platform: Platform) -> str:
        if state is None:
            return f"has no account {name} that can be read"
        if state.paused:
            return f"may not be asked: {state.paused}"
        return self._too_old(state.answered, self._period(state, platform))

    def _period(self, state: AccountState, platform: Platform) -> float:
        return look_period(state.setting, state.standing, len(state.units), self._rhythms.get(platform))

    async def _calendar(self, listing: Listing) -> str:
        for again in (False, True):
            visits, feed = await asyncio.gather(
                self._visits_of(listing.shard, again=again), self._feed(listing, again=again)
            )
            if feed is None:
                return "has no calendar link"
            visit = visits.get(listing.id)
            why = self._too_old(visit.good if visit else None, feed.every)
            if not why:
                break
        return why

    async def _visits_of(self, shard: str, *, again: bool) -> Mapping[str, Visit]:
        now, kept = self._world.now(), self._visits.get(shard)
        if kept is not None and not again and now - kept[0] < AGE:
            return kept[1]
        visits = await self._world.shards.visits(shard)
        _keep(self._visits, shard, (now, visits))
        return visits

    async def _feed(self, listing: Listing, *, again: bool) -> Feed | None:
        key, now = (listing.shard, listing.id), self._world.now()
        kept = self._feeds.get(key)
        if kept is not None and not again and now - kept[0] < AGE:
            return kept[1]
        feed = await self._world.shards.get(*key)
        _keep(self._feeds, key, (now, feed))
        return feed

    def _too_old(self, good: datetime | None, period: float) -> str:
        if good is None:
            return "was never read"
        now = self._world.now()
        if is_fresh(good, period, now):
            return ""
        return f"was last read {(now - good).total_seconds():.0f} s ago, asked every {period:.0f} s"


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = value
