"""A portfolio played through: engine, simulated platforms and hosts joined on this machine. ``make run`` and the end to
end tests use the same steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from local.run_settings import QUICK, base_values
from local.run_stack import Hosts, Stack, running_stack
from local.sandbox.config import SandboxConfig
from local.sandbox.server import Sandbox, running
from local.sandbox_config import sandbox_settings
from local.webhooks import registered, registrars
from shared.bootstrap.joined import Joined, join
from shared.config import Settings, read
from shared.domain.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How fast everything goes, for eyes that watch. ``feeds`` and ``pulls`` are the seconds between two requests of a
    calendar, theirs by us and ours by them (real platforms take minutes to hours); ``patience`` those an answer of
    the engine or of a platform may take before whoever looks at them counts it as none.

    With 9 s the second tick of a timer of 5 s finds a calendar due. Booking.com's queue keeps its 20 s.
    """

    schedules: Mapping[str, str] = field(default_factory=lambda: QUICK)
    feeds: int = 9
    pulls: float = 10.0
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class Played:
    """What runs. ``links`` are our calendars' addresses by listing: secrets."""

    stack: Stack
    sandbox: Sandbox
    client: httpx.AsyncClient
    links: Mapping[str, str] = field(repr=False)


@asynccontextmanager
async def playing(
    portfolio: Portfolio,
    config: SandboxConfig,
    hosts: Hosts,
    *,
    sandbox_port: int,
    rhythm: Rhythm,
    checks: bool = False,
) -> AsyncIterator[Played]:
    """The portfolio imported, hosts and platforms running and connected, while the block runs. ``config`` plays the
    portfolio's listings in their order; with ``checks`` Airbnb asks us before it sells. Raises what the parts raise
    when they cannot start."""
    base = base_values(own=False) | dict(rhythm.schedules) | sandbox_settings(portfolio)
    base |= {"PUBLIC_BASE_URL": hosts.public, "LOCAL_LOOPBACK_PORTS": str(sandbox_port)}
    async with AsyncExitStack() as opened:
        stack = await opened.enter_async_context(running_stack(hosts, base))
        sandbox = await opened.enter_async_context(running(config, port=sandbox_port, pulling=True))
        client = await opened.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=rhythm.patience))
        links = await start_with(stack, portfolio, rhythm.feeds, register=True)
        asks = {"base": _webhooks(stack), "sync_check": checks}
        (await client.post(f"{sandbox.base}/sandbox/airbnb/webhook", json=asks)).raise_for_status()
        await _connect(sandbox, client, rhythm.pulls, _read_by(portfolio, config, links))
        yield Played(stack, sandbox, client, links)


async def start_with(
    stack: Stack, portfolio: Portfolio, period: int, *, register: bool = False
) -> dict[str, str]:
    """Start the hosts while the portfolio goes into the tables, then ask for the first answers; returns our calendars'
    addresses by listing. ``period`` is how often a calendar link is asked, in seconds; with ``register`` platforms are
    told, by their own API, where to call us. Raises ``RuntimeError`` when one of those did not take it."""
    settings = read(stack.values)
    joined = join(settings, period=period)
    try:
        starting = asyncio.create_task(stack.start_hosts())
        try:
            done = await joined.operations.portfolio.run(portfolio)
        finally:
            await starting
        if register:
            await _register(settings, joined, stack.values)
        await joined.operations.worker.ring_observe()
        # Not by a bell: a link that failed in an earlier run would be asked again only after its pause.
        shards = await joined.operations.world.accounts.directory("shard")
        await asyncio.gather(*(joined.operations.calendars.shard(name, force=True) for name in shards))
    finally:
        await joined.close()
    return {name: f"{settings.public_base_url}/export/{token}.ics" for name, token in done.tokens.items()}


async def _register(settings: Settings, joined: Joined, environment: Mapping[str, str]) -> None:
    world = joined.operations.world
    lines = await registered(settings, world, registrars(joined.http, environment, world.now))
    if failed := [line for line in lines if "failed:" in line]:
        raise RuntimeError("; ".join(failed))


def _read_by(
    portfolio: Portfolio, config: SandboxConfig, links: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Which listing of the sandbox reads which calendar of ours: platform, its id there, address."""
    both = zip(portfolio.listings, config.listings, strict=True)
    return [(str(theirs.platform), theirs.id, links[ours.id]) for ours, theirs in both if ours.id in links]


def _webhooks(stack: Stack) -> str:
    """Where Airbnb calls us."""
    return f"{stack.hosts.public}/webhooks/airbnb/{stack.values['WEBHOOK_SECRET_AIRBNB']}"


async def _connect(
    sandbox: Sandbox,
    client: httpx.AsyncClient,
    pulls: float,
    listings: list[tuple[str, str, str]],
) -> None:
    """Tell the platforms, by the sandbox's control API, where our calendars are."""
    for platform, listing, url in listings:
        address = f"{sandbox.base}/sandbox/{platform}/link/{listing}"
        (await client.post(address, json={"url": url, "every": pulls})).raise_for_status()
