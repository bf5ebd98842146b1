"""An engine over the real adapters, with the clients that are closed after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.adapters.http import HttpxHttp
from shared.adapters.http_meter import MeteredHttp
from shared.bootstrap.callers import senders
from shared.bootstrap.clients import open_bus, open_tables
from shared.bootstrap.voices import voice
from shared.bootstrap.world import open_world
from shared.config import Settings
from shared.connectors.ical_export import write_calendar
from shared.connectors.registry import PLATFORMS, checks
from shared.domain.dates import StayDates
from shared.domain.platform import Platform
from shared.engine.operations import Operations
from shared.ports.bus import Bus
from shared.ports.http import Http
from shared.ports.stores import Tables

POLL_PERIOD = 120
"""Seconds between two requests of a calendar link, when nothing else is said."""


@dataclass(frozen=True, slots=True)
class Joined:
    """An engine with the clients that must be closed after it."""

    operations: Operations
    tables: Tables
    bus: Bus
    http: Http

    async def close(self) -> None:
        """Free every connection, also when one of them fails to close."""
        await self.operations.inbox.reception.settle()
        await self.operations.world.notify.close()
        try:
            await self.bus.close()
        finally:
            try:
                await self.http.close()
            finally:
                await self.tables.close()


def join(
    settings: Settings, *, tables: Tables | None = None, bus: Bus | None = None, period: int = POLL_PERIOD
) -> Joined:
    """An engine over the real adapters that the settings name. ``tables`` stands in for the store (benches count its
    round trips), ``bus`` is one that is open already; ``period`` is how often links imported by this engine are asked,
    in seconds. Raises ``SettingsRefused``."""
    tables = tables or open_tables(settings)
    bus = bus or open_bus(settings)
    http = MeteredHttp(HttpxHttp(loopback_ports=settings.loopback_ports), voice(settings), time.monotonic)
    operations = Operations(
        open_world(settings, tables, bus, http),
        _render(settings),
        rhythms(),
        settings.webhook_secrets,
        period,
        checks(),
        senders(settings),
        settings.guest_names_days,
    )
    return Joined(operations, tables, bus, http)


def rhythms() -> dict[Platform, float]:
    """How often each platform with a queue of its own is asked for news, in seconds."""
    return {platform: entry.poll_every for platform, entry in PLATFORMS.items() if entry.poll_every}


def _render(settings: Settings) -> Callable[[Iterable[tuple[StayDates, str]]], bytes]:
    domain = urlsplit(settings.public_base_url).hostname or "sync-engine.invalid"

    def render(closed: Iterable[tuple[StayDates, str]]) -> bytes:
        return write_calendar(closed, seed="", name="Sync Engine", domain=domain, language=settings.language)

    return render
