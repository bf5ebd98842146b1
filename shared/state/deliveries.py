"""Deliveries: which signed ones were taken lately, so that a repeat is not worked twice; and each sender's last.

A repeat costs nothing but work, since a delivery is only a doorbell: what is kept here may be lost without harm.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.ports.stores import Delete, Row, Tables, Value
from shared.state import cells
from shared.state.limits import MOST_CHANGES
from shared.state.names import ACCOUNTS, DIRECTORY, INBOX

REMEMBERED = timedelta(minutes=10)
"""How long a signed id is known: a signature is good for five minutes before and after its own time."""

_HOUR = timedelta(hours=1)
_LAST = "delivery|"


@dataclass(frozen=True, slots=True)
class Last:
    """A sender's last delivery: when (store time), what became of it in a few words, bytes of its body."""

    at: datetime
    result: str
    size: int


class DeliveryStore:
    """Rows by the hour in the ``Inbox`` table for the repeats, and one row a sender in the directory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def is_repeat(self, sender: str, delivery: str) -> bool:
        """Whether that id was taken in the last ``REMEMBERED``."""
        now = self._tables.now()
        for hour in {_partition(now), _partition(now - REMEMBERED)}:
            row = await self._tables.get(INBOX, hour, _key(sender, delivery))
            at = None if row is None else cells.instant(row.values, "at")
            if at is not None and now - at <= REMEMBERED:
                return True
        return False

    async def remember(self, sender: str, delivery: str) -> None:
        """Its body is stored: from now on it is a repeat."""
        now = self._tables.now()
        values: dict[str, Value] = {"at": cells.to_instant(now)}
        await self._tables.upsert(INBOX, Row(_partition(now), _key(sender, delivery), values))

    async def forget(self, hours: int) -> int:
        """Remove what nobody asks for any more, looking back so many hours; returns how many rows went."""
        now, gone = self._tables.now(), 0
        for back in range(2, hours):
            hour = _partition(now - back * _HOUR)
            rows = await self._tables.query(INBOX, hour)
            for start in range(0, len(rows), MOST_CHANGES):
                part = rows[start : start + MOST_CHANGES]
                await self._tables.submit(INBOX, hour, [Delete(row.key) for row in part])
                gone += len(part)
        return gone

    async def note(self, sender: str, last: Last) -> None:
        """Keep a sender's last delivery, for people to see."""
        values: dict[str, Value] = {
            "at": cells.to_instant(last.at),
            "result": last.result[:200],
            "size": last.size,
        }
        await self._tables.upsert(ACCOUNTS, Row(DIRECTORY, _LAST + sender, values))

    async def last(self) -> dict[str, Last]:
        """Each sender's last delivery, by his name."""
        rows = await self._tables.query(ACCOUNTS, DIRECTORY, start=_LAST, stop="delivery}")
        return {
            row.key.removeprefix(_LAST): Last(
                at, cells.text(row.values, "result"), cells.number(row.values, "size")
            )
            for row in rows
            if (at := cells.instant(row.values, "at")) is not None
        }


def _partition(at: datetime) -> str:
    return f"~seen~{at:%Y%m%d%H}"


def _key(sender: str, delivery: str) -> str:
    return f"{sender}|{hashlib.sha256(delivery.encode()).hexdigest()}"
