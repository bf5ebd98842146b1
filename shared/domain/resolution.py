"""Resolution: of all the facts that hang together by clashes, who stays and who has to go. One answer for all of them.

Conflicts are pairs; people are not helped by pairs that contradict each other ("A stays, B goes" beside "B stays, C
goes" where A and C could both stay). So the answer is found for the whole crowd, and each pair only reads its part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.clash_graph import crowds
from shared.domain.conflicts import SOLD, ConflictDetector
from shared.domain.estate import Estate, Step, StepKind
from shared.domain.model import BookingConflict, Busy, SiteState, Source, Status
from shared.domain.occupancy import Occupancy

MOST_TRIED = 12
"""Stays that are looked at for a second move, for each guest to be placed: a search must end while a person waits."""

Rank = tuple[object, ...]


Crowd = Mapping[str, Sequence[Occupancy]]
"""What each fact of a crowd takes in the clash, by the facts' keys."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """``stays`` keep their nights; ``goes`` do not, in the order in which they are helped, the latest first to be
    spoken to. ``moves`` are the steps that give one of them another home: none of them takes nights of another.
    ``claims`` are what each of all these takes in the clash."""

    stays: tuple[str, ...]
    goes: tuple[str, ...]
    moves: Mapping[str, tuple[Step, ...]]
    claims: Crowd


def resolve(estate: Estate, site: str, conflict: BookingConflict, now: datetime) -> Resolution:
    """The resolution of the crowd a conflict belongs to. The same for each conflict of the crowd.

    Who is in the house stays; then confirmed stays before requests, before what is only claimed or no longer shown;
    then whoever we knew first. Where that leaves a guest without a bed, and letting those stay who cannot be moved
    gives everybody one, they stay instead.
    """
    state = estate.states[site]
    crowd = _crowd(state, estate.taken[site], conflict, now)
    first = _settled(estate, state, crowd, now, lambda one: _rank(crowd[one], now))
    if all(_is_helped(crowd, first, one) for one in first.goes):
        return first
    alone = _Search(estate, estate, crowd, now)
    movable = {one: bool(alone.moves(crowd[one])) for one in crowd}
    other = _settled(estate, state, crowd, now, lambda one: _rank(crowd[one], now, movable=movable[one]))
    return other if all(_is_helped(crowd, other, one) for one in other.goes) else first


def _crowd(state: SiteState, taken: Sequence[Occupancy], conflict: BookingConflict, now: datetime) -> Crowd:
    """The facts that hang together with a conflict's. In rooms sold by count whoever is there on nights with too few of
    them hangs together too: any of them could make room."""
    ahead = [one for one in taken if one.dates.check_out > one.property.today(now)]
    found = ConflictDetector().detect_overlapping_bookings(state.site, ahead, now).values()
    beside = [(clash, one) for clash in found for one in ahead if _is_beside(state, one, clash)]
    links = [(clash.conflicting_bookings[0], one.cause) for clash, one in beside]
    links += [clash.conflicting_bookings for clash in found]
    keys = crowds(links).get(conflict.conflicting_bookings[0], frozenset())
    clashing = {(side.key, side.listing, side.dates) for clash in found for side in clash.sides}
    clashing |= {(one.cause, one.listing, one.dates) for _, one in beside}
    crowd: dict[str, list[Occupancy]] = {}
    for one in ahead:
        if one.cause in keys and (one.cause, one.listing, one.dates) in clashing:
            crowd.setdefault(one.cause, []).append(one)
    return crowd


def _is_beside(state: SiteState, one: Occupancy, clash: BookingConflict) -> bool:
    """Whether it has a unit of a counted room that the clash is about, on one of its nights."""
    if one.kind not in SOLD or not any(one.dates.overlaps(nights) for nights in clash.nights):
        return False
    rooms = {room for side in clash.sides for room in state.site.properties[side.home].rooms}
    return any(state.site.rooms.get(room, 1) > 1 for room in rooms & one.property.rooms)


def _rank(ones: Sequence[Occupancy], now: datetime, *, movable: bool = False) -> Rank:
    return (not is_in_house(ones, now), _doubt(ones), movable, min(one.since for one in ones), ones[0].cause)


def is_in_house(ones: Iterable[Occupancy], now: datetime) -> bool:
    """Whether the guest has arrived, by the home's own day."""
    return any(one.dates.check_in <= one.property.today(now) for one in ones)


def _doubt(ones: Iterable[Occupancy]) -> int:
    """How much less a fact binds us than a confirmed stay."""
    if all(one.fading for one in ones):
        return 3
    if all(one.source is Source.HINT for one in ones):
        return 2
    return int(all(one.status is Status.PENDING for one in ones))


