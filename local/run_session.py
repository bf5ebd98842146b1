"""One run: the example with its simulated platforms, or an owner's own portfolio, from nothing to the first answers."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local.children import ROOT
from local.portfolio_rules import portfolio_rules
from local.run_screen import Json, silent_of
from local.run_settings import QUICK, base_values
from local.run_stack import Hosts, Say, Stack, choose_port, running_stack
from local.run_stopwatch import Stopwatch
from local.sandbox.config import SandboxConfig
from local.sandbox.guests import live
from local.sandbox.server import Sandbox, running
from local.sandbox_config import sandbox_config, sandbox_settings
from shared import bootstrap
from shared.adapters.portfolio_yaml import read_portfolio_file
from shared.config import read
from shared.domain.portfolio import Portfolio

EXAMPLE = ROOT / "portfolio.example.yaml"
FOLDER = ROOT / ".local"

EVERY, EVERY_OWN = 9, 120
"""Seconds between two requests of a calendar link: for eyes that watch (the second tick of 5 s finds it due), and for
other people's servers."""

PULL = 10.0
"""Seconds between two reads of our calendars by the simulated platforms. Real ones take minutes to hours."""

_SAMPLE_CONTACT = "owner@example.org"

FIRST_ANSWERS = 30.0
"""Seconds the first complete answers may take before the screen says who is silent."""


class RunRefused(Exception):
    """The run cannot begin; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line. ``portfolio`` None means the example; ``port`` None the usual one, or
    any other when that is taken; ``guests`` are the seconds between two simulated guests, 0 for none."""

    portfolio: Path | None = None
    hosts: int = 1
    port: int | None = None
    sandbox_port: int = 8099
    guests: float = 12.0
    show_links: bool = False


@dataclass
class Session:
    """What runs. ``links`` are our calendars by listing: secrets."""

    stack: Stack
    wanted: Wanted
    links: Mapping[str, str] = field(repr=False)
    client: httpx.AsyncClient
    sandbox: Sandbox | None = None
    stopwatch: Stopwatch | None = None

    async def status(self) -> Json:
        """What the first host says of everything; empty while it does not answer."""
        try:
            answer = await self.client.get(f"{self.stack.hosts.public}/api/status")
            found = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


@asynccontextmanager
async def session(wanted: Wanted, say: Say) -> AsyncIterator[Session]:
    """Everything started and asked for its first answers, while the block runs.

    Raises ``RunRefused``, ``PortTaken``, ``PortfolioUnreadable``, ``NotPlayable``, ``HostRefused``, ``ChildFailed`` or
    ``AzuriteError``: each says what to do.
    """
    opened = _own(wanted, say) if wanted.portfolio else _example(wanted, say)
    async with opened as started:
        await _first_answers(started, say)
        yield started


@asynccontextmanager
async def _example(wanted: Wanted, say: Say) -> AsyncIterator[Session]:
    hosts = Hosts(FOLDER / "run", _host_port(wanted, say), wanted.hosts)
    port = choose_port(wanted.sandbox_port, "the sandbox", say)
    rules = portfolio_rules({"SANDBOX_PORT": str(port)}, frozenset({port}))
    portfolio = read_portfolio_file(EXAMPLE, rules)
    config = sandbox_config(portfolio)
    base = base_values(own=False) | QUICK | sandbox_settings(portfolio)
    base |= {"PUBLIC_BASE_URL": hosts.public, "LOCAL_LOOPBACK_PORTS": str(port)}
    async with AsyncExitStack() as opened:
        stack = await opened.enter_async_context(running_stack(hosts, base))
        sandbox = await opened.enter_async_context(running(config, port=port, pulling=True))
        client = await opened.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=5.0))
        links = await _import(stack, portfolio, EVERY, say)
        await connect(sandbox, client, stack, _listings(portfolio, config, links))
        stopwatch = Stopwatch(sandbox.world.truth, time.monotonic)
        await opened.enter_async_context(_beside(stopwatch.run(asyncio.sleep)))
        if wanted.guests:
            seed = sandbox.world.config.seed
            guests = live(sandbox.desk, asyncio.sleep, seed=seed, pause=wanted.guests)
            await opened.enter_async_context(_beside(guests))
        yield Session(stack, wanted, links, client, sandbox, stopwatch)


