"""Feed reads: which version of our export a peer fetched, and when. Written outside the head's ETag (rule 24)."""

from __future__ import annotations

from datetime import datetime

from shared.domain.errors import AlreadyExists
from shared.ports import Row, Tables
from shared.state import cells
from shared.state.names import FEED_READS


class ReadStore:
    """One row per listing and version: the first fetch of it is what counts."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def record(self, listing: str, version: int, at: datetime, agent: str) -> bool:
        """Remember a fetch; False when that version had been fetched before."""
        values = {"at": cells.to_instant(at), "agent": agent[:200]}
        try:
            await self._tables.insert(FEED_READS, Row(listing, f"{version:012d}", values))
        except AlreadyExists:
            return False
        return True

    async def since(self, listing: str, version: int) -> list[tuple[int, datetime]]:
        """Fetches of that version or later, oldest version first."""
        rows = await self._tables.query(FEED_READS, listing, start=f"{version:012d}")
        return [(int(row.key), cells.from_instant(cells.text(row.values, "at"))) for row in rows]

    async def last(self, listing: str) -> tuple[int, datetime] | None:
        """The newest version fetched and when, or None when nobody ever came."""
        found = await self.since(listing, 0)
        return found[-1] if found else None
