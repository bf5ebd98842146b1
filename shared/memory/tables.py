"""The table store in memory: the twin of ``shared.adapters.table_store``, shipped for tests and trials.

The same contract suite runs on both. It knows everything the engine can see of the real one: ETags that change
at every write, merging, key order, limits, whole transactions. What it adds are two hooks, with which a test
loses a request or the answer to it at a chosen point.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from shared.domain.errors import AlreadyExists, NotFound, PermanentError, StaleWrite
from shared.ports.stores import Delete, Put, Row, Value
from shared.state.limits import check_changes, check_row, check_table
from shared.state.table_keys import encode_key

Hook = Callable[[str, str, str], Awaitable[None] | None]
"""Called with operation (the method's name), table and partition; may wait, raise, or do nothing.

Raising ``StoreUnavailable`` in ``before`` is a request that never arrived; in ``after``, an answer that got lost
while what was asked for is done. Waiting in either is where other tasks get their turn: the effect itself is one
step.
"""


@dataclass(frozen=True, slots=True)
class _Stored:
    values: Mapping[str, Value]
    etag: str


_Rows = dict[str, _Stored]


class MemoryTables:
    """``Tables`` in this process. ``clock`` is the store's own time (aware, UTC)."""

    def __init__(
        self, clock: Callable[[], datetime], *, before: Hook | None = None, after: Hook | None = None
    ) -> None:
        self._clock = clock
        self.before = before
        self.after = after
        self._versions = count(1)
        self._partitions: dict[tuple[str, str], _Rows] = {}

    def now(self) -> datetime:
        """The clock it was given."""
        return self._clock()

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        """One row, or None."""
        check_table(table)
        _check_keys(partition, key)
        await _call(self.before, "get", table, partition)
        stored = self._rows(table, partition).get(key)
        row = _row(partition, key, stored) if stored else None
        await _call(self.after, "get", table, partition)
        return row

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        """Rows with ``start <= key < stop`` in key order."""
        check_table(table)
        _check_keys(partition)
        await _call(self.before, "query", table, partition)
        rows = [
            _row(partition, key, stored)
            for key, stored in sorted(self._rows(table, partition).items())
            if (start is None or start <= key) and (stop is None or key < stop)
        ]
        await _call(self.after, "query", table, partition)
        return rows

    async def insert(self, table: str, row: Row) -> str:
        """Add a row. Raises ``AlreadyExists``."""
        return await self._write("insert", table, Put(row, insert_only=True))

    async def upsert(self, table: str, row: Row) -> str:
        """Add a row or merge it into the stored one."""
        return await self._write("upsert", table, Put(row))

    async def update(self, table: str, row: Row, etag: str) -> str:
        """Merge while the stored row carries ``etag``. Raises ``StaleWrite``, ``NotFound``."""
        return await self._write("update", table, Put(row, if_match=etag))

    async def _write(self, operation: str, table: str, put: Put) -> str:
        check_table(table)
        values = check_row(put.row)
        await _call(self.before, operation, table, put.row.partition)
        rows = self._rows(table, put.row.partition)
        stored = self._put(table, rows, put, values)
        rows[put.row.key] = stored
        await _call(self.after, operation, table, put.row.partition)
        return stored.etag

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """Remove a row; a missing one is fine without an ETag. Raises ``StaleWrite`` when it changed or went."""
        check_table(table)
        _check_keys(partition, key)
        await _call(self.before, "delete", table, partition)
        rows = self._rows(table, partition)
        if etag is not None and (key not in rows or rows[key].etag != etag):
            raise StaleWrite(f"delete in {table}: the row changed or is gone")
        rows.pop(key, None)
        await _call(self.after, "delete", table, partition)

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        """All or nothing; the first change that cannot be made names the error."""
        check_table(table)
        checked = check_changes(partition, changes)
        if not changes:
            return {}
        await _call(self.before, "submit", table, partition)
        rows = self._rows(table, partition)
        staged = {
            _key(change): self._staged(table, rows, change, values)
            for change, values in zip(changes, checked, strict=True)
        }
        for key, stored in staged.items():
            if stored is None:
                del rows[key]
            else:
                rows[key] = stored
        await _call(self.after, "submit", table, partition)
        return {key: stored.etag for key, stored in staged.items() if stored is not None}

    async def everything(self, table: str) -> AsyncGenerator[Row, None]:
        """Every row of a table, partition by partition, in key order within each: for copies."""
        check_table(table)
        for name, partition in sorted(self._partitions):
            if name != table.lower():
                continue
            await _call(self.before, "everything", table, partition)
            for key, stored in sorted(self._rows(table, partition).items()):
                yield _row(partition, key, stored)

    async def close(self) -> None:
        """Nothing to free: what was stored stays, so that a test can open another client's view of it."""

    def _rows(self, table: str, partition: str) -> _Rows:
        # The service does not tell "Sites" from "sites".
        return self._partitions.setdefault((table.lower(), partition), {})

    def _staged(
        self, table: str, rows: _Rows, change: Put | Delete, values: Mapping[str, Value]
    ) -> _Stored | None:
        if isinstance(change, Put):
            return self._put(table, rows, change, values)
        if change.key not in rows:
            raise NotFound(f"submit in {table}: no such row")
        if change.if_match not in (None, rows[change.key].etag):
            raise StaleWrite(f"submit in {table}: the row changed")
        return None

    def _put(self, table: str, rows: _Rows, put: Put, values: Mapping[str, Value]) -> _Stored:
        """What the row becomes; raises what the store would answer, and changes nothing."""
        stored = rows.get(put.row.key)
        if put.insert_only and stored:
            raise AlreadyExists(f"write in {table}: the row is there already")
        if put.if_match is not None and stored is None:
            raise NotFound(f"write in {table}: no such row")
        if stored is None:
            return self._new(values)
        if put.if_match not in (None, stored.etag):
            raise StaleWrite(f"write in {table}: the row changed")
        merged = {**stored.values, **values}
        if len(merged) > len(values):  # columns met that no single write was checked with
            _check_merged(table, put.row, merged)
        return self._new(merged)

    def _new(self, values: Mapping[str, Value]) -> _Stored:
        return _Stored(values, f'W/"{next(self._versions)}"')


def _check_merged(table: str, row: Row, merged: Mapping[str, Value]) -> None:
    """The service answers 400 here; the emulator enforces neither limit, so no contract test can show it."""
    try:
        check_row(Row(row.partition, row.key, merged))
    except ValueError as error:
        raise PermanentError(f"write in {table} was refused: {error}") from None


def _check_keys(*keys: str) -> None:
    for key in keys:
        encode_key(key)


def _key(change: Put | Delete) -> str:
    return change.row.key if isinstance(change, Put) else change.key


def _row(partition: str, key: str, stored: _Stored) -> Row:
    return Row(partition, key, dict(stored.values), stored.etag)


async def _call(hook: Hook | None, operation: str, table: str, partition: str) -> None:
    if hook is not None and (waiting := hook(operation, table, partition)) is not None:
        await waiting
