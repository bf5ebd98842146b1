"""The health desk: the report and what is made of it, joined once for a process, at the first question. Its judges and
their words are no small import, and no webhook pays for them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.platform import Platform
from shared.engine.health_eyes import eyes
from shared.engine.health_page import HealthPage
from shared.engine.health_round import HealthRound
from shared.engine.health_watch import HealthWatch
from shared.engine.jobs import Jobs
from shared.engine.modes import Modes
from shared.engine.probes import Probes
from shared.engine.reconcile import Reconciler
from shared.engine.reports import Reports
from shared.engine.world import World


class HealthDesk:
    """``watch`` makes reports, ``page`` answers monitors, ``round`` is the timer's."""

    def __init__(
        self,
        world: World,
        rhythms: Mapping[Platform, float],
        modes: Modes,
        reconciler: Reconciler,
        jobs: Jobs,
        reports: Reports,
    ) -> None:
        """``rhythms`` are the seconds between two polls that a platform prescribes for itself."""
        self.watch = HealthWatch(world, eyes(world, modes, rhythms))
        self.page = HealthPage(world, self.watch)
        self.round = HealthRound(world, self.watch, modes, Probes(world, reconciler, modes), jobs, reports)
