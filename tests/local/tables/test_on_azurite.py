"""Copies over the real client and its wire: what comes back is what was stored, type by type."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.azurite import Azurite
from local.tables.backup import TABLES, backup
from local.tables.restore import restore
from shared.adapters.table_store import open_tables
from shared.memory.tables import MemoryTables
from shared.ports.stores import Delete, Put, Row
from shared.state import names
from tests.engine import golden

pytestmark = pytest.mark.azurite

ODD = {
    "big": 2**40,
    "flag": True,
    "part": 0.5,
    "raw": b"\x00\xff",
    "at": datetime(2027, 3, 1, tzinfo=UTC),
    "text": "é🏠",
}


class Own:
    """Tables of one test's own in an emulator that others use too."""

    def __init__(self, connection_string: str) -> None:
        self._prefix = f"V{uuid.uuid4().hex}"
        self.inner = open_tables(
            connection_string=connection_string, monotonic=time.monotonic, wall=_wall, deadline=30
        )

    def now(self) -> datetime:
        return self.inner.now()

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        return await self.inner.get(self._prefix + table, partition, key)

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        return await self.inner.query(self._prefix + table, partition, start=start, stop=stop)

    async def insert(self, table: str, row: Row) -> str:
        return await self.inner.insert(self._prefix + table, row)

    async def upsert(self, table: str, row: Row) -> str:
        return await self.inner.upsert(self._prefix + table, row)

    async def update(self, table: str, row: Row, etag: str) -> str:
        return await self.inner.update(self._prefix + table, row, etag)

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        await self.inner.delete(self._prefix + table, partition, key, etag)

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        return await self.inner.submit(self._prefix + table, partition, changes)

    async def close(self) -> None:
        await self.inner.close()

    def everything(self, table: str) -> AsyncGenerator[Row, None]:
        return self.inner.everything(self._prefix + table)


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


async def held(tables: Own | MemoryTables) -> dict[tuple[str, str, str], dict[str, object]]:
    return {
        (table, row.partition, row.key): dict(row.values)
        for table in TABLES
        async for row in tables.everything(table)
    }


async def test_a_copy_goes_there_and_back_and_once_more(azurite: Azurite, tmp_path: Path) -> None:
    """From the twin into the emulator, from there into another twin, and over what is there: the same rows each time,
    but for the numbers that rise."""
    first, last = MemoryTables(_wall), MemoryTables(_wall)
    for table, row in golden.read(golden.files()[0])[2]:
        await first.insert(table, row)
    await first.insert(names.RUNS, Row("odd", "a/b?c#d", ODD))
    real = Own(azurite.connection_string)
    try:
        await backup(first, tmp_path / "one")
        done = await restore(real, tmp_path / "one", stopped=True)
        assert done.sites == 1
        assert await backup(real, tmp_path / "two") == len(await held(real))
        await restore(last, tmp_path / "two", stopped=True)
        stored = await held(last)
        assert stored[names.RUNS, "odd", "a/b?c#d"] == ODD
        assert stored.keys() == (await held(real)).keys() == (await held(first)).keys()
        await real.upsert(names.RUNS, Row("odd", "a/b?c#d", {"later": 1}))
        again = await restore(real, tmp_path / "two", over=True, stopped=True)
        assert again.deleted == 0
        assert (await held(real)).keys() == stored.keys()
    finally:
        await real.close()
