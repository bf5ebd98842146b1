"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One table emulator for the whole run, in memory, on a port of its own. Tests keep to tables of their own."""
    emulator = Azurite()
    asyncio.run(emulator.start())
    yield emulator
    asyncio.run(emulator.stop())
