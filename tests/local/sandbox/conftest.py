"""A sandbox on a free port, its clock standing still in May 2027, and a client that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from local.sandbox.clock import Clock, frozen
from local.sandbox.config import SandboxConfig, sample
from local.sandbox.server import Sandbox, running
from tests.local.sandbox.play import Player

NOW = datetime(2027, 5, 2, 10, 15, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(frozen(NOW))


@pytest.fixture
def config() -> SandboxConfig:
    """One home on Airbnb, Booking.com and Greengo; a module may say otherwise."""
    return sample()


@pytest.fixture
async def sandbox(config: SandboxConfig, clock: Clock) -> AsyncIterator[Sandbox]:
    async with running(config, clock=clock, sleep=_at_once) as server:
        yield server


@pytest.fixture
async def play(sandbox: Sandbox) -> AsyncIterator[Player]:
    agent = {"User-Agent": "Mozilla/5.0 (tests)"}
    client = httpx.AsyncClient(
        base_url=sandbox.base, headers=agent, verify=False, trust_env=False, timeout=60
    )
    async with client:
        yield Player(sandbox, client)


async def _at_once(seconds: float) -> None:
    """Faults and webhook pauses take no time in tests."""
