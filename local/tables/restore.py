"""Putting a copy back, while no engine is at work. A restore that broke off is simply begun again: until a site is
whole its head asks for a release that there is not, so that it may close and never open, and its calendars answer 503.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path

from local.tables import copyfile, restored
from local.tables.backup import TABLES, Copyable, partitions
from shared.domain.errors import Unreadable
from shared.ports.stores import Delete, Put, Row
from shared.state import cells, names, site_codec
from shared.state.limits import MOST_BATCH_BYTES, MOST_CHANGES, wire_bytes

STOPPED = timedelta(seconds=60)
"""How long no timer may have taken its lease: the busiest comes every 15 s."""

NOT_WHOLE = 1_000_000_000
"""What the head of a site asks of its reader while it is put back."""

ORDER = (*(one for one in TABLES if one not in (names.DUE, names.SITES)), names.DUE, names.SITES)
"""Sites last, and before them what brings somebody to each (rule 10)."""


class RestoreRefused(copyfile.CopyRefused):
    """The tables are not in a state to be written over; nothing was changed."""


@dataclass(slots=True)
class Done:
    """What a restore did: rows written and taken away, and the sites that wait for complete answers now."""

    written: int = 0
    deleted: int = 0
    sites: int = 0


async def restore(tables: Copyable, path: Path, *, over: bool = False, stopped: bool = False) -> Done:
    """Make the tables what the copy says, by the rules of ``restored``. Raises ``CopyRefused`` before anything is
    changed: for a file that is not whole, tables that are not empty (without ``over``) or hold
    other homes, an engine at work (``stopped``:
    there can be none)."""
    copyfile.check(path)
    there = await _there(tables)
    if there and not over:
        raise RestoreRefused(f"there are rows in {', '.join(sorted(there))}: --replace writes over them")
    if names.SITES in there and not await _knows_one(tables, path):
        raise RestoreRefused("the copy knows none of the homes in these tables: it is a copy of others")
    if not stopped:
        await _refuse_while_at_work(tables)
    work = _Work(tables, path, restored.Frame(tables.now(), names.SITES in there))
    await work.close_sites()
    for table in ORDER:
        await work.table(table)
    return work.done


async def _there(tables: Copyable) -> set[str]:
    """The tables that hold anything."""
    found = set()
    for table in TABLES:
        async with aclosing(tables.everything(table)) as rows:
            if await anext(rows, None) is not None:
                found.add(table)
    return found


async def _knows_one(tables: Copyable, path: Path) -> bool:
    """Whether the copy and the tables have a home in common."""
    known = {row.partition for row in _rows(path, names.SITES)}
    async with aclosing(tables.everything(names.SITES)) as rows:
        return any([row.partition in known async for row in rows])


async def _refuse_while_at_work(tables: Copyable) -> None:
    for row in await tables.query(names.ACCOUNTS, "~timers", start="lease|", stop="lease}"):
        try:
            until = cells.instant(row.values, "until")
        except Unreadable:
            continue
        if until is not None and until > tables.now() - STOPPED:
            raise RestoreRefused(
                "an engine was at work on these tables a moment ago: stop it, wait a minute, and ask again"
            )


class _Work:
    """One restore under way."""

    def __init__(self, tables: Copyable, path: Path, frame: restored.Frame) -> None:
        self.done = Done()
        self._tables = tables
        self._path = path
        self._frame = frame
        heads = (one for one in _rows(path, names.SITES) if one.key == site_codec.HEAD)
        self._sites = [one.partition for one in heads if not one.values.get("moved_to")]
        self.done.sites = len(self._sites)

    async def close_sites(self) -> None:
        """From here on no site opens anything, until it is whole."""
        torn = set()
        async for part in partitions(self._tables, names.SITES):
            head = next((row for row in part if row.key == site_codec.HEAD), None)
            if head is not None:
                if head.values.get("min_reader") == NOT_WHOLE:
                    torn.add(head.partition)
                closed = Row(head.partition, head.key, {"min_reader": NOT_WHOLE})
                await self._tables.upsert(names.SITES, closed)
        self._frame = replace(self._frame, torn=torn)

    async def table(self, table: str) -> None:
        """One table, partition by partition; those that the copy does not know come last."""
        known = set()
        for partition, copied in self._copied(table):
            known.add(partition)
            live = await self._tables.query(table, partition)
            await self._become(table, partition, live, copied)
        async for live in partitions(self._tables, table):
            if live[0].partition not in known:
                await self._become(table, live[0].partition, live, [])

    def _copied(self, table: str) -> Iterator[tuple[str, list[Row]]]:
        rows: Iterable[Row] = _rows(self._path, table)
        if table == names.DUE:  # by the sites that are put back, not by the work that there was
            rows = restored.due(self._sites, {row.key: row for row in rows}, self._frame)
            rows = sorted(rows, key=lambda row: row.partition)
        for partition, part in groupby(rows, key=lambda row: row.partition):
            yield partition, list(part)

    async def _become(self, table: str, partition: str, live: Sequence[Row], copied: Sequence[Row]) -> None:
        """Write what differs. A row that loses columns is taken away first, since a write only adds some; a site's head
        comes last of all."""
        before = {row.key: row.values for row in live}
        after = {row.key: row for row in restored.wanted(table, partition, copied, live, self._frame)}
        news = [row for key, row in after.items() if before.get(key) != row.values]
        lesser = [row.key for row in news if before.get(row.key, {}).keys() - row.values.keys()]
        gone = [*(key for key in before if key not in after), *lesser]
        for start in range(0, len(gone), MOST_CHANGES):
            part = gone[start : start + MOST_CHANGES]
            await self._tables.submit(table, partition, [Delete(key) for key in part])
        is_site = table == names.SITES
        for batch in _batches(sorted(news, key=lambda row: is_site and row.key == site_codec.HEAD)):
            await self._tables.submit(table, partition, [Put(row) for row in batch])
        self.done.deleted += len(gone) - len(lesser)
        self.done.written += len(news)


def _rows(path: Path, table: str) -> Iterator[Row]:
    return (row for name, row in copyfile.read(path) if name == table)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """As many rows as one transaction takes."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        more = wire_bytes(row.partition, row.key, row.values)
        if batch and (len(batch) == MOST_CHANGES or size + more > MOST_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += more
    if batch:
        yield batch
