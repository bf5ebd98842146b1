"""The notice desk: how a person wants to be told, a trial of it, and what was sent lately and whether it arrived.

Everybody chooses for themselves, whatever their role. Addresses come in whole and go out masked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from zoneinfo import available_timezones

from shared.domain.access import Person
from shared.domain.errors import PermanentError, StaleWrite
from shared.domain.portfolio import LANGUAGES
from shared.domain.quiet import MUST, Choice, Hours, Timing, Topic
from shared.domain.targets import MOST_TARGETS, Target, TargetRefused, Way, target
from shared.engine.world import World
from shared.ports.people import Notice
from shared.state.choices import ChoiceStore, Chosen, key_of
from shared.state.later import LaterStore
from shared.state.told import Told

MOST_SENT = 30
"""Notices the page shows, the newest."""

TRIES = 5

TEST = "test"
"""The kind of a trial notice."""

_LATER = "later@"


class ChoiceRefused(PermanentError):
    """What was filled in cannot be kept; ``why`` is a word for the page: a field's name, or a reason of
    ``TargetRefused``."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


@dataclass(frozen=True, slots=True)
class TargetView:
    """One way to the person, as a page may show it. ``usable``: this installation can go it."""

    mark: str
    way: str
    masked: str
    usable: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice that was sent lately: to which ways, and how far each has come (``taken``, ``waiting``, ``failed``); to
    none where the person wanted none, or it went to the engine's log alone. ``why`` says in the channel's own words
    what failed last."""

    at: datetime
    kind: str
    severity: str
    text: Mapping[str, str]
    ways: tuple[tuple[str, str], ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class NoticesView:
    """What the page shows. ``saved``: the person has chosen; until then the portfolio's address (``portfolio``, masked,
    empty for none) is told of everything at once. ``waiting`` counts what the next digest holds."""

    timing: Mapping[Topic, Timing]
    must: frozenset[Topic]
    hours: Hours
    language: str
    targets: tuple[TargetView, ...]
    ways: tuple[str, ...]
    saved: bool
    portfolio: str
    waiting: int
    sent: tuple[Sent, ...]


class NoticeDesk:
    """Takes what people choose."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ways = world.ways
        self._choices = ChoiceStore(world.tables)
        self._later = LaterStore(world.tables)

    async def show(self, person: Person) -> NoticesView:
        """How it stands for a person."""
        key = key_of(person)
        known = await self._choices.get(key)
        address = await self._portfolio_address(person)
        chosen = known or Chosen(key, language=person.language or "fr")
        targets = chosen.targets
        return NoticesView(
            timing={topic: chosen.choice.timing.get(topic, Timing.NOW) for topic in Topic},
            must=MUST,
            hours=chosen.choice.hours,
            language=chosen.language,
            targets=tuple(
                TargetView(one.mark, one.way.value, one.masked, one.way in self._ways) for one in targets
            ),
            ways=tuple(way.value for way in Way if way in self._ways),
            saved=bool(targets),
            portfolio=address.masked if address else "",
            waiting=len(await self._later.of(key)),
            sent=tuple(_sent(await self._world.told.all(), person, chosen)),
        )

    async def choose(self, person: Person, fields: Mapping[str, str]) -> None:
        """Keep what a form names: ``language``, ``zone``, ``begins``, ``ends``, ``digest`` (HH:MM) and each topic's
        ``now``, ``daily`` or ``off``. Raises ``ChoiceRefused``; ``StaleWrite`` when others keep being first."""
        choice, language = _choice(fields), fields.get("language", "")
        if language not in LANGUAGES:
            raise ChoiceRefused("language", "a language is fr or en")
        address = await self._portfolio_address(person)

        def change(before: Chosen) -> Chosen:
            targets = before.targets or ((address,) if address else ())
            if not targets:
                raise ChoiceRefused("none", "say first where you want to be told")
            return replace(before, choice=choice, language=language, targets=targets)

        await self._change(person, change)

    async def add(self, person: Person, way: str, address: str) -> None:
        """One way more. Raises ``ChoiceRefused``, ``StaleWrite``."""
        try:
            new = target(way, address)
        except TargetRefused as wrong:
            raise ChoiceRefused(wrong.why, str(wrong)) from None
        if new.way not in self._ways:
            raise ChoiceRefused("way", f"this installation cannot reach anybody by {new.way.value}")
        kept = await self._portfolio_address(person)

        def change(before: Chosen) -> Chosen:
            # The first way of one's own is one more, not one instead: who wants it otherwise takes the other away.
            known = before.targets or ((kept,) if kept and kept != new else ())
            if new in known:
                return before
            if len(known) >= MOST_TARGETS:
                raise ChoiceRefused("many", f"at most {MOST_TARGETS} ways")
            return replace(before, targets=(*known, new))

        await self._change(person, change)

    async def remove(self, person: Person, mark: str) -> None:
        """One way less; the last one stays, since double bookings must be told somewhere. Raises ``ChoiceRefused``,
        ``StaleWrite``."""

        def change(before: Chosen) -> Chosen:
            left = tuple(one for one in before.targets if one.mark != mark)
            if not left:
                raise ChoiceRefused("last", "the last way stays: double bookings must be told somewhere")
            return replace(before, targets=left)

        await self._change(person, change)

    async def test(self, person: Person) -> None:
        """Send a trial to every way of the person, once a minute at most. Raises ``ChoiceRefused`` for who has none."""
        known = await self._choices.get(key_of(person))
        if known is None or not known.targets:
            raise ChoiceRefused("none", "say first where you want to be told")
        text = {
            "fr": "Ceci est un essai\u202f: vos alertes arrivent ici.",
            "en": "This is a trial: your notices arrive here.",
        }
        await self._world.notify.tell(Notice(TEST, known.mark, "info", text, to=known.person))

    async def _change(self, person: Person, change: Callable[[Chosen], Chosen]) -> None:
        key = key_of(person)
        if not key:
            raise ChoiceRefused("nobody", "nobody is signed in")
        for _ in range(TRIES):
            known = await self._choices.get(key)
            before = known or Chosen(key, language=person.language or "fr")
            after = change(before)
            if known is not None and after == before:
                return
            try:
                await self._choices.put(after)
            except StaleWrite:
                continue
            return
        raise StaleWrite("others kept changing it")

    async def _portfolio_address(self, person: Person) -> Target | None:
        """The address the portfolio gives this person, for whichever owner, where mail can be sent."""
        if Way.EMAIL not in self._ways:
            return None
        key = key_of(person)
        for owner in person.roles:
            for one in await self._world.owners.recipients(owner):
                if one.person == key and one.address:
                    return Target(Way.EMAIL, one.address)
        return None


