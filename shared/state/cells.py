"""Cells: values to and from columns. An absent value is an empty text, since a merge cannot remove a column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime

from shared.domain.errors import Unreadable
from shared.ports.stores import Value

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
    return dump(list(values))


def texts(columns: Columns, name: str) -> tuple[str, ...]:
    """Read what ``to_texts`` wrote."""
    return tuple(str(value) for value in _load(columns, name))


def to_objects(values: Iterable[Mapping[str, str | int]]) -> str:
    """A list of flat objects of texts and whole numbers, as JSON."""
    return dump([dict(value) for value in values])


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


def rows(columns: Columns, name: str) -> list[list[object]]:
    """A list of lists, of whatever kind. Raises ``Unreadable``."""
    found = _load(columns, name)
    if not all(isinstance(row, list) for row in found):
        raise Unreadable(f"column {name} is not a list of rows")
    return [list(row) for row in found if isinstance(row, list)]


def _load(columns: Columns, name: str) -> list[object]:
    written = _whole(columns, name)
    try:
        value = json.loads(written) if written not in _NO_ROWS else []
    except ValueError as wrong:
        raise Unreadable(f"column {name} is not JSON") from wrong
    if not isinstance(value, list):
        raise Unreadable(f"column {name} is not a list")
    return value


def dump(value: object) -> str:
    """JSON without a byte too many."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
