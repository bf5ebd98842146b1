"""Nights that lie ahead on whatever day the tests run: they run on the machine's own clock. Tests and pages name them
as they were written, in the month ``WRITTEN``; from then on all of them go along, month by month."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime

WRITTEN = date(2026, 11, 1)

_MONTHS = (
    "January February March April May June July August September October November December",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
)
_ISO = re.compile(r"\b(20\d\d)-(\d\d)(?=-\d\d\b)")
_SPOKEN = tuple(
    (names.split(), re.compile(rf"\b({'|'.join(names.split())})(\s)(20\d\d)\b")) for names in _MONTHS
)


def _since() -> int:
    today = datetime.fromtimestamp(time.time(), UTC).date()
    return max(0, 12 * (today.year - WRITTEN.year) + today.month - WRITTEN.month)


SINCE = _since()
"""Months from then to the day of this run."""


def ahead(text: str, months: int = SINCE) -> str:
    """The text with its dates so many months later: "2027-07-10", "10–13 July 2027", "10–13 juillet 2027"."""

    def later(year: str, month: int) -> tuple[int, int]:
        years, place = divmod(month - 1 + months, 12)
        return int(year) + years, place

    def iso(found: re.Match[str]) -> str:
        year, place = later(found[1], int(found[2]))
        return f"{year}-{place + 1:02}"

    text = _ISO.sub(iso, text)
    for names, spoken in _SPOKEN:

        def said(found: re.Match[str], names: list[str] = names) -> str:
            year, place = later(found[3], names.index(found[1]) + 1)
            return f"{names[place]}{found[2]}{year}"

        text = spoken.sub(said, text)
    return text


def day_ahead(written: str) -> date:
    """The day of that date, ahead. Its number in the month stays: none after the 28th."""
    return date.fromisoformat(ahead(written))
