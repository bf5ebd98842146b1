"""Occupancy: who takes which nights of which rooms, once echoes and platform rules are set aside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.domain.dates import StayDates, without
from shared.domain.echo import echoes
from shared.domain.known_twice import Twins, known_twice
from shared.domain.model import Block, Busy, Part, Property, Reservation, Site, SiteState, Source, Status
from shared.domain.platform import Platform

_NO_PLATFORM = Platform("")


@dataclass(frozen=True, slots=True)
class Occupancy:
    """One room of one fact on its nights. ``fading``: the source no longer shows it, and it is still held. ``shown``
    are the listings whose own calendar shows this very stay besides: they need no closure of it."""

    cause: str
    listing: str
    property: Property
    dates: StayDates
    kind: Busy
    status: Status
    since: datetime
    fading: bool = False
    source: Source = Source.API
    platform: Platform = _NO_PLATFORM
    shown: frozenset[str] = frozenset()


Echoes = frozenset[tuple[str, StayDates]]
"""Parts of feeds that are ours, as pairs of reservation key and dates."""


def occupancies(state: SiteState, ours: Echoes | None = None) -> list[Occupancy]:
    """Everything that takes nights on the site. A platform's own rules (LIMIT) take none, an echo is ours, and a stay
    known by API and by calendar is one stay, as the API tells it; ``ours`` are the state's echoes where the caller has
    them already."""
    ours = all_echoes(state) if ours is None else ours
    twins = known_twice(state)
    taken = [
        one
        for reservation in state.reservations.values()
        if reservation.kind is not Busy.LIMIT
        for one in _of(reservation, state, ours, twins)
    ]
    if any(home.turnover for home in state.site.properties.values()):
        taken += [beside for one in taken for beside in _beside(one)]
    return taken


def all_echoes(state: SiteState) -> Echoes:
    """The echoes in all feeds of the site."""
    found: set[tuple[str, StayDates]] = set()
    for feed in {one.feed for one in state.reservations.values() if one.feed}:
        found |= echoes_in(state, feed, (row for row in state.blocks.values() if row.listing == feed))
    return frozenset(found)


def echoes_in(state: SiteState, feed: str, ledger: Iterable[Block]) -> Echoes:
    """The echoes in one listing's calendar; ``ledger`` are the listing's rows."""
    facts = (one for one in state.reservations.values() if one.feed == feed)
    listing = state.listings.get(feed)
    counted = listing is not None and is_counted(state.site, state.site.properties[listing.property])
    return echoes(facts, ledger, joined=counted)


def _beside(one: Occupancy) -> Iterable[Occupancy]:
    """The nights an owner keeps free before and after what may be a stay. They are no sale: nothing clashes with
    them. Some calendars hold the year 9999, which has no day after its last."""
    free = one.property.turnover
    if not free or one.kind not in (Busy.STAY, Busy.CLOSED):
        return
    start, end = one.dates.check_in, one.dates.check_out
    before = max(start.toordinal() - free, date.min.toordinal())
    after = min(end.toordinal() + free, date.max.toordinal())
    for first, last in ((date.fromordinal(before), start), (end, date.fromordinal(after))):
        if first < last:
            yield replace(one, dates=StayDates(first, last), kind=Busy.BUFFER, shown=frozenset())


def _of(reservation: Reservation, state: SiteState, ours: Echoes, twins: Twins) -> Iterable[Occupancy]:
    faded = {id(fading.part) for fading in reservation.fading}
    hinted = {id(part) for part in reservation.hinted}
    told = Source.FEED if reservation.feed else Source.API
    for part in reservation.held():
        listing = state.listings.get(part.listing)
        if listing is None:
            continue
        if reservation.feed and (reservation.key, part.dates) in ours:
            continue
        home = state.site.properties[listing.property]
        for dates in _left(reservation, part, home, state, twins):
            yield Occupancy(
                twins.stay.get((reservation.key, part.dates), reservation.key),
                part.listing,
                home,
                dates,
                reservation.kind,
                reservation.status,
                part.since,
                id(part) in faded,
                Source.HINT if id(part) in hinted else told,
                listing.platform,
                twins.shown(reservation.key, dates),
            )


def _left(
    reservation: Reservation, part: Part, home: Property, state: SiteState, twins: Twins
) -> tuple[StayDates, ...]:
    """What a part takes beyond the nights its API already tells of the same stay: after a move the calendar may be the
    slower one, and its old nights stay held until it has followed."""
    stay = twins.stay.get((reservation.key, part.dates))
    if stay is None:
        return (part.dates,)
    told = (
        one.dates
        for one in state.reservations[stay].held()
        if (listing := state.listings.get(one.listing)) is not None
        and home.rooms <= state.site.properties[listing.property].rooms
    )
    return without(part.dates, told)


def is_counted(site: Site, home: Property) -> bool:
    """Whether a home stands for several identical units, sold by count."""
    return all(site.rooms.get(room, 1) > 1 for room in home.rooms)


def level(site: Site, home: Property, night: date, taken: Iterable[Occupancy]) -> int:
    """How many units of a home could be sold that night: the least over its rooms of units less stays, never below
    0. Absolute, with the platform's own sales included: platforms take counts, not differences."""
    free = {room: site.rooms.get(room, 1) for room in home.rooms}
    for one in taken:
        if one.dates.check_in <= night < one.dates.check_out:
            for room in one.property.rooms & home.rooms:
                free[room] -= 1
    return max(0, min(free.values()))


def full(site: Site, home: Property, taken: Iterable[Occupancy]) -> tuple[StayDates, ...]:
    """When no unit of a home is left (``level`` is 0), in order: between the days on which somebody comes or goes
    nothing changes, however many nights that are."""
    free = {room: site.rooms.get(room, 1) for room in home.rooms}
    turns: dict[date, Counter[str]] = defaultdict(Counter)
    for one in taken:
        rooms = one.property.rooms & home.rooms
        turns[one.dates.check_in].subtract(rooms)
        turns[one.dates.check_out].update(rooms)
    found, since = [], None
    for day in sorted(turns):
        for room, change in turns[day].items():
            free[room] += change
        if min(free.values()) <= 0:
            since = since or day
        elif since is not None:
            found.append(StayDates(since, day))
            since = None
    return tuple(found)
