"""Inbox: raw webhook bodies until their facts are committed; and quarantine: what nobody could process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.correlation import current
from shared.domain.errors import NotFound, StaleWrite, Unreadable
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import INBOX, QUARANTINE, REPLAYED

if TYPE_CHECKING:
    from shared.ports.people import NewId

MOST_RAW = 60_000
"""Bytes kept of what was set aside: a column holds 64 KiB."""

MOST_REASON = 500
"""Characters kept of why it was set aside."""

UNREADABLE_ROW = "this row cannot be read"
"""The reason of something in quarantine whose own row is damaged."""


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


class SetAside(StrEnum):
    """What was set aside, which decides how it is tried again."""

    MESSAGE = "message"  # of one of our queues: sent again
    WEBHOOK = "webhook"  # a platform's call: taken in again
    STAY = "stay"  # a part of an answer: its account is asked again


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something nobody could process. ``source`` is a queue, a platform or an account, empty where the row cannot be
    read; ``raw`` what was kept of it, ``size`` how many bytes there were. ``what`` is None in rows of an older release,
    ``at`` where no instant can be read."""

    name: str
    source: str
    reason: str
    raw: bytes = field(repr=False)
    what: SetAside | None = None
    size: int = 0
    at: datetime | None = None
    correlation: str = ""
    etag: str = ""


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
        """A stored body by its message key, or None when it is done. Raises ``Unreadable``."""
        partition, _, name = key.rpartition("/")
        row = await self._tables.get(INBOX, partition, name)
        return None if row is None else _delivery(row)

    async def done(self, delivery: Delivery) -> None:
        """Its facts are committed: forget the body."""
        await self._tables.delete(INBOX, delivery.partition, delivery.id)

    async def waiting(self, account: str, day: datetime) -> list[Delivery]:
        """What is left of an account's day, for the sweep. A body that this release cannot read is left to the one that
        stored it."""
        return list(_readable(await self._tables.query(INBOX, f"{account}~{day:%Y%m%d}")))

    async def quarantine(
        self, name: str, source: str, reason: str, raw: bytes, what: SetAside | None = None
    ) -> None:
        """Keep what nobody could process, with its reason; a repeated one stays one row."""
        now = cells.to_instant(self._tables.now())
        values: dict[str, Value] = {
            "source": source,
            "reason": reason[:MOST_REASON],
            "raw": raw[:MOST_RAW],
            "at": now,
        }
        values |= {"what": what.value if what else "", "size": len(raw), "correlation": current()}
        await self._tables.upsert(INBOX, Row(QUARANTINE, name, values))

    async def quarantined(self) -> list[Row]:
        """Everything in quarantine."""
        return await self._tables.query(INBOX, QUARANTINE)

    async def set_aside(self, name: str) -> Quarantined | None:
        """One thing in quarantine by its name, or None."""
        row = await self._tables.get(INBOX, QUARANTINE, name)
        return None if row is None else to_quarantined(row)

    async def replayed(self, one: Quarantined, by: str) -> None:
        """Note that it was replayed, and by whom, and forget what it held. One that was set aside again meanwhile
        stays."""
        values: dict[str, Value] = {"source": one.source, "reason": one.reason, "by": by}
        values |= {"at": cells.to_instant(one.at), "replayed_at": cells.to_instant(self._tables.now())}
        await self._tables.upsert(INBOX, Row(REPLAYED, one.name, values))
        with suppress(StaleWrite):
            await self._tables.delete(INBOX, QUARANTINE, one.name, one.etag)

    async def replay_of(self, name: str) -> tuple[str, datetime | None] | None:
        """By whom and when something was replayed that is in quarantine no longer; None for what never was."""
        row = await self._tables.get(INBOX, REPLAYED, name)
        return (
            None if row is None else (cells.text(row.values, "by"), cells.instant(row.values, "replayed_at"))
        )

    async def empty(self, one: Quarantined) -> bool:
        """Forget what something in quarantine held, and keep that it came and why it could not be processed; False when
        it changed meanwhile. One whose instant cannot be read gets this one, or it would be kept for ever."""
        values: dict[str, Value] = {"raw": b"", "size": one.size}
        if one.at is None:
            values["at"] = cells.to_instant(self._tables.now())
        try:
            await self._tables.update(INBOX, Row(QUARANTINE, one.name, values), one.etag)
        except (StaleWrite, NotFound):
            return False
        return True

    async def clean(self, before: datetime, most: int = 200) -> int:
        """Forget what was set aside, or replayed, before an instant; at most so many rows, returns how many."""
        gone = 0
        for partition, column in ((QUARANTINE, "at"), (REPLAYED, "replayed_at")):
            for row in await self._tables.query(INBOX, partition):
                at = instant_of(row, column)
                if gone < most and at is not None and at < before:
                    await self._tables.delete(INBOX, partition, row.key)
                    gone += 1
        return gone


def to_quarantined(row: Row) -> Quarantined:
    """Read what ``InboxStore.quarantine`` wrote, in this release or an older one. A row that cannot be read is one more
    thing set aside, with what it holds: it may name a guest, and hides none of the others."""
    raw = row.values.get("raw", b"")
    raw = raw if isinstance(raw, bytes) else b""
    try:
        return _quarantined(row, raw)
    except Unreadable:
        at, etag = instant_of(row), row.etag or ""
        return Quarantined(row.key, "", UNREADABLE_ROW, raw, size=len(raw), at=at, etag=etag)


def instant_of(row: Row, column: str = "at") -> datetime | None:
    """When something was set aside, or replayed; None where that cannot be read."""
    try:
        return cells.instant(row.values, column)
    except Unreadable:
        return None


def _quarantined(row: Row, raw: bytes) -> Quarantined:
    source, what = cells.text(row.values, "source"), cells.text(row.values, "what")
    size = cells.number(row.values, "size") or len(raw)
    at = cells.instant(row.values, "at")
    return Quarantined(
        row.key,
        source,
        cells.text(row.values, "reason"),
        raw,
        SetAside(what) if what in set(SetAside) else None,
        size,
        at,
        cells.text(row.values, "correlation"),
        row.etag or "",
    )


def _readable(rows: Iterable[Row]) -> Iterator[Delivery]:
    for row in rows:
        try:
            yield _delivery(row)
        except Unreadable:
            continue


def _delivery(row: Row) -> Delivery:
    body = row.values.get("body")
    if not isinstance(body, bytes) or not row.values.get("account"):
        raise Unreadable("a delivery without its bytes, or whose they are")
    account, at = cells.text(row.values, "account"), cells.instant(row.values, "at")
    return Delivery(row.partition, row.key, account, body, at, cells.text(row.values, "correlation"))
