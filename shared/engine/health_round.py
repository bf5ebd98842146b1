"""The round of the health timer: help on what stands still, look at everything, tell what needs a person. What fails on
the way holds up nothing of the rest."""

from __future__ import annotations

from datetime import datetime

from shared.domain import health_state
from shared.domain.errors import StoreUnavailable
from shared.engine.health_watch import HealthWatch
from shared.engine.in_turn import all_of, tried_in_turn
from shared.engine.jobs import Jobs
from shared.engine.modes import Modes
from shared.engine.probes import Probes
from shared.engine.reports import Reports
from shared.engine.world import World


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

    async def run(self) -> None:
        """All of it; then what failed on the way is raised, be it a fault of ours. What a person was not told yet
        is tried again, whatever becomes of the rest. While the tables are away only that is said: each further look at
        them would wait as long as the first."""
        stuck: list[tuple[str, datetime]] = []

        async def tend_jobs() -> None:
            stuck.extend(await self._jobs.tend())

        try:
            wrong = await tried_in_turn(self._modes.tend, self._probes.tend, tend_jobs, self._reports.flush)
            away = next((str(one) for one in wrong if isinstance(one, StoreUnavailable)), "")
            report = await self._watch.tick([health_state.of_jobs(stuck)], away)
            if report.ok and self._world.alive is not None:
                await self._world.alive()
        finally:
            await self._world.notify.again()
        if wrong:
            raise all_of(wrong)
