"""Notes, one contract over two stores: what every host must agree on is written by one of them at a time."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from shared.adapters.table_store import open_tables
from shared.connectors.guard.breakers import Breakers
from shared.domain.errors import CircuitOpen, StaleWrite
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryTelemetry
from shared.ports.stores import Note, Notes, Tables
from shared.resilience.circuit_breaker import Outcome
from shared.state.names import ACCOUNTS
from shared.state.notes import NoteStore


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


@pytest.fixture
def notes(tables: Tables) -> Notes:
    return NoteStore(tables)


@pytest.fixture
def account() -> str:
    return f"account-{uuid.uuid4().hex}"


async def test_what_nobody_wrote_is_empty(notes: Notes, account: str) -> None:
    assert await notes.read(account, "circuit|write") == Note("", None)


@pytest.mark.parametrize("text", ["", '[1,"open",2]', "é ' \" \n | ☂", "x" * 20_000])
async def test_what_was_written_is_read(notes: Notes, account: str, text: str) -> None:
    written = await notes.swap(account, "circuit|write", text, None)
    assert written.text == text
    assert await notes.read(account, "circuit|write") == written
    again = await notes.swap(account, "circuit|write", text + ".", written.etag)
    assert again.etag != written.etag
    assert await notes.read(account, "circuit|write") == again


async def test_notes_are_told_apart_by_account_and_name(notes: Notes, account: str) -> None:
    await notes.swap(account, "circuit|write", "w", None)
    await notes.swap(account, "circuit|read", "r", None)
    await notes.swap(account + "2", "circuit|write", "other", None)
    assert (await notes.read(account, "circuit|write")).text == "w"
    assert (await notes.read(account, "circuit|read")).text == "r"
    assert (await notes.read(account + "2", "circuit|write")).text == "other"


async def test_the_first_write_wins(notes: Notes, account: str) -> None:
    first = await notes.swap(account, "a", "first", None)
    with pytest.raises(StaleWrite):
        await notes.swap(account, "a", "second", None)
    await notes.swap(account, "a", "third", first.etag)
    with pytest.raises(StaleWrite):
        await notes.swap(account, "a", "fourth", first.etag)
    assert (await notes.read(account, "a")).text == "third"


async def test_what_was_removed_meanwhile_is_stale(tables: Tables, notes: Notes, account: str) -> None:
    first = await notes.swap(account, "a", "first", None)
    await tables.delete(ACCOUNTS, account, "note|a")
    with pytest.raises(StaleWrite):
        await notes.swap(account, "a", "second", first.etag)
    assert await notes.read(account, "a") == Note()


async def test_of_many_that_swap_at_once_one_wins(notes: Notes, account: str) -> None:
    first = await notes.swap(account, "a", "0", None)
    racing = (notes.swap(account, "a", f"{number}", first.etag) for number in range(8))
    done = await asyncio.gather(*racing, return_exceptions=True)
    won = [one for one in done if isinstance(one, Note)]
    assert len(won) == 1
    assert sum(isinstance(one, StaleWrite) for one in done) == 7
    assert await notes.read(account, "a") == won[0]


async def test_one_trial_over_all_hosts(notes: Notes, account: str) -> None:
    """The whole way of a circuit over either store, its texts and ETags included."""
    clock = 0.0

    def host() -> Breakers:
        return Breakers(
            notes,
            MemoryTelemetry(),
            now=lambda: datetime.fromtimestamp(1_900_000_000 + clock, UTC),
            monotonic=lambda: clock,
        )

    for _ in range(3):
        one = host()
        await one.record(account, "write", await one.permit(account, "write"), Outcome.FAILED)
    clock = 30.0
    done = await asyncio.gather(*(host().permit(account, "write") for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(one, CircuitOpen) for one in done) == 9
    assert sum(not isinstance(one, BaseException) for one in done) == 1
