"""The agenda: a calendar's rows as a list of days, for a phone and for whoever cleans."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from shared.domain.dates import StayDates
from shared.domain.timeline import Bar, Row, What, alphabetical

MOST_LINES = 80
"""Lines of one list; it is cut between two days."""

_GUESTS = frozenset({What.STAY, What.REQUEST, What.UNSURE})


@dataclass(frozen=True, slots=True)
class Line:
    """Something on a day at a home: a departure, an arrival, or the first day of a closure (``what`` is "departure",
    "arrival" or "begins"). ``follows`` is the next arrival there, where a departure has one on this page."""

    what: str
    row: Row
    bar: Bar
    follows: date | None = None


@dataclass(frozen=True, slots=True)
class Agenda:
    """Days with their lines; ``next_day`` is where the list goes on, None where it is whole."""

    days: tuple[tuple[date, tuple[Line, ...]], ...]
    next_day: date | None = None


_ORDER = ("departure", "arrival", "begins")


def agenda(rows: Iterable[Row], window: StayDates) -> Agenda:
    """The arrivals and departures of a window, departures first, since a home is cleaned before it is entered."""
    found: dict[date, list[Line]] = {}
    for row in rows:
        for line, day in _of(row):
            if window.check_in <= day < window.check_out:
                found.setdefault(day, []).append(line)
    days: list[tuple[date, tuple[Line, ...]]] = []
    many = 0
    for day in sorted(found):
        if many and many + len(found[day]) > MOST_LINES:
            return Agenda(tuple(days), day)
        many += len(found[day])
        days.append((day, tuple(sorted(found[day], key=_place))))
    return Agenda(tuple(days))


def _of(row: Row) -> Iterable[tuple[Line, date]]:
    """What a home itself sells: what is taken by a home it shares rooms with stands at that one."""
    own = [bar for bar in row.bars() if bar.home == row.home]
    guests = [bar for bar in own if bar.what in _GUESTS]
    arrivals = sorted(bar.dates.check_in for bar in guests)
    for bar in guests:
        yield Line("departure", row, bar, _next(arrivals, bar.dates.check_out)), bar.dates.check_out
        yield Line("arrival", row, bar), bar.dates.check_in
    for bar in own:
        if bar.what is What.BLOCK:
            yield Line("begins", row, bar), bar.dates.check_in


def _next(arrivals: Sequence[date], day: date) -> date | None:
    at = bisect_left(arrivals, day)
    return arrivals[at] if at < len(arrivals) else None


def _place(line: Line) -> tuple[int, str, str, str]:
    return _ORDER.index(line.what), alphabetical(line.row.name), line.row.home, line.bar.key
