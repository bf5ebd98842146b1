"""What a run of the engine would be charged for: executions with their spans, table requests, messages, calls, log."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.adapters.log_voice import LogTelemetry
from shared.adapters.telemetry_points import EVENTS, METRICS

LEAST_PERIOD, STEP = 1.0, 0.1
"""Seconds: an instance's time at work is charged from one second on, and then by tenths (VERIFIED: Microsoft Learn,
"Flex Consumption plan", as read in 2024; that two spans apart are two periods is INFERRED from it)."""

GATHERED = 30
"""Seconds numbers add up before they are sent (``shared.adapters.telemetry_azure.PERIOD``)."""

HTTP = "http"
"""What all HTTP functions are to the plan: they share their instances; every other function has its own."""

Figures = dict[str, float]


@dataclass
class Ledger:
    """Everything counted since the last ``take``. ``seconds`` is the time of the run."""

    seconds: Callable[[], float]
    counts: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[str, float, float]] = field(default_factory=list)
    points: set[tuple[int, str, tuple[tuple[str, str], ...]]] = field(default_factory=set)

    @contextmanager
    def execution(self, function: str, group: str = "") -> Iterator[None]:
        """One invocation of a function; ``group`` is whom it shares instances with."""
        begun = self.seconds()
        self.counts[f"executions {function}"] += 1
        try:
            yield
        finally:
            self.spans.append((group or function, begun, self.seconds()))

    def take(self) -> Figures:
        """What was counted, by name, and count from zero again."""
        found: Figures = {name: float(count) for name, count in sorted(self.counts.items())}
        for group in sorted({name for name, _, _ in self.spans}):
            own = [(begun, end) for name, begun, end in self.spans if name == group]
            found[f"seconds {group}"] = charged(own)
            found[f"longest {group}"] = max(round(end - begun, 2) for begun, end in own)
        found["points"] = float(len(self.points))
        self.counts.clear()
        self.spans.clear()
        self.points.clear()
        return found


def charged(spans: list[tuple[float, float]]) -> float:
    """Seconds that one instance is charged for: what overlaps is one period, none shorter than a second."""
    periods: list[list[float]] = []
    for begun, end in sorted(spans):
        if periods and begun <= periods[-1][1]:
            periods[-1][1] = max(periods[-1][1], end)
        else:
            periods.append([begun, end])
    lengths = (max(LEAST_PERIOD, math.ceil((end - begun) / STEP - 1e-6) * STEP) for begun, end in periods)
    return round(sum(lengths), 1)


class CountedTelemetry(LogTelemetry):
    """The log as it is written, weighed, and the numbers and events that would go to Application Insights."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def event(self, name: str, **fields: str | int | float) -> None:
        """Logged; counted where it is one that is sent."""
        super().event(name, **fields)
        self._ledger.counts["events"] += name in EVENTS

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Logged; one point for each half minute in which it is counted."""
        super().count(name, value, **dimensions)
        self._point(name, dimensions)

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """As above."""
        super().gauge(name, value, **dimensions)
        self._point(name, dimensions)

    def duration(self, name: str, milliseconds: float, **dimensions: str) -> None:
        """As above."""
        super().duration(name, milliseconds, **dimensions)
        self._point(name, dimensions)

    def _point(self, name: str, dimensions: Mapping[str, str]) -> None:
        if name in METRICS:
            slot = int(self._ledger.seconds() // GATHERED)
            self._ledger.points.add((slot, name, tuple(sorted(dimensions.items()))))


class LogScale(logging.Handler):
    """Weighs the lines of our log."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.INFO)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        """One line, with its bytes."""
        self._ledger.counts["log lines"] += 1
        self._ledger.counts["log bytes"] += len(record.getMessage().encode())
