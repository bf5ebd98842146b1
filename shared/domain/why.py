"""Why: what stands behind one night of one home, on each of its listings. Pure: the site's facts in, reasons out.

A night may be for sale, sold there, closed there by its owner or by the platform's own rule, closed by us because of
something elsewhere, on its way to either, or unknown. Each comes with what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.holds import living
from shared.domain.model import (
    Block,
    Busy,
    Hold,
    Listing,
    Part,
    Phase,
    Property,
    Reservation,
    SiteState,
    Status,
)
from shared.domain.occupancy import Echoes, all_echoes, is_counted, level, occupancies
from shared.domain.plan import may_open
from shared.domain.platform import Link
from shared.domain.removals import Removal, removals


class Face(StrEnum):
    """What a listing shows of a night, as far as we know."""

    OPEN = "open"  # for sale
    SOLD = "sold"  # taken by a stay of this very listing
    BLOCKED = "blocked"  # closed there by its owner
    LIMITED = "limited"  # closed by a rule of the platform itself
    CLOSED = "closed"  # closed by us, and the platform is known to have it
    CLOSING = "closing"  # we close it; the platform is not known to have it yet
    OPENING = "opening"  # we open it again; the platform is not known to have that yet
    UNKNOWN = "unknown"  # its source is too old, or never gave a whole answer


class Shown(StrEnum):
    """How a fact is known to take the night."""

    PLAIN = "plain"  # its source says so
    CLAIMED = "claimed"  # a doorbell claims it; nothing confirmed it yet
    FADING = "fading"  # its source no longer shows it; held until that is proven
    ECHO = "echo"  # our own closure, shown by the peer as its own
    RULE = "rule"  # a platform's own rule, which takes nothing


@dataclass(frozen=True, slots=True)
class Cause:
    """A fact that concerns the night: whose, on which listing of which home, since when its source shows it (store
    time)."""

    key: str
    listing: str
    home: str
    dates: StayDates
    kind: Busy
    status: Status
    since: datetime
    shown: Shown
    removal: Removal | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """Our own closure of the night, and how far it has come: when it was decided, and when the peer was known to have
    it (None: not yet). ``opening_since`` is set when we want the night open again."""

    cause: str
    dates: StayDates
    phase: Phase
    link: Link
    decided: datetime | None
    taken: datetime | None
    since_version: int
    opening_since: datetime | None = None
    attempts: int = 0
    error: str = ""
    next_try: datetime | None = None
    orphan: bool = False


@dataclass(frozen=True, slots=True)
class Reasons:
    """One listing's night. ``own`` are facts of this listing, ``closures`` ours on it; ``doubt`` says why nothing is
    sure, ``silent`` why nothing is sent there now. ``left`` counts the units still for sale of a home sold by count,
    None elsewhere."""

    listing: str
    face: Face
    own: tuple[Cause, ...]
    closures: tuple[Closure, ...]
    doubt: str = ""
    left: int | None = None
    silent: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """One night of one home: its listings, every fact that concerns it, living holds, and why nothing may be opened
    now (in words; empty when it may)."""

    home: str
    night: date
    past: bool
    listings: tuple[Reasons, ...]
    causes: tuple[Cause, ...]
    holds: tuple[Hold, ...]
    held_back: tuple[str, ...]


def why(
    state: SiteState,
    home: str,
    night: date,
    now: datetime,
    stale: Mapping[str, str] | None = None,
    silent: Mapping[str, str] | None = None,
) -> Why:
    """Explain a night. ``stale`` are listings whose source is too old to be believed, ``silent`` those into which
    nothing is sent now, each with the reason. Raises ``KeyError`` for a home that is not on the site."""
    place = state.site.properties[home]
    causes = tuple(_causes(state, place, night, now))
    waiting: list[str] = []
    may_open(state, waiting)
    rooms = place.rooms
    mine = sorted((one for one in state.listings.values() if one.property == home), key=lambda one: one.id)
    return Why(
        home=home,
        night=night,
        past=night < place.today(now),
        listings=tuple(
            replace(_reasons(state, one, night, causes, stale or {}), silent=(silent or {}).get(one.id, ""))
            for one in mine
        ),
        causes=causes,
        holds=tuple(_holds(state, rooms, night, now)),
        held_back=tuple(waiting),
    )


def _causes(state: SiteState, place: Property, night: date, now: datetime) -> Iterator[Cause]:
    """Every part of every fact that shares a room with the home on that night, the one known first in front."""
    ours = all_echoes(state)
    fading = {(one.key, one.listing, one.stay): one for one in removals(state, now)}
    found = [
        cause
        for one in state.reservations.values()
        for cause in _of(state, one, ours, fading)
        if cause.dates.check_in <= night < cause.dates.check_out
        and state.site.properties[state.listings[cause.listing].property].rooms & place.rooms
    ]
    yield from sorted(found, key=lambda cause: (cause.since, cause.key, cause.dates))


def _of(
    state: SiteState,
    one: Reservation,
    ours: Echoes,
    fading: Mapping[tuple[str, str, StayDates], Removal],
) -> Iterator[Cause]:
    for part in one.parts if one.status is not Status.CANCELLED else ():
        echo = bool(one.feed) and (one.key, part.dates) in ours
        shown = Shown.RULE if one.kind is Busy.LIMIT else Shown.ECHO if echo else Shown.PLAIN
        yield from _cause(state, one, part, shown)
    for part in one.hinted:
        yield from _cause(state, one, part, Shown.CLAIMED)
    for gone in one.fading:
        if (one.key, gone.part.dates) not in ours:
            removal = fading.get((one.key, gone.part.listing, gone.stay))
            yield from _cause(state, one, gone.part, Shown.FADING, removal)


def _cause(
    state: SiteState, one: Reservation, part: Part, shown: Shown, removal: Removal | None = None
) -> Iterator[Cause]:
    listing = state.listings.get(part.listing)
    if listing is not None:
        place = (part.listing, listing.property, part.dates)
        yield Cause(one.key, *place, one.kind, one.status, part.since, shown, removal)


def _reasons(
    state: SiteState, listing: Listing, night: date, causes: Iterable[Cause], stale: Mapping[str, str]
) -> Reasons:
    own = tuple(cause for cause in causes if cause.listing == listing.id)
    taking = {cause.key for cause in causes if cause.shown not in (Shown.ECHO, Shown.RULE)}
    closures = tuple(_closures(state, listing, night, taking))
    home = state.site.properties[listing.property]
    left = level(state.site, home, night, occupancies(state)) if is_counted(state.site, home) else None
    doubt = stale.get(listing.id, "") or ("" if listing.complete else "never gave a complete answer")
    return Reasons(listing.id, _face(own, closures, doubt, left), own, closures, doubt, left)


def _closures(state: SiteState, listing: Listing, night: date, taking: set[str]) -> Iterator[Closure]:
    rows = (row for row in state.blocks.values() if row.listing == listing.id)
    for row in sorted(rows, key=lambda row: (not row.wanted, row.since_version, row.key)):
        over = not row.wanted and row.cleared_at is not None
        if row.dates.check_in <= night < row.dates.check_out and not over:
            yield _closure(row, listing.link, orphan=row.wanted and not _asked_for(row, taking))


def _asked_for(row: Block, taking: set[str]) -> bool:
    return row.cause in taking or row.cause.rpartition("#")[0] in taking


def _closure(row: Block, link: Link, *, orphan: bool) -> Closure:
    return Closure(
        row.cause,
        row.dates,
        row.phase,
        link,
        row.created_at,
        row.taken_at,
        row.since_version,
        None if row.wanted else row.released_at,
        row.attempts,
        row.error,
        row.next_try,
        orphan,
    )


def _face(own: Iterable[Cause], closures: Iterable[Closure], doubt: str, left: int | None) -> Face:
    """The first that applies: what the platform itself took, then what we did, then what we do not know."""
    kinds = {cause.kind for cause in own if cause.shown not in (Shown.ECHO, Shown.RULE)}
    wanted = [one for one in closures if one.opening_since is None]
    if left:
        return Face.UNKNOWN if doubt else Face.OPEN
    if kinds & {Busy.STAY, Busy.CLOSED}:
        return Face.SOLD
    if Busy.BLOCK in kinds:
        return Face.BLOCKED
    if wanted:
        taken = any(one.taken is not None or one.phase is Phase.SEEN for one in wanted)
        return Face.CLOSED if taken else Face.CLOSING
    if any(cause.shown is Shown.RULE for cause in own):
        return Face.LIMITED
    if any(closures):
        return Face.OPENING
    return Face.UNKNOWN if doubt else Face.OPEN


def _holds(state: SiteState, rooms: frozenset[str], night: date, now: datetime) -> Iterator[Hold]:
    for hold in living(state, now):
        listing = state.listings.get(hold.listing)
        if listing is None or not state.site.properties[listing.property].rooms & rooms:
            continue
        if hold.dates.overlaps(StayDates(night, night + ONE_DAY)):
            yield hold
