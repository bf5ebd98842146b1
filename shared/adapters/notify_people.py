"""People as channels: who hears of a notice, by which of their own ways, and when. What must wait for somebody's
morning is written down, and told as one digest.

A person is told of the homes they look after *now*: a choice outlives a role, and gives nobody a right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.digest import digest
from shared.domain.quiet import DIGEST
from shared.domain.targets import Target, Way
from shared.ports.people import Channel, Notice, Recipients
from shared.state import cells
from shared.state.choices import ChoiceStore, Chosen
from shared.state.later import LaterStore, Waiting
from shared.state.people import PeopleStore

KEPT = timedelta(seconds=5)
"""How long a process believes who is there and what they chose."""

MOST_IN_ONE = 99
"""Notices of one digest: they are taken away in one transaction."""

LAST_RESORT = "/portfolio"
"""How the channel's name ends by which somebody is told of what is urgent when a way of their own fails."""

_LATER = "later@"

Make = Callable[[str, str], Channel]
"""A channel for an address and a language."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A digest that is due, and the rows that are in it."""

    notice: Notice
    rows: Sequence[Waiting]


class PeopleFan:
    """Finds the people of a notice."""

    def __init__(
        self,
        choices: ChoiceStore,
        people: PeopleStore,
        later: LaterStore,
        ways: Mapping[Way, Make],
        *,
        now: Callable[[], datetime],
        everywhere: frozenset[str] = frozenset(),
        recipients: Recipients | None = None,
        fallback: str = "",
    ) -> None:
        """``ways`` are those this installation can go; ``everywhere`` names people who look after everybody's homes
        without standing in the portfolio, in lower case. ``recipients`` gives the portfolio's addresses, ``fallback``
        is the settings': where somebody is told whose own ways fail."""
        self._choices = choices
        self._people = people
        self._later = later
        self._ways = ways
        self._now = now
        self._everywhere = everywhere
        self._recipients = recipients
        self._fallback = fallback
        self._kept: tuple[datetime, Sequence[tuple[Chosen, Person]]] | None = None

    async def names(self, notice: Notice, at: datetime) -> list[str]:
        """The channels of everybody who is told of it at once, and one more where somebody is told later. Raises
        ``StoreUnavailable``."""
        if notice.to:
            self._kept = None  # a trial goes to the way that was added a moment ago
        found, waits = list[str](), False
        for chosen, _ in await self._hearers(notice):
            due = at if notice.to else chosen.choice.told_at(notice.kind, notice.severity, at)
            if due is not None and due <= at:
                found += [_name(chosen, one) for one in chosen.targets if one.way in self._ways]
            waits = waits or (due is not None and due > at)
        return [*found, *([f"{_LATER}{cells.to_instant(at)}"] if waits else [])]

    async def channel(self, name: str) -> Channel | None:
        """A channel by its name; None for somebody's way that is there no more. Raises ``StoreUnavailable``."""
        if name.startswith(_LATER):
            return _Later(self, cells.from_instant(name.removeprefix(_LATER)), name)
        for chosen, person in await self._known():
            if name == f"{chosen.mark}{LAST_RESORT}":
                return await self._last_resort(chosen, person)
            for one in chosen.targets:
                if _name(chosen, one) == name and one.way in self._ways:
                    return self._ways[one.way](one.address, chosen.language)
        return None

    async def _last_resort(self, chosen: Chosen, person: Person) -> Channel | None:
        """A mail to the portfolio's address of somebody, or the settings'; None where there is none, or it failed as a
        way of their own."""
        found = [
            one.address
            for owner in person.roles
            for one in (await self._recipients(owner) if self._recipients else ())
            if one.person == chosen.person
        ]
        address = next(iter(found), self._fallback)
        own = Target(Way.EMAIL, address) in chosen.targets
        if not address or own or Way.EMAIL not in self._ways:
            return None
        return self._ways[Way.EMAIL](address, chosen.language)

    async def chose(self) -> frozenset[str]:
        """Everybody who is told in a way of their own. Raises ``StoreUnavailable``."""
        return frozenset(chosen.person for chosen, _ in await self._known() if self._reaches(chosen))

    async def put_off(self, notice: Notice, at: datetime) -> None:
        """Let it wait for everybody who is told later. Raises ``StoreUnavailable``."""
        for chosen, _ in await self._hearers(notice):
            due = chosen.choice.told_at(notice.kind, notice.severity, at)
            if due is not None and due > at:
                await self._later.put(chosen.person, due, at, notice)

    async def due(self) -> list[Bundle]:
        """The digests that are due. Raises ``StoreUnavailable``."""
        rows = await self._later.due(self._now())
        if not rows:
            return []
        zones = {chosen.person: chosen.choice.hours.zone for chosen, _ in await self._known()}
        theirs: dict[str, list[Waiting]] = {}
        for row in rows:
            theirs.setdefault(row.person, []).append(row)
        return [
            _bundle(person, some[start : start + MOST_IN_ONE], zones.get(person, ""))
            for person, some in theirs.items()
            for start in range(0, len(some), MOST_IN_ONE)
        ]

    async def done(self, bundle: Bundle) -> None:
        """It is written down as a notice of its own: what was in it waits no more."""
        await self._later.drop(bundle.rows)

    async def _hearers(self, notice: Notice) -> list[tuple[Chosen, Person]]:
        """Who chose a way and is to hear of it: the one it is for, or all who look after its homes; what is about
        nobody's is for those who look after everybody's."""
        known = [pair for pair in await self._known() if self._reaches(pair[0])]
        if notice.to:
            return [pair for pair in known if pair[0].person == notice.to]
        return [pair for pair in known if pair[1].sees(notice.owner or ALL_OWNERS)]

    def _reaches(self, chosen: Chosen) -> bool:
        return any(one.way in self._ways for one in chosen.targets)

    async def _known(self) -> Sequence[tuple[Chosen, Person]]:
        """Everybody who chose and still looks after some home."""
        now = self._now()
        if self._kept is not None and timedelta() <= now - self._kept[0] < KEPT:
            return self._kept[1]
        choices = await self._choices.all()
        people = {one.name: one for one in (await self._people.readable() if choices else ())}
        found = [
            (one, person) for one in choices if (person := self._person(one.person, people)) and person.roles
        ]
        self._kept = (now, found)
        return found

    def _person(self, key: str, people: Mapping[str, Person]) -> Person | None:
        if key in self._everywhere:
            return Person(key, {ALL_OWNERS: Role.OPERATOR})
        return people.get(key)


class _Later:
    """The port ``Channel`` that writes down what waits."""

    def __init__(self, fan: PeopleFan, at: datetime, name: str) -> None:
        self._fan = fan
        self._at = at
        self.name = name

    async def send(self, notice: Notice) -> None:
        """Let it wait."""
        await self._fan.put_off(notice, self._at)


def last_resort(name: str) -> str:
    """The channel that stands in for somebody's own way; empty for one that is nobody's, or is it already."""
    mark, sign, way = name.partition("/")
    return f"{mark}{LAST_RESORT}" if sign and f"/{way}" != LAST_RESORT else ""


def _name(chosen: Chosen, one: Target) -> str:
    return f"{chosen.mark}/{one.mark}"


def _bundle(person: str, rows: Sequence[Waiting], zone: str) -> Bundle:
    """One digest, named by what is in it: written down twice it is told once."""
    key = sha256("\n".join(row.key for row in rows).encode("utf-8", "replace")).hexdigest()
    text = digest([(row.at, row.text) for row in rows], zone)
    return Bundle(Notice(DIGEST, key, "info", text, to=person), rows)
