"""What people were told, in the twin and in the real store's emulator: one row a notice, and hosts that agree on it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from shared.adapters.table_store import open_tables
from shared.domain.access import Role
from shared.domain.errors import StaleWrite
from shared.domain.portfolio import Owner
from shared.memory.tables import MemoryTables
from shared.ports.people import Notice, Recipient
from shared.ports.stores import Tables
from shared.state.owners import OwnerStore
from shared.state.told import Told, ToldStore

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def machine_time() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.azurite)])
def opened(request: pytest.FixtureRequest) -> Callable[[], Tables]:
    if request.param == "memory":
        return lambda: MemoryTables(machine_time)
    string = request.getfixturevalue("azurite").connection_string
    return lambda: open_tables(
        connection_string=string, monotonic=time.monotonic, wall=machine_time, deadline=30
    )


@pytest_asyncio.fixture
async def tables(opened: Callable[[], Tables]) -> AsyncIterator[Tables]:
    store = opened()
    yield store
    await store.close()


def told(key: str, at: datetime = NOW, text: str = "Nuits fermées 🏠") -> Told:
    notice = Notice(
        "dead_link", key, "high", {"fr": text, "en": "Nights"}, "jeanne", "https://example.org/c", "id-1"
    )
    return Told(notice, at, ("smtp", "ntfy"), next=at + HOUR, error="ntfy: away")


async def test_a_row_comes_back_as_it_was_written(tables: Tables) -> None:
    store, key = ToldStore(tables), uuid.uuid4().hex + "/|#?\\%'\x85"
    written = await store.take(told(key), HOUR)
    assert written is not None
    assert await store.get("dead_link", key) == written
    assert [one for one in await store.all() if one.notice.key == key] == [written]
    await store.forget(written)
    assert await store.get("dead_link", key) is None


async def test_of_eight_hosts_one_takes_it(tables: Tables) -> None:
    store, key = ToldStore(tables), uuid.uuid4().hex
    taken = await asyncio.gather(*(store.take(told(key), HOUR) for _ in range(8)))
    assert sum(one is not None for one in taken) == 1


async def test_after_its_window_or_changed_it_is_taken_again(tables: Tables) -> None:
    store, key = ToldStore(tables), uuid.uuid4().hex
    assert await store.take(told(key), HOUR)
    assert await store.take(told(key, NOW + HOUR / 2), HOUR) is None
    assert await store.take(told(key, NOW + HOUR / 2, "other"), HOUR) is None
    assert await store.take(told(key, NOW + HOUR / 2, "other"), HOUR, unless_changed=True)
    assert await store.take(told(key, NOW + 2 * HOUR), HOUR)


async def test_a_row_that_changed_is_not_overwritten(tables: Tables) -> None:
    store, key = ToldStore(tables), uuid.uuid4().hex
    first = await store.take(told(key), HOUR)
    assert first is not None
    await store.put(first)
    with pytest.raises(StaleWrite):
        await store.put(first)
    await store.forget(first)
    assert await store.get("dead_link", key) is not None


async def test_an_owner_is_replaced_as_a_whole(tables: Tables) -> None:
    store, name = OwnerStore(tables), uuid.uuid4().hex
    await store.put(
        [
            Owner(name, "a", Role.OPERATOR, "a@example.org"),
            Owner(name, "b", Role.VIEWER, "b@example.org", "en"),
        ]
    )
    assert await store.recipients(name) == (
        Recipient("a@example.org", "fr"),
        Recipient("b@example.org", "en"),
    )
    await store.put([Owner(name, "a", Role.OPERATOR)])
    assert await store.recipients(name) == ()
