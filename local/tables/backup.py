"""Copying: every row of every table, while the engine goes on. A site is copied as one commit left it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Protocol

from local.tables import copyfile
from shared.adapters.table_codec import FOREIGN
from shared.domain.errors import StoreUnavailable
from shared.ports.stores import Row, Tables
from shared.state import names, site_codec

TABLES = (
    names.SITES,
    names.RESERVATIONS,
    names.INBOX,
    names.FEEDS,
    names.FEED_READS,
    names.DUE,
    names.ACCOUNTS,
    names.RUNS,
)
"""In the order in which they are copied: what is written before a site's commit is read after the sites, so that the
copy names too much, never too little (rules 9, 10 and 13)."""

_TRIES = 10


class Copyable(Tables, Protocol):
    """Tables that can be read whole."""

    def everything(self, table: str) -> AsyncGenerator[Row, None]:
        """Every row, partition by partition, in key order within each."""
        ...


async def backup(tables: Copyable, path: Path) -> int:
    """Write a copy; returns how many rows it holds. Raises ``StoreUnavailable``, ``FileExistsError``."""
    await tables.get(
        names.ACCOUNTS, names.DIRECTORY, "~"
    )  # a new client knows the store's time from its first answer
    with copyfile.writing(path, tables.now()) as writer:
        for table in TABLES:
            async for part in partitions(tables, table):
                found = await _settled(tables, part) if table == names.SITES else part
                for row in found:
                    if not row.key.startswith(FOREIGN):  # another program's: nobody here could put it back
                        writer.put(table, row)
    return writer.count


async def partitions(tables: Copyable, table: str) -> AsyncIterator[list[Row]]:
    """A table's rows, one partition after the other."""
    part: list[Row] = []
    async for row in tables.everything(table):
        if part and part[0].partition != row.partition:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


async def _settled(tables: Tables, rows: list[Row]) -> list[Row]:
    """A site's rows as they stand between two commits: a long one is read in pages, and a commit may fall between
    them."""
    site = rows[0].partition
    for _ in range(_TRIES):
        head = next((row for row in rows if row.key == site_codec.HEAD), None)
        now = await tables.get(names.SITES, site, site_codec.HEAD)
        if (head and head.etag) == (now and now.etag):
            return rows
        rows = await tables.query(names.SITES, site)
    raise StoreUnavailable(f"site {site} kept changing while it was copied")
