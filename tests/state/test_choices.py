"""What people chose, and what waits for them, as rows: read back as written, tolerant of what other releases wrote."""

from __future__ import annotations

import time as clock
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, time, timedelta

import pytest
import pytest_asyncio

from shared.adapters.table_store import open_tables
from shared.domain.errors import StaleWrite
from shared.domain.quiet import Choice, Hours, Timing, Topic
from shared.domain.targets import Target, Way
from shared.memory.tables import MemoryTables
from shared.ports.people import Notice
from shared.ports.stores import Row, Tables
from shared.state.choices import PARTITION, ChoiceStore, Chosen
from shared.state.later import LaterStore
from shared.state.names import ACCOUNTS

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
NOTICE = Notice("new_stay", "gite/1", "info", {"fr": "Nouveau \U0001f3e0.", "en": "New."}, "owner")


def machine_time() -> datetime:
    return datetime.fromtimestamp(clock.time(), UTC)


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.azurite)])
def opened(request: pytest.FixtureRequest) -> Callable[[], Tables]:
    if request.param == "memory":
        return lambda: MemoryTables(machine_time)
    string = request.getfixturevalue("azurite").connection_string
    return lambda: open_tables(
        connection_string=string, monotonic=clock.monotonic, wall=machine_time, deadline=30
    )


@pytest_asyncio.fixture
async def tables(opened: Callable[[], Tables]) -> AsyncIterator[Tables]:
    store = opened()
    yield store
    await store.close()


def somebody() -> Chosen:
    choice = Choice(
        {Topic.STAY: Timing.DAILY, Topic.OVER: Timing.OFF},
        Hours("Indian/Reunion", time(21, 30), time(6, 15), time(7, 45)),
    )
    targets = (Target(Way.EMAIL, "é@example.org"), Target(Way.APPRISE, "tgram://1:a/2"))
    return Chosen(f"{uuid.uuid4().hex}@example.org", choice, targets, "en")


async def test_a_choice_is_read_back_as_it_was_written(tables: Tables) -> None:
    store, one = ChoiceStore(tables), somebody()
    await store.put(one)
    found = await store.get(one.person)
    assert found is not None
    assert (found.choice, found.targets, found.language) == (one.choice, one.targets, one.language)
    assert found.person in {each.person for each in await store.all()}
    assert await store.drop(found)
    assert await store.get(one.person) is None


async def test_whoever_read_an_older_choice_writes_nothing(tables: Tables) -> None:
    store, one = ChoiceStore(tables), somebody()
    await store.put(one)
    with pytest.raises(StaleWrite):
        await store.put(one)
    known = await store.get(one.person)
    assert known is not None
    await store.put(known)
    with pytest.raises(StaleWrite):
        await store.put(known)
    assert not await store.drop(known)


async def test_what_a_newer_release_wrote_is_told_at_once_and_a_broken_row_is_passed_over(
    tables: Tables,
) -> None:
    store, name = ChoiceStore(tables), uuid.uuid4().hex
    newer = {
        "timing": '{"stay": "weekly", "moon": "now", "over": "off"}',
        "begins": "late",
        "targets": '[{"way": "owl"}]',
    }
    await tables.insert(ACCOUNTS, Row(PARTITION, name, newer))
    await tables.insert(ACCOUNTS, Row(PARTITION, f"{name}-broken", {"targets": "{"}))
    found = await store.get(name)
    assert found is not None
    assert (dict(found.choice.timing), found.targets) == ({Topic.OVER: Timing.OFF}, ())
    assert found.choice.hours == Hours()
    assert f"{name}-broken" not in {one.person for one in await store.all()}


async def test_what_waits_is_due_at_its_instant_the_same_once_and_goes_as_a_whole(tables: Tables) -> None:
    store, name = LaterStore(tables), uuid.uuid4().hex
    due = NOW + timedelta(hours=1)
    await store.put(name, due, NOW, NOTICE)
    await store.put(name, due, NOW, NOTICE)
    await store.put(name, due + timedelta(days=1), NOW, NOTICE)
    assert [one for one in await store.due(due - timedelta(seconds=1)) if one.person == name] == []
    (first,) = [one for one in await store.due(due + timedelta(seconds=1)) if one.person == name]
    assert (first.at, first.due, dict(first.text)) == (NOW, due, dict(NOTICE.text))
    assert len(await store.of(name)) == 2
    await store.drop(await store.of(name))
    await store.drop([first])  # another host did
    assert await store.of(name) == []
