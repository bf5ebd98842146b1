"""The watch: one health report, and what is derived from it each minute: metrics, lines in the log, alerts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from shared.domain import health_state
from shared.domain.errors import SyncError
from shared.domain.health import HealthReport, Sight, joined
from shared.engine.health_alerts import HealthAlerts
from shared.engine.health_eyes import Eye
from shared.engine.world import World

MOST_LINES = 20
"""Lines of the log for one kind of finding; how many there are in all is said with the last."""


class HealthWatch:
    """Looks with all its eyes, and says what it saw."""

    def __init__(self, world: World, eyes: Sequence[Eye]) -> None:
        self._world = world
        self._eyes = eyes
        self._alerts = HealthAlerts(world)

    async def report(self, *, outside: bool = False, also: Sequence[Sight] = ()) -> HealthReport:
        """What is wrong now. ``outside``: by the cheap eyes alone, which read nothing but tables. An eye that cannot
        see is a finding, and blinds no other. Raises nothing of its own."""
        eyes = [one for one in self._eyes if one.outside or not outside]
        seen = await asyncio.gather(*(one.look() for one in eyes), return_exceptions=True)
        sights = list(also)
        blind = ""
        for sight in seen:
            if isinstance(sight, Sight):
                sights.append(sight)
            else:
                blind = blind or self._why(sight)
        if blind:
            sights.append(health_state.of_store(blind))
        return joined(self._world.now(), sights)

    def _why(self, wrong: BaseException) -> str:
        """Why an eye cannot see. A fault of ours is one too: whoever asks how we are gets an answer, and the fault goes
        into the log. Raises what is no fault: that we are being stopped."""
        if isinstance(wrong, SyncError):
            return str(wrong)
        if not isinstance(wrong, Exception):
            raise wrong
        self._world.telemetry.event("health_blind", kind=type(wrong).__name__)
        return f"a row that cannot be read ({type(wrong).__name__})"

    async def tick(self, also: Sequence[Sight] = (), away: str = "") -> HealthReport:
        """Once a minute: look, measure, note, tell. ``also`` is what was seen on the way; ``away`` is why the tables
        cannot be looked at, where that is known: then nothing is told, since nothing could be told only once."""
        if away:
            report = joined(self._world.now(), [*also, health_state.of_store(away)])
        else:
            report = await self.report(also=also)
        self._measure(report)
        self._note(report)
        if not away:
            await self._alerts.tell(report)
        return report

    def _measure(self, report: HealthReport) -> None:
        self._world.telemetry.gauge("healthy", 1.0 if report.ok else 0.0)
        for one in report.figures:
            named = {"platform": one.platform} if one.platform else {}
            self._world.telemetry.gauge(one.name, one.value, **named)

    def _note(self, report: HealthReport) -> None:
        counts = Counter(one.code for one in report.noted)
        lines = Counter[str]()
        for one in report.noted:
            lines[one.code] += 1
            if lines[one.code] > MOST_LINES:
                continue
            fields: dict[str, str | int] = {"code": one.code, "why": one.cause["en"]}
            fields |= {"about": one.about} if one.about else {}
            fields |= {"platform": one.platform} if one.platform else {}
            fields |= {"since": one.since.isoformat()} if one.since else {}
            fields |= {"count": counts[one.code]} if lines[one.code] == MOST_LINES else {}
            self._world.telemetry.event("unhealthy", **fields)
