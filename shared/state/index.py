"""The index of reservations: which sites an id concerns. Written before the partitions, so it may name too much, never
too little (rule 13); an unknown id's cancellation waits here as a tombstone."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.errors import AlreadyExists, StaleWrite
from shared.ports import Row, Tables
from shared.state import cells
from shared.state.names import RESERVATIONS


@dataclass(frozen=True, slots=True)
class Indexed:
    """What is known of an id: its sites, the newest report's version and counter, whether that was a cancellation."""

    sites: tuple[str, ...]
    version: int
    observed: int
    cancelled: bool


class ReservationIndex:
    """The ``Reservations`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, account: str, reservation: str) -> Indexed | None:
        """What is known of an id, or None."""
        row = await self._tables.get(RESERVATIONS, account, reservation)
        return None if row is None else _indexed(row)

    async def note(self, account: str, reservation: str, new: Indexed) -> Indexed:
        """Add sites and the newest report to an id, keeping what is there; returns the whole. A report older than the
        stored one adds its sites and nothing else. Where a platform gives no version, a cancellation is final."""
        while True:
            row = await self._tables.get(RESERVATIONS, account, reservation)
            merged = new if row is None else _merge(_indexed(row), new)
            written = Row(account, reservation, _columns(merged))
            try:
                if row is None or row.etag is None:
                    await self._tables.insert(RESERVATIONS, written)
                elif _indexed(row) != merged:
                    await self._tables.update(RESERVATIONS, written, row.etag)
            except (AlreadyExists, StaleWrite):
                continue
            return merged


def _merge(old: Indexed, new: Indexed) -> Indexed:
    sites = tuple(dict.fromkeys((*old.sites, *new.sites)))
    if old.version and new.version and old.version != new.version:
        newest = max(old, new, key=lambda one: one.version)
    else:
        newest = old if old.observed > new.observed else new
    buried = old.cancelled and not new.version
    return Indexed(sites, newest.version, newest.observed, newest.cancelled or buried)


def _indexed(row: Row) -> Indexed:
    values = row.values
    return Indexed(
        cells.texts(values, "sites"),
        cells.number(values, "version"),
        cells.number(values, "observed"),
        cells.flag(values, "cancelled"),
    )


def _columns(one: Indexed) -> dict[str, str | int | bool]:
    return {
        "sites": cells.to_texts(one.sites),
        "version": one.version,
        "observed": one.observed,
        "cancelled": one.cancelled,
    }
