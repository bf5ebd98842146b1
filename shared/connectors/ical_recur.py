"""Recurring events, expanded inside a window by ``recurring-ical-events``.

The library gets series rebuilt from what was read here: canonical dates on one clock, vetted rules, numbers for UIDs.
So no stranger's text, time zone definition or rule reaches it, and its cost is bounded before it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from shared.connectors.ical_dates import UTC_CLOCK, When, end_after, read_duration, read_when
from shared.connectors.ical_rules import parse_rule, refusal
from shared.connectors.ical_text import RawEvent
from shared.domain.errors import FeedRefused

BACK, AHEAD = timedelta(days=30), timedelta(days=730)
"""The window around today in which occurrences count: ``[today - BACK, today + AHEAD)``."""

MOST_SERIES = 500
MOST_OVERRIDES = 2_000
MOST_SINGLE_DATES = 5_000
MOST_OCCURRENCES = 10_000
"""Caps for one calendar: the library needs about 2 ms a series and 60 us an occurrence, so the worst is about 1 s."""


@dataclass(frozen=True, slots=True)
class Timed:
    """An event whose dates are read. ``end`` is never before ``start``; both are days, or both are moments."""

    event: RawEvent
    start: When
    end: When

    @property
    def cancelled(self) -> bool:
        """Whether the exporter says that it does not take place."""
        return self.event.value("STATUS").strip().upper() == "CANCELLED"


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring event and the events that replace single occurrences of it."""

    master: Timed
    overrides: tuple[Timed, ...] = ()


class Expansion:
    """Expands the series of one calendar around ``today``; keeps the count that bounds them together."""

    def __init__(self, today: date) -> None:
        self._window = (today - BACK, today + AHEAD)
        self._series = self._overrides = self._dates = self._occurrences = 0

    def expand(self, series: Series) -> tuple[list[tuple[When, When]], list[str]]:
        """The occurrences that touch the window (start and end on the master's clock), and in words what could not be
        expanded; then at least the master's own dates are among them. Raises ``FeedRefused`` over a cap."""
        self._weigh(series)
        lines, faults = _rebuilt(series, self._window[1])
        try:
            found = list(_expanded(lines, self._window, series.master.start.clock))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            faults.append(f"its recurrence cannot be expanded ({type(error).__name__})")
            found = []
        if faults:
            found.append((series.master.start, series.master.end))
        self._occurrences += len(found)
        if self._occurrences > MOST_OCCURRENCES:
            raise FeedRefused(f"more than {MOST_OCCURRENCES} occurrences of recurring events")
        return found, list(dict.fromkeys(faults))

    def _weigh(self, series: Series) -> None:
        rules = series.master.event.rules
        self._series += max(1, sum(name == "RRULE" for name, _, _ in rules))
        self._overrides += len(series.overrides)
        self._dates += sum(value.count(",") + 1 for name, _, value in rules if name != "RRULE")
        if self._series > MOST_SERIES:
            raise FeedRefused(f"more than {MOST_SERIES} recurring events")
        if self._overrides > MOST_OVERRIDES:
            raise FeedRefused(f"more than {MOST_OVERRIDES} changed occurrences of recurring events")
        if self._dates > MOST_SINGLE_DATES:
            raise FeedRefused(f"more than {MOST_SINGLE_DATES} single dates in recurring events")


def _expanded(lines: Sequence[str], window: tuple[date, date], clock: str) -> Iterator[tuple[When, When]]:
    # Together 110 ms to import, so only a calendar that recurs pays for them.
    import icalendar
    import recurring_ical_events

    calendar = icalendar.Calendar.from_ical("\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR", "")))
    for found in recurring_ical_events.of(calendar).between(*window):
        if found.get("STATUS") != "CANCELLED":
            yield When(found["DTSTART"].dt, clock), When(found["DTEND"].dt, clock)


def _rebuilt(series: Series, stop: date) -> tuple[list[str], list[str]]:
    master = series.master
    lines = ["BEGIN:VEVENT", *_common(master, master.start.clock)]
    faults: list[str] = []
    for name, head, value in master.event.rules:
        if name == "RRULE":
            lines.extend(_rule(value, master.start, stop, faults))
        else:
            lines.extend(_singles(name, head, value, master.start, faults))
    lines.append("END:VEVENT")
    for override in series.overrides:
        lines.extend(_override(override, master.start, faults))
    return lines, faults


