"""``SyncEngine``: the whole engine as one object with six methods, for programs that want no triggers and no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.correlation import correlated
from shared.domain.errors import NotFound
from shared.domain.model import (
    BookingConflict,
    ConflictResolution,
    ConflictSeverity,
    Phase,
    SiteState,
    SyncMode,
)
from shared.domain.modes import feed_mode, is_fresh, look_period
from shared.domain.platform import Platform
from shared.domain.reports import PlatformStatus, SyncResult, SyncStatus
from shared.domain.wish import Wanted
from shared.engine.homes_seen import loaded_and_unread
from shared.engine.jobs import Jobs
from shared.engine.loops import Loops, Rhythms
from shared.engine.operations import Operations
from shared.engine.steps import Step, Territory
from shared.engine.strategies import Done, strategy_for
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.ports.people import Sleep
from shared.state.accounts import AccountState

_WORST_FIRST = tuple(ConflictSeverity)


class SyncEngine:
    """Thin: everything it does is done by the same use cases that the triggers call."""

    def __init__(
        self,
        operations: Operations,
        own_rhythms: Mapping[Platform, float],
        *,
        sleep: Sleep | None = None,
        rhythms: Rhythms | None = None,
    ) -> None:
        """``own_rhythms`` are the seconds between two polls that a platform prescribes; ``sleep`` waits between the
        loops' runs (the world's own by default), ``rhythms`` says how long."""
        self._operations = operations
        self._world = operations.world
        self._own = own_rhythms
        self._loops = Loops(self._world, operations, sleep or self._world.sleep, rhythms or Rhythms())

    async def start_continuous_sync(self) -> None:
        """Keep everything in step until cancelled: the loops of all timers, and workers for both queues."""
        await self._loops.run()

    async def sync_all_platforms(self, mode: SyncMode = SyncMode.AUTO) -> SyncResult:
        """Ask every source and bring every site up to date now, in this process, as a mode does it; MANUAL also sends
        into accounts that take nothing by themselves. A failed step is told in the result, not raised; only
        ``StoreUnavailable`` is."""
        return await self._sync(Wanted(mode))

    async def sync_specific_platform(self, platform: Platform, mode: SyncMode = SyncMode.AUTO) -> SyncResult:
        """The same for one platform and the sites listed there. Raises ``PayloadRejected`` for one not connected."""
        return await self._sync(Wanted(mode, platform))

    async def detect_conflicts(self) -> list[BookingConflict]:
        """Every double sale that stands, the most urgent first. They are found whenever a site changes, so this reads
        and asks nobody. Of a site that cannot be read nothing is said here: the status names it."""
        states, _ = await self._sites()
        found = [
            conflict for state in states for conflict in state.conflicts.values() if conflict.ended_at is None
        ]
        return sorted(
            found, key=lambda one: (_WORST_FIRST.index(one.severity), one.conflict_dates.check_in, one.id)
        )

    async def resolve_date_blocking(self, conflict: BookingConflict) -> ConflictResolution:
        """Have the conflict's site brought up to date, so that its nights are closed wherever they may be, and return
        what is proposed for the rest.

        It cancels and moves nothing: a confirmed stay is never dropped by the engine, and carrying out a proposal is
        not part of this release. Raises ``NotFound`` for a conflict of a home that is not stored.
        """
        homes = await self._world.accounts.directory("home")
        site = homes.get(conflict.property_id, {}).get("site")
        if site is None:
            raise NotFound(f"there is no property {conflict.property_id}")
        etag = await self._world.due.put(site, self._world.now(), f"conflict {conflict.id}")
        await self._world.ring(WORK, Message("site", site, etag))
        return conflict.suggested_resolution

    async def get_sync_status(self) -> SyncStatus:
        """How every account and calendar link stands, and what is not yet as it should be."""
        now, (states, unread) = self._world.now(), await self._sites()
        health = await self._operations.watch.report(outside=True)
        waiting = (row for state in states for row in state.blocks.values())
        return SyncStatus(
            at=now,
            platforms=(*await self._accounts(now), *await self._links(now)),
            sites=len(states) + len(unread),
            waiting=sum(1 for row in waiting if row.wanted and row.phase in (Phase.INTENDED, Phase.SENT)),
            conflicts=sum(1 for one in states for clash in one.conflicts.values() if clash.ended_at is None),
            reasons=(
                *(one.cause["en"] for one in health.noted),
                *(f"site {name} cannot be read" for name in unread),
            ),
        )

    # ------------------------------------------------------------------------------------------ beneath

    async def _sync(self, wanted: Wanted) -> SyncResult:
        """Run the mode's strategy here. Under an id of its own, so that its log can be read as one story."""
        with correlated():
            connectors = _Connectors(self._world, self._operations.jobs, wanted)
            return await strategy_for(wanted.mode).execute_sync(connectors)

    async def _sites(self) -> tuple[list[SiteState], list[str]]:
        """Every site that can be read, and the names of those that cannot."""
        return await loaded_and_unread(self._world, await self._world.accounts.directory("site"))

    async def _accounts(self, now: datetime) -> list[PlatformStatus]:
        found = []
        for name in await self._world.accounts.directory("account"):
            state = await self._operations.modes.readable(name)
            if state is not None and state.units:
                found.append(self._account(state, now))
        return found

    def _account(self, state: AccountState, now: datetime) -> PlatformStatus:
        standing, setting = state.standing, state.setting
        own = self._own.get(state.account.platform)
        return _status(
            *(state.account.id, state.account.platform, standing.mode, standing.reason),
            *(state.answered, look_period(setting, standing, len(state.units), own), now),
        )

    async def _links(self, now: datetime) -> list[PlatformStatus]:
        found = []
        for name in await self._world.accounts.directory("shard"):
            shard = await self._world.shards.load(name)
            for listing, feed in shard.feeds.items():
                visit = shard.visits.get(listing)
                mode, why = feed_mode(feed.every, feed.failures, feed.dead, feed.slow)
                good = visit.good if visit else None
                found.append(_status(listing, feed.platform, mode, why, good, feed.every, now))
        return found


@dataclass(frozen=True, slots=True)
class _Connectors:
    """What a strategy works with, for one wish."""

    world: World
    jobs: Jobs
    wanted: Wanted

    def now(self) -> datetime:
        return self.world.now()

    async def territory(self) -> Territory:
        return await self.jobs.territory(self.wanted)

    async def measured(self, step: Step) -> Done:
        return await self.jobs.measured(step)


def _status(
    source: str,
    platform: Platform,
    mode: SyncMode,
    reason: str,
    answered: datetime | None,
    period: float,
    now: datetime,
) -> PlatformStatus:
    fresh = is_fresh(answered, period, now)
    return PlatformStatus(source, platform, mode, reason, answered, fresh, timedelta(seconds=period))
