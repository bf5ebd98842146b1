"""Telling Channex where to call us, over its API: with which address and key, once, and again when they changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from local.run_settings import base_values
from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Platform as Played
from local.sandbox.config import sample
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.server import Sandbox, running
from local.webhooks import address, registered, registrars
from shared.adapters.http import HttpxHttp
from shared.config import read
from shared.domain.model import Account
from shared.domain.platform import Platform
from shared.engine.world import World
from shared.memory.tables import MemoryTables
from shared.state.accounts import Place

NOW = datetime(2027, 5, 2, 12, 0, tzinfo=UTC)
CHANNEX = Platform("channex")
HOUSE, ROOM = "00000000-0000-4000-8000-000000000101", "00000000-0000-4000-8000-000000000201"
OFF = "turn on allow_availability_autoupdate_on_cancellation"


@dataclass
class Stage:
    sandbox: Sandbox
    world: World
    http: HttpxHttp
    values: dict[str, str] = field(default_factory=lambda: base_values(own=False))

    async def register(self, **changed: str) -> list[str]:
        """What the command says of Channex."""
        self.values |= changed
        found = registrars(self.http, self.values | {"KEY": "sandbox-channex-key"}, lambda: NOW)
        lines = await registered(read(self.values), self.world, found)
        return [line.strip() for line in lines if HOUSE in line or "hannex" in line or "mine" in line]

    def hooks(self) -> list[tuple[str, str, dict[str, str]]]:
        hooks = self.sandbox.world.subscriptions.webhooks.values()
        return [(one.property_id, one.callback_url, dict(one.headers)) for one in hooks if one.is_active]

    def wanted(self) -> tuple[str, str, dict[str, str]]:
        settings = read(self.values)
        url = address(settings, "channex", settings.webhook_secrets["channex"][0])
        return HOUSE, url, {"x-webhook-secret": settings.webhook_keys["channex"][0]}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        config = sample(platforms=(Played.CHANNEX,))
        sandbox = await stack.enter_async_context(running(config, clock=Clock(frozen(NOW))))
        http = HttpxHttp()
        stack.push_async_callback(http.close)
        nothing: Any = None
        world = World(MemoryTables(lambda: NOW), nothing, {}, *[nothing] * 6)
        await world.accounts.put(Account("mine", CHANNEX, "owner", {"api_key": "KEY"}, sandbox.base))
        await world.accounts.put_unit("mine", f"{HOUSE}:{ROOM}", Place("gite", "gite-channex"))
        yield Stage(sandbox, world, http)


async def test_channex_is_told_where_to_call_with_which_key_and_once(stage: Stage) -> None:
    assert await stage.register() == [f"mine: {HOUSE}: registered; {OFF}"]
    assert stage.hooks() == [stage.wanted()]
    assert await stage.register() == [f"mine: {HOUSE}: registered already; {OFF}"]
    assert stage.hooks() == [stage.wanted()]


async def test_a_new_key_renews_the_webhook_and_adds_none(stage: Stage) -> None:
    await stage.register()
    assert await stage.register(WEBHOOK_KEY_CHANNEX="another-key-of-24-characters") == [
        f"mine: {HOUSE}: renewed; {OFF}"
    ]
    assert stage.hooks() == [stage.wanted()]


async def test_without_a_secret_of_its_own_the_setting_is_named(stage: Stage) -> None:
    assert await stage.register(WEBHOOK_SECRET_CHANNEX="") == ["Channex: set WEBHOOK_SECRET_CHANNEX first"]
    assert stage.hooks() == []


async def test_a_refusal_is_told_without_any_secret(stage: Stage) -> None:
    stage.sandbox.world.faults.add(Fault(FaultKind.ERROR, call="register", status=422))
    [line] = await stage.register()
    assert line == "mine: failed: Channex: webhook registration: HTTP 422"
    assert stage.hooks() == []
