"""Whether a recurrence rule may be expanded: decided on paper, since a running expansion cannot be interrupted.

``dateutil`` looks for the next date until the year 9999. A rule that never matches (30 February, every seventh day but
only on a Monday that never comes) costs seconds, one with INTERVAL=0 never ends. So a rule is expanded only when
its form is known, the way from DTSTART to the window is short, and a match beyond the window's end was seen here:
then the library's walk is bounded by both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_NUMBER = "[+-]?[0-9]{1,3}"
_FORMS = {
    "FREQ": re.compile("DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": re.compile("[1-9][0-9]{0,3}"),
    "COUNT": re.compile("[1-9][0-9]{0,11}"),
    "UNTIL": re.compile("[0-9]{8}(?:T[0-9]{6}Z?)?"),
    "WKST": re.compile(_DAY),
    "BYMONTH": re.compile("[0-9]{1,2}(?:,[0-9]{1,2}){0,11}"),
    "BYMONTHDAY": re.compile(f"{_NUMBER}(?:,{_NUMBER}){{0,30}}"),
    "BYDAY": re.compile(f"(?:{_NUMBER})?{_DAY}(?:,(?:{_NUMBER})?{_DAY}){{0,13}}"),
    "BYSETPOS": re.compile(f"{_NUMBER}(?:,{_NUMBER}){{0,13}}"),
    # One time of day is common; several would only repeat the same night.
    "BYHOUR": re.compile("[0-9]{1,2}"),
    "BYMINUTE": re.compile("[0-9]{1,2}"),
    "BYSECOND": re.compile("[0-9]{1,2}"),
}

# What one period costs the library next to a day's, and how many periods beyond the window are searched for a match:
# enough for 29 February over the leap year left out in 2100.
_COST = {"DAILY": 1, "WEEKLY": 2, "MONTHLY": 5, "YEARLY": 40}
_SEARCHED = {"DAILY": 3000, "WEEKLY": 450, "MONTHLY": 110, "YEARLY": 30}
_MOST_COST = 25_000
"""About 68 years of days before the window: under 0.1 s of the library's walk."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a known form: its parts by name, as text."""

    parts: dict[str, str]

    def text(self, until: str = "") -> str:
        """The rule as RRULE wants it, with another UNTIL where one is given."""
        parts = self.parts | {"UNTIL": until} if until else self.parts
        return ";".join(f"{name}={value}" for name, value in parts.items())

    def numbers(self, name: str) -> tuple[int, ...]:
        """The whole numbers of a part, none where it is missing."""
        return tuple(int(number) for number in self.parts.get(name, "").split(",") if number)


def parse_rule(text: str) -> Rule | str:
    """Read a rule, or say in words why it is not expanded."""
    parts: dict[str, str] = {}
    for piece in text.strip().upper().rstrip(";").split(";"):
        name, _, value = piece.partition("=")
        form = _FORMS.get(name)
        if form is None or name in parts:
            return "it has a part that is not expanded"
        if form.fullmatch(value) is None:
            return f"its {name} is not expanded"
        parts[name] = value
    return Rule(parts) if "FREQ" in parts else "it has no FREQ"


