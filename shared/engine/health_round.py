"""The round of the health timer: help on what stands still, look at everything, tell what needs a person. What fails on
the way holds up nothing of the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.domain import health_state
from shared.domain.errors import SyncError
from shared.engine.health_watch import HealthWatch
from shared.engine.jobs import Jobs
from shared.engine.modes import Modes
from shared.engine.probes import Probes
from shared.engine.reports import Reports
from shared.engine.world import World

T = TypeVar("T")


class HealthRound:
    """Once a minute."""

    def __init__(
        self,
        world: World,
        watch: HealthWatch,
        modes: Modes,
        probes: Probes,
        jobs: Jobs,
        reports: Reports,
    ) -> None:
        self._world = world
        self._watch = watch
        self._modes = modes
        self._probes = probes
        self._jobs = jobs
        self._reports = reports
        self._wrong: SyncError | None = None

    async def run(self) -> None:
        """All of it; then the first failure on the way is raised. What a person was not told yet is tried again,
        whatever becomes of the rest."""
        self._wrong = None
        try:
            await self._chore(self._modes.tend)
            await self._chore(self._probes.tend)
            stuck = await self._chore(self._jobs.tend) or []
            await self._chore(self._reports.flush)
            report = await self._watch.tick([health_state.of_jobs(stuck)])
            if report.ok and self._world.alive is not None:
                await self._world.alive()
        finally:
            await self._world.notify.again()
        if self._wrong is not None:
            raise self._wrong

    async def _chore(self, doing: Callable[[], Awaitable[T]]) -> T | None:
        try:
            return await doing()
        except SyncError as wrong:
            self._wrong = self._wrong or wrong
            return None
