"""The audit: once a day every site's stays are held against its record of conflicts, all at once and by another way of
finding them. Each reconcile finds what a change brings; this finds what none of them did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from shared.domain.conflicts import conflict_id
from shared.domain.errors import SyncError
from shared.domain.model import SiteState
from shared.domain.occupancy import Occupancy, is_counted, occupancies
from shared.engine.conflict_count import ConflictCount
from shared.engine.world import WORK, World
from shared.ports.bus import Message

AT_ONCE = 16
"""Sites loaded side by side."""


class Audit:
    """Looks for double sales that are in no record."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = ConflictCount(world)

    async def run(self, sites: Iterable[str]) -> int:
        """Sweep these sites' stays in one go and ring for each site where two clash without a conflict on record;
        returns how many clashes were missed. Rooms sold by count are left to the reconcile. A site that cannot be read
        is skipped and told: the visit it gets besides fails and is put off. The number of conflicts that stand is set
        right at the end: a number must keep nobody from finding a double sale."""
        states = await self._loaded(sites)
        stays = [(state, one) for state in states for one in _ahead(state, self._world)]
        missed = set()
        for first, second in await _pairs([one for _, one in stays]):
            state, one, other = stays[first][0], stays[first][1], stays[second][1]
            name = conflict_id(one.cause, other.cause)
            known = state.conflicts.get(name)
            if known is None or known.ended_at is not None:
                missed.add((state.site.id, name))
        for site, name in sorted(missed):
            await self._ring(site, name)
        self._world.telemetry.gauge("conflicts_missed", len(missed))
        await self._count.mend(states)
        return len(missed)

    async def _loaded(self, sites: Iterable[str]) -> list[SiteState]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def load(name: str) -> SiteState | None:
            async with gate:
                try:
                    return await self._world.sites.load(name)
                except SyncError as wrong:
                    self._world.telemetry.event("audit_skipped", site=name, why=str(wrong))
                    return None

        loaded = await asyncio.gather(*(load(name) for name in sites))
        return [state for state in loaded if state is not None]

    async def _ring(self, site: str, name: str) -> None:
        self._world.telemetry.event("conflict_missed", site=site, conflict=name)
        etag = await self._world.due.put(site, self._world.now(), "audit")
        await self._world.ring(WORK, Message("site", site, etag))


def _ahead(state: SiteState, world: World) -> Iterable[Occupancy]:
    now = world.now()
    return (
        one
        for one in occupancies(state)
        if one.dates.check_out > one.property.today(now) and not is_counted(state.site, one.property)
    )


async def _pairs(stays: Sequence[Occupancy]) -> list[tuple[int, int]]:
    if not stays:
        return []
    from shared.engine.sweep import (
        clashing_pairs,
    )  # numpy: paid for once a process, by the hourly timer alone

    # A second of arithmetic over very many stays must hold up no webhook of the same process.
    return await asyncio.to_thread(clashing_pairs, stays)
