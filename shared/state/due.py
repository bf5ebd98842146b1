"""Due: sites with work or waiting intents. A row is put down before the commit that makes the work, and taken away only
while it is the very row that was read before the load (rule 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

from shared.correlation import current
from shared.domain.errors import NotFound, StaleWrite, Unreadable
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import DUE

SHARDS = 4
"""Partitions of the table: each costs one read a sweep; 4 carry thousands of homes."""

_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Work:
    """A site that wants to be looked at from ``at`` on; ``attempts`` counts reconciles that failed in a row. ``tell``
    are keys of stays whose commit this row was put down for, and of which nobody may have been told yet."""

    site: str
    at: datetime
    reason: str
    attempts: int = 0
    etag: str = ""
    tell: tuple[str, ...] = ()
    correlation: str = ""


def shard_of(site: str) -> str:
    """The partition of a site's row: stable for ever."""
    return f"{crc32(site.encode()) % SHARDS:02d}"


class DueStore:
    """The index of work."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(
        self, site: str, at: datetime, reason: str, attempts: int | None = None, tell: Sequence[str] = ()
    ) -> str:
        """Ask for a look at the site; returns the ETag that may later take the row away. Without ``attempts`` or
        ``tell`` what stands there stays: news of a site that fails must not hide that it does."""
        values: dict[str, Value] = {"at": cells.to_instant(at), "reason": reason}
        if attempts is not None:
            values["attempts"] = attempts
        if tell:
            values["tell"] = cells.to_texts(tell)
        if correlation := current():
            values["correlation"] = correlation
        return await self._tables.upsert(DUE, Row(shard_of(site), site, values))

    async def done(self, site: str, etag: str) -> bool:
        """Take the row away unless somebody asked again meanwhile; whether it is gone."""
        try:
            await self._tables.delete(DUE, shard_of(site), site, etag)
        except StaleWrite:
            return False
        return True

    async def postpone(
        self, site: str, etag: str, at: datetime, reason: str, attempts: int = 0, *, told: bool = False
    ) -> bool:
        """Put the look off to ``at`` unless somebody asked again meanwhile; whether it was put off. ``told``: of all
        that the row says is to be told."""
        values: dict[str, Value] = {"at": cells.to_instant(at), "reason": reason, "attempts": attempts}
        if told:
            values["tell"] = ""
        try:
            await self._tables.update(DUE, Row(shard_of(site), site, values), etag)
        except (StaleWrite, NotFound):
            return False
        return True

    async def get(self, site: str) -> Work | None:
        """The site's row, or None."""
        row = await self._tables.get(DUE, shard_of(site), site)
        return None if row is None else _work(row)

    async def all(self) -> Sequence[Work]:
        """Every row, most urgent first."""
        rows = [row for n in range(SHARDS) for row in await self._tables.query(DUE, f"{n:02d}")]
        return sorted((_work(row) for row in rows), key=lambda work: (work.at, work.site))


def _work(row: Row) -> Work:
    """Read a row; one that this release cannot read is due at once, since a look does no harm, and must keep no other
    site from its own."""
    values = row.values
    try:
        return Work(
            row.key,
            cells.instant(values, "at") or _AT_ONCE,
            cells.text(values, "reason"),
            cells.number(values, "attempts"),
            row.etag or "",
            cells.texts(values, "tell"),
            cells.text(values, "correlation"),
        )
    except Unreadable:
        return Work(row.key, _AT_ONCE, "unreadable", etag=row.etag or "")
