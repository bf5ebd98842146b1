"""What only a site's rows hold in one cell: nights with their rooms, vanished nights, writes under way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from shared.domain.dates import StayDates
from shared.domain.errors import Unreadable
from shared.domain.model import Fading, Part, Write
from shared.state import cells


def to_parts(parts: Iterable[Part]) -> str:
    """Rooms with their nights, as JSON."""
    return cells.dump([[p.key, p.listing, str(p.dates), cells.to_instant(p.since)] for p in parts])


def parts(columns: cells.Columns, name: str) -> tuple[Part, ...]:
    """Read what ``to_parts`` wrote."""
    return tuple(_part(row) for row in cells.rows(columns, name))


def _part(row: list[object]) -> Part:
    key, listing, dates, since = (str(cell) for cell in row[:4])
    return Part(key, listing, StayDates.parse(dates), cells.from_instant(since))


def to_fading(fading: Iterable[Fading]) -> str:
    """Vanished nights, as JSON."""
    return cells.dump(
        [
            [
                *(f.part.key, f.part.listing, str(f.part.dates), cells.to_instant(f.part.since)),
                *(str(f.stay), cells.to_instant(f.since), f.doubtful),
            ]
            for f in fading
        ]
    )


def fading(columns: cells.Columns, name: str) -> tuple[Fading, ...]:
    """Read what ``to_fading`` wrote."""
    return tuple(
        Fading(_part(row), StayDates.parse(str(row[4])), cells.from_instant(str(row[5])), row[6] is True)
        for row in cells.rows(columns, name)
    )


def to_writes(writes: Iterable[Write]) -> str:
    """Writes under way, as JSON."""
    return cells.dump(
        [
            [
                w.fence,
                cells.to_instant(w.deadline),
                {night.isoformat(): level for night, level in w.levels.items()},
            ]
            for w in writes
        ]
    )


def writes(columns: cells.Columns, name: str) -> tuple[Write, ...]:
    """Read what ``to_writes`` wrote."""
    return tuple(
        Write(int(str(fence)), cells.from_instant(str(deadline)), _levels(levels))
        for fence, deadline, levels in cells.rows(columns, name)
    )


def _levels(levels: object) -> dict[date, int]:
    if not isinstance(levels, dict):
        raise Unreadable("the nights of a write are not readable")
    return {date.fromisoformat(str(night)): int(level) for night, level in levels.items()}
