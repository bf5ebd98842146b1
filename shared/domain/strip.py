"""The strip: a source's last 24 hours, one slot each, for one glance. It is kept as a text of some thirty letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

HOURS = 24
"""Slots of a strip, one an hour (UTC); the last is the present hour."""

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Slot(StrEnum):
    """What is known of one hour; each is its own letter in the stored text."""

    NOTHING = "."  # no look was noted
    OK = "+"  # every look was answered
    SOME = "~"  # some were, some not
    FAILED = "-"  # none was


@dataclass(frozen=True, slots=True)
class Strip:
    """Slots up to an hour, oldest first. ``hour`` is the last slot's, counted from 1970."""

    hour: int = 0
    slots: tuple[Slot, ...] = (Slot.NOTHING,) * HOURS

    def at(self, now: datetime) -> tuple[Slot, ...]:
        """The slots that end with the hour of ``now``: what has passed meanwhile is empty."""
        return self._moved(_hour(now)).slots

    def marked(self, when: datetime, *, ok: bool) -> Strip:
        """With one more look and how it ended; one before the strip's first hour is left out."""
        hour = _hour(when)
        moved = self._moved(max(hour, self.hour))
        place = HOURS - 1 - (moved.hour - hour)
        if place < 0:
            return moved
        slots = list(moved.slots)
        slots[place] = _joined(slots[place], ok=ok)
        return Strip(moved.hour, tuple(slots))

    def _moved(self, hour: int) -> Strip:
        passed = min(max(hour - self.hour, 0), HOURS)
        return Strip(max(hour, self.hour), self.slots[passed:] + (Slot.NOTHING,) * passed)


def to_text(strip: Strip) -> str:
    """The text ``from_text`` reads."""
    return f"{strip.hour}{''.join(strip.slots)}"


def from_text(text: str) -> Strip:
    """A stored strip; an empty one for anything no release wrote: it is for people to look at, nothing rests on it."""
    number, letters = text[:-HOURS], text[-HOURS:]
    if not (number.isascii() and number.isdigit() and len(number) <= 9 and len(letters) == HOURS):
        return Strip()
    try:
        return Strip(int(number), tuple(Slot(letter) for letter in letters))
    except ValueError:
        return Strip()


def marked(text: str, when: datetime, *, ok: bool) -> str:
    """A stored strip with one more look. Most looks say what their hour says already: then nothing is taken apart."""
    if ok and text.endswith(Slot.OK) and text[:-HOURS] == str(_hour(when)):
        return text
    return to_text(from_text(text).marked(when, ok=ok))


def of_looks(looks: Iterable[tuple[datetime, bool]]) -> Strip:
    """The strip of these looks, each with whether it was answered."""
    strip = Strip()
    for when, ok in sorted(looks):
        strip = strip.marked(when, ok=ok)
    return strip


def _joined(slot: Slot, *, ok: bool) -> Slot:
    new = Slot.OK if ok else Slot.FAILED
    return new if slot in (Slot.NOTHING, new) else Slot.SOME


def _hour(at: datetime) -> int:
    return (at - _EPOCH) // _HOUR