def _common(timed: Timed, clock: str) -> list[str]:
    lines = [
        "UID:1",
        _line("DTSTART", on_clock(timed.start, clock)),
        _line("DTEND", on_clock(timed.end, clock)),
    ]
    sequence = timed.event.value("SEQUENCE").strip()
    if sequence.isdecimal() and sequence.isascii() and len(sequence) < 10:
        lines.append(f"SEQUENCE:{sequence}")
    return lines


def _rule(text: str, start: When, stop: date, faults: list[str]) -> list[str]:
    rule = parse_rule(text)
    if isinstance(rule, str):
        faults.append(f"its RRULE is left out: {rule}")
        return []
    reason = refusal(rule, start.day, stop)
    if reason:
        faults.append(f"its RRULE is left out: {reason}")
        return []
    until = read_when("", rule.parts.get("UNTIL", ""))
    return [f"RRULE:{rule.text(_until(until, start) if until else '')}"]


def _until(until: When, start: When) -> str:
    """UNTIL in the form of the start: a day for days; for moments the start's clock, a bare day meaning all of it."""
    at = on_clock(until, start.clock)
    if not isinstance(start.at, datetime):
        return _text(at)[:8]
    return _text(at) if isinstance(at, datetime) else f"{_text(at)}T235959"


def _singles(name: str, head: str, value: str, start: When, faults: list[str]) -> Iterator[str]:
    for item in value.split(","):
        first, slash, last = item.partition("/")
        when = read_when(head, first)
        if when is None:
            faults.append(f"one {name} cannot be read")
            continue
        at = on_clock(when, start.clock)
        if not isinstance(start.at, datetime) and isinstance(at, datetime):
            at = at.date()
        end = _period_end(when, head, last, start.clock) if slash and name == "RDATE" else None
        if end is not None and isinstance(at, datetime) and isinstance(end, datetime):
            yield f"RDATE;VALUE=PERIOD:{_text(at)}/{_text(max(at, end))}"
        else:
            yield _line(name, at)


def _period_end(start: When, head: str, text: str, clock: str) -> date | datetime | None:
    length = read_duration(text)
    end = read_when(head, text) if length is None else end_after(start, length)
    return None if end is None else on_clock(end, clock)


def _override(timed: Timed, master: When, faults: list[str]) -> list[str]:
    head, value = timed.event.values["RECURRENCE-ID"]
    replaced = read_when(head, value)
    if replaced is None:
        faults.append("a RECURRENCE-ID cannot be read")
        return []
    onward = ";RANGE=THISANDFUTURE" if "RANGE=THISANDFUTURE" in head.upper() else ""
    return [
        "BEGIN:VEVENT",
        *_common(timed, master.clock),
        *(["STATUS:CANCELLED"] if timed.cancelled else []),
        _line(f"RECURRENCE-ID{onward}", on_clock(replaced, master.clock)),
        "END:VEVENT",
    ]


def on_clock(when: When, clock: str) -> date | datetime:
    """The same instant as another clock shows it; unchanged for days and where either clock's zone is unknown."""
    if not isinstance(when.at, datetime) or when.clock == clock:
        return when.at
    source, target = _zone(when.clock), _zone(clock)
    if source is None or target is None:
        return when.at
    try:
        return when.at.replace(tzinfo=source).astimezone(target).replace(tzinfo=None)
    except OverflowError:
        return when.at


def _zone(clock: str) -> tzinfo | None:
    if clock == UTC_CLOCK:
        return UTC
    try:
        return ZoneInfo(clock)
    except (LookupError, ValueError, OSError):  # unknown, not a name, or the name of a folder
        return None


def _line(name: str, at: date | datetime) -> str:
    return f"{name}:{_text(at)}" if isinstance(at, datetime) else f"{name};VALUE=DATE:{_text(at)}"


def _text(at: date | datetime) -> str:
    return at.isoformat().replace("-", "").replace(":", "")
