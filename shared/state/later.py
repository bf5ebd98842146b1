"""Later: notices that wait for a person's morning, by the instant at which they are due. The row stands until the
digest that holds it is itself written down, so a process may die at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from shared.domain.errors import NotFound, Unreadable
from shared.ports.people import Notice
from shared.ports.stores import Delete, Row, Tables, Value
from shared.state import cells
from shared.state.limits import MOST_CHANGES
from shared.state.names import ACCOUNTS

PARTITION = "~later"
"""Where they stand in the ``Accounts`` table: what is due sorts in front."""

MOST_TEXT = 1_000
"""Characters of a text that are kept, in each language."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that waits for somebody. ``at`` is when it came, ``due`` when it is told."""

    person: str = field(repr=False)
    due: datetime
    at: datetime
    kind: str
    text: Mapping[str, str] = field(repr=False)
    key: str = ""


class LaterStore:
    """One row a person and notice."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(self, person: str, due: datetime, at: datetime, notice: Notice) -> None:
        """Let it wait; the same twice is once."""
        name = sha256(f"{person}\n{notice.kind}\n{notice.key}\n{at.isoformat()}".encode("utf-8", "replace"))
        values: dict[str, Value] = {
            "person": person,
            "due": cells.to_instant(due),
            "at": cells.to_instant(at),
            "kind": notice.kind,
            "text": json.dumps({name: one[:MOST_TEXT] for name, one in notice.text.items()}),
        }
        key = f"{cells.to_instant(due)}|{name.hexdigest()[:32]}"
        await self._tables.upsert(ACCOUNTS, Row(PARTITION, key, values))

    async def due(self, now: datetime) -> list[Waiting]:
        """What is due, the oldest first: one read, and an empty one nearly always."""
        rows = await self._tables.query(ACCOUNTS, PARTITION, stop=cells.to_instant(now))
        return list(_readable(rows))

    async def of(self, person: str) -> list[Waiting]:
        """What waits for somebody, due or not."""
        rows = await self._tables.query(ACCOUNTS, PARTITION)
        return [one for one in _readable(rows) if one.person == person]

    async def drop(self, some: Sequence[Waiting]) -> None:
        """Take them away, all or none: at most a transaction's worth. Does nothing where another host did."""
        assert len(some) <= MOST_CHANGES, "a digest holds what one transaction takes away"
        try:
            await self._tables.submit(ACCOUNTS, PARTITION, [Delete(one.key) for one in some])
        except NotFound:
            return


def _readable(rows: Iterable[Row]) -> Iterable[Waiting]:
    for row in rows:
        try:
            yield _waiting(row)
        except (Unreadable, ValueError):
            continue


def _waiting(row: Row) -> Waiting:
    values = row.values
    due, at = cells.instant(values, "due"), cells.instant(values, "at")
    text = json.loads(cells.text(values, "text") or "{}")
    if due is None or at is None or not isinstance(text, dict):
        raise Unreadable("a notice that waits is not readable")
    return Waiting(
        cells.text(values, "person"),
        due,
        at,
        cells.text(values, "kind"),
        {str(name): str(one) for name, one in text.items()},
        row.key,
    )
