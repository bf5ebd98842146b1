"""How many double sales stand, kept beside the sites so that the health timer reads one short partition and no site.

Whoever has just brought a site up to date notes its number when it changed: nothing for the many sites without one, a
write when a conflict begins or ends. A process that dies in between leaves it to the hourly audit, within a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.errors import SyncError
from shared.domain.model import SiteState
from shared.engine.world import World
from shared.state.open_conflicts import OpenConflicts

RECENT = timedelta(hours=26)
"""How long after its end a conflict is still taken off by a process that did not see it: after that the audit has."""

MOST_KEPT = 10_000
"""Sites a process remembers before it forgets them all."""

Standing = frozenset[tuple[str, datetime | None]]


class ConflictCount:
    """Counts for one process; the numbers are everybody's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = OpenConflicts(world.tables)
        self._known: dict[str, Standing] = {}

    async def note(self, state: SiteState) -> None:
        """Note what stands on a site as it was just read or written. A number is never worth a failed reconcile."""
        site, standing = state.site.id, _standing(state)
        known = self._known.get(site)
        if standing == known or (known is None and not standing and not self._ended_lately(state)):
            return
        try:
            await self._open.put(site, len(standing))
        except SyncError:
            self._world.telemetry.count("conflict_uncounted")
            return
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[site] = standing

    async def mend(self, states: Iterable[SiteState]) -> None:
        """Set right what is wrong of these sites, and forget sites that are no more: two reads, and a write for each
        mistake. Raises ``StoreUnavailable``."""
        noted = await self._open.all()
        wrong = {state.site.id: len(_standing(state)) for state in states}
        wrong = {site: count for site, count in wrong.items() if noted.get(site, 0) != count}
        if noted:
            there = await self._world.accounts.directory("site")
            wrong |= dict.fromkeys(noted.keys() - there.keys(), 0)
        for site, count in sorted(wrong.items()):
            await self._open.put(site, count)
            self._known.pop(site, None)

    def _ended_lately(self, state: SiteState) -> bool:
        now = self._world.now()
        ends = [one.ended_at for one in state.conflicts.values() if one.ended_at is not None]
        return bool(ends) and now - max(ends) < RECENT


def _standing(state: SiteState) -> Standing:
    return frozenset((one.id, one.detected_at) for one in state.conflicts.values() if one.ended_at is None)
