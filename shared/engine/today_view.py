"""Today: what needs a person, worst first; else since when nothing does, and how young that knowledge is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain import health_state
from shared.domain.access import Person
from shared.domain.model import SiteState
from shared.domain.modes import UNREAD
from shared.domain.platform import Link, Platform
from shared.domain.record import Kind, kind_of
from shared.domain.removals import Doubt
from shared.domain.spoken import PARIS
from shared.engine.conflict_cases import Case, order
from shared.engine.conflict_view import Json, View
from shared.engine.history_all import Records, Search
from shared.engine.homes_seen import seen_and_unread
from shared.engine.modes import Modes
from shared.engine.quarantine import Quarantine
from shared.engine.removals import Removals, Waiting
from shared.engine.stamps import Stamp, Stamps
from shared.engine.today_needs import (
    PRESSING,
    Arrival,
    ByHand,
    Group,
    OnItsWay,
    Push,
    Source,
    account_trouble,
    arrivals,
    by_hand,
    grouped,
    link_troubles,
    on_its_way,
    pushes,
    where,
)
from shared.engine.world import World
from shared.state.accounts import AccountState
from shared.state.feeds import Feed, Visit

if TYPE_CHECKING:
    from shared.domain.health import Finding
    from shared.engine.health_watch import HealthWatch

FEW_LINES, FEW_ARRIVALS = 6, 5
"""Newest lines of the record, and arrivals, that are named."""

LOOKED_AT = 60
"""Lines of the record that are looked at for them."""

TOLD = frozenset({Kind.FACT, Kind.CONFLICT, Kind.PERSON, Kind.LISTING})
"""What is told of the record: what happened, not each step that followed from it."""


@dataclass(frozen=True, slots=True)
class Today:
    """One look at everything, at ``at`` (store time). ``homes`` counts the homes this person sees: with none there is
    nothing to say yet; ``deciding`` are those they decide about.

    What needs somebody: ``conflicts``, ``hands``, ``failed``, ``messages``, ``engine`` (what is wrong with the
    installation itself, or with an account of theirs), ``pressing``, and those of the ``removals``
    that are in doubt; what only needs time: the others, ``waiting`` and ``on_way``.

    ``since`` is the newest line of the record: from then on nothing changed. ``checked`` is the oldest of the last
    answers of all sources: what was true by then is what is said here. Both None where there is none.
    """

    at: datetime
    zone: str
    stamp: Stamp
    homes: int
    deciding: frozenset[str]
    conflicts: tuple[Json, ...]
    hands: tuple[ByHand, ...]
    failed: tuple[Push, ...]
    removals: tuple[Waiting, ...]
    messages: int
    engine: tuple[Finding, ...]
    pressing: tuple[Group, ...]
    waiting: tuple[Group, ...]
    on_way: tuple[OnItsWay, ...]
    arrivals: tuple[Arrival, ...]
    lines: tuple[Json, ...]
    since: datetime | None
    checked: datetime | None

    @property
    def doubtful(self) -> tuple[Waiting, ...]:
        """What vanished and is not let go soon by itself: too much at once, too near, or a guest may be there."""
        return tuple(one for one in self.removals if one.doubt is not Doubt.NONE)

    @property
    def needs(self) -> int:
        """How many things need a person."""
        found = (self.conflicts, self.hands, self.failed, self.doubtful, self.engine, self.pressing)
        return sum(len(one) for one in found) + bool(self.messages)

    @property
    def calm(self) -> bool:
        """Whether everything is in step: nothing needs anybody, and nothing is still on its way."""
        return not (self.needs or self.removals or self.waiting or self.on_way)


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the sites' sources last said of themselves."""

    accounts: Mapping[str, AccountState | None]
    feeds: Mapping[str, tuple[Feed, Visit]]