def refusal(rule: Rule, start: date, stop: date) -> str:
    """Why expanding ``rule`` from ``start`` to ``stop`` could take too long, in words; "" when it is safe."""
    freq, interval = rule.parts["FREQ"], int(rule.parts.get("INTERVAL", "1"))
    skipped = max(0, _periods_until(freq, start, stop) // interval)
    if skipped * _COST[freq] > _MOST_COST:
        return "it begins too long ago"
    filters = _Filters.of(rule, start)
    # RFC 5545 means either of the two, dateutil days that are both: fewer nights, or none for ever.
    if filters.weekdays and filters.nth:
        return "it mixes weekdays with and without a number"
    wanted = max((abs(place) for place in rule.numbers("BYSETPOS")), default=1)
    for days in islice(_periods(freq, interval, start, skipped + 1, rule), _SEARCHED[freq]):
        if sum(map(filters.allow, days)) >= wanted:
            return ""
    return "it hardly ever or never matches a day"


@dataclass(frozen=True, slots=True)
class _Filters:
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    weekdays: frozenset[int]
    nth: frozenset[tuple[int, int]]
    nth_of_year: bool

    @classmethod
    def of(cls, rule: Rule, start: date) -> _Filters:
        """The days a rule allows; what it leaves out comes from its start, as RFC 5545 section 3.3.10 says."""
        freq = rule.parts["FREQ"]
        months, month_days = rule.numbers("BYMONTH"), rule.numbers("BYMONTHDAY")
        named = [(int(day[:-2] or 0), _WEEKDAYS.index(day[-2:])) for day in _listed(rule, "BYDAY")]
        if not month_days and not named:
            if freq == "YEARLY":
                months, month_days = months or (start.month,), (start.day,)
            elif freq == "MONTHLY":
                month_days = (start.day,)
            elif freq == "WEEKLY":
                named = [(0, start.weekday())]
        counted = freq in ("MONTHLY", "YEARLY")
        return cls(
            months,
            month_days,
            frozenset(day for n, day in named if not n or not counted),
            frozenset((n, day) for n, day in named if n and counted),
            freq == "YEARLY" and not rule.numbers("BYMONTH"),
        )

    def allow(self, day: date) -> bool:
        """Whether the rule's filters leave this day in."""
        if self.months and day.month not in self.months:
            return False
        left = _next_month(day.replace(day=1)) - day
        if self.month_days and day.day not in self.month_days and -left.days not in self.month_days:
            return False
        if not self.weekdays and not self.nth:
            return True
        return day.weekday() in self.weekdays or bool(self.nth and self._is_nth(day))

    def _is_nth(self, day: date) -> bool:
        first = day.replace(month=1, day=1) if self.nth_of_year else day.replace(day=1)
        after = day.replace(year=day.year + 1, month=1, day=1) if self.nth_of_year else _next_month(first)
        from_start = (day - first).days // 7 + 1
        from_end = -(((after - day).days - 1) // 7 + 1)
        return (from_start, day.weekday()) in self.nth or (from_end, day.weekday()) in self.nth


def _listed(rule: Rule, name: str) -> list[str]:
    return [item for item in rule.parts.get(name, "").split(",") if item]


def _periods_until(freq: str, start: date, stop: date) -> int:
    if freq == "YEARLY":
        return stop.year - start.year
    if freq == "MONTHLY":
        return (stop.year - start.year) * 12 + stop.month - start.month
    return (stop - start).days // (7 if freq == "WEEKLY" else 1)


def _periods(freq: str, interval: int, start: date, first: int, rule: Rule) -> Iterator[list[date]]:
    """The days of each period from the ``first`` one on, counted from the start's own, until year 9998."""
    number = first * interval
    while True:
        days = _period(freq, start, number, rule)
        if not days:
            return
        yield days
        number += interval


def _period(freq: str, start: date, number: int, rule: Rule) -> list[date]:
    if freq == "YEARLY":
        year = start.year + number
        return [] if year > 9998 else _days(date(year, 1, 1), date(year + 1, 1, 1))
    if freq == "MONTHLY":
        months = start.year * 12 + start.month - 1 + number
        if months // 12 > 9998:
            return []
        first = date(months // 12, months % 12 + 1, 1)
        return _days(first, _next_month(first))
    length = 7 if freq == "WEEKLY" else 1
    if (date(9998, 12, 31) - start).days < (number + 1) * length:
        return []
    begin = start + timedelta(days=number * length)
    if freq == "WEEKLY":
        begin -= timedelta(days=(start.weekday() - _WEEKDAYS.index(rule.parts.get("WKST", "MO"))) % 7)
    return _days(begin, begin + timedelta(days=length))


def _days(first: date, after: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((after - first).days)]


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
