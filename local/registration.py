"""Telling platforms where to call us, where their API takes that; elsewhere a person enters the address by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from shared.adapters.secrets import SettingSecrets
from shared.config import Settings
from shared.connectors.base import Clock
from shared.connectors.registry import PLATFORMS, connect
from shared.domain.errors import SyncError
from shared.domain.model import Account, Link, Platform
from shared.domain.portfolio import Portfolio
from shared.ports import Http
from shared.resilience.retry_after import parse_retry_after


@runtime_checkable
class Registrar(Protocol):
    """A connector whose platform takes the address of a webhook by API."""

    async def register_webhook(
        self, account: Account, units: Iterable[str], url: str, secret: str
    ) -> tuple[str, ...]:
        """Have the units' places call ``url`` with the secret in a header (empty: none); doing it twice is harmless.
        Returns in words what was done. Raises what calls raise."""
        ...


def webhook_url(settings: Settings, platform: str) -> str:
    """The address a platform calls: a secret. Empty where it has no ``WEBHOOK_SECRET_<PLATFORM>``."""
    secrets = settings.webhook_secrets.get(platform, ())
    return f"{settings.public_base_url}/webhooks/{platform}/{secrets[0]}/notification" if secrets else ""


async def register(
    portfolio: Portfolio, settings: Settings, environment: Mapping[str, str], http: Http, clock: Clock
) -> list[str]:
    """Register our address for every API account whose platform takes it. Returns a line for each thing done or left
    undone, without addresses or secrets. Never raises for a platform that refuses: the others go on."""
    lines: list[str] = []
    for account in portfolio.accounts:
        units = [one.unit for one in portfolio.listings if one.account == account.id and one.link is Link.API]
        connector = _registrar(account.platform, http, environment, clock) if units else None
        if connector is None:
            continue
        url = webhook_url(settings, account.platform)
        key = next(iter(settings.webhook_keys.get(account.platform, ())), "")
        if not url:
            setting = f"WEBHOOK_SECRET_{account.platform.upper()}"
            lines.append(f"{account.id}: not registered: {setting} is not set")
            continue
        base = account.base_url or settings.base_urls.get(account.platform, "")
        there = Account(account.id, account.platform, account.owner, account.secrets, base)
        try:
            done = await connector.register_webhook(there, units, url, key)
        except SyncError as wrong:
            lines.append(f"{account.id}: not registered: {wrong}")
            continue
        lines += [f"{account.id}: {one}" for one in done]
    return lines


def _registrar(
    platform: Platform, http: Http, environment: Mapping[str, str], clock: Clock
) -> Registrar | None:
    entry = PLATFORMS.get(platform)
    if entry is None or not entry.connector:
        return None

    def wait(value: str | None) -> float | None:
        return parse_retry_after(value, clock())

    made = connect(platform, http, SettingSecrets(environment), clock=clock, retry_after=wait)
    return made if isinstance(made, Registrar) else None
