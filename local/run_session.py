"""One run: the example with its simulated platforms, or an owner's own portfolio, from nothing to the first answers."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local.children import ROOT
from local.portfolio_rules import portfolio_rules, sold_twice
from local.run_example import Rhythm, playing, start_with
from local.run_screen import Json, failed_of, silent_of
from local.run_settings import base_values
from local.run_stack import Hosts, Say, Stack, choose_port, running_stack
from local.run_stopwatch import Stopwatch
from local.sandbox.guests import live
from local.sandbox.server import Sandbox
from local.sandbox_config import sandbox_config
from shared.adapters.portfolio_yaml import read_portfolio_file
from shared.domain.portfolio import Portfolio

_USUAL = 7071
"""Where Functions hosts listen when nobody says otherwise."""

EXAMPLE = ROOT / "portfolio.example.yaml"

NONE = Path("none")
"""No file: what the console stored, which is nothing at first."""

EVERY = 120
"""Seconds between two requests of an owner's own calendar links: other people's servers."""

FIRST_ANSWERS = 30.0
"""Seconds the first complete answers may take before the screen says who is silent."""

_SAMPLE_CONTACT = "owner@example.org"


class RunRefused(Exception):
    """The run cannot begin; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line. ``portfolio`` None means the example, ``NONE`` no file; ``port`` None the
    usual one, or any other when that is taken; ``guests`` are the seconds between two simulated guests, 0 for none;
    with ``checks`` the simulated Airbnb asks us before it sells. ``folder`` holds tables, settings and logs.
    ``rhythm`` is the example's."""

    portfolio: Path | None = None
    hosts: int = 1
    port: int | None = None
    sandbox_port: int = 8099
    guests: float = 12.0
    checks: bool = False
    show_links: bool = False
    folder: Path = ROOT / ".local"
    rhythm: Rhythm = field(default_factory=Rhythm)


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
        return await self._asked("/api/status")

    async def code(self) -> str:
        """What a person types to sign in next; empty while no host answers."""
        return str((await self._asked("/api/sign-in")).get("code", ""))

    async def _asked(self, path: str) -> Json:
        try:
            answer = await self.client.get(f"{self.stack.hosts.public}{path}", headers=self.stack.key)
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
    hosts = _hosts(wanted, "example", say)
    port = choose_port(wanted.sandbox_port, "the sandbox", say)
    portfolio = read_portfolio_file(EXAMPLE, portfolio_rules({"SANDBOX_PORT": str(port)}, frozenset({port})))
    config = sandbox_config(portfolio)
    say(_counted(portfolio))
    async with AsyncExitStack() as opened:
        played = await opened.enter_async_context(
            playing(portfolio, config, hosts, sandbox_port=port, rhythm=wanted.rhythm, checks=wanted.checks)
        )
        stopwatch = Stopwatch(played.sandbox.world.truth, time.monotonic)
        await opened.enter_async_context(_beside(stopwatch.run(asyncio.sleep)))
        if wanted.guests:
            guests = live(played.sandbox.desk, asyncio.sleep, seed=config.seed, pause=wanted.guests)
            await opened.enter_async_context(_beside(guests))
        yield Session(played.stack, wanted, played.links, played.client, played.sandbox, stopwatch)


@asynccontextmanager
async def _own(wanted: Wanted, say: Say) -> AsyncIterator[Session]:
    assert wanted.portfolio is not None
    hosts = _hosts(wanted, "own", say)
    portfolio = Portfolio((), (), (), ())
    if wanted.portfolio != NONE:
        portfolio = read_portfolio_file(wanted.portfolio, portfolio_rules())
    for line in sold_twice(portfolio):
        say(line)
    base = base_values(own=True)
    if base["PUBLIC_BASE_URL"].startswith("http://localhost"):
        base["PUBLIC_BASE_URL"] = hosts.public
    if base["CONTACT_ADDRESS"] == _SAMPLE_CONTACT:
        base["CONTACT_ADDRESS"] = next((one.email for one in portfolio.owners if one.email), _SAMPLE_CONTACT)
    say(_counted(portfolio) if wanted.portfolio != NONE else "no file: connect your calendars in the console")
    if base["CONTACT_ADDRESS"] == _SAMPLE_CONTACT:
        say("calendar hosts are told no address of yours: set CONTACT_ADDRESS to an e-mail address")
    with alone(wanted.folder / "azurite.lock"):
        async with (
            running_stack(hosts, base, wanted.folder / "azurite") as stack,
            httpx.AsyncClient(trust_env=False, timeout=5.0) as client,
        ):
            yield Session(stack, wanted, await start_with(stack, portfolio, EVERY), client)


def _hosts(wanted: Wanted, name: str, say: Say) -> Hosts:
    port = choose_port(
        _USUAL if wanted.port is None else wanted.port, "the host", say, must=wanted.port is not None
    )
    return Hosts(wanted.folder / name, port, wanted.hosts)


def _counted(portfolio: Portfolio) -> str:
    homes = sum(len(site.properties) for site in portfolio.sites)
    return f"homes: {homes}, listings: {len(portfolio.listings)}"


@contextmanager
def alone(path: Path) -> Iterator[None]:
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
    """Wait until every listing has answered completely once, or failed to: before the first complete answer its site's
    calendars are not served (rule 5)."""
    status: Json = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_ANSWERS):
            # What another process has read sets no event of ours, so look again and again.
            while not status or set(silent_of(status)) - failed_of(status):
                await asyncio.sleep(0.2)
                status = await started.status()
    silent = silent_of(status) if status else ["the host"]
    if silent:
        say(f"no complete answer yet from {', '.join(silent)}: asked again and again")
