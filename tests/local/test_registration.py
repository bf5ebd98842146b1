"""Telling platforms where to call us: whom, with what, and what is said of those that cannot be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.portfolio_rules import portfolio_rules
from local.registration import register, webhook_url
from local.run_settings import base_values
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.server import running
from local.sandbox_config import sandbox_config, sandbox_settings
from shared.adapters.http import HttpxHttp
from shared.adapters.portfolio_yaml import read_portfolio_file
from shared.config import Settings, read
from shared.domain.portfolio import Portfolio

EXAMPLE = Path(__file__).resolve().parents[2] / "portfolio.example.yaml"
PORT = 8765
HOUSE = "2b1f7c52-0c3e-4f0f-8f55-3f6d1a4b7e01"


def now() -> datetime:
    return datetime(2027, 5, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def portfolio() -> Portfolio:
    rules = portfolio_rules({"SANDBOX_PORT": str(PORT)}, frozenset({PORT}))
    return read_portfolio_file(EXAMPLE, rules)


async def told(
    portfolio: Portfolio, fault: Fault | None = None, **changed: str
) -> tuple[list[str], list[tuple[str, str, dict[str, str]]], Settings]:
    """What was said, and which webhooks stand there afterwards: property, address, headers."""
    values = base_values(own=False) | sandbox_settings(portfolio) | changed
    async with running(sandbox_config(portfolio)) as sandbox:
        if fault is not None:
            sandbox.world.faults.add(fault)
        accounts = tuple(replace(one, base_url=sandbox.base) for one in portfolio.accounts)
        http = HttpxHttp()
        try:
            lines = await register(replace(portfolio, accounts=accounts), read(values), values, http, now)
        finally:
            await http.close()
        hooks = sandbox.world.subscriptions.webhooks.values()
        return lines, [(one.property_id, one.callback_url, dict(one.headers)) for one in hooks], read(values)


async def test_channex_is_told_where_to_call_with_which_key(portfolio: Portfolio) -> None:
    lines, hooks, settings = await told(portfolio)
    assert lines == [f"channex-claire: {HOUSE}: registered"]
    [(house, url, headers)] = hooks
    assert (house, url) == (HOUSE, webhook_url(settings, "channex"))
    assert url.endswith(f"/webhooks/channex/{settings.webhook_secrets['channex'][0]}/notification")
    assert headers == {"x-webhook-secret": settings.webhook_keys["channex"][0]}


async def test_without_a_key_no_header_is_asked_for(portfolio: Portfolio) -> None:
    _, [(_, _, headers)], _ = await told(portfolio, WEBHOOK_KEY_CHANNEX="")
    assert headers == {}


async def test_without_a_secret_of_its_own_nothing_is_registered_and_the_setting_is_named(
    portfolio: Portfolio,
) -> None:
    lines, hooks, _ = await told(portfolio, WEBHOOK_SECRET_CHANNEX="")
    assert lines == ["channex-claire: not registered: WEBHOOK_SECRET_CHANNEX is not set"]
    assert hooks == []


async def test_a_refusal_is_told_without_any_secret(portfolio: Portfolio) -> None:
    fault = Fault(FaultKind.ERROR, call="register", status=422)
    lines, hooks, settings = await told(portfolio, fault)
    assert lines == ["channex-claire: not registered: Channex: webhook registration: HTTP 422"]
    assert hooks == []
    assert settings.webhook_secrets["channex"][0] not in str(lines)
