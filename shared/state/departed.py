"""Departed stays: kept behind the range a load reads, for as long as the record is; without a guest's name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.domain.errors import NotFound, StaleWrite, Unreadable
from shared.domain.model import Reservation
from shared.ports.stores import Delete, Put, Row, Tables, Value
from shared.state import site_codec
from shared.state.limits import MOST_CHANGES
from shared.state.names import SITES

_FIRST, _PAST = site_codec.DEPARTED, "p}"


@dataclass(frozen=True, slots=True)
class Departed:
    """One row. ``stay`` is None where this release cannot read it; a name in it can be erased all the same."""

    key: str
    etag: str
    named: bool
    stay: Reservation | None


class DepartedStore:
    """That part of the ``Sites`` table. Nothing but a name is ever changed in a row."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self, site: str) -> Sequence[Departed]:
        """A site's departed stays, by one read (of some thousand rows each)."""
        rows = await self._tables.query(SITES, site, start=_FIRST, stop=_PAST)
        return tuple(_departed(row) for row in rows)

    async def drop(self, site: str, some: Iterable[Departed]) -> int:
        """Take these rows away while they are as they were read: at most one transaction of them; returns how many."""
        part = list(some)[:MOST_CHANGES]
        try:
            if part:
                await self._tables.submit(SITES, site, [Delete(one.key, if_match=one.etag) for one in part])
        except (StaleWrite, NotFound):
            return 0
        return len(part)

    async def forget(self, site: str, some: Iterable[Departed]) -> int:
        """Erase the names in these rows while they are as they were read; returns how many. Rows that changed meanwhile
        are left with all that stand in one transaction with them: whoever comes next finds them again."""
        named = [one for one in some if one.named]
        gone = 0
        for start in range(0, len(named), MOST_CHANGES):
            part = named[start : start + MOST_CHANGES]
            values: dict[str, Value] = {"guest": "", "forgotten": True}
            try:
                await self._tables.submit(
                    SITES, site, [Put(Row(site, one.key, values), if_match=one.etag) for one in part]
                )
            except (StaleWrite, NotFound):
                continue
            gone += len(part)
        return gone


def _departed(row: Row) -> Departed:
    try:
        stay = site_codec.to_reservation(row)
        named = bool(stay.guest)
    except (Unreadable, ValueError, LookupError, TypeError):
        stay, named = None, bool(row.values.get("guest"))
    return Departed(row.key, row.etag or "", named, stay)
