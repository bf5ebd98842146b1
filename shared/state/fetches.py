"""Fetches: who asked for our calendars last, and when. For people to look at; what proves something stands in reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.errors import Unreadable
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import FEED_READS

_LAST = "~last"

WRITTEN_EVERY = timedelta(seconds=30)
"""A process notes the same caller of the same calendar once in so long: somebody who asks each second costs nothing."""

_MOST_KEPT = 10_000
_MOST_AGENT = 120


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request for a calendar: when (store time), as whom it came, and the status it was answered with."""

    at: datetime
    agent: str
    status: int


@dataclass(frozen=True, slots=True)
class Fetches:
    """The last of a calendar: by its platform's known importer, and by anybody else (a browser, an importer that calls
    itself something we do not know)."""

    peer: Fetch | None = None
    other: Fetch | None = None


class FetchStore:
    """One row a listing, all in one partition: a page reads them at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._written: dict[tuple[str, bool, int], datetime] = {}

    async def note(self, listing: str, fetch: Fetch, *, peer: bool) -> None:
        """Remember a request."""
        key = (listing, peer, fetch.status)
        last = self._written.get(key)
        if last is not None and timedelta() <= fetch.at - last < WRITTEN_EVERY:
            return
        if len(self._written) >= _MOST_KEPT:
            self._written.clear()
        who = "peer" if peer else "other"
        agent = "".join(letter for letter in fetch.agent if letter.isprintable())[:_MOST_AGENT]
        values: dict[str, Value] = {
            f"{who}_at": cells.to_instant(fetch.at),
            f"{who}_agent": agent,
            f"{who}_status": fetch.status,
        }
        await self._tables.upsert(FEED_READS, Row(_LAST, listing, values))
        self._written[key] = fetch.at

    async def all(self) -> Mapping[str, Fetches]:
        """The last requests of every calendar, by listing."""
        rows = await self._tables.query(FEED_READS, _LAST)
        return {row.key: _fetches(row) for row in rows}

    async def of(self, listing: str) -> Fetches:
        """The last requests of one."""
        row = await self._tables.get(FEED_READS, _LAST, listing)
        return Fetches() if row is None else _fetches(row)


def _fetches(row: Row) -> Fetches:
    return Fetches(_fetch(row, "peer"), _fetch(row, "other"))


def _fetch(row: Row, who: str) -> Fetch | None:
    try:
        at = cells.instant(row.values, f"{who}_at")
        agent, status = cells.text(row.values, f"{who}_agent"), cells.number(row.values, f"{who}_status")
    except Unreadable:  # a newer release's: shown to nobody, and in nobody's way
        return None
    return None if at is None else Fetch(at, agent, status)
