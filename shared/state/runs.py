"""Runs: the reports, a partition a day, newest first in it. Beside the days stand partitions of other records, whose
names begin with ``~`` (the modes' changes) or ``job~`` (see ``shared.state.jobs``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from shared.domain.errors import Unreadable
from shared.domain.platform import Platform
from shared.domain.reports import FIGURES, Figures, RunReport
from shared.ports.stores import Delete, Put, Row, Tables, Value
from shared.state import cells
from shared.state.limits import MOST_CHANGES
from shared.state.names import RUNS

KEPT = 90
"""Days a report is kept."""

MOST_WORDS = 500
"""Characters kept of a reason or an error."""

_CLEANED = "~cleaned"
_END = 10**16  # microseconds, in the year 2286: keys count down from here, so that the newest row comes first


def newest_first(at: datetime) -> str:
    """A key that sorts before those of earlier instants."""
    return f"{_END - _micros(at):016d}"


class RunStore:
    """The reports in the ``Runs`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(self, reports: Iterable[RunReport]) -> None:
        """Store reports, those of a day in one transaction for each hundred."""
        days: dict[str, list[Put]] = {}
        for report in reports:
            row = _to_row(report)
            days.setdefault(row.partition, []).append(Put(row))
        for day, rows in days.items():
            for start in range(0, len(rows), MOST_CHANGES):
                part = rows[start : start + MOST_CHANGES]
                if len(part) == 1:  # most runs: a plain write costs the client a third of a transaction
                    await self._tables.upsert(RUNS, part[0].row)
                else:
                    await self._tables.submit(RUNS, day, part)

    async def newest(self, day: date, platform: str = "", most: int = 100) -> list[RunReport]:
        """The newest reports of a day (UTC), of one platform or of all. Reads back from the day's end in growing steps,
        so that a long day is not read whole for its last lines."""
        found: list[RunReport] = []
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        for span in _spans(self._tables.now(), end):
            rows = await self._between(end - span, end)
            end -= span
            found += [one for one in _readable(rows) if not platform or one.platform == platform]
            if len(found) >= most:
                break
        return found[:most]

    async def since(self, start: datetime) -> list[str]:
        """The names of the reports of this day (UTC) whose runs began at an instant of it or later, newest first: one
        read."""
        rows = await self._tables.query(RUNS, start.date().isoformat(), stop=newest_first(start) + "~")
        return [row.key for row in rows]

    async def _between(self, start: datetime, end: datetime) -> list[Row]:
        """Rows of one day with ``start <= begun < end``: the sign put behind sorts after the one in the keys."""
        first, stop = newest_first(end) + "~", newest_first(start) + "~"
        return await self._tables.query(RUNS, start.date().isoformat(), start=first, stop=stop)

    async def clean(self, today: date, most: int = 20_000) -> int:
        """Take away reports older than ``KEPT`` days, oldest day first, at most so many rows; returns how many.
        Where it stopped it goes on the next time."""
        row = await self._tables.get(RUNS, _CLEANED, _CLEANED)
        last = today - timedelta(days=KEPT + 1)
        written = "" if row is None else cells.text(row.values, "day")
        day = date.fromisoformat(written) + timedelta(days=1) if written else last - timedelta(days=KEPT)
        gone = 0
        while day <= last and gone < most:
            deleted, empty = await self._empty(day, most - gone)
            gone += deleted
            if not empty:
                break
            day += timedelta(days=1)
        done = (day - timedelta(days=1)).isoformat()
        if done != written:
            await self._tables.upsert(RUNS, Row(_CLEANED, _CLEANED, {"day": done}))
        return gone

    async def _empty(self, day: date, most: int) -> tuple[int, bool]:
        """Rows taken away of a day, and whether none is left. Read hour by hour: a day of bursts may hold very many."""
        gone, midnight = 0, datetime(day.year, day.month, day.day, tzinfo=UTC)
        for hour in range(24):
            begin = midnight + timedelta(hours=hour)
            rows = await self._between(begin, begin + timedelta(hours=1))
            taken = rows[: most - gone]
            for start in range(0, len(taken), MOST_CHANGES):
                part = [Delete(one.key) for one in taken[start : start + MOST_CHANGES]]
                await self._tables.submit(RUNS, day.isoformat(), part)
            gone += len(taken)
            if len(taken) < len(rows):
                return gone, False
        return gone, True


def _spans(now: datetime, end: datetime) -> list[timedelta]:
    """How far to look back, step by step, over the 24 h before ``end``: what is still to come costs no step."""
    whole = timedelta(days=1)
    ahead = min(max(end - now, timedelta(0)), whole)
    spans, left, step = [], whole - ahead, timedelta(minutes=30)
    while left > timedelta(0):
        spans.append(min(step, left))
        left, step = left - spans[-1], step * 3
    if not spans:
        return [whole]
    return [spans[0] + ahead, *spans[1:]]


def _micros(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _to_row(report: RunReport) -> Row:
    values: dict[str, Value] = {
        "run": report.run,
        "kind": report.kind,
        "source": report.source,
        "platform": report.platform,
        "begun": cells.to_instant(report.begun),
        "duration_ms": round(report.duration / timedelta(milliseconds=1)),
        "mode": report.mode,
        "why": report.why[:MOST_WORDS],
        "error": report.error[:MOST_WORDS],
        "correlation": report.correlation,
        "runs": report.runs,
    }
    values |= {name: value for name in FIGURES if (value := getattr(report.figures, name))}
    day = report.begun.astimezone(UTC).date().isoformat()
    return Row(day, f"{newest_first(report.begun)}|{report.run}|{report.platform}", values)


def _readable(rows: Iterable[Row]) -> Iterator[RunReport]:
    """The reports that this release can read."""
    for row in rows:
        try:
            yield _from_row(row)
        except Unreadable:
            continue


def _from_row(row: Row) -> RunReport:
    values = row.values
    return RunReport(
        run=cells.text(values, "run"),
        kind=cells.text(values, "kind"),
        source=cells.text(values, "source"),
        platform=Platform(cells.text(values, "platform")),
        begun=cells.from_instant(cells.text(values, "begun")),
        duration=timedelta(milliseconds=cells.number(values, "duration_ms")),
        figures=Figures(**{name: cells.number(values, name) for name in FIGURES}),
        mode=cells.text(values, "mode"),
        why=cells.text(values, "why"),
        error=cells.text(values, "error"),
        correlation=cells.text(values, "correlation"),
        runs=cells.number(values, "runs"),
    )
