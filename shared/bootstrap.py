"""The one place that joins engine, connectors, adapters and twins.

Nothing is read, built or imported before the first call: Azure loads no function at all when an import fails, and
each import is paid at every cold start. One engine for each event loop, since the clients' connections belong to it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from shared.ports import Telemetry
from shared.use_cases import Console, Engine, Receiver

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.domain.dates import StayDates
    from shared.domain.model import Platform
    from shared.engine.engine import SyncEngine
    from shared.engine.front import Front
    from shared.engine.operations import Operations
    from shared.engine.webhooks import Senders
    from shared.engine.world import World
    from shared.ports import ApiConnector, Budgets, Bus, Circuits, Http, Tables
    from shared.ports.portfolio import PortfolioText
    from shared.resilience.retry import RetryPolicyConfig

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


_built: WeakKeyDictionary[asyncio.AbstractEventLoop, Joined] = WeakKeyDictionary()
_fronts: WeakKeyDictionary[asyncio.AbstractEventLoop, Front] = WeakKeyDictionary()
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Tables, Bus]] = WeakKeyDictionary()
"""The tables and the bus of the front and of the engine: whoever comes second finds their connections open."""
_doors: WeakKeyDictionary[asyncio.AbstractEventLoop, Console] = WeakKeyDictionary()
_voices: dict[tuple[str, str, bool], Telemetry] = {}
"""One for the whole process: numbers are added up over all its engines."""


def engine() -> Engine:
    """The engine of this process and event loop, built at the first call. Raises ``SettingsRefused``."""
    loop = asyncio.get_running_loop()
    joined = _built.get(loop)
    if joined is None:
        from shared.config import current

        tables, bus = _opened(current())
        joined = _built[loop] = join(current(), tables=tables, bus=bus)
    return joined.operations


def receiver() -> Receiver:
    """Who takes webhooks: the engine where there is one, else a front that is up in a third of its time. Raises
    ``SettingsRefused``."""
    loop = asyncio.get_running_loop()
    if loop in _built:
        return _built[loop].operations
    front = _fronts.get(loop)
    if front is None:
        from shared.config import current

        front = _fronts[loop] = _front(current())
    return front


def _front(settings: Settings) -> Front:
    import secrets

    from shared.connectors.registry import PLATFORMS
    from shared.engine.front import Front

    tables, bus = _opened(settings)
    return Front(
        tables,
        bus,
        _voice(settings),
        lambda: secrets.token_urlsafe(24),
        settings.work_queue,
        frozenset(name for name, entry in PLATFORMS.items() if entry.connector),
        frozenset(name for name, entry in PLATFORMS.items() if entry.check),
        settings.webhook_secrets,
        _senders(settings),
        engine,
    )


def _opened(settings: Settings) -> tuple[Tables, Bus]:
    """This event loop's clients; neither connects before its first call."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = _tables(settings), _bus(settings)
    return _clients[loop]


def _bus(settings: Settings) -> Bus:
    from shared.adapters.service_bus import ServiceBus

    return ServiceBus(connection_string=settings.service_bus, namespace=settings.service_bus_namespace)


def console() -> Console:
    """The console of this process and event loop, over its engine. Raises ``SettingsRefused``."""
    loop = asyncio.get_running_loop()
    door = _doors.get(loop)
    if door is None:
        from shared.config import current

        engine()
        door = _doors[loop] = open_door(_built[loop].operations, current())
    return door


def open_door(operations: Operations, settings: Settings) -> Console:
    """The console's door before an engine."""
    from shared.state.notes import NoteStore
    from shared.state.people import PeopleStore
    from shared.web.desk import Desk
    from shared.web.door import Door
    from shared.web.limit import Limit
    from shared.web.local_keys import LocalKeys
    from shared.web.render import Pages
    from shared.web.sign_in import AzureSignIn, LocalSignIn, SignIn

    tables = operations.world.tables
    keys = LocalKeys(settings.sign_in_key, NoteStore(tables)) if settings.sign_in == "local" else None
    sign_in: SignIn = (
        LocalSignIn(keys)
        if keys is not None
        else AzureSignIn(PeopleStore(tables), settings.auth_enabled, settings.operators)
    )
    desk = Desk(operations, Pages(), settings.public_base_url, keys)
    calls = settings.requests_per_minute
    return Door(desk, sign_in, Limit(calls, 60, time.monotonic), Limit(60, 60, time.monotonic))


def sync_engine() -> SyncEngine:
    """The same engine as one object with six methods, for programs without triggers. Raises ``SettingsRefused``."""
    from shared.engine.engine import SyncEngine

    engine()
    return SyncEngine(_built[asyncio.get_running_loop()].operations, _rhythms())


def telemetry() -> Telemetry:
    """Where the trigger edge counts failures: the engine's own, or the log before there is an engine. Never raises,
    also when the settings are wrong."""
    from shared.adapters.log_voice import LogTelemetry

    return next(reversed(_voices.values()), None) or LogTelemetry()


