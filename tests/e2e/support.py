"""Waiting for other processes: a condition is looked at again and again, up to a deadline that says what is missing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from local.run_example import Rhythm

T = TypeVar("T")

QUICK = Rhythm(
    {
        "POLL_FEEDS_SCHEDULE": "*/2 * * * * *",
        "POLL_ACCOUNTS_SCHEDULE": "*/2 * * * * *",
        "SWEEP_SCHEDULE": "*/2 * * * * *",
        "DEEP_SCHEDULE": "0 0 0 29 2 *",
        "CONSOLE_REQUESTS_PER_MINUTE": "1000000",
    },
    feeds=2,
    pulls=2.0,
    patience=60.0,
)
"""Timers for tests. Booking.com's queue keeps its 20 s; the nightly pass, which asks for whole states, stays away.
Tests look again and again, faster than any person; what they look at may be slow on a busy machine: what is promised in
seconds is measured by the test that promises it."""

_LOOK = 0.05


async def until(look: Callable[[], Awaitable[T]], what: str, seconds: float = 45.0) -> T:
    """The first answer of ``look`` that is true; fails after ``seconds``, saying what was waited for."""
    end = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(_LOOK)
    return found


def logged(log: Path) -> list[dict[str, Any]]:
    """The lines of a host's log after it was ready, but for one that is being written."""
    whole, _, _ = log.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    return [json.loads(line) for line in whole.partition("\nready ")[2].splitlines()[1:]]
