"""The world of an engine: every port with the adapter, connector or reading that the settings name."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.adapters.secrets import SettingSecrets
from shared.bootstrap.clients import wall
from shared.bootstrap.guard import Guarded, guarded, retry_policy
from shared.bootstrap.notify import everywhere, open_notify, ways
from shared.bootstrap.voices import voice
from shared.config import Settings
from shared.connectors.ical import IcalConnector
from shared.connectors.ical_links import platform_of
from shared.connectors.registry import PLATFORMS, connect, console_link
from shared.domain.addresses import is_own_machine
from shared.domain.platform import Link
from shared.engine.world import CONFLICTS, WORK, World
from shared.ports.bus import Bus
from shared.ports.http import Http
from shared.ports.stores import Tables
from shared.resilience.ladder import climb
from shared.resilience.politeness import pace, rate_of
from shared.resilience.retry_after import parse_retry_after

if TYPE_CHECKING:
    from shared.ports.portfolio import PortfolioText


def open_world(settings: Settings, tables: Tables, bus: Bus, http: Http) -> World:
    """Everything the engine asks of the world. Nothing is asked yet."""

    def retry_after(value: str | None) -> float | None:
        return parse_retry_after(value, tables.now())

    def new_id() -> str:
        return secrets.token_urlsafe(24)

    def portfolio_text() -> PortfolioText:
        from shared.bootstrap.portfolio import YamlPortfolio  # YAML: needed by imports and downloads alone

        return YamlPortfolio(settings.loopback_ports, settings.base_urls)

    telemetry = voice(settings)
    apis = _apis(settings, tables, http, retry_after)
    return World(
        tables=tables,
        bus=bus,
        apis=apis.apis,
        feeds=IcalConnector(http, agent=f"SyncEngine/0.1 (+{settings.contact})", retry_after=retry_after),
        notify=open_notify(settings, tables, http, telemetry, new_id),
        telemetry=telemetry,
        sleep=asyncio.sleep,
        chance=random.SystemRandom().random,
        new_id=new_id,
        platform_names={platform: entry.name for platform, entry in PLATFORMS.items()},
        agents={platform: entry.agents for platform, entry in PLATFORMS.items()},
        doorbells=frozenset(name for name, entry in PLATFORMS.items() if entry.webhook and entry.poll_every),
        callers=frozenset(
            name for name, entry in PLATFORMS.items() if entry.webhook and name in settings.webhook_secrets
        ),
        queue_names={WORK: settings.work_queue, CONFLICTS: settings.conflicts_queue},
        base_urls=settings.base_urls,
        ladder=climb,
        console_link=console_link,
        pacing=_pacing,
        recognise=platform_of,
        calendars=tuple(name for name, entry in PLATFORMS.items() if Link.ICAL in entry.links),
        circuits=apis.circuits,
        budgets=apis.budgets,
        portfolio_text=portfolio_text,
        ways=ways(settings.notify),
        unreachable=is_own_machine(settings.public_base_url),
        host=os.environ.get("WEBSITE_INSTANCE_ID", "")[:12] or socket.gethostname(),
        wall=wall,
        alive=sign_of_life(settings, http),
        everywhere=everywhere(settings),
    )


def sign_of_life(settings: Settings, http: Http) -> Callable[[], Awaitable[None]] | None:
    """The ping for a service outside that notices when it does not come; None where no address is set."""
    if not settings.dead_man_url:
        return None
    from shared.adapters.dead_man import DeadMan

    return DeadMan(http, settings.dead_man_url, voice(settings), time.monotonic)


def _apis(
    settings: Settings, tables: Tables, http: Http, retry_after: Callable[[str | None], float | None]
) -> Guarded:
    keys = SettingSecrets(os.environ)
    bare = {
        platform: connect(platform, http, keys, clock=tables.now, retry_after=retry_after)
        for platform, entry in PLATFORMS.items()
        if entry.connector
    }
    return guarded(bare, tables, voice(settings), retry_policy(settings))


def _pacing(host: str, links: int, wished: float, stake: float | None) -> tuple[float, str]:
    found = pace(links, wished=wished, stake=stake, rate=rate_of(host))
    return found.seconds, found.reason.get("en", "")