async def flush(*, everything: bool = False) -> None:
    """Hand on what an invocation gathered to be sent; a second at most, and nothing where nothing is sent anywhere."""
    for voice in list(_voices.values()):
        await voice.flush(everything=everything)


async def close() -> None:
    """Free the connections of this event loop's engine, if one was built."""
    loop = asyncio.get_running_loop()
    _doors.pop(loop, None)
    front, joined, clients = _fronts.pop(loop, None), _built.pop(loop, None), _clients.pop(loop, None)
    if front is not None:
        await front.reception.settle()
    if joined is not None:
        await joined.close()
    elif clients is not None:
        await clients[1].close()
        await clients[0].close()
    if clients is not None:
        await flush(everything=True)


def join(
    settings: Settings, *, tables: Tables | None = None, bus: Bus | None = None, period: int = POLL_PERIOD
) -> Joined:
    """An engine over the real adapters that the settings name. ``tables`` stands in for the store (benches count its
    round trips), ``bus`` is one that is open already; ``period`` is how often links imported by this engine are asked,
    in seconds."""
    from shared.adapters.http import HttpxHttp
    from shared.adapters.http_meter import MeteredHttp
    from shared.connectors.registry import checks
    from shared.engine.operations import Operations

    tables = tables or _tables(settings)
    bus = bus or _bus(settings)
    http = MeteredHttp(HttpxHttp(loopback_ports=settings.loopback_ports), _voice(settings), time.monotonic)
    world = _world(settings, tables, bus, http)
    operations = Operations(
        world,
        _render(settings),
        _rhythms(),
        settings.webhook_secrets,
        period,
        checks(),
        _senders(settings),
        settings.guest_names_days,
    )
    return Joined(operations, tables, bus, http)


def _senders(settings: Settings) -> Senders:
    """What is known of those who call us. Raises ``SettingsRefused`` for signing keys nobody can use."""
    from ipaddress import ip_network

    from shared.config import SettingsRefused
    from shared.connectors.registry import PLATFORMS
    from shared.connectors.webhook_signature import verifier
    from shared.domain.errors import PayloadRejected
    from shared.domain.model import Platform
    from shared.engine.webhooks import Senders

    verifiers, problems = {}, []
    for name, keys in settings.webhook_keys.items():
        entry = PLATFORMS.get(Platform(name))
        try:
            verifiers[name] = verifier(entry.signature if entry else "", keys)
        except PayloadRejected as wrong:
            problems.append(f"WEBHOOK_KEY_{name.upper()}: {wrong}")
    if problems:
        raise SettingsRefused(problems)
    networks = {
        name: tuple(ip_network(one) for one in listed) for name, listed in settings.webhook_networks.items()
    }
    return Senders(verifiers, networks, {platform: entry.mail for platform, entry in PLATFORMS.items()})


def _tables(settings: Settings) -> Tables:
    from shared import meter
    from shared.adapters.table_store import open_tables

    if settings.storage:
        return open_tables(
            connection_string=settings.storage,
            monotonic=time.monotonic,
            wall=_wall,
            on_request=meter.transaction,
        )
    url = f"https://{settings.storage_account}.table.core.windows.net"
    return open_tables(account_url=url, monotonic=time.monotonic, wall=_wall, on_request=meter.transaction)


def _wall() -> datetime:
    """This host's own clock."""
    return datetime.fromtimestamp(time.time(), UTC)


def _alive(settings: Settings, http: Http) -> Callable[[], Awaitable[None]] | None:
    """The sign of life for a service outside, where one is set."""
    if not settings.dead_man_url:
        return None
    from shared.adapters.dead_man import DeadMan

    return DeadMan(http, settings.dead_man_url, _voice(settings), time.monotonic)


def _voice(settings: Settings) -> Telemetry:
    key = (settings.telemetry, settings.telemetry_connection, settings.telemetry_keyless)
    if key not in _voices:
        _voices[key] = _new_voice(settings)
    return _voices[key]


def _new_voice(settings: Settings) -> Telemetry:
    from shared.adapters.log_voice import LogTelemetry, SilentTelemetry

    if settings.telemetry == "off":
        return SilentTelemetry()
    if settings.telemetry == "log":
        return LogTelemetry()
    from shared.adapters.telemetry_azure import TIMEOUT, AzureTelemetry, Sender

    connection, role = settings.telemetry_connection, os.environ.get("WEBSITE_SITE_NAME", "sync-engine")
    credential = _credential if settings.telemetry_keyless else None

    def opencensus() -> Sender:
        from shared.adapters.telemetry_opencensus import OpenCensusSender

        return OpenCensusSender(connection, role, TIMEOUT, credential)

    def otel() -> Sender:
        from shared.adapters.telemetry_otel import OtelSender

        return OtelSender(connection, role, TIMEOUT, credential)

    return AzureTelemetry(otel if settings.telemetry == "otel" else opencensus)