class TodayView:
    """Looks at everything a person sees."""

    def __init__(
        self,
        world: World,
        modes: Modes,
        removals: Removals,
        quarantine: Quarantine,
        rhythms: Mapping[Platform, float],
        watch: Callable[[], HealthWatch],
    ) -> None:
        """``rhythms`` are the seconds between two polls that a platform prescribes for itself; ``watch`` gives what
        makes reports of health."""
        self._watch = watch
        self._world = world
        self._modes = modes
        self._removals = removals
        self._quarantine = quarantine
        self._rhythms = rhythms
        self._stamps = Stamps(world)

    async def still(self, written: str) -> bool:
        """Whether a page with that stamp shows all that is known: at most one read of the tables."""
        return await self._stamps.still(Stamp.parse(written))

    async def show(self, person: Person) -> Today:
        """Everything. Raises ``StoreUnavailable``."""
        from shared.engine.health_view import seen, to_see_to  # not at the start of whoever shows no page

        world, stamp = self._world, await self._stamps.take()
        states, unread = await seen_and_unread(world, person)
        blind = health_state.of_unread_sites(unread)
        sources, fetches, told, messages, health = await asyncio.gather(
            self._sources(states),
            world.fetches.all(),
            Records(world).newest(states, Search(), LOOKED_AT),
            self._quarantine.count(person),
            self._watch().report(outside=True, also=[blind]),
        )
        now, names = world.now(), world.platform_names
        standings = {name: one.standing if one else UNREAD for name, one in sources.accounts.items()}
        absent, page = (fetches if world.unreachable else None), world.console_link
        hands = [one for state in states for one in by_hand(state, now, standings, page, names, absent)]
        troubles = self._troubles(states, sources, now)
        for state in states:
            troubles += link_troubles(
                state, sources.feeds, fetches, names, now, unreachable=world.unreachable
            )
        vanished = [one for state in states for one in await self._removals.waiting(state)]
        # Of a calendar that was disconnected nothing more will be heard: whoever did it need not be told each day.
        gone = [one for one in vanished if one.doubt is not Doubt.CUT]
        coming = [one for state in states for one in arrivals(state, now, names)]
        failed = [one for state in states for one in pushes(state, hands, names)]
        said: tuple[ByHand | Push, ...] = (*hands, *failed)
        on_way = [one for state in states for one in on_its_way(state, now, said, names)]
        homes = [home for state in states for home in state.site.properties.values()]
        return Today(
            at=now,
            zone=homes[0].zone if homes else PARIS,
            stamp=stamp,
            homes=len(homes) or len(unread),  # nobody is welcomed who has homes, read or not
            deciding=frozenset(
                home for state in states if person.decides(state.site.owner) for home in state.site.properties
            ),
            conflicts=tuple(self._conflicts(states)),
            hands=tuple(sorted(hands, key=lambda one: (one.dates, one.where.listing))),
            failed=tuple(failed),
            removals=tuple(sorted(gone, key=lambda one: (one.doubt is Doubt.NONE, one.stay))),
            messages=messages,
            engine=to_see_to(seen(health, person)),
            pressing=tuple(grouped(one for one in troubles if one.kind in PRESSING)),
            waiting=tuple(grouped(one for one in troubles if one.kind not in PRESSING)),
            on_way=tuple(sorted(on_way, key=lambda one: (one.dates, one.where.listing))),
            arrivals=tuple(sorted(coming, key=lambda one: (one.dates, one.where.listing))[:FEW_ARRIVALS]),
            lines=tuple(one.json() for one in told.told if _is_telling(one.entry.words))[:FEW_LINES],
            since=told.told[0].place.at if told.told else None,
            checked=_oldest_answer(states, sources),
        )

    def _conflicts(self, states: Sequence[SiteState]) -> list[Json]:
        cases = [
            Case(state, one) for state in states for one in state.conflicts.values() if one.ended_at is None
        ]
        return [View(self._world, case.state).short(case.clash) for case in sorted(cases, key=order)]

    def _troubles(self, states: Sequence[SiteState], sources: _Sources, now: datetime) -> list[Source]:
        """Each account by API once, by the first of its listings."""
        found: dict[str, Source | None] = {}
        for state in states:
            for one in state.listings.values():
                if one.link is Link.API and one.account not in found:
                    place = where(state, one.id, self._world.platform_names)
                    rhythm = self._rhythms.get(one.platform)
                    found[one.account] = account_trouble(sources.accounts[one.account], place, rhythm, now)
        return [one for one in found.values() if one is not None]

    async def _sources(self, states: Sequence[SiteState]) -> _Sources:
        listings = [one for state in states for one in state.listings.values()]
        names = sorted({one.account for one in listings if one.link is Link.API})
        accounts = await asyncio.gather(*(self._modes.readable(name) for name in names))
        shards = await asyncio.gather(
            *(self._world.shards.load(name) for name in sorted({one.shard for one in listings if one.shard}))
        )
        return _Sources(
            dict(zip(names, accounts, strict=True)),
            {
                name: (feed, shard.visits.get(name, Visit()))
                for shard in shards
                for name, feed in shard.feeds.items()
            },
        )


def _is_telling(words: Mapping[str, str]) -> bool:
    """Whether a line of the record says what happened; a conflict that changed on the same nights has nothing to
    show."""
    same = words.get("what") == "conflict changed" and words.get("before") == words.get("nights")
    return kind_of(words) in TOLD and not same


def _oldest_answer(states: Sequence[SiteState], sources: _Sources) -> datetime | None:
    """The oldest of the last answers of all sources; None where there is none, or one never answered."""
    mine = {key for state in states for key in state.listings}
    answers = [one.answered if one else None for one in sources.accounts.values()]
    answers += [visit.good for name, (_, visit) in sources.feeds.items() if name in mine]
    known = [one for one in answers if one is not None]
    return min(known) if known and len(known) == len(answers) else None
