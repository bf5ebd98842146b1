"""Inbox: raw webhook bodies until their facts are committed; and quarantine: what nobody could process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.correlation import current
from shared.ports import NewId, Row, Tables, Value
from shared.state import cells
from shared.state.names import INBOX, QUARANTINE


@dataclass(frozen=True, slots=True)
class Delivery:
    """One raw body. ``key`` names it in a message: account and day, then the delivery."""

    partition: str
    id: str
    account: str
    body: bytes = field(repr=False)
    at: datetime | None = None
    correlation: str = ""

    @property
    def key(self) -> str:
        """What a message carries."""
        return f"{self.partition}/{self.id}"


class InboxStore:
    """The ``Inbox`` table."""

    def __init__(self, tables: Tables, new_id: NewId) -> None:
        self._tables = tables
        self._new_id = new_id

    async def put(self, account: str, body: bytes) -> Delivery:
        """Store a body before its sender is answered."""
        now = self._tables.now()
        delivery = Delivery(f"{account}~{now:%Y%m%d}", self._new_id(), account, body, now)
        values: dict[str, Value] = {"account": account, "body": body, "at": cells.to_instant(now)}
        values["correlation"] = current()
        await self._tables.insert(INBOX, Row(delivery.partition, delivery.id, values))
        return delivery

    async def get(self, key: str) -> Delivery | None:
        """A stored body by its message key, or None when it is done."""
        partition, _, name = key.rpartition("/")
        row = await self._tables.get(INBOX, partition, name)
        return None if row is None else _delivery(row)

    async def done(self, delivery: Delivery) -> None:
        """Its facts are committed: forget the body."""
        await self._tables.delete(INBOX, delivery.partition, delivery.id)

    async def waiting(self, account: str, day: datetime) -> list[Delivery]:
        """What is left of an account's day, for the sweep."""
        rows = await self._tables.query(INBOX, f"{account}~{day:%Y%m%d}")
        return [_delivery(row) for row in rows]

    async def quarantine(self, name: str, source: str, reason: str, raw: bytes) -> None:
        """Keep what nobody could process, with its reason; a repeated one stays one row."""
        now = cells.to_instant(self._tables.now())
        values: dict[str, Value] = {"source": source, "reason": reason[:500], "raw": raw[:60_000], "at": now}
        await self._tables.upsert(INBOX, Row(QUARANTINE, name, values))

    async def quarantined(self) -> list[Row]:
        """Everything in quarantine."""
        return await self._tables.query(INBOX, QUARANTINE)


def _delivery(row: Row) -> Delivery:
    body = row.values.get("body", b"")
    assert isinstance(body, bytes), "a delivery is always written with its bytes"
    account, at = cells.text(row.values, "account"), cells.instant(row.values, "at")
    return Delivery(row.partition, row.key, account, body, at, cells.text(row.values, "correlation"))
