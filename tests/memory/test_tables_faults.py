"""What the twin adds to the contract: losing a request or an answer at a chosen point, and merged limits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.domain.errors import PermanentError, StaleWrite, StoreUnavailable
from shared.memory.tables import MemoryTables
from shared.ports.stores import Delete, Put, Row

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def row(key: str, **values: int) -> Row:
    return Row("site", key, values)


def lose(operation: str, table: str, partition: str) -> None:
    raise StoreUnavailable(f"{operation} {table} {partition}")


CALLS = {
    "get": lambda tables: tables.get("Sites", "site", "head"),
    "query": lambda tables: tables.query("Sites", "site"),
    "insert": lambda tables: tables.insert("Sites", row("new")),
    "upsert": lambda tables: tables.upsert("Sites", row("head", n=2)),
    "update": lambda tables: tables.update("Sites", row("head", n=2), 'W/"1"'),
    "delete": lambda tables: tables.delete("Sites", "site", "head"),
    "submit": lambda tables: tables.submit("Sites", "site", [Put(row("new")), Delete("head")]),
}
AFTER = {"insert": ["head", "new"], "delete": [], "submit": ["new"]}


@pytest.mark.parametrize("name", CALLS)
async def test_a_request_that_never_arrived_changes_nothing(name: str) -> None:
    tables = MemoryTables(lambda: NOON)
    etag = await tables.insert("Sites", row("head", n=1))
    tables.before = lose
    with pytest.raises(StoreUnavailable, match=f"{name} Sites site"):
        await CALLS[name](tables)
    tables.before = None
    assert await tables.query("Sites", "site") == [Row("site", "head", {"n": 1}, etag)]


@pytest.mark.parametrize("name", CALLS)
async def test_a_lost_answer_has_done_its_work(name: str) -> None:
    tables = MemoryTables(lambda: NOON)
    await tables.insert("Sites", row("head", n=1))
    tables.after = lose
    with pytest.raises(StoreUnavailable, match=f"{name} Sites site"):
        await CALLS[name](tables)
    tables.after = None
    found = await tables.query("Sites", "site")
    assert [each.key for each in found] == AFTER.get(name, ["head"])
    if name in ("upsert", "update"):
        assert found[0].values == {"n": 2}


async def test_a_hook_may_wait_and_let_another_writer_in() -> None:
    tables = MemoryTables(lambda: NOON)
    etag = await tables.insert("Sites", row("head", n=1))
    gate = asyncio.Event()

    async def wait(operation: str, table: str, partition: str) -> None:
        if operation == "update":
            await gate.wait()

    tables.before = wait
    slow = asyncio.create_task(tables.update("Sites", row("head", n=2), etag))
    await asyncio.sleep(0)
    await tables.upsert("Sites", row("head", n=3))
    gate.set()
    with pytest.raises(StaleWrite):
        await slow


async def test_a_row_may_not_grow_past_the_limits_by_merging() -> None:
    tables = MemoryTables(lambda: NOON)
    await tables.insert("Sites", Row("site", "head", {f"a{number}": 1 for number in range(200)}))
    wider = Row("site", "head", {f"b{number}": 1 for number in range(53)})
    with pytest.raises(PermanentError, match="253 columns"):
        await tables.upsert("Sites", wider)
    with pytest.raises(PermanentError, match="253 columns"):
        await tables.submit("Sites", "site", [Put(row("new")), Put(wider)])
    assert len(await tables.query("Sites", "site")) == 1


async def test_tables_differ_by_name_not_by_case() -> None:
    tables = MemoryTables(lambda: NOON)
    await tables.insert("Sites", row("head"))
    assert len(await tables.query("sites", "site")) == 1
    assert await tables.query("Other", "site") == []
