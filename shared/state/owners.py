"""Owners: who takes the notices about whose homes. The addresses are personal data: they stand here and in the
portfolio, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.portfolio import Owner
from shared.ports.people import Recipient
from shared.ports.stores import Row, Tables
from shared.state import cells
from shared.state.names import ACCOUNTS, DIRECTORY

_KEY, _PAST_KEYS = "owner|", "owner}"


class OwnerStore:
    """One row an owner in the directory of the ``Accounts`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(self, owners: Iterable[Owner]) -> None:
        """Write who takes the notices of these owners, in place of whoever did before."""
        by_id: dict[str, list[Owner]] = {}
        for one in owners:
            by_id.setdefault(one.id, []).append(one)
        for name, people in by_id.items():
            named = [one for one in people if one.email]
            values = {
                "addresses": cells.to_texts(one.email for one in named),
                "languages": cells.to_texts(one.language for one in named),
                "people": cells.to_texts(one.principal.strip().lower() for one in named),
            }
            await self._tables.upsert(ACCOUNTS, Row(DIRECTORY, _KEY + name, values))

    async def recipients(self, owner: str) -> Sequence[Recipient]:
        """Who takes the notices about an owner's homes; nobody where none is named."""
        row = await self._tables.get(ACCOUNTS, DIRECTORY, _KEY + owner) if owner else None
        if row is None:
            return ()
        addresses, languages = (cells.texts(row.values, name) for name in ("addresses", "languages"))
        # An older release wrote no names: then nobody is known to have chosen anything.
        people = cells.texts(row.values, "people") or ("",) * len(addresses)
        rows = zip(addresses, languages, people, strict=True)
        return tuple(Recipient(address, language, person) for address, language, person in rows)

    async def addresses(self) -> Mapping[tuple[str, str], str]:
        """Everybody's address by owner and principal (in lower case); of owners that an older release wrote, none."""
        rows = await self._tables.query(ACCOUNTS, DIRECTORY, start=_KEY, stop=_PAST_KEYS)
        return {
            (row.key.removeprefix(_KEY), principal): address
            for row in rows
            for principal, address in zip(
                cells.texts(row.values, "people"), cells.texts(row.values, "addresses"), strict=False
            )
        }
