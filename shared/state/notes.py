"""Notes: small shared texts of an account under compare-and-swap, for what every host must agree on.

Circuits, limiter blocks and rungs of the ladder live here. What a text means is its writer's business.
"""

from __future__ import annotations

from shared.domain.errors import AlreadyExists, NotFound, StaleWrite
from shared.ports.stores import Note, Row, Tables
from shared.state import cells
from shared.state.names import ACCOUNTS

PREFIX = "note|"
"""How their row keys begin, beside an account's other rows."""

_TEXT = "text"


class NoteStore:
    """The port ``Notes`` over the ``Accounts`` table: one row a note, in its account's partition."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def read(self, account: str, name: str) -> Note:
        """The note as it stands; an empty one without an ETag where none was written."""
        row = await self._tables.get(ACCOUNTS, account, PREFIX + name)
        return Note() if row is None else Note(cells.text(row.values, _TEXT), row.etag)

    async def swap(self, account: str, name: str, text: str, etag: str | None) -> Note:
        """Write it while it still carries ``etag`` (None: while there is none). Raises ``StaleWrite``."""
        row = Row(account, PREFIX + name, {_TEXT: text})
        try:
            if etag is None:
                return Note(text, await self._tables.insert(ACCOUNTS, row))
            return Note(text, await self._tables.update(ACCOUNTS, row, etag))
        except (AlreadyExists, NotFound):
            raise StaleWrite(f"note {name} of {account}: somebody else was first") from None
