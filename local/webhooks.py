"""``make webhooks``: where platforms and mail services should call us, and when each last did.

``python -m local.webhooks`` reads the settings of the app (the environment, or the newest ``settings.json`` of a run,
or ``local.settings.json``) and prints one paragraph a sender. Secrets show with ``--show`` alone; ``--register`` tells
our address to the platforms whose API takes it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from local.host.errors import HostRefused
from local.run_settings import app_values
from shared.adapters.secrets import SettingSecrets
from shared.bootstrap.joined import join
from shared.config import Settings, read
from shared.connectors.base import Clock
from shared.connectors.registry import PLATFORMS, PlatformEntry, connect
from shared.domain.errors import SyncError
from shared.domain.model import Account
from shared.domain.platform import Platform
from shared.engine.webhooks import MAIL
from shared.engine.world import World
from shared.ports.http import Http
from shared.resilience.retry_after import parse_retry_after
from shared.state.deliveries import Last

HIDDEN = "<secret: --show>"


@runtime_checkable
class Registers(Protocol):
    """A connector whose platform takes our address by API."""

    async def register_webhook(
        self, account: Account, units: Iterable[str], url: str, secret: str
    ) -> tuple[str, ...]:
        """Have it call us; a line for each thing done or left to a person."""
        ...


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 1 when the settings cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m local.webhooks", description=__doc__)
    parser.add_argument("--settings", type=Path, metavar="FILE", help="like local.settings.json")
    parser.add_argument("--show", action="store_true", help="show whole addresses: secrets")
    parser.add_argument("--register", action="store_true", help="register them where an API allows it")
    given = parser.parse_args(arguments)
    try:
        values = app_values(given.settings)
        os.environ.update(values)  # where connectors look for the keys of accounts
        for line in asyncio.run(report(read(values), show=given.show, register=given.register)):
            print(line)
    except (HostRefused, SyncError) as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


async def report(settings: Settings, *, show: bool = False, register: bool = False) -> list[str]:
    """One paragraph a sender, and what registering them gave. Raises ``SettingsRefused``."""
    joined = join(settings)
    world = joined.operations.world
    try:
        lines = list(describe(settings, await _last(world), show))
        if register:
            lines += await registered(settings, world, registrars(joined.http, os.environ, world.now))
        return lines
    finally:
        await joined.close()


async def _last(world: World) -> Mapping[str, Last] | None:
    """Each sender's last delivery; None while the tables do not answer."""
    try:
        return await world.deliveries.last()
    except SyncError:
        return None


def describe(settings: Settings, last: Mapping[str, Last] | None, show: bool) -> Iterator[str]:
    """The report, line by line: pure."""
    for entry in PLATFORMS.values():
        if entry.webhook:
            yield from _sender(str(entry.platform), f"{entry.name}", settings, last, show)
            yield f"  proof      {_proof(entry, settings)}"
            yield f"  from       {', '.join(settings.webhook_networks.get(entry.platform, ())) or 'anywhere'}"
            yield ""
    yield from _sender(MAIL, "Forwarded e-mails", settings, last, show)
    yield "  proof      its path alone; an e-mail only makes us look at a calendar"


def _sender(
    name: str, title: str, settings: Settings, last: Mapping[str, Last] | None, show: bool
) -> Iterator[str]:
    yield title
    known = settings.webhook_secrets.get(name, ())
    for secret in known:
        yield f"  address    {address(settings, name, secret if show else HIDDEN)}"
    if not known:
        example = f"={secrets.token_urlsafe(24)}" if show else ""
        yield f"  address    none: set WEBHOOK_SECRET_{name.upper()}{example}"
    yield f"  last call  {_told(last, name)}"


def _told(last: Mapping[str, Last] | None, name: str) -> str:
    if last is None:
        return "unknown: the tables do not answer (is the app running?)"
    one = last.get(name)
    return f"{one.at:%Y-%m-%d %H:%M:%S} UTC, {one.size} bytes: {one.result}" if one else "none yet"


def _proof(entry: PlatformEntry, settings: Settings) -> str:
    name = str(entry.platform)
    if name in settings.webhook_keys:
        return f"signature checked ({entry.signature or 'standard, or as the key says'})"
    if entry.signature:
        return f"not checked: set WEBHOOK_KEY_{name.upper()} ({entry.signature})"
    return "its path alone: no public source shows a signature"


def address(settings: Settings, name: str, secret: str) -> str:
    """Where a sender calls us. Airbnb adds ``/notification`` and reservation codes by itself."""
    return f"{settings.public_base_url}/webhooks/{name}/{secret}"


def registrars(http: Http, environment: Mapping[str, str], now: Clock) -> dict[Platform, Registers]:
    """The connectors of the platforms whose API takes our address, with keys from these settings. Not the engine's: a
    person waits for this, and no guard needs to."""

    def wait(value: str | None) -> float | None:
        return parse_retry_after(value, now())

    keys = SettingSecrets(environment)
    made = {
        name: connect(name, http, keys, clock=now, retry_after=wait)
        for name, entry in PLATFORMS.items()
        if entry.connector and entry.webhook
    }
    return {name: one for name, one in made.items() if isinstance(one, Registers)}


async def registered(settings: Settings, world: World, connectors: Mapping[Platform, Registers]) -> list[str]:
    """Tell the platforms whose API takes it where to call us; what became of it, account by account."""
    lines = ["", "Registering"]
    for entry in PLATFORMS.values():
        if entry.webhook:
            lines += [f"  {line}" for line in await _register(entry, settings, world, connectors)]
    return lines


async def _register(
    entry: PlatformEntry, settings: Settings, world: World, connectors: Mapping[Platform, Registers]
) -> list[str]:
    name = str(entry.platform)
    connector, known = connectors.get(entry.platform), settings.webhook_secrets.get(name, ())
    if connector is None:
        return [f"{entry.name}: by hand, in its partner pages or with its contact"]
    if not known:
        return [f"{entry.name}: set WEBHOOK_SECRET_{name.upper()} first"]
    secret = settings.webhook_keys.get(name, known)[0]
    lines = []
    for account in await world.accounts.directory("account"):
        one = await world.accounts.load(account)
        if one is None or str(one.account.platform) != name or not one.units:
            continue
        try:
            done = await connector.register_webhook(
                one.account, one.units, address(settings, name, known[0]), secret
            )
        except SyncError as wrong:
            done = (f"failed: {wrong}",)
        lines += [f"{account}: {line}" for line in done]
    return lines or [f"{entry.name}: no account of it is in the portfolio"]


if __name__ == "__main__":
    sys.exit(main())
