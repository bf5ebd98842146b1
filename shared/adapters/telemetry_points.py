"""What waits to be sent to Application Insights: numbers added up by name and dimensions, events one by one.

Only names that somebody watches are kept, with dimensions of few values: whatever else the engine tells stands in the
log. The lists are what keeps a guest's name, a secret or a thousand time series out, whoever adds a field elsewhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

METRICS = frozenset(
    {
        "sync_runs",
        "sync_duration_ms",
        "sync_age_s",
        "block_latency_ms",
        "exposure_s",
        "bookings_changed",
        "conflicts_open",
        "conflicts_resolved",
        "circuit_state",
        "mode",
        "platform_calls",
        "rate_budget_left",
        "webhook_rejected",
        "quarantined",
        "work_age_s",
        "dead_letters",
    }
)
"""The numbers that are sent."""

DIMENSIONS = ("platform", "result")
"""What a number is told apart by; other dimensions stay in the log."""

EVENTS = frozenset(
    {
        "sync_completed",
        "conflict_detected",
        "conflict_resolved",
        "circuit_opened",
        "circuit_closed",
        "mode_changed",
    }
)
"""The events that are sent."""

PROPERTIES = frozenset(
    {
        "property",
        "nights",
        "site",
        "platform",
        "account",
        "operation",
        "conflict",
        "severity",
        "state",
        "result",
        "changed",
        "sent",
        "accepted",
        "failed",
        "reopened",
        "seconds",
        "from",
        "to",
        "at",
        "correlation",
    }
)
"""The fields of an event that are sent: ids, dates, counts and words of ours. Never a reason, which may be somebody's
own words."""

MOST_EVENTS = 1_000
"""Events that wait at most; what comes after is lost, and counted."""

MOST_POINTS = 1_000
"""Time series that wait at most."""

MOST_SIGNS = 1_024
"""Signs of one property or dimension."""

SETTING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
"""Where the connection string comes from."""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One number of one time series since the last one was sent. A counter's ``value`` is what was added; a level's and
    a duration's is the sum of ``count`` readings between ``low`` and ``high``. ``at``: the last, seconds since 1970."""

    name: str
    dimensions: Dimensions
    at: float
    value: float
    count: int = 1
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One event with its properties; ``at`` in seconds since 1970."""

    name: str
    at: float
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent in one go."""

    points: tuple[Point, ...] = ()
    events: tuple[Happening, ...] = ()

    def __len__(self) -> int:
        return len(self.points) + len(self.events)


class Points:
    """Gathers from any thread until it is taken. Nothing is ever counted twice: what was taken is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points: dict[tuple[str, Dimensions], Point] = {}
        self._events: list[Happening] = []
        self._dropped = 0

    def __bool__(self) -> bool:
        return bool(self._points or self._events)

    @property
    def has_events(self) -> bool:
        """Whether an event waits."""
        return bool(self._events)

    def add(self, name: str, value: float, dimensions: Mapping[str, str], at: float) -> None:
        """Add to a counter."""
        self._put(Point(name, _kept(dimensions), at, value), name)

    def measure(self, name: str, value: float, dimensions: Mapping[str, str], at: float) -> None:
        """One reading of a level or a duration. All readings count: with two accounts behind one platform, the worst
        of them must not be hidden by the last."""
        self._put(Point(name, _kept(dimensions), at, value, 1, value, value), name)

    def happened(self, name: str, fields: Mapping[str, str | int | float], at: float) -> None:
        """One event."""
        if name not in EVENTS:
            return
        kept = {key: str(value)[:MOST_SIGNS] for key, value in fields.items() if key in PROPERTIES}
        with self._lock:
            if len(self._events) < MOST_EVENTS:
                self._events.append(Happening(name, at, kept))
            else:
                self._dropped += 1

    def take(self) -> Batch:
        """Everything that waits; nothing waits then."""
        with self._lock:
            batch = Batch(tuple(self._points.values()), tuple(self._events))
            self._points, self._events = {}, []
        return batch

    def dropped(self) -> int:
        """How many found no room since this was asked last."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _put(self, new: Point, name: str) -> None:
        if name not in METRICS:
            return
        key = (new.name, new.dimensions)
        with self._lock:
            known = self._points.get(key)
            if known is not None:
                self._points[key] = _sum(known, new)
            elif len(self._points) < MOST_POINTS:
                self._points[key] = new
            else:
                self._dropped += 1


def _sum(known: Point, new: Point) -> Point:
    value = known.value + new.value
    if known.low is None or known.high is None or new.low is None or new.high is None:
        return replace(known, at=new.at, value=value)
    low, high = min(known.low, new.low), max(known.high, new.high)
    return Point(known.name, known.dimensions, new.at, value, known.count + new.count, low, high)


def _kept(dimensions: Mapping[str, str]) -> Dimensions:
    return tuple(
        (name, str(dimensions[name])[:MOST_SIGNS]) for name in DIMENSIONS if dimensions.get(name, "") != ""
    )


def told_plainly(connection: str) -> str:
    """A connection string as both libraries read it alike: neither a semicolon at its end, which both refuse, nor a
    slash after the host, which both would double. They read the setting once more by themselves, whatever they are
    given, so it is written there in the same way."""
    if SETTING in os.environ:
        os.environ[SETTING] = _plain(os.environ[SETTING])
    return _plain(connection)


def _plain(connection: str) -> str:
    parts = (part.strip() for part in connection.split(";"))
    return ";".join(part.rstrip("/") for part in parts if part)
