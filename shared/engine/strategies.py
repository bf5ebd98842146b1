"""Strategies: which sources an account in a mode is asked for, how thoroughly, and how often.

What they have in common is the order: sources first, since what they tell decides what the sites need, then the sites.
A job takes a strategy's steps one message each; ``execute_sync`` does the same ones here and now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.domain.platform import Platform
from shared.domain.reports import Figures, PlatformStatus, SyncResult
from shared.engine.steps import FEEDS, OBSERVE, QUEUE, SITE, Source, Step, Territory


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one step: a word about it, or why it failed, and its figures by platform."""

    step: Step
    said: str
    error: str
    begun: datetime
    duration: timedelta
    figures: Mapping[str, Figures] = field(default_factory=dict)


class Connectors(Protocol):
    """What a strategy works with: the sources and sites of a wish, and the means to do a step."""

    def now(self) -> datetime:
        """Store time."""
        ...

    async def territory(self) -> Territory:
        """What there is to ask and to bring up to date."""
        ...

    async def measured(self, step: Step) -> Done:
        """Do a step and tell what came of it; a platform's failure is told, not raised."""
        ...


class SyncStrategy(Protocol):
    """How accounts of one mode are kept in step."""

    @property
    def mode(self) -> SyncMode:
        """The mode it is for."""
        ...

    @property
    def sync_interval(self) -> timedelta | None:
        """How long between two looks by itself; None: only when somebody asks."""
        ...

    def can_handle(self, status: PlatformStatus) -> bool:
        """Whether a source that stands like this is kept in step by this strategy while nobody asks."""
        ...

    def steps(self, territory: Territory) -> tuple[list[Step], list[Step]]:
        """The sources to ask, and the sites to bring up to date after them."""
        ...

    async def execute_sync(self, connectors: Connectors) -> SyncResult:
        """Ask every source and bring every site up to date, now, in this process."""
        ...


class _Strategy:
    """What the three share. ``setting`` says how often an owner wants an account looked at."""

    mode = SyncMode.REAL_TIME

    def __init__(self, setting: ModeSetting | None = None) -> None:
        self._setting = setting or ModeSetting()

    def can_handle(self, status: PlatformStatus) -> bool:
        """A source that stands in this mode."""
        return status.mode is self.mode

    def ask(self, source: Source) -> list[Step]:
        """The steps that ask one source."""
        raise NotImplementedError

    def visit(self, territory: Territory) -> Sequence[str]:
        """The sites to look at: those with work, and those that somebody named."""
        return [site for site in territory.sites if territory.narrow or site in territory.waiting]

    def steps(self, territory: Territory) -> tuple[list[Step], list[Step]]:
        """As the protocol says."""
        asking = [step for source in territory.sources for step in self.ask(source)]
        forced = self.mode is SyncMode.MANUAL
        visits = [Step(SITE, site, territory.sites[site], asked=forced) for site in self.visit(territory)]
        return asking, visits

    async def execute_sync(self, connectors: Connectors) -> SyncResult:
        """One step after the other; a failed one stops none."""
        begun = connectors.now()
        asking, visits = self.steps(await connectors.territory())
        done = [await connectors.measured(step) for step in (*asking, *visits)]
        return summed(self.mode, begun, connectors.now() - begun, done)


class RealTime(_Strategy):
    """Sources that are due by their own rhythm, and sites that have work: cheap enough for every other minute."""

    mode = SyncMode.REAL_TIME

    @property
    def sync_interval(self) -> timedelta | None:
        """1 to 5 min, as the owner chose."""
        return timedelta(minutes=self._setting.poll_minutes)

    def ask(self, source: Source) -> list[Step]:
        """Calendars that are due; a queue, or the whole state of a platform that has none."""
        if source.kind == FEEDS:
            return [Step(FEEDS, source.key, source.platforms, source.parts)]
        return [_account_step(source)]


