"""The estate: the sites that matter to a conflict, and what they would be after a step. Values only; nothing is done.

A stay can be moved into a home of another site, so one site's state is not enough to say what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from shared.domain.availability import Availability, judge
from shared.domain.dates import StayDates
from shared.domain.model import Block, Busy, Listing, Part, Property, Reservation, SiteState
from shared.domain.occupancy import Occupancy, occupancies
from shared.domain.platform import Link, Platform

ASKER = "~asker"
"""The id of a listing that is none: by it somebody asks about a home without being one of its channels."""


class StepKind(StrEnum):
    """What can be done about a conflict, in the smallest pieces."""

    CLOSE = "close"  # close nights on a listing that could still sell them
    REREAD = "reread"  # ask the fact's platform again
    TESTIFY = "testify"  # say that an event of a calendar is our own closure
    DECLINE = "decline"  # refuse a request
    MOVE = "move"  # give a stay another home
    MESSAGE = "message"  # write to a guest
    CANCEL = "cancel"  # cancel a stay
    LOOK = "look"  # look on the platforms what is true


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``fact`` is the key of the reservation it is about (empty for a closure), ``listing`` where,
    ``dates`` its nights; ``to`` is the home a stay moves into."""

    kind: StepKind
    fact: str
    listing: str
    dates: StayDates
    to: str = ""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A home that can stand in for others of its group, with its site as stored. ``stale`` are listings of that site
    whose source is too old to be believed, with the reason."""

    home: str
    state: SiteState
    stale: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Estate:
    """Sites by their ids, homes that can stand in, and listings nobody can vouch for."""

    states: Mapping[str, SiteState]
    homes: Mapping[str, str]
    stale: Mapping[str, str]

    @cached_property
    def taken(self) -> Mapping[str, Sequence[Occupancy]]:
        """Who takes which nights, by site."""
        return {name: occupancies(state) for name, state in self.states.items()}

    def property(self, home: str) -> Property:
        """A home by its id."""
        return self.states[self.homes[home]].site.properties[home]

    def is_free(self, home: str, dates: StayDates, mine: str, now: datetime) -> bool:
        """Whether a stay could have the home on all its nights, for sure: unknown is no. The nights of ``mine``
        itself do not stand against it."""
        state = self.states[self.homes[home]]
        return self.judge(state, home, dates, mine, now) is Availability.FREE

    def judge(self, state: SiteState, home: str, dates: StayDates, mine: str, now: datetime) -> Availability:
        """Free, taken or unknown, asked by nobody's channel."""
        asked = with_asker(state, home)
        stale = {name: why for name, why in self.stale.items() if name in state.listings}
        return judge(asked, ASKER, dates, now, stale=stale, mine=mine).availability

    def after(self, steps: Iterable[Step]) -> Estate:
        """The estate once the steps have had their effect: a guest who is asked says yes, a hint that is asked about
        proves empty."""
        estate = self
        for step in steps:
            estate = replace(estate, states=_EFFECTS[step.kind](estate, step))
        return estate


def estate_of(state: SiteState, equivalents: Iterable[Equivalent]) -> Estate:
    """The conflict's own site and those of the homes that could help."""
    states, homes = {state.site.id: state}, dict.fromkeys(state.site.properties, state.site.id)
    stale: dict[str, str] = {}
    for one in equivalents:
        states.setdefault(one.state.site.id, one.state)
        homes[one.home] = one.state.site.id
        stale |= dict(one.stale)
    return Estate(states, homes, stale)


def with_asker(state: SiteState, home: str) -> SiteState:
    """The site with a listing that is no channel: whoever asks by it holds nothing and knows nothing better."""
    asker = Listing(ASKER, home, Platform(""), "", Link.ICAL, complete=True)
    return replace(state, listings={**state.listings, ASKER: asker})


def testified(state: SiteState, step: Step) -> tuple[Block, ...]:
    """The rows of the ledger once a person has said that an event is our own closure: the peer had it before the event
    appeared. It is evidence in the ledger and no verdict, so it ends with the closure (rule 3)."""
    shown = [part for part in _held(state, step.fact) if part.dates == step.dates]
    if not shown:
        return ()
    before = min(part.since for part in shown) - timedelta(microseconds=1)
    return tuple(
        replace(row, taken_at=before)
        for row in state.blocks.values()
        if row.listing == step.listing and row.wanted and row.dates.overlaps(step.dates)
    )


def _held(state: SiteState, key: str) -> tuple[Part, ...]:
    fact = state.reservations.get(key)
    return fact.held() if fact else ()


def _nothing(estate: Estate, step: Step) -> Mapping[str, SiteState]:
    return estate.states


def _gone(estate: Estate, step: Step) -> Mapping[str, SiteState]:
    return {name: without_fact(state, step.fact) for name, state in estate.states.items()}


def without_fact(state: SiteState, key: str) -> SiteState:
    """The site without a reservation."""
    return replace(state, reservations={k: one for k, one in state.reservations.items() if k != key})


def _proved_empty(estate: Estate, step: Step) -> Mapping[str, SiteState]:
    """The source does not know of what was only claimed, or no longer shown."""
    return {name: _without_doubt(state, step.fact) for name, state in estate.states.items()}


def _without_doubt(state: SiteState, key: str) -> SiteState:
    fact = state.reservations.get(key)
    if fact is None:
        return state
    rest = replace(fact, hinted=(), fading=())
    return replace(state, reservations={**state.reservations, key: rest})


def _explained(estate: Estate, step: Step) -> Mapping[str, SiteState]:
    states = {}
    for name, state in estate.states.items():
        rows = testified(state, step) if step.listing in state.listings else ()
        states[name] = replace(state, blocks={**state.blocks, **{row.key: row for row in rows}})
    return states


def _moved(estate: Estate, step: Step) -> Mapping[str, SiteState]:
    """One room of a stay in another home, as if that home's first listing had sold it."""
    states = dict(estate.states)
    source = next(name for name, state in states.items() if step.listing in state.listings)
    fact = states[source].reservations[step.fact]
    part = next(one for one in fact.parts if (one.listing, one.dates) == (step.listing, step.dates))
    rest = tuple(one for one in fact.parts if one is not part)
    states[source] = _with_parts(states[source], fact, rest)
    target = states[estate.homes[step.to]]
    listing = min(one.id for one in target.listings.values() if one.property == step.to)
    there = target.reservations.get(step.fact)
    parts = (*(there.parts if there else ()), replace(part, listing=listing))
    states[target.site.id] = _with_parts(target, there or fact, parts)
    return states


def _with_parts(state: SiteState, fact: Reservation, parts: tuple[Part, ...]) -> SiteState:
    moved = replace(fact, kind=Busy.STAY, parts=parts, hinted=(), fading=(), feed="")
    return replace(state, reservations={**state.reservations, fact.key: moved})


_EFFECTS = {
    StepKind.CLOSE: _nothing,
    StepKind.REREAD: _proved_empty,
    StepKind.TESTIFY: _explained,
    StepKind.DECLINE: _gone,
    StepKind.MOVE: _moved,
    StepKind.MESSAGE: _gone,
    StepKind.CANCEL: _gone,
    StepKind.LOOK: _nothing,
}
