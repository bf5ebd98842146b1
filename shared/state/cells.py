"""Cells: values to and from columns. An absent value is an empty text, since a merge cannot remove a column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime

from shared.domain.dates import StayDates
from shared.domain.errors import Unreadable
from shared.domain.model import Fading, Part, Write
from shared.ports import Value

Columns = Mapping[str, Value]

_NO_ROWS = ("", "[]")  # most lists of most rows: not worth a parser's call
_PIECE = 16_000
"""Characters in one column: it holds 32 Ki UTF-16 units, and a character may need two."""
_SPREAD = "+"  # no JSON begins so
_MOST_PIECES = 64  # more than a row can hold

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def having(columns: Columns, names: Set[str]) -> Columns:
    """The columns, which must hold these at least. Raises ``Unreadable``."""
    if not names <= columns.keys():
        raise Unreadable(f"no column {min(names - columns.keys())}")
    return columns


def text(columns: Columns, name: str, default: str = "") -> str:
    """A text column."""
    value = columns.get(name, default)
    if not isinstance(value, str):
        raise Unreadable(f"column {name} is not a text")
    return value


def number(columns: Columns, name: str) -> int:
    """A whole-number column; 0 when there is none."""
    value = columns.get(name, 0)
    if not isinstance(value, int):
        raise Unreadable(f"column {name} is not a whole number")
    return value


def flag(columns: Columns, name: str) -> bool:
    """A yes-or-no column; no when there is none."""
    return columns.get(name, False) is True


def to_instant(value: datetime | None) -> str:
    """An instant as sortable text in UTC with microseconds; None as an empty one."""
    if value is None:
        return ""
    return f"{value.astimezone(UTC).isoformat(timespec='microseconds').removesuffix('+00:00')}Z"


def instant(columns: Columns, name: str) -> datetime | None:
    """An instant, or None."""
    written = text(columns, name)
    return from_instant(written) if written else None


def from_instant(written: str) -> datetime:
    """Read what ``to_instant`` wrote, and no other form of ISO 8601. Raises ``Unreadable``.

    A site's load reads hundreds of them, and ``strptime`` would take 60 times as long for each.
    """
    try:
        value = datetime.fromisoformat(written) if _INSTANT.fullmatch(written) else None
    except ValueError:
        value = None
    if value is None:
        raise Unreadable("an instant is not as written by any release")
    return value


def to_parts(parts: Iterable[Part]) -> str:
    """Rooms with their nights, as JSON."""
    return _dump([[p.key, p.listing, str(p.dates), to_instant(p.since)] for p in parts])


def parts(columns: Columns, name: str) -> tuple[Part, ...]:
    """Read what ``to_parts`` wrote."""
    return tuple(_part(row) for row in _rows(columns, name))


def _part(row: list[object]) -> Part:
    key, listing, dates, since = (str(cell) for cell in row[:4])
    return Part(key, listing, StayDates.parse(dates), from_instant(since))


def to_fading(fading: Iterable[Fading]) -> str:
    """Vanished nights, as JSON."""
    return _dump(
        [
            [
                *(f.part.key, f.part.listing, str(f.part.dates), to_instant(f.part.since)),
                *(str(f.stay), to_instant(f.since), f.doubtful),
            ]
            for f in fading
        ]
    )


def fading(columns: Columns, name: str) -> tuple[Fading, ...]:
    """Read what ``to_fading`` wrote."""
    return tuple(
        Fading(_part(row), StayDates.parse(str(row[4])), from_instant(str(row[5])), row[6] is True)
        for row in _rows(columns, name)
    )


def to_writes(writes: Iterable[Write]) -> str:
    """Writes under way, as JSON."""
    return _dump(
        [
            [w.fence, to_instant(w.deadline), {night.isoformat(): level for night, level in w.levels.items()}]
            for w in writes
        ]
    )


def writes(columns: Columns, name: str) -> tuple[Write, ...]:
    """Read what ``to_writes`` wrote."""
    return tuple(
        Write(int(str(fence)), from_instant(str(deadline)), _levels(levels))
        for fence, deadline, levels in _rows(columns, name)
    )


def _levels(levels: object) -> dict[date, int]:
    if not isinstance(levels, dict):
        raise Unreadable("the nights of a write are not readable")
    return {date.fromisoformat(str(night)): int(level) for night, level in levels.items()}


def spread(name: str, written: str) -> dict[str, str]:
    """A long text over several columns: a recurring event can have hundreds of date ranges, and a closure thousands of
    nights. The first column says how many more there are, so that what a longer text left behind is not read."""
    if len(written) <= _PIECE:
        return {name: written}
    pieces = [written[start : start + _PIECE] for start in range(0, len(written), _PIECE)]
    more = {f"{name}_{number}": piece for number, piece in enumerate(pieces)}
    return {name: f"{_SPREAD}{len(pieces)}", **more}


def _whole(columns: Columns, name: str) -> str:
    """Read what ``spread`` wrote."""
    written = text(columns, name)
    if not written.startswith(_SPREAD):
        return written
    count = written.removeprefix(_SPREAD)
    if not count.isdecimal() or int(count) > _MOST_PIECES:
        raise Unreadable(f"column {name} does not say how long it is")
    return "".join(text(columns, f"{name}_{number}") for number in range(int(count)))


def to_texts(values: Iterable[str]) -> str:
    """A list of texts, as JSON."""
    return _dump(list(values))


def texts(columns: Columns, name: str) -> tuple[str, ...]:
    """Read what ``to_texts`` wrote."""
    return tuple(str(value) for value in _load(columns, name))


def to_objects(values: Iterable[Mapping[str, str | int]]) -> str:
    """A list of flat objects of texts and whole numbers, as JSON."""
    return _dump([dict(value) for value in values])


def objects(columns: Columns, name: str) -> tuple[dict[str, str | int], ...]:
    """Read what ``to_objects`` wrote."""
    rows = _load(columns, name)
    if not all(isinstance(row, dict) for row in rows):
        raise Unreadable(f"column {name} is not a list of objects")
    return tuple(
        {str(key): one if isinstance(one, int) else str(one) for key, one in row.items()}
        for row in rows
        if isinstance(row, dict)
    )


def _rows(columns: Columns, name: str) -> list[list[object]]:
    rows = _load(columns, name)
    if not all(isinstance(row, list) for row in rows):
        raise Unreadable(f"column {name} is not a list of rows")
    return [list(row) for row in rows if isinstance(row, list)]


def _load(columns: Columns, name: str) -> list[object]:
    written = _whole(columns, name)
    try:
        value = json.loads(written) if written not in _NO_ROWS else []
    except ValueError as wrong:
        raise Unreadable(f"column {name} is not JSON") from wrong
    if not isinstance(value, list):
        raise Unreadable(f"column {name} is not a list")
    return value


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
