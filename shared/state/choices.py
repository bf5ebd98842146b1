"""Choices: how each person wants to be told. Addresses are personal data and passwords: they stand here and nowhere
else, and leave this place masked or into a channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time
from hashlib import sha256

from shared.domain.access import Person
from shared.domain.errors import AlreadyExists, NotFound, StaleWrite, Unreadable
from shared.domain.quiet import Choice, Hours, Timing, Topic
from shared.domain.targets import Target, Way
from shared.ports.stores import Row, Tables, Value
from shared.state import cells
from shared.state.names import ACCOUNTS

PARTITION = "~choices"
"""Where they stand in the ``Accounts`` table."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose. ``person`` is the key of who (``key_of``), ``language`` the one of their notices."""

    person: str = field(repr=False)
    choice: Choice = field(default_factory=Choice)
    targets: tuple[Target, ...] = ()
    language: str = "fr"
    etag: str | None = None

    @property
    def mark(self) -> str:
        """A name of the person that names nobody."""
        return mark_of(self.person)


def key_of(person: Person) -> str:
    """By what a person's choice is kept: the name the portfolio knows them by, else what the sign-in calls them."""
    return (person.principal or person.name).strip().lower()


def mark_of(key: str) -> str:
    """The same, naming nobody."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class ChoiceStore:
    """One row a person."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def get(self, person: str) -> Chosen | None:
        """What somebody chose, None for nothing."""
        row = await self._tables.get(ACCOUNTS, PARTITION, person) if person else None
        return None if row is None else _chosen(row)

    async def all(self) -> list[Chosen]:
        """What everybody chose whose row can be read: one that cannot silences nobody else."""
        return list(_readable(await self._tables.query(ACCOUNTS, PARTITION)))

    async def drop(self, one: Chosen) -> bool:
        """Forget what somebody chose, while it is as it was read."""
        try:
            await self._tables.delete(ACCOUNTS, PARTITION, one.person, one.etag)
        except (StaleWrite, NotFound):
            return False
        return True

    async def put(self, one: Chosen) -> None:
        """Write a row that was not there, or is as it was read. Raises ``StaleWrite``."""
        try:
            if one.etag is None:
                await self._tables.insert(ACCOUNTS, Row(PARTITION, one.person, _values(one)))
            else:
                stored = await self._tables.get(ACCOUNTS, PARTITION, one.person)
                values = _values(one) | ({} if stored is None else _foreign(stored, one))
                await self._tables.update(ACCOUNTS, Row(PARTITION, one.person, values), one.etag)
        except (AlreadyExists, NotFound):
            raise StaleWrite("somebody else changed it first") from None


def _readable(rows: Iterable[Row]) -> Iterable[Chosen]:
    for row in rows:
        try:
            yield _chosen(row)
        except (Unreadable, ValueError, LookupError):
            continue


def _values(one: Chosen) -> dict[str, Value]:
    hours = one.choice.hours
    return {
        "timing": json.dumps({topic.value: timing.value for topic, timing in one.choice.timing.items()}),
        "zone": hours.zone,
        "begins": hours.begins.isoformat("minutes"),
        "ends": hours.ends.isoformat("minutes"),
        "digest": hours.digest.isoformat("minutes"),
        "targets": cells.to_objects({"way": to.way.value, "address": to.address} for to in one.targets),
        "language": one.language,
    }


def _foreign(stored: Row, one: Chosen) -> dict[str, Value]:
    """The two columns that hold several things each, with what a newer release put into them and we cannot show."""
    timing = {str(topic): str(when) for topic, when in _object(stored.values, "timing").items()}
    ours = {topic.value: when.value for topic, when in one.choice.timing.items()}
    kept = {topic: when for topic, when in timing.items() if topic not in set(Topic)}
    ways = [dict(to) for to in cells.objects(stored.values, "targets") if to.get("way") not in set(Way)]
    targets = [{"way": to.way.value, "address": to.address} for to in one.targets]
    return {"timing": json.dumps(kept | ours), "targets": cells.to_objects([*targets, *ways])}


def _object(values: Mapping[str, Value], name: str) -> Mapping[str, object]:
    try:
        value = json.loads(cells.text(values, name) or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _chosen(row: Row) -> Chosen:
    """Read what ``_values`` wrote; what a newer release added means what it means by default: told at once."""
    values, usual = row.values, Hours()
    hours = Hours(
        cells.text(values, "zone") or usual.zone,
        _time(values, "begins", usual.begins),
        _time(values, "ends", usual.ends),
        _time(values, "digest", usual.digest),
    )
    targets = tuple(
        Target(Way(str(one["way"])), str(one["address"]))
        for one in cells.objects(values, "targets")
        if one.get("way") in set(Way)
    )
    language = cells.text(values, "language") or "fr"
    return Chosen(row.key, Choice(_timing(_object(values, "timing")), hours), targets, language, row.etag)


def _timing(written: Mapping[str, object]) -> Mapping[Topic, Timing]:
    return {
        Topic(topic): Timing(str(timing))
        for topic, timing in written.items()
        if topic in set(Topic) and timing in set(Timing)
    }


def _time(values: Mapping[str, Value], name: str, usual: time) -> time:
    try:
        return time.fromisoformat(cells.text(values, name))
    except ValueError:
        return usual
