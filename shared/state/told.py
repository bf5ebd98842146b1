"""Told: what people were told, and by which channels they still wait for it. The row stands before anything is sent, so
that a process may die in between; it is also what keeps twenty repetitions away from a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain.errors import AlreadyExists, NotFound, StaleWrite, Unreadable
from shared.ports.people import Notice
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import ACCOUNTS

PARTITION = "~told"
"""Where they stand in the ``Accounts`` table: one short partition, read once a minute."""

MOST_TEXT = 2_000
"""Characters of a text that are kept, in each language."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice on its way. ``waiting`` names the channels that have not taken it yet, ``failed`` those nobody tries any
    more, ``taken`` those that took it; ``tries`` counts from 1; until ``next`` it is in somebody's hands. ``error``
    says why, channel by channel."""

    notice: Notice
    at: datetime
    waiting: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    tries: int = 1
    next: datetime | None = None
    error: str = ""
    etag: str | None = None
    taken: tuple[str, ...] = ()


class ToldStore:
    """One row a notice, by kind and key."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, kind: str, key: str) -> Told | None:
        """What was told under that kind and key last, or None."""
        row = await self._tables.get(ACCOUNTS, PARTITION, _key(kind, key))
        return None if row is None else _told(row)

    async def take(self, told: Told, window: timedelta, *, unless_changed: bool = False) -> Told | None:
        """Write it down as on its way; None when the same was told less than ``window`` before, by whichever host.
        ``unless_changed``: another text is not the same."""
        known = await self.get(told.notice.kind, told.notice.key)
        same = not unless_changed or (known is not None and dict(known.notice.text) == _cut(told.notice).text)
        if known is not None and told.at - known.at < window and same:
            return None
        try:
            return await self.put(replace(told, etag=known.etag if known else None))
        except StaleWrite:  # another host told it this very moment
            return None

    async def put(self, told: Told) -> Told:
        """Write a row that was not there, or is as it was read. Raises ``StaleWrite``."""
        row = Row(PARTITION, _key(told.notice.kind, told.notice.key), _values(told))
        try:
            if told.etag is None:
                return replace(told, etag=await self._tables.insert(ACCOUNTS, row))
            return replace(told, etag=await self._tables.update(ACCOUNTS, row, told.etag))
        except (AlreadyExists, NotFound):
            raise StaleWrite("another host was first to tell it") from None

    async def all(self) -> Sequence[Told]:
        """Every row that can be read."""
        return tuple(_readable(await self._tables.query(ACCOUNTS, PARTITION)))

    async def forget(self, told: Told) -> None:
        """Take the row away while it is as it was read."""
        try:
            key = _key(told.notice.kind, told.notice.key)
            await self._tables.delete(ACCOUNTS, PARTITION, key, told.etag)
        except (StaleWrite, NotFound):
            return


def _key(kind: str, key: str) -> str:
    """Keys hold what strangers wrote, at any length: the row's own is short."""
    return f"{kind}|{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _whole(text: str) -> str:
    """Text as a table can hold it."""
    return text[:MOST_TEXT].encode("utf-8", "replace").decode()


def _cut(notice: Notice) -> Notice:
    return replace(notice, text={name: _whole(text) for name, text in notice.text.items()})


def _values(told: Told) -> dict[str, Value]:
    notice = _cut(told.notice)
    return {
        "kind": notice.kind,
        "key": _whole(notice.key),
        "severity": notice.severity,
        "text": json.dumps(dict(notice.text), ensure_ascii=False),
        "owner": _whole(notice.owner),
        "link": _whole(notice.link),
        "id": notice.id,
        "to": notice.to,
        "at": cells.to_instant(told.at),
        "waiting": cells.to_texts(told.waiting),
        "failed": cells.to_texts(told.failed),
        "tries": told.tries,
        "next": cells.to_instant(told.next),
        "error": _whole(told.error),
        "taken": cells.to_texts(told.taken),
    }


def _told(row: Row) -> Told:
    values = row.values
    at = cells.instant(values, "at")
    text = json.loads(cells.text(values, "text") or "{}")
    if at is None or not isinstance(text, dict):
        raise Unreadable("a row of what was told is not readable")
    notice = Notice(
        cells.text(values, "kind"),
        cells.text(values, "key"),
        cells.text(values, "severity"),
        {str(name): str(one) for name, one in text.items()},
        cells.text(values, "owner"),
        cells.text(values, "link"),
        cells.text(values, "id"),
        cells.text(values, "to"),
    )
    return Told(
        notice,
        at,
        cells.texts(values, "waiting"),
        cells.texts(values, "failed"),
        cells.number(values, "tries"),
        cells.instant(values, "next"),
        cells.text(values, "error"),
        row.etag,
        cells.texts(values, "taken"),
    )


def _readable(rows: Iterable[Row]) -> Iterable[Told]:
    for row in rows:
        try:
            yield _told(row)
        except (Unreadable, ValueError):
            continue
