"""History: a site's own record, one row a commit, behind the range that a load reads.

A row's key is the version it belongs to, so the newest lines are found from the head without looking at the others, and
an instant by halving. Rows are kept for ``KEPT`` days; a mark beside them says how far they were taken away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.correlation import current
from shared.domain.errors import NotFound, StaleWrite, Unreadable
from shared.ports.stores import Delete, Put, Row, Tables, Value
from shared.state import cells, site_codec
from shared.state.names import SITES

KEPT = timedelta(days=400)
"""How long a line is kept: a year, and the weeks in which it is asked for."""

MOST_TEXT = 200_000
"""Characters of one commit's lines: a row holds 1 MiB, and a first answer of a large calendar is one commit."""

MARK = "r|"
"""Rows behind the record: what was done once and must not be done again, by name."""

_COMMON = ("at", "by", "correlation")
_CLEANED = f"{MARK}~cleaned"
_FIRST_STEP = 8
_WINDOW = 400

MOST_CLEANED = 99
"""Rows that one call takes away: a transaction, one operation of it for the mark."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record: the version of its commit, its place in it, and its words."""

    version: int
    place: int
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done once, kept in the commit that did it."""

    name: str
    words: Mapping[str, str] = field(default_factory=dict)


def history_row(site: str, version: int, lines: Sequence[Mapping[str, str]]) -> Row:
    """The lines of one commit. What all of them share is written once."""
    common = {name: lines[0][name] for name in _COMMON if lines[0].get(name)}
    common = {name: value for name, value in common.items() if all(o.get(name) == value for o in lines)}
    own = ({name: value for name, value in line.items() if name not in common} for line in lines)
    if current():
        common.setdefault("correlation", current())
    values: dict[str, Value] = {**common, **cells.spread("lines", _kept(own))}
    return Row(site, f"{site_codec.HISTORY}{version:012d}", values)


def _kept(lines: Iterable[Mapping[str, str]]) -> str:
    """As many lines as a row holds for certain, and how many more there were."""
    kept: list[str] = []
    room, left_out = MOST_TEXT, 0
    for line in lines:
        written = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        room -= len(written) + 1
        if room < 0:
            left_out += 1
        else:
            kept.append(written)
    if left_out:
        kept.append(json.dumps({"what": "left out", "count": str(left_out)}))
    return f"[{','.join(kept)}]"


def history_lines(row: Row) -> list[dict[str, str]]:
    """The lines of one row, oldest first; none where the row cannot be read: a record that is in part lost must not
    keep anybody from reading the rest."""
    common = {name: cells.text(row.values, name) for name in _COMMON}
    shared = {name: value for name, value in common.items() if value}
    try:
        found = cells.objects(row.values, "lines")
    except Unreadable:
        return [shared | {"what": "unreadable"}]
    return [shared | {name: str(value) for name, value in line.items()} for line in found]


def version_of(row: Row) -> int:
    """The version a row of the record belongs to. Raises ``ValueError`` for any other row."""
    return int(row.key.removeprefix(site_codec.HISTORY))


def mark_row(site: str, mark: Mark) -> Row:
    """A mark as it is stored."""
    return Row(site, MARK + mark.name, {"words": json.dumps(dict(mark.words), ensure_ascii=False)})


class HistoryStore:
    """The record's part of the ``Sites`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def rows(self, site: str, start: int, stop: int) -> list[Row]:
        """The rows of the versions ``[start, stop)``, oldest first."""
        first, last = (f"{site_codec.HISTORY}{max(0, n):012d}" for n in (start, stop))
        return await self._tables.query(SITES, site, start=first, stop=last)

    async def entries(self, site: str, start: int, stop: int) -> list[Entry]:
        """The lines of these versions, oldest first."""
        return [
            Entry(version_of(row), place, words)
            for row in await self.rows(site, start, stop)
            for place, words in enumerate(history_lines(row))
        ]

    async def first_since(self, site: str, at: datetime, newest: int) -> int:
        """The lowest version that was written at ``at`` or later, ``newest + 1`` where there is none: by halving, in
        some ten small reads however long the record is."""
        low, high = await self.cleaned(site), newest + 1
        while low < high:
            middle = (low + high) // 2
            row = await self._next(site, middle, high)
            if row is None:
                high = middle
            elif _instant(row) < at:
                low = version_of(row) + 1
            else:
                high = middle
        return low

    async def _next(self, site: str, start: int, stop: int) -> Row | None:
        """The first row of the versions ``[start, stop)``: most versions have one, so little is read."""
        step = 1
        while start < stop:
            end = min(start + step, stop)
            found = await self.rows(site, start, end)
            if found:
                return found[0]
            start, step = end, step * _FIRST_STEP
        return None

    async def cleaned(self, site: str) -> int:
        """The version below which nothing is left."""
        row = await self._tables.get(SITES, site, _CLEANED)
        return 0 if row is None else cells.number(row.values, "version")

    async def clean(self, site: str, now: datetime, newest: int) -> int:
        """Take away one transaction's worth of what is older than it is kept; returns how many rows. Two that do it at
        once do no harm: the second finds its rows gone, and leaves the rest to the next time."""
        start = await self.cleaned(site)
        stop = min(start + _WINDOW, newest + 1)
        rows = (await self.rows(site, start, stop))[:MOST_CLEANED] if start < stop else []
        old = [row for row in rows if _instant(row) < now - KEPT]
        if rows and not old:
            return 0
        done = version_of(old[-1]) + 1 if old else stop  # versions without a row are done with at once
        if done == start:
            return 0
        mark = Put(Row(site, _CLEANED, {"version": done}))
        try:
            await self._tables.submit(SITES, site, [mark, *(Delete(row.key) for row in old)])
        except (NotFound, StaleWrite):
            return 0
        return len(old)

    async def rewrite(self, row: Row, change: Callable[[dict[str, str]], dict[str, str]]) -> bool:
        """Store a row's lines as ``change`` gives them back, while it is as it was read; False when it changed
        meanwhile. Who rang and when stay as they are."""
        common = {name: cells.text(row.values, name) for name in _COMMON}
        own = [
            {name: value for name, value in line.items() if common.get(name) != value}
            for line in map(change, history_lines(row))
        ]
        # A shorter text has fewer pieces: what is left of the longer one must not stay behind.
        pieces = {name: "" for name in row.values if name.startswith("lines")}
        values: dict[str, Value] = {**pieces, **cells.spread("lines", _kept(own))}
        try:
            await self._tables.update(SITES, Row(row.partition, row.key, values), row.etag or "")
        except (StaleWrite, NotFound):
            return False
        return True

    async def mark(self, site: str, name: str) -> Mapping[str, str] | None:
        """What was kept under a name, or None."""
        row = await self._tables.get(SITES, site, MARK + name)
        if row is None:
            return None
        words = json.loads(cells.text(row.values, "words") or "{}")
        return {str(key): str(value) for key, value in words.items()}


def _instant(row: Row) -> datetime:
    """When a row was written; one that does not say so is as old as can be."""
    written = cells.text(row.values, "at") or next((line.get("at", "") for line in history_lines(row)), "")
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")
