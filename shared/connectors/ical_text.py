"""The outer form of a calendar: bytes to events, each a few named values still in text.

Our own line reader, for three reasons: calendars of real listings exist that the library refuses as a whole (nine
in the corpus), an error can name its line without quoting it, and it costs a small part of the library's time
(``bench/ical.py``). It is strict about the frame (a torn answer must not pass for a short one) and lenient inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shared.domain.errors import FeedRefused

MOST_BYTES = 2 * 1024 * 1024
"""A calendar of one listing has kilobytes; more is refused."""

MOST_EVENTS = 20_000
_MOST_FAULTS = 20

_DATES = frozenset({"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"})
_RULES = frozenset({"RRULE", "RDATE", "EXDATE"})
_WANTED = _DATES | _RULES | {"UID", "STATUS", "SUMMARY", "DESCRIPTION", "SEQUENCE"}
# Marks in place of a name: a line without a colon, one without a name, one whose first colon stands in quotes.
_BARE, _STRANGE, _QUOTE = "", "?", '"'
_PLACED = _WANTED | {"BEGIN", "END", _BARE, _STRANGE, _QUOTE}

_NAME = re.compile(r"[A-Za-z0-9-]+")
# A quoted parameter may hold a colon: the value begins at the first one outside quotes.
_QUOTED = re.compile(r'((?:[^":]|"[^"]*")*):(.*)', re.DOTALL)


@dataclass(slots=True)
class RawEvent:
    """One VEVENT: ``values`` by name as (head, value), ``rules`` as (name, head, value) in order. The head is the name
    with its parameters. ``line`` counts unfolded lines from 0; ``faults`` says in words what cannot be trusted."""

    number: int
    line: int
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    rules: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def value(self, name: str) -> str:
        """The text after the colon, or "" where the event has no such line."""
        return self.values.get(name, ("", ""))[1]

    def fault(self, why: str) -> None:
        """Note, once, what cannot be trusted."""
        if why not in self.faults:
            self.faults.append(why)


class Scan:
    """A whole calendar, or several in one stream, taken apart.

    Raises ``FeedRefused`` unless it is complete: BEGIN:VCALENDAR to END:VCALENDAR, every component closed where it was
    opened, nothing but blank lines outside, at most ``MOST_BYTES`` and ``MOST_EVENTS``.
    """

    def __init__(self, body: bytes) -> None:
        if len(body) > MOST_BYTES:
            raise FeedRefused(f"the calendar has {len(body)} bytes, more than {MOST_BYTES}")
        self.events: list[RawEvent] = []
        self.faults: list[str] = []
        self._flat = _one_newline(body)
        self._open: list[str] = []
        self._event: RawEvent | None = None
        self._names: dict[str, str] = {}
        self._numbers: list[int] = []
        self._calendars = 0
        self._told_free_busy = False
        self._read(_unfolded(self._flat))

    def where(self, line: int) -> int:
        """The number, from 1, of an unfolded line as an editor shows it."""
        if not self._numbers:
            texts = self._flat.split(b"\n")
            folded = (b" ", b"\t")
            self._numbers = [n for n, text in enumerate(texts, 1) if n == 1 or not text.startswith(folded)]
        return self._numbers[line]

    def _fault(self, index: int, why: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(f"line {self.where(index)}: {why}")

    def _read(self, lines: list[str]) -> None:
        names = self._names
        for index, line in enumerate(lines):
            head, colon, value = line.partition(":")
            name = names.get(head) if colon else _BARE
            if name is None:
                name = names[head] = _name_of(head)
            if name in _PLACED or not self._open:
                self._place(index, line, name, head, value)
        if not self._calendars:
            raise FeedRefused("not a calendar: an empty answer")
        if self._open:
            raise FeedRefused(f"torn off at line {self.where(len(lines) - 1)}: END:VCALENDAR is missing")

    def _place(self, index: int, line: str, name: str, head: str, value: str) -> None:
        if name == "BEGIN":
            self._begin(index, value)
        elif not self._open:
            self._outside(index, line)
        elif name == "END":
            self._end(index, value)
        elif name in (_BARE, _STRANGE, _QUOTE):
            self._odd_line(index, line, name)
        elif self._event is not None and len(self._open) == 2:
            self._keep(self._event, line, name, head, value)

    def _odd_line(self, index: int, line: str, name: str) -> None:
        found = _QUOTED.fullmatch(line) if name == _QUOTE else None
        named = _NAME.match(line)
        if found is None or named is None:
            self._unreadable(index, line)
        elif self._event is not None and len(self._open) == 2 and named.group().upper() in _WANTED:
            self._keep(self._event, line, named.group().upper(), *found.groups())

    def _begin(self, index: int, value: str) -> None:
        component = value.upper()
        if not self._open and component != "VCALENDAR":
            raise FeedRefused(f"line {self.where(index)}: something stands outside BEGIN:VCALENDAR")
        if not _NAME.fullmatch(value):
            raise FeedRefused(f"line {self.where(index)}: a component without a readable name")
        if self._open and (component == "VCALENDAR" or (component == "VEVENT" and len(self._open) > 1)):
            raise FeedRefused(f"line {self.where(index)}: {component} inside another component")
        self._open.append(component)
        if component == "VEVENT":
            self._start_event(index)
        elif component == "VFREEBUSY":
            self._free_busy(index)
        elif component == "VCALENDAR":
            self._calendars += 1

    def _free_busy(self, index: int) -> None:
        # Told once: a host's free/busy view has nothing else, and would read as a calendar without a stay.
        if not self._told_free_busy:
            self._told_free_busy = True
            self._fault(index, "busy times as VFREEBUSY, which is not read")

    def _start_event(self, index: int) -> None:
        if len(self.events) >= MOST_EVENTS:
            raise FeedRefused(f"more than {MOST_EVENTS} events")
        self._event = RawEvent(len(self.events) + 1, index)
        self.events.append(self._event)

    def _end(self, index: int, value: str) -> None:
        if value.upper() != self._open[-1]:
            raise FeedRefused(f"line {self.where(index)}: a component ends that was not the last to begin")
        if self._open.pop() == "VEVENT":
            self._event = None

    def _outside(self, index: int, line: str) -> None:
        if not line.strip(" \t\ufeff"):
            return
        if line[0] == "\ufeff" and line[1:].upper().startswith("BEGIN:"):  # files joined with their marks
            self._begin(index, line.partition(":")[2])
            return
        if not self._calendars:
            where = f"line {self.where(index)} stands before any BEGIN:VCALENDAR"
            raise FeedRefused(f"not a calendar: {_seen(self._flat) or where}")
        raise FeedRefused(f"line {self.where(index)}: something stands after END:VCALENDAR")

    def _unreadable(self, index: int, line: str) -> None:
        # Inside an event only a broken date is a danger; broken prose (a description with bare line ends) is common.
        if self._event is not None and len(self._open) == 2:
            name = _NAME.match(line)
            if name and name.group().upper() in _DATES | _RULES:
                self._event.fault(f"its {name.group().upper()} cannot be read")
        elif len(self._open) == 1 and line.strip():
            self._fault(index, "neither a property nor a component")

    def _keep(self, event: RawEvent, line: str, name: str, head: str, value: str) -> None:
        if name in _RULES:
            event.rules.append((name, *_last_colon(line)))
        elif name in _DATES:
            self._keep_date(event, name, _last_colon(line))
        else:
            event.values.setdefault(name, (head, value))

    def _keep_date(self, event: RawEvent, name: str, found: tuple[str, str]) -> None:
        if event.values.setdefault(name, found) != found:
            event.fault(f"it has two different {name}")


def _last_colon(line: str) -> tuple[str, str]:
    # Dates and rules hold no colon, a time zone's name may, quoted or not.
    head, _, value = line.rpartition(":")
    return head, value


def _name_of(head: str) -> str:
    """The name in capitals that stands before a colon, or a mark for a head that needs a closer look."""
    match = _NAME.match(head)
    if match is None or head[match.end() : match.end() + 1] not in ("", ";"):
        return _STRANGE
    return _QUOTE if head.count('"') % 2 else match.group().upper()


def _one_newline(body: bytes) -> bytes:
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    if b"\r" not in body:
        return body
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _unfolded(flat: bytes) -> list[str]:
    # Before decoding: exporters fold at a byte count, also inside a character.
    whole = flat.replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        text = whole.decode("utf-8")
    except UnicodeDecodeError:
        text = whole.decode("latin-1")
    return text.split("\n")


def _seen(flat: bytes) -> str:
    start = flat[:1000].lstrip()[:16].lower()
    return "an HTML page" if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")) else ""