@asynccontextmanager
async def _own(wanted: Wanted, say: Say) -> AsyncIterator[Session]:
    assert wanted.portfolio is not None
    hosts = Hosts(FOLDER / "own", _host_port(wanted, say), wanted.hosts)
    portfolio = read_portfolio_file(wanted.portfolio, portfolio_rules())
    base = base_values(own=True)
    if base["PUBLIC_BASE_URL"].startswith("http://localhost"):
        base["PUBLIC_BASE_URL"] = hosts.public
    if base["CONTACT_ADDRESS"] == _SAMPLE_CONTACT:
        base["CONTACT_ADDRESS"] = next((one.email for one in portfolio.owners if one.email), _SAMPLE_CONTACT)
    with _alone(FOLDER / "azurite.lock"):
        async with (
            running_stack(hosts, base, FOLDER / "azurite") as stack,
            httpx.AsyncClient(trust_env=False, timeout=5.0) as client,
        ):
            links = await _import(stack, portfolio, EVERY_OWN, say)
            yield Session(stack, wanted, links, client)


def _host_port(wanted: Wanted, say: Say) -> int:
    return choose_port(wanted.port or 7071, "the host", say, must=wanted.port is not None)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two runs over the same tables would each lose what the other writes. Raises ``RunRefused``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunRefused(
                "another 'make run' has the tables of your portfolio open: stop it first"
            ) from None
        yield


async def _import(stack: Stack, portfolio: Portfolio, period: int, say: Say) -> dict[str, str]:
    """Start the hosts while the portfolio goes into the tables, then ring for the first answers; returns our calendars'
    addresses by listing."""
    settings = read(stack.values)
    joined = bootstrap.join(settings, period=period)
    try:
        starting = asyncio.create_task(stack.start_hosts())
        try:
            done = await joined.operations.portfolio.run(portfolio)
        finally:
            await starting
        say(
            f"{len(portfolio.listings)} listings of {sum(len(s.properties) for s in portfolio.sites)} homes imported"
        )
        await joined.operations.jobs.ring_observe()
        await joined.operations.jobs.ring_feeds()
    finally:
        await joined.close()
    return {name: f"{settings.public_base_url}/export/{token}.ics" for name, token in done.tokens.items()}


def _listings(
    portfolio: Portfolio, config: SandboxConfig, links: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Which listing of the sandbox reads which calendar of ours: platform, its id there, address."""
    both = zip(portfolio.listings, config.listings, strict=True)
    return [(str(theirs.platform), theirs.id, links[ours.id]) for ours, theirs in both if ours.id in links]


async def connect(
    sandbox: Sandbox, client: httpx.AsyncClient, stack: Stack, listings: list[tuple[str, str, str]]
) -> None:
    """Tell the platforms, by the sandbox's control API, where our webhooks and calendars are."""
    base = f"{stack.hosts.public}/webhooks/airbnb/{stack.values['WEBHOOK_SECRET_AIRBNB']}"
    answer = await client.post(f"{sandbox.base}/sandbox/airbnb/webhook", json={"base": base})
    answer.raise_for_status()
    for platform, listing, url in listings:
        address = f"{sandbox.base}/sandbox/{platform}/link/{listing}"
        (await client.post(address, json={"url": url, "every": PULL})).raise_for_status()


@asynccontextmanager
async def _beside(work: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Let something go on while the block runs."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _first_answers(started: Session, say: Say) -> None:
    """Wait until every listing has answered completely once: before that its calendars are not served (rule 5)."""
    silent: list[str] = []
    try:
        async with asyncio.timeout(FIRST_ANSWERS):
            # What another process has read sets no event of ours, so look again and again.
            while not (status := await started.status()) or (silent := silent_of(status)):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    except TimeoutError:
        say(f"no complete answer yet from {', '.join(silent) or 'the host'}: asked again and again")
