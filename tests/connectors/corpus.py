"""The calendars others published, read where they lie: most have no licence to be copied into the project."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.connectors.ical_links import ICAL
from shared.connectors.ical_read import read_calendar
from shared.connectors.ical_recur import AHEAD, BACK
from shared.domain.dates import StayDates
from shared.domain.facts import FeedEvent
from shared.domain.model import Busy
from shared.domain.platform import Platform
from shared.ports.platforms import FeedBusy

HERE = Path(__file__).parents[2]
SHARED = HERE.parent / "shared"
TODAY = date(2026, 1, 1)


def read(
    body: bytes | str, platform: Platform = ICAL, zone: str = "Europe/Paris", today: date = TODAY
) -> FeedBusy:
    return read_calendar(body if isinstance(body, bytes) else body.encode(), platform, zone, today)


def ranges(events: tuple[FeedEvent, ...]) -> set[StayDates]:
    return {dates for event in events for dates in event.dates}


def sliding(body: bytes, window: tuple[date, date], zone: str) -> FeedBusy:
    """Everything that starts in the window, read on as many days as our own window needs to pass over it."""
    low, high = window
    day, found, oddities = low + BACK, set[StayDates](), dict[str, None]()
    while True:
        busy = read(body, zone=zone, today=day)
        found |= {dates for dates in ranges(busy.events) if low <= dates.check_in < high}
        oddities |= dict.fromkeys(busy.oddities)
        if day + AHEAD >= high:
            break
        day += AHEAD - timedelta(days=30)  # long occurrences begin before the window
    return FeedBusy((FeedEvent("all", Busy.CLOSED, tuple(sorted(found))),) if found else (), tuple(oddities))


def index() -> list[dict[str, Any]]:
    """The corpus' list, empty where there is none (the tests then skip)."""
    file = SHARED / "corpus" / "ical" / "INDEX.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []


def published(path: str) -> bytes:
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"no ../shared: {path} is not on this machine")
    return file.read_bytes()


def fuzz_cases() -> Iterator[tuple[str, bytes]]:
    file = SHARED / "corpus" / "security" / "ics" / "icalendar_corpus.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        row = json.loads(line)
        yield row["name"], base64.b64decode(row["b64"])
