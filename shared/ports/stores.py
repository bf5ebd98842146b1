"""The stores: tables of rows under ETags, and small notes that every host agrees on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Value = str | int | float | bool | datetime | bytes
"""What a column may hold. Integers are 64-bit, datetimes are aware and in UTC."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stored row. Keys are *plain* text of any kind; the adapter encodes them reversibly.

    ``etag`` is None for a row that was not read from the store.
    """

    partition: str
    key: str
    values: Mapping[str, Value] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Write a row in a transaction: insert it, or merge it into the stored one (unknown columns survive).

    With ``if_match`` the stored row must still carry that ETag; with ``insert_only`` there must be none.
    """

    row: Row
    if_match: str | None = None
    insert_only: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row in a transaction; with ``if_match`` only while it carries that ETag. A missing row is an error."""

    key: str
    if_match: str | None = None


class Tables(Protocol):
    """Azure Table Storage as the engine sees it: partitions of rows in key order, guarded by ETags.

    Every method raises ``StoreUnavailable`` when the store does not answer in time.
    """

    def now(self) -> datetime:
        """The store's own time (UTC), as its last answers told it: the only time compared across hosts."""
        ...

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        """One row, or None."""
        ...

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        """Rows of one partition with ``start <= key < stop``, in key order, every page of them."""
        ...

    async def insert(self, table: str, row: Row) -> str:
        """Add a row and return its ETag. Raises ``AlreadyExists``."""
        ...

    async def upsert(self, table: str, row: Row) -> str:
        """Add a row, or merge its columns into the stored one; returns the new ETag."""
        ...

    async def update(self, table: str, row: Row, etag: str) -> str:
        """Merge the columns into the stored row while it carries ``etag``. Raises ``StaleWrite``, ``NotFound``."""
        ...

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """Remove a row; a missing one is fine without an ETag. Raises ``StaleWrite`` when it changed."""
        ...

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        """All or nothing in one partition (at most 100 changes, each row once); returns the new ETag by key.

        Raises ``StaleWrite``, ``AlreadyExists`` or ``NotFound`` with nothing written, ``ValueError`` for more
        than 100 changes, a row over 1 MiB or over 252 columns.
        """
        ...

    async def close(self) -> None:
        """Free the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Note:
    """A small shared text of an account, and the ETag it was read under (None: there is none yet)."""

    text: str = ""
    etag: str | None = None


class Notes(Protocol):
    """Small shared texts of an account, by name, under compare-and-swap: what every host must agree on (a circuit, a
    limiter's blocks, a rung of the ladder). Every method raises ``StoreUnavailable``."""

    async def read(self, account: str, name: str) -> Note:
        """The note as it stands; an empty one where none was written."""
        ...

    async def swap(self, account: str, name: str, text: str, etag: str | None) -> Note:
        """Write it while it still carries ``etag`` (None: while there is none). Raises ``StaleWrite``."""
        ...
