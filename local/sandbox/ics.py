"""Writing calendar text as the platforms do: fold, escape, line ends, and the odd property order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.dates import StayDates

_FOLD = 75


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an export. ``description`` may be empty, ``stamp`` None where the platform sends no DTSTAMP."""

    uid: str
    dates: StayDates
    summary: str
    description: str = ""
    stamp: datetime | None = None


def render(lines: Iterable[str], eol: str = "\r\n") -> bytes:
    """The lines folded at 75 octets (a character is never cut) and joined; every line ends with ``eol``."""
    return "".join(folded + eol for line in lines for folded in _fold(line)).encode()


def calendar(head: Sequence[str], events: Iterable[Sequence[str]], eol: str = "\r\n") -> bytes:
    """A whole calendar: its head properties, then each event's own lines between BEGIN and END."""
    lines = ["BEGIN:VCALENDAR", *head]
    for event in events:
        lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
    return render([*lines, "END:VCALENDAR"], eol)


def day(name: str, value: date) -> str:
    """A date property with VALUE=DATE."""
    return f"{name};VALUE=DATE:{value:%Y%m%d}"


def midnight(name: str, value: date) -> str:
    """A date written as midnight UTC."""
    return f"{name}:{value:%Y%m%d}T000000Z"


def stamp(at: datetime) -> str:
    """DTSTAMP."""
    return f"DTSTAMP:{at:%Y%m%dT%H%M%SZ}"


def text(name: str, value: str) -> str:
    """A text property with its special characters escaped."""
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")
    return f"{name}:{escaped}"


def _fold(line: str) -> list[str]:
    folded, current, size, room = [], "", 0, _FOLD
    for character in line:
        width = len(character.encode())
        if size + width > room:
            folded.append(current)
            # The space that marks a continuation counts as one of its 75 octets.
            current, size, room = " ", 1, _FOLD
        current, size = current + character, size + width
    return [*folded, current]
