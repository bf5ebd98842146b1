"""The index of reservations: which sites an id concerns. Written before the partitions, so it may name too much, never
too little (rule 13); an unknown id's cancellation waits here as a tombstone."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.errors import AlreadyExists, StaleWrite
from shared.ports.stores import Row, Tables
from shared.state import cells
from shared.state.names import RESERVATIONS


@dataclass(frozen=True, slots=True)
class Indexed:
    """What is known of an id: its sites, the newest report's version and counter, whether that was a cancellation.
    ``forgotten``: its guest asked us to forget him, and no site is to learn his name again."""

    sites: tuple[str, ...]
    version: int
    observed: int
    cancelled: bool
    forgotten: bool = False


class ReservationIndex:
    """The ``Reservations`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, account: str, reservation: str) -> Indexed | None:
        """What is known of an id, or None."""
        row = await self._tables.get(RESERVATIONS, account, reservation)
        return None if row is None else _indexed(row)

    async def forget(self, account: str, reservation: str) -> None:
        """Let no site learn this guest's name again; does nothing where the id is not known."""
        if await self._tables.get(RESERVATIONS, account, reservation) is not None:
            await self._tables.upsert(RESERVATIONS, Row(account, reservation, {"forgotten": True}))

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
    forgotten = old.forgotten or new.forgotten
    return Indexed(sites, newest.version, newest.observed, newest.cancelled or buried, forgotten)


def _indexed(row: Row) -> Indexed:
    values = row.values
    return Indexed(
        cells.texts(values, "sites"),
        cells.number(values, "version"),
        cells.number(values, "observed"),
        cells.flag(values, "cancelled"),
        cells.flag(values, "forgotten"),
    )


def _columns(one: Indexed) -> dict[str, str | int | bool]:
    return {
        "sites": cells.to_texts(one.sites),
        "version": one.version,
        "observed": one.observed,
        "cancelled": one.cancelled,
        "forgotten": one.forgotten,
    }