def _settled(
    estate: Estate, state: SiteState, crowd: Crowd, now: datetime, rank: Callable[[str], Rank]
) -> Resolution:
    """Let them stay in the order of their ranks for as long as they fit, and find homes for the others."""
    stays: list[str] = []
    for one in sorted(crowd, key=rank):
        claimed = [claim for key in (*stays, one) for claim in crowd[key]]
        if not ConflictDetector().detect_overlapping_bookings(state.site, claimed, now):
            stays.append(one)
    goes = tuple(sorted((one for one in crowd if one not in stays), key=rank))
    moves: dict[str, tuple[Step, ...]] = {}
    then = estate
    for one in goes:
        steps = _Search(estate, then, crowd, now).moves(crowd[one])
        if steps:
            moves[one] = steps
            then = then.after(steps)
    return Resolution(tuple(stays), goes, moves, crowd)


def _is_helped(crowd: Crowd, found: Resolution, key: str) -> bool:
    """Whether nobody loses a confirmed stay: it is moved, or was a request or a claim."""
    return key in found.moves or _doubt(crowd[key]) > 0


# ------------------------------------------------------------------------------------------ moves


@dataclass(frozen=True, slots=True)
class _Search:
    """Looks for a home for one guest. It must be free as things are, since nobody else's move may ever be made, and
    free still when the moves found before it have been (``then``)."""

    estate: Estate
    then: Estate
    crowd: Crowd
    now: datetime

    def moves(self, ones: Sequence[Occupancy]) -> tuple[Step, ...]:
        """The cheapest way to another home: one move, else two. Only for a stay not yet begun that clashes in one
        room."""
        if len(ones) != 1 or not _is_movable(self.estate, ones[0], self.now):
            return ()
        return self._one_move(ones[0]) or self._two_moves(ones[0])

    def _is_free(self, home: str, one: Occupancy) -> bool:
        return all(
            estate.is_free(home, one.dates, one.cause, self.now) for estate in (self.estate, self.then)
        )

    def _one_move(self, one: Occupancy) -> tuple[Step, ...]:
        homes = (home for home in _candidates(self.estate, one.property.id) if self._is_free(home, one))
        found = next(homes, None)
        return () if found is None else (_move(one, found),)

    def _two_moves(self, one: Occupancy) -> tuple[Step, ...]:
        """A guest nobody has quarrelled with yet moves on, so that this one can have the home. Not into the home the
        clash is about."""
        tried = 0
        for home in _candidates(self.estate, one.property.id):
            other = self._only_one_there(home, one)
            if other is None:
                continue
            tried += 1
            if tried > MOST_TRIED:
                break
            for further in _candidates(self.estate, home):
                if further != one.property.id and self._is_free(further, other):
                    steps = (_move(other, further), _move(one, home))
                    if self._leaves_it_free(steps[0], home, one):
                        return steps
        return ()

    def _leaves_it_free(self, step: Step, home: str, one: Occupancy) -> bool:
        """The second home may share its rooms with the first: then its guest would still be in the way."""
        return all(
            estate.after([step]).is_free(home, one.dates, one.cause, self.now)
            for estate in (self.estate, self.then)
        )

    def _only_one_there(self, home: str, one: Occupancy) -> Occupancy | None:
        """The one stay that has the home on these nights, if there is just one, it can be moved and has not been, and
        it clashes with nobody."""
        there = _there(self.estate, home, one)
        stays = [other for other in there if other.kind is not Busy.BUFFER]
        if len(stays) != 1 or len({other.cause for other in there}) != 1:
            return None
        other = stays[0]
        settled = other.cause in self.crowd or other not in self.then.taken[self.then.homes[home]]
        if settled or other.kind is not Busy.STAY or other.property.id != home:
            return None
        return other if _is_movable(self.estate, other, self.now) else None


def _there(estate: Estate, home: str, one: Occupancy) -> list[Occupancy]:
    rooms = estate.property(home).rooms
    return [
        other
        for other in estate.taken[estate.homes[home]]
        if other.dates.overlaps(one.dates) and other.property.rooms & rooms and other.cause != one.cause
    ]


def _is_movable(estate: Estate, one: Occupancy, now: datetime) -> bool:
    """Whether it is a confirmed stay, not yet begun, that its source shows with just these nights."""
    facts = (state.reservations.get(one.cause) for state in estate.states.values())
    parts = [part for fact in facts if fact is not None for part in fact.parts]
    shown = any((part.listing, part.dates) == (one.listing, one.dates) for part in parts)
    sold = one.kind in SOLD and one.status is Status.CONFIRMED and not one.fading
    return shown and sold and not is_in_house([one], now)


def _candidates(estate: Estate, home: str) -> list[str]:
    """The homes that can stand in for one, and that some listing of ours could sell."""
    group = estate.property(home).group
    return [
        other
        for other, site in sorted(estate.homes.items())
        if other != home
        and group
        and estate.property(other).group == group
        and any(listing.property == other for listing in estate.states[site].listings.values())
    ]


def _move(one: Occupancy, home: str) -> Step:
    return Step(StepKind.MOVE, one.cause, one.listing, one.dates, home)
