"""Feed reads: which version of our export a peer fetched, and when. Written outside the head's ETag (rule 24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.domain.confirm import Read
from shared.domain.errors import AlreadyExists, Unreadable
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import FEED_READS

_BLIND = "~"


class ReadStore:
    """One row per listing and version, and another for fetches without a look that proves something: the first of each
    is what counts."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def record(self, listing: str, read: Read, agent: str) -> bool:
        """Remember a fetch; False when that version had been fetched like that before."""
        values: dict[str, Value] = {
            "at": cells.to_instant(read.at),
            "agent": agent[:200],
            "looked": read.looked,
            "doubted": read.doubted,
        }
        key = f"{read.version:012d}" + ("" if read.looked else _BLIND)
        try:
            await self._tables.insert(FEED_READS, Row(listing, key, values))
        except AlreadyExists:
            return False
        return True

    async def since(self, listing: str, version: int) -> list[Read]:
        """Fetches of that version or later, oldest version first."""
        rows = await self._tables.query(FEED_READS, listing, start=f"{version:012d}")
        return list(_readable(rows))


def _readable(rows: Iterable[Row]) -> Iterator[Read]:
    """What this release can read; a fetch that it cannot is no evidence, which lets no night be sold."""
    for row in rows:
        try:
            at = cells.from_instant(cells.text(row.values, "at"))
            version = int(row.key.removesuffix(_BLIND))
        except (Unreadable, ValueError):
            continue
        yield Read(version, at, cells.flag(row.values, "looked"), cells.flag(row.values, "doubted"))
