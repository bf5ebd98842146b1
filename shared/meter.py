"""What a run costs and does, counted where it happens: each call and each transaction adds to the meter of the run it
belongs to, wherever in the layers it is made. Outside of a run nothing is counted.

A context variable carries the meter, as it carries the correlation id: tasks that a run starts inherit it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_LINES = 400
"""Lines a detailed meter keeps; what comes after is counted in ``dropped``."""

Line = Mapping[str, str | int]
"""One thing that happened, as a report shows it."""


@dataclass(frozen=True, slots=True)
class Label:
    """Whom a call is made to and what for: what the wire itself cannot know."""

    platform: str = ""
    account: str = ""
    operation: str = ""


@dataclass(slots=True)
class Meter:
    """One run's counts by platform; ``lines`` only when they are ``wanted`` (a job keeps them, a timer's run does not).
    ``why`` and ``error`` say in words what came of it."""

    wanted: bool = False
    figures: dict[str, Counter[str]] = field(default_factory=dict)
    transactions: int = 0
    lines: list[Line] = field(default_factory=list)
    dropped: int = 0
    why: str = ""
    error: str = ""


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
_NOBODY = Label()
_LABEL: ContextVar[Label] = ContextVar("label", default=_NOBODY)


@contextmanager
def metering(*, wanted: bool = False) -> Iterator[Meter]:
    """Count everything done in this block, and in the tasks it starts, into a fresh meter."""
    meter = Meter(wanted)
    token = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(token)


@contextmanager
def calling(platform: str, account: str, operation: str) -> Iterator[None]:
    """Say whom the calls in this block are made to. ``account`` may be a listing, for a calendar link."""
    token = _LABEL.set(Label(platform, account, operation))
    try:
        yield
    finally:
        _LABEL.reset(token)


def label() -> Label:
    """Whom the call under way is made to; empty where nobody said."""
    return _LABEL.get()


def count(platform: str, **figures: int) -> None:
    """Add to the run's figures (``shared.domain.reports.Figures`` names them)."""
    meter = _METER.get()
    if meter is not None:
        counts = meter.figures.setdefault(platform, Counter())
        for name, value in figures.items():
            counts[name] += value


def transaction(_method: str = "", _table: str = "") -> None:
    """One request to the table store left. The arguments are what a store tells of it; they do not matter here."""
    meter = _METER.get()
    if meter is not None:
        meter.transactions += 1


def note(what: str, **fields: str | int) -> None:
    """Keep one line for the report, where one is wanted. No guest, no secret."""
    meter = _METER.get()
    if meter is None or not meter.wanted:
        return
    if len(meter.lines) < MOST_LINES:
        meter.lines.append({"what": what, **fields})
    else:
        meter.dropped += 1


def blame(error: str) -> None:
    """Say what went wrong with a run that goes on or ends without raising."""
    meter = _METER.get()
    if meter is not None:
        meter.error = meter.error or error
