"""The nights of one stay as platforms write them, within what a stay can be."""

from __future__ import annotations

import re
from datetime import date

from shared.domain.dates import StayDates

MOST_NIGHTS = 1100
"""Three years: longer is a slip of somebody's keyboard, and a list of its nights would eat our memory."""

YEARS = range(2000, 2200)
"""Years a stay may lie in: others are defaults of somebody's software, and the last one has no next day."""

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T.*)?", re.ASCII | re.DOTALL)


def read_day(text: str | None) -> date | None:
    """The calendar day at the start of an ISO date or date-time, or None when there is none in ``YEARS``."""
    match = _DAY.fullmatch(text.strip()) if text else None
    try:
        day = date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
    return day if day and day.year in YEARS else None


def bounded_stay(check_in: date | None, check_out: date | None) -> StayDates | None:
    """The nights between two days, or None when a day is missing, they hold no night, or far too many."""
    if check_in is None or check_out is None:
        return None
    return StayDates(check_in, check_out) if 0 < (check_out - check_in).days <= MOST_NIGHTS else None
