"""People: who signs in, and what they may do with whose homes. Principals are personal data: they stand here and in
the portfolio, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from shared.domain.access import Person, Role
from shared.domain.errors import AlreadyExists, NotFound, StaleWrite, Unreadable
from shared.domain.portfolio import Owner
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import ACCOUNTS

_PEOPLE = "~people"

KEPT = timedelta(seconds=5)
"""How long a process believes what it read: a role that was taken away still counts so long."""

MOST_KEPT = 1_000
"""People a process remembers at once."""

_TRIES = 8


class PeopleStore:
    """One row a person, in a partition of the ``Accounts`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._kept: dict[str, tuple[datetime, Person | None]] = {}

    async def put(self, owners: Iterable[Owner]) -> None:
        """Write who looks after the homes of these owners, in place of whoever did before."""
        named = list(owners)
        ids = {one.id for one in named}
        given: dict[str, dict[str, Owner]] = {}
        for one in named:
            given.setdefault(one.principal.strip().lower(), {})[one.id] = one
        rows = {row.key: row for row in await self._tables.query(ACCOUNTS, _PEOPLE)}
        concerned = {key for key, row in rows.items() if ids & _words(row).keys()} | given.keys()
        for key in sorted(concerned):
            await self._change(key, rows.get(key), ids, given.get(key, {}))
        self._kept.clear()

    async def _change(self, key: str, row: Row | None, ids: set[str], given: Mapping[str, Owner]) -> None:
        """Give somebody these roles of these owners and no other, whatever others write of other owners meanwhile: a
        role that was just taken away must not come back with an older reading. Raises ``StaleWrite``."""
        for _ in range(_TRIES):
            kept = (
                {} if row is None else _words(row)
            )  # words of a newer release are kept, and allow nothing here
            roles = {owner: role for owner, role in kept.items() if owner not in ids}
            roles |= {owner: one.role.value for owner, one in given.items()}
            values: dict[str, Value] = {
                "owners": cells.to_texts(roles),
                "roles": cells.to_texts(roles.values()),
            }
            if given:
                values["language"] = list(given.values())[-1].language
            try:
                if row is None or row.etag is None:
                    await self._tables.insert(ACCOUNTS, Row(_PEOPLE, key, values))
                else:
                    await self._tables.update(ACCOUNTS, Row(_PEOPLE, key, values), row.etag)
            except (AlreadyExists, NotFound, StaleWrite):
                row = await self._tables.get(ACCOUNTS, _PEOPLE, key)
                continue
            return
        raise StaleWrite(f"the roles of one person kept changing: {_TRIES} tries")

    async def forget_strangers(self) -> int:
        """Take away everybody who looks after nobody's homes any more; returns how many. A row that cannot be read
        stays."""
        gone = 0
        for row in await self._tables.query(ACCOUNTS, _PEOPLE):
            with suppress(StaleWrite, Unreadable):
                if not _words(row):
                    await self._tables.delete(ACCOUNTS, _PEOPLE, row.key, row.etag)
                    gone += 1
        return gone

    async def names(self) -> frozenset[str]:
        """By what everybody is known, those too whose row cannot be read."""
        return frozenset(row.key for row in await self._tables.query(ACCOUNTS, _PEOPLE))

    async def all(self) -> list[Person]:
        """Everybody the portfolio names, by principal. Raises ``Unreadable``."""
        return [_person(row) for row in await self._tables.query(ACCOUNTS, _PEOPLE)]

    async def readable(self) -> list[Person]:
        """The same, but for those whose row cannot be read: they silence nobody else."""
        return list(_readable(await self._tables.query(ACCOUNTS, _PEOPLE)))

    async def find(self, principal: str, now: datetime, most: timedelta = KEPT) -> Person | None:
        """Somebody by the name the sign-in knows them by, in any case; None for a stranger. At most so old."""
        key = principal.strip().lower()
        kept = self._kept.get(key)
        if kept is not None and timedelta() <= now - kept[0] < most:
            return kept[1]
        row = await self._tables.get(ACCOUNTS, _PEOPLE, key) if key else None
        person = None if row is None else _person(row)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = (now, person)
        return person


def _readable(rows: Iterable[Row]) -> Iterator[Person]:
    for row in rows:
        try:
            yield _person(row)
        except Unreadable:
            continue


def _words(row: Row) -> dict[str, str]:
    """Somebody's roles by owner, as they are written."""
    owners, roles = cells.texts(row.values, "owners"), cells.texts(row.values, "roles")
    return dict(zip(owners, roles, strict=False))


def _person(row: Row) -> Person:
    known = {owner: Role(role) for owner, role in _words(row).items() if role in tuple(Role)}
    return Person(row.key, known, cells.text(row.values, "language"))
