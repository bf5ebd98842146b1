"""What passes through a port, counted: table operations with their rows, and calls of platforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.ports.http import Http, Request, Response
from shared.ports.stores import Delete, Put, Row, Tables

READS = frozenset({"get", "query"})


@dataclass(frozen=True, slots=True)
class Trip:
    """One round trip to the store: the port's method, and how many rows it wrote, or gave back."""

    operation: str
    table: str
    rows: int

    @property
    def reads(self) -> bool:
        """Whether it changed nothing."""
        return self.operation in READS


@dataclass
class CountingTables:
    """``Tables`` over another one, with every trip written down."""

    inner: Tables
    trips: list[Trip] = field(default_factory=list)

    def now(self) -> datetime:
        """The store's time."""
        return self.inner.now()

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        """One row."""
        row = await self.inner.get(table, partition, key)
        self.trips.append(Trip("get", table, int(row is not None)))
        return row

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        """A range of rows."""
        rows = await self.inner.query(table, partition, start=start, stop=stop)
        self.trips.append(Trip("query", table, len(rows)))
        return rows

    async def insert(self, table: str, row: Row) -> str:
        """A new row."""
        self.trips.append(Trip("insert", table, 1))
        return await self.inner.insert(table, row)

    async def upsert(self, table: str, row: Row) -> str:
        """A row, new or not."""
        self.trips.append(Trip("upsert", table, 1))
        return await self.inner.upsert(table, row)

    async def update(self, table: str, row: Row, etag: str) -> str:
        """A guarded change."""
        self.trips.append(Trip("update", table, 1))
        return await self.inner.update(table, row, etag)

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """A row less."""
        self.trips.append(Trip("delete", table, 1))
        await self.inner.delete(table, partition, key, etag)

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        """A transaction."""
        self.trips.append(Trip("submit", table, len(changes)))
        return await self.inner.submit(table, partition, changes)

    async def close(self) -> None:
        """Closes the other one."""
        await self.inner.close()


@dataclass
class CountingHttp:
    """``Http`` over another one; ``calls`` are the methods and paths that went out."""

    inner: Http
    calls: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        """Count it and make the call."""
        self.calls.append(f"{request.method} {request.url.partition('?')[0]}")
        return await self.inner.send(request)

    async def close(self) -> None:
        """Closes the other one."""
        await self.inner.close()
