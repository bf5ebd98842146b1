"""Stamps: whether anything changed since a page was drawn, for one read of the tables.

Each run that changed something leaves a report, and each decision of a person one of its own (``note``), so the names
of the reports since shortly before the page say whether there is news. What leaves none (a hold: nights promised while
somebody pays) and runs of over three minutes are shown at the latest when the page is ``OLD``: then it is news by
itself. Nothing but pages is built on this: what the engine decides, it reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shared.correlation import current
from shared.domain.errors import SyncError
from shared.domain.platform import Platform
from shared.domain.reports import Figures, RunReport
from shared.engine.world import World

OLD = timedelta(minutes=2)
"""After so long everything is looked at again, whatever the reports say."""

SLACK = timedelta(minutes=3)
"""A run is named by its beginning and reported at its end: one that was under way when a page was drawn began at most
so long before."""

PERSON = "person"
"""The kind of a report that says: somebody pressed a button."""

_WRITTEN = re.compile(r"([0-9]{1,16})-([0-9a-f]{12})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What had been reported when somebody looked at ``at`` (store time). Two of one instant are equal while nothing
    was reported in between."""

    at: datetime
    digest: str

    @classmethod
    def parse(cls, written: str) -> Stamp | None:
        """What ``str`` wrote; None for anything else."""
        found = _WRITTEN.fullmatch(written)
        return Stamp(_EPOCH + int(found[1]) * _MICRO, found[2]) if found else None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICRO}-{self.digest}"


class Stamps:
    """Looks at the newest reports."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def take(self) -> Stamp:
        """To be taken before what a page shows is read: what changes meanwhile is news to that page. One read."""
        return await self._at(self._world.now())

    async def still(self, stamp: Stamp | None) -> bool:
        """Whether nothing was reported since. At most one read; none for a stamp that is old, from yesterday, or from
        nobody."""
        now = self._world.now()
        if stamp is None or not timedelta(0) <= now - stamp.at < OLD or stamp.at.date() != now.date():
            return False
        return await self._at(stamp.at) == stamp

    async def _at(self, at: datetime) -> Stamp:
        midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
        names = await self._world.runs.since(max(midnight, at - SLACK))
        return Stamp(at, sha256("\n".join(names).encode()).hexdigest()[:12])

    async def note(self, what: str) -> None:
        """A person changed something: whoever looks at a page sees it with the next tick. ``what`` is the route's name,
        never the person's. What they did is done: a table that does not answer now only makes others see it later."""
        now = self._world.now()
        report = RunReport(
            run=self._world.new_id()[:12],
            kind=PERSON,
            source=what,
            platform=Platform(""),
            begun=now,
            duration=timedelta(0),
            figures=Figures(),
            correlation=current(),
        )
        try:
            await self._world.runs.put([report])
        except SyncError as wrong:
            self._world.telemetry.event("report_lost", kind=PERSON, source=what, why=str(wrong))
