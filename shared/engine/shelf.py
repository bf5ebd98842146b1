"""The shelf: copies of sites for people to look at, kept while nothing is known to have changed.

Loading fifty sites for each look at a calendar is slow and tells the same again. A copy is handed out while its
stamp holds; after that the site's lock says whether it is as it was. A copy is at most ``OLD`` behind, pages say of
when it is, and nothing the engine decides is built on one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.errors import Moved, NotFound, Unreadable
from shared.domain.model import SiteState
from shared.engine.modes import Modes
from shared.engine.side_by_side import AT_ONCE
from shared.engine.stamps import Stamp, Stamps
from shared.engine.world import World

MOST_SITES = 200
"""Copies a process keeps: some 20 MB. Whoever was found longest ago goes first."""


@dataclass(slots=True)
class Copy:
    """A site as it was found under a stamp. ``silent`` are the listings into which nothing was sent then, each with the
    reason."""

    state: SiteState
    silent: Mapping[str, str]
    stamp: Stamp


class Shelf:
    """One process's copies."""

    def __init__(self, world: World, modes: Modes, stamps: Stamps) -> None:
        self._world = world
        self._modes = modes
        self._stamps = stamps
        self._stamp: Stamp | None = None
        self._copies: dict[str, Copy] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def stamp(self) -> Stamp:
        """The stamp under which copies are handed out now: the last one while nothing was reported since. One or two
        reads."""
        if self._stamp is None or not await self._stamps.still(self._stamp):
            self._stamp = await self._stamps.take()
        return self._stamp

    async def copies(self, sites: Iterable[str], stamp: Stamp) -> list[Copy]:
        """Copies of these sites, none older than the stamp; one that is no more, or cannot be read, is left out. Raises
        ``StoreUnavailable``."""
        wanted = list(sites)
        found = {site: self._copies.get(site) for site in wanted}
        stale = [site for site, one in found.items() if one is None or one.stamp != stamp]
        found |= zip(stale, await asyncio.gather(*(self._copy(site, stamp) for site in stale)), strict=True)
        return [one for site in wanted if (one := found[site]) is not None]

    async def _copy(self, site: str, stamp: Stamp) -> Copy | None:
        async with self._gate:
            known = await self._looked(site, self._copies.get(site), stamp)
        self._copies.pop(site, None)
        if known is not None:
            self._copies[site] = known  # behind all others: the last to go
            while len(self._copies) > MOST_SITES:
                del self._copies[next(iter(self._copies))]
        return known

    async def _looked(self, site: str, known: Copy | None, stamp: Stamp) -> Copy | None:
        """The copy we have where its lock is the same, or another one."""
        try:
            if known is not None and (await self._world.sites.head(site)).etag == known.state.head.etag:
                state = known.state
            else:
                state = await self._world.sites.load(site)
        except (NotFound, Moved, Unreadable):
            return None
        return Copy(state, await self._modes.silent(state), stamp)