def _credential() -> object:
    """The process's identity, for a library that asks synchronously."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _world(settings: Settings, tables: Tables, bus: Bus, http: Http) -> World:
    import random
    import secrets

    from shared.adapters.secrets import SettingSecrets
    from shared.bootstrap_notify import everywhere, open_notify, ways
    from shared.connectors.ical import IcalConnector
    from shared.connectors.ical_links import platform_of
    from shared.connectors.registry import PLATFORMS, connect, console_link
    from shared.domain.model import Link
    from shared.engine.world import CONFLICTS, WORK, World
    from shared.resilience.ladder import climb
    from shared.resilience.retry_after import parse_retry_after

    def retry_after(value: str | None) -> float | None:
        return parse_retry_after(value, tables.now())

    def new_id() -> str:
        return secrets.token_urlsafe(24)

    def portfolio_text() -> PortfolioText:
        from shared.bootstrap_portfolio import YamlPortfolio

        return YamlPortfolio(settings.loopback_ports, settings.base_urls)

    keys = SettingSecrets(os.environ)
    apis = {
        platform: connect(platform, http, keys, clock=tables.now, retry_after=retry_after)
        for platform, entry in PLATFORMS.items()
        if entry.connector
    }
    agent = f"SyncEngine/0.1 (+{settings.contact})"
    apis, circuits, budgets = _guarded(apis, tables, _voice(settings), _policy(settings))
    return World(
        tables=tables,
        bus=bus,
        apis=apis,
        feeds=IcalConnector(http, agent=agent, retry_after=retry_after),
        notify=open_notify(settings, tables, http, _voice(settings), new_id),
        telemetry=_voice(settings),
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
        circuits=circuits,
        budgets=budgets,
        portfolio_text=portfolio_text,
        ways=ways(settings.notify),
        host=os.environ.get("WEBSITE_INSTANCE_ID", "")[:12] or socket.gethostname(),
        wall=_wall,
        alive=_alive(settings, http),
        everywhere=everywhere(settings),
    )


def _guarded(
    apis: dict[Platform, ApiConnector], tables: Tables, voice: Telemetry, policy: RetryPolicyConfig
) -> tuple[dict[Platform, ApiConnector], Circuits, Budgets]:
    """The connectors behind their guard, the circuits their calls pass through, and what is left of their limits."""
    import random
    import secrets

    from shared.connectors.guard.breakers import Breakers
    from shared.connectors.guard.guarded import Guard, GuardedConnector
    from shared.connectors.guard.limiter import PlatformBudgets, limiter_for
    from shared.connectors.registry import find
    from shared.state.notes import NoteStore

    notes, host = NoteStore(tables), secrets.token_urlsafe(6)

    limiters = {
        name: limiter_for(
            find(name), notes, clock=tables.now, sleep=asyncio.sleep, host=host, telemetry=voice
        )
        for name in apis
    }
    breakers = Breakers(notes, voice, now=tables.now, monotonic=time.monotonic)
    chance = random.SystemRandom().random
    now, monotonic = tables.now, time.monotonic
    guard = Guard(breakers, now=now, monotonic=monotonic, sleep=asyncio.sleep, chance=chance, policy=policy)
    guarded: dict[Platform, ApiConnector] = {
        name: GuardedConnector(one, guard, limiters[name]) for name, one in apis.items()
    }
    return guarded, breakers, PlatformBudgets(limiters)


def _policy(settings: Settings) -> RetryPolicyConfig:
    from datetime import timedelta

    from shared.resilience.retry import RetryPolicyConfig

    most, base, multiplier, longest = settings.retry
    return RetryPolicyConfig(int(most), timedelta(seconds=base), multiplier, timedelta(seconds=longest))


def _pacing(host: str, links: int, wished: float, stake: float | None) -> tuple[float, str]:
    from shared.resilience.politeness import pace, rate_of

    found = pace(links, wished=wished, stake=stake, rate=rate_of(host))
    return found.seconds, found.reason.get("en", "")


def _render(settings: Settings) -> Callable[[Iterable[tuple[StayDates, str]]], bytes]:
    from urllib.parse import urlsplit

    from shared.connectors.ical_export import write_calendar

    domain = urlsplit(settings.public_base_url).hostname or "sync-engine.invalid"

    def render(closed: Iterable[tuple[StayDates, str]]) -> bytes:
        return write_calendar(closed, seed="", name="Sync Engine", domain=domain, language=settings.language)

    return render


def _rhythms() -> dict[Platform, float]:
    from shared.connectors.registry import PLATFORMS

    return {platform: entry.poll_every for platform, entry in PLATFORMS.items() if entry.poll_every}
