"""Dates as calendars write them, and the nights between two of them.

A day is a ``date``; a moment is a ``datetime`` without a zone, on the event's own clock (its TZID, floating, or UTC),
so that no machine's zone can shift it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.dates import ONE_DAY, StayDates

UTC_CLOCK = "Z"
"""The clock of a time written with a Z."""

_MIDNIGHT = time()
_MOMENT = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.IGNORECASE)
_ZONE = re.compile(r';TZID=(?:"([^"]*)"|([^;]*))', re.IGNORECASE)
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})S)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class When:
    """A day or a moment with its clock: ``UTC_CLOCK``, the TZID as written, or "" (floating, or a day)."""

    at: date | datetime
    clock: str = ""

    @property
    def day(self) -> date:
        """The calendar day on its own clock."""
        return self.at.date() if isinstance(self.at, datetime) else self.at


def read_when(head: str, text: str) -> When | None:
    """Read DATE or DATE-TIME, whatever the VALUE parameter claims (exporters forget it); None if it is neither."""
    if len(text) == 8 and text.isdecimal() and text.isascii():
        day = _day(text)
        return None if day is None else When(day)
    match = _MOMENT.fullmatch(text.strip())
    day = _day(match[1]) if match else None
    if match is None or day is None:
        return None
    if match[2] is None:
        return When(day)
    clock = _time(match[2])
    if clock is None:
        return None
    return When(datetime.combine(day, clock), UTC_CLOCK if match[3] else zone_in(head))


def zone_in(head: str) -> str:
    """The TZID among a property's parameters, or ""."""
    match = _ZONE.search(head)
    return (match[1] or match[2] or "") if match else ""


def read_duration(text: str) -> timedelta | None:
    """Read DURATION; None if it is none. A negative one is returned as such."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if match[1] == "-" else length


def end_after(start: When, length: timedelta) -> When | None:
    """Where a duration ends, on the start's clock; None beyond the year 9999 or before the year 1."""
    try:
        return When(start.at + length, start.clock)
    except OverflowError:
        return None


def nights_between(start: When, end: When, home: str) -> StayDates | None:
    """The nights from the first day to the last, at least one; None at the end of the calendar (9999-12-31).

    Days and local times count by their own calendar day. A UTC time is its UTC day, made longer where the home's own
    day (``home``, an IANA zone) says so: at 23:30Z it is tomorrow in Paris, and a night too many is closed rather than
    one too few. Two exceptions keep whole days whole: midnight UTC is a bare date (REPORTED: Greengo writes
    ``T000000Z``), and a pair of UTC times that are both midnight at home are days of the home.
    """
    first, last = start.day, end.day
    if UTC_CLOCK in (start.clock, end.clock):
        first, last = _utc_days(start, end, home)
    if last > first:
        return StayDates(first, last)
    return StayDates(first, first + ONE_DAY) if first < date.max else None


def _utc_days(start: When, end: When, home: str) -> tuple[date, date]:
    there, back = _at_home(start, home), _at_home(end, home)
    if there.time() == _MIDNIGHT and back.time() == _MIDNIGHT:
        return there.date(), back.date()
    return min(start.day, there.date()), max(end.day, back.date())


def _at_home(when: When, home: str) -> datetime:
    # What is no instant, or is a date in disguise, stays where it is.
    if not isinstance(when.at, datetime):
        return datetime.combine(when.at, _MIDNIGHT)
    if when.clock != UTC_CLOCK or when.at.time() == _MIDNIGHT:
        return when.at
    try:
        return when.at.replace(tzinfo=UTC).astimezone(ZoneInfo(home)).replace(tzinfo=None)
    except OverflowError:
        return when.at


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _time(digits: str) -> time | None:
    try:
        # 60 is a leap second: the minute's last second will do.
        return time(int(digits[:2]), int(digits[2:4]), min(int(digits[4:]), 59))
    except ValueError:
        return None
