"""Reports: what each run did and what it cost, kept in the table ``Runs``.

A run that did nothing worth telling writes no row: it is added up in this process and told with the others of its hour
in one row a source. What a process had added up is lost with it, and nobody misses it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from shared import meter
from shared.correlation import current
from shared.domain.errors import SyncError
from shared.domain.platform import Platform
from shared.domain.reports import FIGURES, Figures, RunReport
from shared.engine import tally
from shared.engine.world import World

T = TypeVar("T")

Stands = Callable[[str, str], Awaitable[str]]
"""How the account of a run's kind and source stands now, in a word; empty where it has no mode."""

FAILED = "failed: "
"""How a step's word begins when it failed and whoever rang need not come again."""

MOST_SEARCHED = 5_000
"""Reports of a day among which those of some sources are looked for."""

BEAT = timedelta(minutes=5)
"""How often each process says of each platform that a run with it ended well."""

NEVER = datetime.min.replace(tzinfo=UTC)

_HOUR = timedelta(hours=1)
_SHARED = ("site", "inbox", "conflict")  # kinds with a source for each home or message: idle ones share a row


class Reports:
    """Measures runs and keeps what is worth keeping."""

    def __init__(self, world: World, stands: Stands) -> None:
        self._world = world
        self._stands = stands
        self._beaten: dict[Platform, datetime] = {}
        self._idle: dict[tuple[datetime, str, str, str], RunReport] = {}

    async def run(self, kind: str, source: str, doing: Callable[[], Awaitable[T]]) -> T:
        """Do it, measured; raises what it raises, after the report is kept."""
        begun = self._world.now()
        with meter.metering() as counted:
            try:
                result = await doing()
            except SyncError as wrong:
                counted.error = counted.error or str(wrong)
                await self.keep(kind, source, begun, counted)
                raise
        if isinstance(result, str):
            _take(counted, result)
        await self.keep(kind, source, begun, counted)
        return result

    async def keep(
        self, kind: str, source: str, begun: datetime, counted: meter.Meter, *, asked: bool = False
    ) -> None:
        """Store a run's report, or add it to its hour's sum when it was idle and nobody ``asked`` for it."""
        now = self._world.now()
        base = RunReport(
            run=self._world.new_id()[:12],
            kind=kind,
            source=source,
            platform=Platform(""),
            begun=begun,
            duration=now - begun,
            figures=Figures(),
            why=counted.why,
            error=counted.error,
            correlation=current(),
        )
        reports = [
            replace(base, platform=Platform(platform), figures=figures)
            for platform, figures in by_platform(counted).items()
        ]
        tally.run(reports, self._world.telemetry)
        self._beat(reports, now)
        try:
            if asked or base.error or not all(one.figures.idle for one in reports):
                self._log(reports)
                mode = await self._stands(kind, source)
                await self._world.runs.put(replace(one, mode=mode) for one in reports)
            else:
                self._add_up(reports)
            await self.flush()
        except SyncError as wrong:
            self._world.telemetry.event("report_lost", kind=kind, source=source, why=str(wrong))

    def _beat(self, reports: Iterable[RunReport], now: datetime) -> None:
        """Let it be seen from outside that a platform is synchronised with, also while nothing is booked there: silence
        is what an alert listens for."""
        for one in reports:
            if not one.platform or one.error or one.figures.failed:
                continue
            if now - self._beaten.get(one.platform, NEVER) >= BEAT:
                self._beaten[one.platform] = now
                self._world.telemetry.event("sync_completed", platform=one.platform, result="done")

    def _log(self, reports: Iterable[RunReport]) -> None:
        for one in reports:
            duration = round(one.duration / timedelta(milliseconds=1))
            named = {"run": one.run, "kind": one.kind, "source": one.source, "platform": one.platform}
            said = {"why": one.why, "error": one.error}
            self._world.telemetry.event(
                "run", **named, duration_ms=duration, **figures_json(one.figures), **said
            )

    def _add_up(self, reports: Iterable[RunReport]) -> None:
        for one in reports:
            hour = one.begun.replace(minute=0, second=0, microsecond=0)
            source = "" if one.kind in _SHARED else one.source
            key = (hour, one.kind, source, one.platform)
            known = self._idle.get(key)
            if known is None:
                self._idle[key] = replace(one, source=source, begun=hour, why="", correlation="")
            else:
                self._idle[key] = replace(
                    known,
                    duration=known.duration + one.duration,
                    figures=known.figures + one.figures,
                    runs=known.runs + 1,
                )

    async def flush(self, *, everything: bool = False) -> None:
        """Write the sums of the hours that are over (with ``everything``: of this one too)."""
        now = self._world.now()
        over = [key for key in self._idle if everything or key[0] + _HOUR <= now]
        if not over:
            return
        # Taken out first: another run that ends meanwhile must not write them again.
        sums = [self._idle.pop(key) for key in over]
        await self._world.runs.put(replace(one, why=f"{one.runs} idle runs") for one in sums)

    async def clean(self) -> int:
        """Take away what is older than it is kept; returns how many rows."""
        return await self._world.runs.clean(self._world.now().date())

    async def listed(
        self, day: date, platform: str, most: int, sources: Collection[str] | None = None
    ) -> list[dict[str, object]]:
        """The newest reports of a day, as the API shows them: all, or those done for one of ``sources``, which are
        looked for among the newest ``MOST_SEARCHED``."""
        if sources is None:
            return [as_json(one) for one in await self._world.runs.newest(day, platform, most)]
        found = await self._world.runs.newest(day, platform, MOST_SEARCHED)
        return [as_json(one) for one in found if one.source in sources][:most]


def by_platform(counted: meter.Meter) -> dict[str, Figures]:
    """A meter's figures; the run's transactions stand with its first platform."""
    found = {name: _figures(counts) for name, counts in counted.figures.items()} or {"": Figures()}
    first = next(iter(found))
    silent = counted.error and not any(one.failed or one.refused for one in found.values())
    found[first] += Figures(transactions=counted.transactions, failed=int(bool(silent)))
    return found


def _take(counted: meter.Meter, said: str) -> None:
    """What a step said of itself: it may have failed without raising."""
    wrong = said.removeprefix(FAILED)
    if wrong == said:
        counted.why = counted.why or said
    else:
        counted.error = counted.error or wrong


def _figures(counts: Mapping[str, int]) -> Figures:
    return Figures(**{name: counts[name] for name in FIGURES if name in counts})


def as_json(report: RunReport) -> dict[str, object]:
    """A report as plain values."""
    return {
        "run": report.run,
        "kind": report.kind,
        "source": report.source,
        "platform": report.platform,
        "mode": report.mode,
        "begun": report.begun.isoformat(),
        "duration_ms": round(report.duration / timedelta(milliseconds=1)),
        **figures_json(report.figures),
        "runs": report.runs,
        "why": report.why,
        "error": report.error,
        "correlation": report.correlation,
    }


def figures_json(figures: Figures) -> dict[str, int]:
    """The figures by name."""
    return {name: getattr(figures, name) for name in FIGURES}
