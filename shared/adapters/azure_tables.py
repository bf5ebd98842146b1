"""``Tables`` over ``azure-data-tables``. Imported by ``table_store`` when a store is opened, not before: the SDK
costs about 150 ms at import and 250 ms at the first client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ServiceResponseError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.table_codec import Entity, from_entity, key_of, partition_of, to_entity
from shared.adapters.table_errors import StoreFailed, TableMissing, translate
from shared.domain.errors import AlreadyExists, NotFound, StaleWrite, StoreUnavailable
from shared.ports.stores import Delete, Put, Row, Value
from shared.state.limits import check_changes, check_row, check_table
from shared.state.table_keys import encode, encode_key

if TYPE_CHECKING:
    from shared.adapters.store_clock import StoreClock

T = TypeVar("T")
_Call = Callable[[TableClient], Awaitable[T]]
_Operation = tuple[str, Entity, dict[str, object]]

_IF_SAME = MatchConditions.IfNotModified
# Constants only: values enter by parameter, so that no key can change what is asked.
_FILTERS = {
    (False, False): "PartitionKey eq @partition",
    (True, False): "PartitionKey eq @partition and RowKey ge @start",
    (False, True): "PartitionKey eq @partition and RowKey lt @stop",
    (True, True): "PartitionKey eq @partition and RowKey ge @start and RowKey lt @stop",
}


class AzureTables:
    """The table service, or its emulator. One object a process and event loop; made by ``table_store.open_tables``.

    ``client`` gives the SDK's client of one table, its retries off: its repetition of a write that had been
    committed, with only the answer lost, comes back as 412 or 409 for our own success (seen with 12.7.0 behind a
    proxy that drops answers). Here a lost answer is ``StoreUnavailable``, outcome unknown, and the caller looks
    for its own write id. Reads are tried twice within the same deadline.
    """

    def __init__(
        self,
        client: Callable[[str], TableClient],
        clock: StoreClock,
        deadline: float,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._new_client = client
        self._clock = clock
        self._deadline = deadline
        self._close = close
        self._clients: dict[str, TableClient] = {}

    def now(self) -> datetime:
        """The store's time as its answers told it; see ``StoreClock`` for how exact it is."""
        return self._clock.now()

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        """One row, or None (also when the table does not exist yet)."""
        stored = encode_key(partition), encode_key(key)

        async def call(client: TableClient) -> Row:
            entity = await client.get_entity(*stored)
            return from_entity(partition, entity, entity.metadata["etag"])

        try:
            return await self._read("get", table, call)
        except NotFound:
            return None

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        """Rows with ``start <= key < stop`` in key order; all pages, or ``StoreUnavailable`` and none."""
        parameters = {"partition": encode_key(partition)}
        parameters |= {} if start is None else {"start": encode(start)}
        parameters |= {} if stop is None else {"stop": encode(stop)}
        query_filter = _FILTERS[start is not None, stop is not None]

        async def call(client: TableClient) -> list[Row]:
            entities = client.query_entities(query_filter, parameters=parameters)
            return [from_entity(partition, entity, entity.metadata["etag"]) async for entity in entities]

        try:
            return await self._read("query", table, call)
        except NotFound:
            return []

    async def everything(self, table: str) -> AsyncGenerator[Row, None]:
        """Every row of a table, partition by partition, in key order within each; each page has the deadline of a call.
        For copies: what is written meanwhile may be in it or not. Raises ``StoreUnavailable``."""
        pages = self._client(table).list_entities().by_page()
        while True:
            try:
                async with self._in_time("everything", table):
                    page = await self._try("everything", table, lambda _: _next(pages))
            except NotFound:
                return
            if page is None:
                return
            for entity in page:
                yield from_entity(partition_of(entity), entity, entity.metadata["etag"])

    async def insert(self, table: str, row: Row) -> str:
        """Add a row and return its ETag. Raises ``AlreadyExists``."""
        entity = to_entity(row.partition, row.key, check_row(row))

        async def call(client: TableClient) -> str:
            try:
                answer = await client.create_entity(entity, response_preference="return-no-content")
            except (
                AttributeError
            ):  # 12.7.0 reads the headers of an answer it does not have when a body is cut
                raise ServiceResponseError("the answer cannot be read") from None
            return str(answer["etag"])

        return await self._add("insert", table, call)

    async def upsert(self, table: str, row: Row) -> str:
        """Add a row, or merge its columns into the stored one; returns the new ETag."""
        entity = to_entity(row.partition, row.key, check_row(row))
        answer = await self._add(
            "upsert", table, lambda client: client.upsert_entity(entity, mode=UpdateMode.MERGE)
        )
        return str(answer["etag"])

    async def update(self, table: str, row: Row, etag: str) -> str:
        """Merge the columns while the stored row carries ``etag``. Raises ``StaleWrite``, ``NotFound``."""
        entity = to_entity(row.partition, row.key, check_row(row))
        answer = await self._once(
            "update",
            table,
            lambda client: client.update_entity(
                entity, mode=UpdateMode.MERGE, etag=etag, match_condition=_IF_SAME
            ),
        )
        return str(answer["etag"])

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """Remove a row; a missing one is fine without an ETag. Raises ``StaleWrite`` when it changed or went.

        With an ETag it goes as a transaction of one: the SDK swallows the 404 of a plain delete, and aiohttp
        sends a plain DELETE again when a kept connection closes without an answer, which would report our own
        success as a stale one.
        """
        keys = key_of(partition, key)
        if etag is None:
            await self._once("delete", table, lambda client: client.delete_entity(keys))
            return
        operations = [_operation(partition, Delete(key, etag), {})]
        try:
            await self._once("delete", table, lambda client: _transact(client, operations))
        except NotFound:
            raise StaleWrite(f"delete in {table}: the row is gone") from None

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        """All or nothing in one partition; returns the new ETag by key. Raises as the port says."""
        check_table(table)
        checked = check_changes(partition, changes)
        if not changes:
            return {}
        operations = [_operation(partition, *pair) for pair in zip(changes, checked, strict=True)]
        answers = await self._add("submit", table, lambda client: _transact(client, operations))
        pairs = zip(changes, answers, strict=True)
        return {change.row.key: str(answer["etag"]) for change, answer in pairs if isinstance(change, Put)}

    async def close(self) -> None:
        """Free the connections; the object is of no use after it."""
        await self._close()

    async def _once(self, operation: str, table: str, call: _Call[T]) -> T:
        async with self._in_time(operation, table):
            return await self._try(operation, table, call)

    async def _read(self, operation: str, table: str, call: _Call[T]) -> T:
        """At most two tries in one deadline, a read can be repeated without harm.

        Not after a connection that broke: aiohttp has repeated that GET itself, and two times two is four.
        """
        async with self._in_time(operation, table):
            with suppress(StoreFailed):
                return await self._try(operation, table, call)
            return await self._try(operation, table, call)

    async def _add(self, operation: str, table: str, call: _Call[T]) -> T:
        """A write that may be its table's first: that 404 wrote nothing, so make the table and write again.

        A table that exists costs no request for this, not even at a process's start.
        """
        async with self._in_time(operation, table):
            try:
                return await self._try(operation, table, call)
            except TableMissing:
                with suppress(AlreadyExists):  # another process was quicker
                    await self._try("create", table, lambda client: client.create_table())
            return await self._try(operation, table, call)

    @asynccontextmanager
    async def _in_time(self, operation: str, table: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except TimeoutError:
            raise StoreUnavailable(f"{operation} in {table}: no answer within {self._deadline:g} s") from None

    async def _try(self, operation: str, table: str, call: _Call[T]) -> T:
        try:
            return await call(self._client(table))
        except (AzureError, HTTPException) as error:  # the SDK reads a transaction's answer with http.client
            raise translate(error, f"{operation} in {table}") from None

    def _client(self, table: str) -> TableClient:
        client = self._clients.get(table)
        if client is None:
            check_table(table)
            client = self._clients[table] = self._new_client(table)
        return client


async def _next(pages: AsyncIterator[AsyncIterator[TableEntity]]) -> list[TableEntity] | None:
    """The next page, or None after the last."""
    try:
        page = await anext(pages)
    except StopAsyncIteration:
        return None
    return [entity async for entity in page]


async def _transact(client: TableClient, operations: Sequence[_Operation]) -> list[Mapping[str, object]]:
    answers: list[Mapping[str, object]] = await client.submit_transaction(operations)
    if len(answers) != len(operations):  # a body cut between two parts is read as a shorter success
        raise ServiceResponseError("the answer is not complete")
    return answers


def _operation(partition: str, change: Put | Delete, values: Mapping[str, Value]) -> _Operation:
    """One change as the SDK's transaction takes it. Writes merge, so that unknown columns survive (rule 27)."""
    etag = change.if_match
    condition: dict[str, object] = {} if etag is None else {"etag": etag, "match_condition": _IF_SAME}
    if isinstance(change, Delete):
        return "delete", key_of(partition, change.key), condition
    entity = to_entity(partition, change.row.key, values)
    if change.insert_only:
        return "create", entity, {"response_preference": "return-no-content"}
    return ("upsert" if etag is None else "update"), entity, {"mode": UpdateMode.MERGE, **condition}