class Batch(_Strategy):
    """Every source, differentially (a calendar that did not change answers 304 or with the same hash), and the sites
    that got work from it."""

    mode = SyncMode.BATCH

    @property
    def sync_interval(self) -> timedelta | None:
        """15 to 30 min, as the owner chose."""
        return timedelta(minutes=self._setting.batch_minutes)

    def can_handle(self, status: PlatformStatus) -> bool:
        """What stands in MANUAL is still asked in this rhythm: its facts are stored and shown, nothing is sent."""
        return status.mode in (SyncMode.BATCH, SyncMode.MANUAL)

    def ask(self, source: Source) -> list[Step]:
        """Calendars whether they are due or not; accounts as in real time."""
        if source.kind == FEEDS:
            return [Step(FEEDS, source.key, source.platforms, source.parts, force=True)]
        return [_account_step(source)]


class Manual(_Strategy):
    """A full run that a person asked for: every source anew, the whole state of each account, and everything that waits
    is sent, into accounts too that take nothing by themselves."""

    mode = SyncMode.MANUAL

    @property
    def sync_interval(self) -> timedelta | None:
        """Never by itself."""
        return None

    def can_handle(self, status: PlatformStatus) -> bool:
        """Nothing while nobody asks."""
        return False

    def ask(self, source: Source) -> list[Step]:
        """The queue too, where there is one: it tells of what a whole state cannot."""
        if source.kind == FEEDS:
            return [Step(FEEDS, source.key, source.platforms, source.parts, force=True)]
        whole = Step(OBSERVE, source.key, source.platforms, source.parts, force=True)
        return [Step(QUEUE, source.key, source.platforms), whole] if source.polled else [whole]

    def visit(self, territory: Territory) -> Sequence[str]:
        """Every site."""
        return list(territory.sites)


class Auto(_Strategy):
    """Each source in the mode it stands in, and every site: what a person means who only says "now"."""

    mode = SyncMode.AUTO

    def __init__(self, strategies: Sequence[SyncStrategy] = (), setting: ModeSetting | None = None) -> None:
        super().__init__(setting)
        self._strategies = strategies or (RealTime(setting), Batch(setting))

    @property
    def sync_interval(self) -> timedelta | None:
        """That of the quickest."""
        known = (one.sync_interval for one in self._strategies)
        return min((one for one in known if one is not None), default=None)

    def can_handle(self, status: PlatformStatus) -> bool:
        """What any of them can."""
        return any(one.can_handle(status) for one in self._strategies)

    def ask(self, source: Source) -> list[Step]:
        """As the first strategy asks that can handle it."""
        status = PlatformStatus(source.key, Platform(source.platforms[0]), source.mode)
        for one in self._strategies:
            if one.can_handle(status):
                return one.steps(Territory((source,), {}))[0]
        return []

    def visit(self, territory: Territory) -> Sequence[str]:
        """Every site: one with nothing to do costs one read."""
        return list(territory.sites)


def strategy_for(mode: SyncMode) -> SyncStrategy:
    """The strategy that runs in a mode."""
    kinds: dict[SyncMode, SyncStrategy] = {
        SyncMode.AUTO: Auto(),
        SyncMode.REAL_TIME: RealTime(),
        SyncMode.BATCH: Batch(),
        SyncMode.MANUAL: Manual(),
    }
    return kinds[mode]


def summed(mode: SyncMode, begun: datetime, duration: timedelta, done: Sequence[Done]) -> SyncResult:
    """Steps added up."""
    figures: dict[Platform, Figures] = {}
    for one in done:
        for name, more in one.figures.items():
            figures[Platform(name)] = figures.get(Platform(name), Figures()) + more
    errors = {one.step.name: one.error for one in done if one.error}
    return SyncResult(mode, begun, duration, len(done) - len(errors), len(errors), figures, errors)


def _account_step(source: Source) -> Step:
    """One look at an account: its queue where it has one. A queue knows no units, so it is asked whole."""
    if source.polled:
        return Step(QUEUE, source.key, source.platforms)
    return Step(OBSERVE, source.key, source.platforms, source.parts)
