"""Open conflicts: how many double sales stand on each site, so that counting them reads no site.

The sites' own rows are the truth. Whoever has just brought a site up to date notes its number here when it changed; the
hourly audit, which reads each site once a day, mends what a crash in between left.
"""

from __future__ import annotations

from shared.domain.errors import Unreadable
from shared.ports.stores import Row, Tables
from shared.state import cells
from shared.state.names import ACCOUNTS

PARTITION = "~conflicts"
"""Where they stand in the ``Accounts`` table: one row for each site that has some."""


class OpenConflicts:
    """One number a site; no row for none."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> dict[str, int]:
        """Every site with some: one read. A number that cannot be read counts as none until it is written again."""
        rows = await self._tables.query(ACCOUNTS, PARTITION)
        return {row.key: _number(row) for row in rows}

    async def put(self, site: str, count: int) -> None:
        """Note a site's number: one write."""
        if count:
            await self._tables.upsert(ACCOUNTS, Row(PARTITION, site, {"open": count}))
        else:
            await self._tables.delete(ACCOUNTS, PARTITION, site)


def _number(row: Row) -> int:
    try:
        return cells.number(row.values, "open")
    except Unreadable:
        return 0
