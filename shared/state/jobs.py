"""Jobs: what a person asked for, and how far each step of it has come.

A job is a partition of ``Runs`` of its own, ``job~<id>``: row ``a`` is what was asked, rows ``1|..`` its sources, rows
``2|..`` its sites. The partition ``~jobs`` lists them, newest first, and remembers by a digest of what was asked who
asked for the same just now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.errors import AlreadyExists, NotFound, StaleWrite
from shared.domain.reports import FIGURES, Figures
from shared.ports.stores import Delete, Put, Row, Tables, Value
from shared.state import cells
from shared.state.limits import MOST_CHANGES
from shared.state.names import RUNS
from shared.state.runs import newest_first

LIST = "~jobs"
SOURCES, SITES = "1", "2"
"""The two phases of a job: no site is brought up to date before every source has been asked."""

MOST_TEXT = 200_000
"""Characters of a step's lines that are kept: a row holds 1 MiB."""

_HEAD = "a"


@dataclass(frozen=True, slots=True)
class JobHead:
    """What was asked, when, and how many steps it came to. ``wish`` names mode, platform, property and site."""

    id: str
    wish: Mapping[str, str]
    at: datetime
    steps: int
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step and what came of it. ``state`` is "waiting", "done" or "failed"; ``tries`` counts how often somebody
    else was asking the same source. ``lines`` are the step's calls, decisions and refusals; ``dropped`` how many more
    there were."""

    name: str
    kind: str
    key: str
    platforms: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    force: bool = False
    asked: bool = False
    state: str = "waiting"
    tries: int = 0
    begun: datetime | None = None
    duration: timedelta = timedelta(0)
    said: str = ""
    error: str = ""
    figures: Mapping[str, Figures] = field(default_factory=dict)
    lines: Sequence[Mapping[str, str | int]] = ()
    dropped: int = 0

    @property
    def phase(self) -> str:
        """``SOURCES`` or ``SITES``."""
        return self.name.partition("|")[0]


@dataclass(frozen=True, slots=True)
class Job:
    """A job with its steps in order."""

    head: JobHead
    steps: tuple[JobStep, ...]

    @property
    def whole(self) -> bool:
        """Whether every step that was planned is stored."""
        return len(self.steps) >= self.head.steps

    @property
    def finished(self) -> bool:
        """Whether every step that was planned is done or has failed."""
        return self.whole and all(one.state != "waiting" for one in self.steps)


def _partition(job: str) -> str:
    return f"job~{job}"


class JobStore:
    """Jobs in the ``Runs`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def claim(self, digest: str, job: str, replaces: str) -> str:
        """Be the one who starts what was asked, instead of the job it ``replaces`` (empty: none). Returns the job that
        holds the claim: ``job``, or another's that was first."""
        key = f"asked|{digest}"
        row = await self._tables.get(RUNS, LIST, key)
        if row is not None and cells.text(row.values, "job") != replaces:
            return cells.text(row.values, "job")
        new = Row(LIST, key, {"job": job, "at": cells.to_instant(self._tables.now())})
        try:
            if row is None or row.etag is None:
                await self._tables.insert(RUNS, new)
            else:
                await self._tables.update(RUNS, new, row.etag)
        except (AlreadyExists, StaleWrite, NotFound):
            won = await self._tables.get(RUNS, LIST, key)
            return job if won is None else cells.text(won.values, "job")
        return job

    async def claimed(self, digest: str) -> tuple[str, datetime | None]:
        """Which job was last started for this, and when; empty and None when there was none."""
        row = await self._tables.get(RUNS, LIST, f"asked|{digest}")
        if row is None:
            return "", None
        return cells.text(row.values, "job"), cells.instant(row.values, "at")

    async def create(self, head: JobHead, steps: Iterable[JobStep]) -> None:
        """Store a job: its name first, so that whoever tends jobs finds it, then what was asked, then its steps."""
        await self._tables.upsert(RUNS, Row(LIST, f"job|{newest_first(head.at)}|{head.id}", {"job": head.id}))
        values: dict[str, Value] = {
            "wish": json.dumps(dict(head.wish), ensure_ascii=False),
            "at": cells.to_instant(head.at),
            "steps": head.steps,
            "correlation": head.correlation,
        }
        rows = [Put(Row(_partition(head.id), _HEAD, values)), *(Put(_to_row(head.id, one)) for one in steps)]
        for start in range(0, len(rows), MOST_CHANGES):
            await self._tables.submit(RUNS, _partition(head.id), rows[start : start + MOST_CHANGES])

    async def load(self, job: str) -> Job | None:
        """A job with every step, or None."""
        rows = await self._tables.query(RUNS, _partition(job))
        head = next((row for row in rows if row.key == _HEAD), None)
        if head is None:
            return None
        steps = tuple(_from_row(row) for row in rows if row.key != _HEAD)
        return Job(_to_head(job, head), steps)

    async def phase(self, job: str, phase: str) -> list[JobStep]:
        """The steps of one phase."""
        rows = await self._tables.query(RUNS, _partition(job), start=f"{phase}|", stop=f"{phase}}}")
        return [_from_row(row) for row in rows]

    async def head(self, job: str) -> JobHead | None:
        """What was asked, or None."""
        row = await self._tables.get(RUNS, _partition(job), _HEAD)
        return None if row is None else _to_head(job, row)

    async def step(self, job: str, name: str) -> JobStep | None:
        """One step, or None."""
        row = await self._tables.get(RUNS, _partition(job), name)
        return None if row is None else _from_row(row)

    async def put(self, job: str, step: JobStep) -> None:
        """What came of a step. Done twice, the later result stands."""
        await self._tables.upsert(RUNS, _to_row(job, step))

    async def since(self, at: datetime) -> list[str]:
        """Jobs asked for since then, newest first."""
        rows = await self._tables.query(RUNS, LIST, start="job|", stop=f"job|{newest_first(at)}~")
        return [cells.text(row.values, "job") for row in rows]

    async def clean(self, before: datetime, most: int = 20) -> int:
        """Take away jobs asked for before then, at most so many; returns how many. What was asked is forgotten too."""
        rows = await self._tables.query(RUNS, LIST, start=f"job|{newest_first(before)}~", stop="job}")
        for row in rows[-most:]:
            job = cells.text(row.values, "job")
            steps = await self._tables.query(RUNS, _partition(job))
            for start in range(0, len(steps), MOST_CHANGES):
                part = [Delete(one.key) for one in steps[start : start + MOST_CHANGES]]
                await self._tables.submit(RUNS, _partition(job), part)
            await self._tables.delete(RUNS, LIST, row.key)
        claims = await self._tables.query(RUNS, LIST, start="asked|", stop="asked}")
        old = [one for one in claims if (cells.instant(one.values, "at") or before) < before]
        for one in old[:MOST_CHANGES]:
            await self._tables.delete(RUNS, LIST, one.key)
        return len(rows[-most:])


def _to_head(job: str, row: Row) -> JobHead:
    wish = json.loads(cells.text(row.values, "wish") or "{}")
    return JobHead(
        job,
        {str(name): str(value) for name, value in wish.items()},
        cells.from_instant(cells.text(row.values, "at")),
        cells.number(row.values, "steps"),
        cells.text(row.values, "correlation"),
    )


def _to_row(job: str, step: JobStep) -> Row:
    figures = {name: [getattr(one, each) for each in FIGURES] for name, one in step.figures.items()}
    values: dict[str, Value] = {
        "kind": step.kind,
        "key": step.key,
        "platforms": cells.to_texts(step.platforms),
        "force": step.force,
        "asked": step.asked,
        "state": step.state,
        "tries": step.tries,
        "begun": cells.to_instant(step.begun),
        "duration_ms": round(step.duration / timedelta(milliseconds=1)),
        "said": step.said[:500],
        "error": step.error[:2_000],
        "figures": json.dumps(figures, separators=(",", ":")),
    }
    lines, dropped = _fitting(step)
    values["dropped"] = dropped
    values |= cells.spread("parts", cells.to_texts(step.parts))
    values |= cells.spread("lines", lines)
    return Row(_partition(job), step.name, values)


def _fitting(step: JobStep) -> tuple[str, int]:
    """The lines as text, as many as fit, and how many are left out."""
    kept = list(step.lines)
    written = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    while len(written) > MOST_TEXT:
        kept = kept[: len(kept) // 2]
        written = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return written, step.dropped + len(step.lines) - len(kept)


def _from_row(row: Row) -> JobStep:
    values = row.values
    figures = json.loads(cells.text(values, "figures") or "{}")
    return JobStep(
        name=row.key,
        kind=cells.text(values, "kind"),
        key=cells.text(values, "key"),
        platforms=cells.texts(values, "platforms"),
        parts=cells.texts(values, "parts"),
        force=cells.flag(values, "force"),
        asked=cells.flag(values, "asked"),
        state=cells.text(values, "state"),
        tries=cells.number(values, "tries"),
        begun=cells.instant(values, "begun"),
        duration=timedelta(milliseconds=cells.number(values, "duration_ms")),
        said=cells.text(values, "said"),
        error=cells.text(values, "error"),
        # A newer release puts its figures behind ours, an older one has fewer.
        figures={name: Figures(**dict(zip(FIGURES, one, strict=False))) for name, one in figures.items()},
        lines=cells.objects(values, "lines"),
        dropped=cells.number(values, "dropped"),
    )


def over(step: JobStep, *, said: str = "", error: str = "") -> JobStep:
    """The step, done or failed."""
    return replace(step, state="failed" if error else "done", said=said, error=error)
