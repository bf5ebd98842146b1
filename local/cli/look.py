"""A look into a calendar link from this machine: the engine's own look, over twins in memory, so that nothing is stored
and no engine need run."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from local.cli.reading import Json
from local.cli.session import named
from shared.adapters.http import HttpxHttp
from shared.adapters.log_voice import SilentTelemetry
from shared.connectors.ical import IcalConnector
from shared.connectors.ical_links import platform_of
from shared.connectors.registry import PLATFORMS
from shared.domain.model import Busy
from shared.domain.platform import Link
from shared.engine.look import LinkDesk, Looked, Refusal
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify
from shared.ports.http import Http
from shared.resilience.retry_after import parse_retry_after

AGENT = "SyncEngine/0.1 (check-feed)"
"""How the calendar's host sees us."""


async def look(pasted: str, platform: str, http: Callable[[], Http] | None = None) -> Json:
    """Fetch a link once, guarded as the engine guards it, and read it: as the API tells it, with ``usable``."""
    way_out = http() if http else HttpxHttp()
    try:
        found = await LinkDesk(_world(way_out)).look(pasted, platform)
    finally:
        await way_out.close()
    return _refused(found) if isinstance(found, Refusal) else _looked(found)


def _refused(found: Refusal) -> Json:
    return {"usable": False, "why": found.why.value, "said": found.said}


def _looked(found: Looked) -> Json:
    return {
        "usable": True,
        "host": found.host,
        "platform": str(found.platform),
        "platform_name": named(found.platform),
        "recognised": found.recognised,
        "stays": found.counted(Busy.STAY),
        "past": found.past,
        "taken": [{"kind": one.kind.value, "nights": str(one.dates)} for one in found.ahead],
        "oddities": list(found.oddities),
    }


def _world(http: Http) -> World:
    def wait(value: str | None) -> float | None:
        return parse_retry_after(value, _wall())

    return World(
        tables=MemoryTables(_wall),
        bus=MemoryBus(_wall, asyncio.sleep),
        apis={},
        feeds=IcalConnector(http, agent=AGENT, retry_after=wait),
        notify=MemoryNotify(),
        telemetry=SilentTelemetry(),
        sleep=asyncio.sleep,
        chance=lambda: 0.5,
        new_id=secrets.token_hex,
        platform_names={platform: entry.name for platform, entry in PLATFORMS.items()},
        recognise=platform_of,
        calendars=tuple(name for name, entry in PLATFORMS.items() if Link.ICAL in entry.links),
    )


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