@functools.cache
def zones() -> frozenset[str]:
    """The zones of the world that are named after places, and UTC."""
    return frozenset(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    ) | {"UTC"}


def _choice(fields: Mapping[str, str]) -> Choice:
    zone = fields.get("zone", "")
    if zone not in zones():
        raise ChoiceRefused("zone", "that is no time zone")
    hours = Hours(zone, _time(fields, "begins"), _time(fields, "ends"), _time(fields, "digest"))
    return Choice({topic: _timing(fields, topic) for topic in Topic if topic not in MUST}, hours)


def _time(fields: Mapping[str, str], name: str) -> time:
    try:
        return time.fromisoformat(fields.get(name, "")[:5]).replace(tzinfo=None)
    except ValueError:
        raise ChoiceRefused(name, f"{name} is no time of day (HH:MM)") from None


def _timing(fields: Mapping[str, str], topic: Topic) -> Timing:
    written = fields.get(topic.value, Timing.NOW)
    if written not in set(Timing):
        raise ChoiceRefused(topic.value, "a topic is told now, daily or off")
    return Timing(written)


# ------------------------------------------------------------------------------------- what was sent


@dataclass(slots=True)
class _Labels:
    """How the ways of a notice are called for one person: their own masked, the settings' by name, others' not."""

    chosen: Chosen
    own: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.own = {f"{self.chosen.mark}/{one.mark}": one.masked for one in self.chosen.targets}
        self.own[f"{self.chosen.mark}/portfolio"] = "portfolio"

    def of(self, name: str) -> str:
        if name.startswith(_LATER) or name in self.own:
            return self.own.get(name, "digest")
        return "" if "/" in name else name


def _sent(rows: Iterable[Told], person: Person, chosen: Chosen) -> Iterable[Sent]:
    labels = _Labels(chosen)
    found = [one for one in rows if _is_for(one.notice, person, chosen.person)]
    for one in sorted(found, key=lambda told: told.at, reverse=True)[:MOST_SENT]:
        states = [(name, "taken") for name in one.taken] + [(name, "waiting") for name in one.waiting]
        states += [(name, "failed") for name in one.failed]
        ways = tuple((labels.of(name), state) for name, state in states if labels.of(name))
        mine = {name for name, _ in states if labels.of(name)}
        yield Sent(one.at, one.notice.kind, one.notice.severity, one.notice.text, ways, _why(one.error, mine))


def _is_for(notice: Notice, person: Person, key: str) -> bool:
    if notice.to:
        return notice.to == key
    return person.everywhere or bool(notice.owner and person.sees(notice.owner))


def _why(error: str, names: Iterable[str]) -> str:
    """What went wrong with these ways, without their names."""
    pieces = (piece.partition(": ") for piece in error.split("; "))
    known = set(names)
    return "; ".join(dict.fromkeys(why for name, _, why in pieces if name in known))
