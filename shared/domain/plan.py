"""The plan: what a site's calendars should say, against what our ledger says they do. A pure function of values.

In order: who takes which nights -> which closures each listing should carry -> which rows of the ledger are new,
released or spent -> which writes go out now. Closures go out at once; what opens waits for proof.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.echo import SPENT
from shared.domain.model import Block, BookingConflict, Link, Listing, Phase, SiteState, Write
from shared.domain.occupancy import Occupancy, all_echoes, level, occupancies

GRACE = timedelta(seconds=60)
"""After a write's deadline, how long it may still land unseen (rule 2)."""

CALL = timedelta(seconds=12)
"""The deadline of a write, from the commit of its intent."""

LOOK_AGAIN = timedelta(seconds=20)
"""How soon to look whether the poll that a raised count waits for has come: its own rhythm."""

FORGET = timedelta(days=2)
"""After a peer took a release, how long it may explain an echo when no import of that peer is read at all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reconcile decides. ``blocks`` are the rows of the ledger that change, ``spent`` the keys of those no
    longer needed; ``listings`` carry the writes now under way; ``writes`` are to be made after the commit, closures
    before openings. ``wake`` is when to look again at the latest, None when nothing waits for time. ``waiting``
    tells in words why something stays closed."""

    blocks: tuple[Block, ...] = ()
    spent: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()
    writes: tuple[tuple[str, Write], ...] = ()
    conflicts: tuple[BookingConflict, ...] = ()
    fence: int = 0
    wake: datetime | None = None
    waiting: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.blocks or self.spent or self.listings or self.conflicts)


@dataclass(slots=True)
class _Draft:
    """The plan while it is made. Local to one call of ``plan``."""

    state: SiteState
    now: datetime
    version: int
    fence: int
    taken: list[Occupancy]
    blocks: dict[str, Block]
    polled: Mapping[str, datetime]
    spent: list[str] = field(default_factory=list)
    writes: list[tuple[str, Write]] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    wakes: list[datetime] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def plan(
    state: SiteState,
    now: datetime,
    paused: Collection[str] = (),
    polled: Mapping[str, datetime] | None = None,
) -> Plan:
    """Decide. ``now`` is store time; ``paused`` are accounts into which nothing is sent (MANUAL, revoked, circuit);
    ``polled`` says, by account, when the last poll of its reservations began that is stored whole."""
    draft = _Draft(
        state,
        now,
        state.head.version + 1,
        state.head.fence,
        occupancies(state),
        dict(state.blocks),
        polled or {},
    )
    _note_echoes(draft)
    desired = desired_closures(state, draft.taken, now)
    opening = may_open(state, draft.waiting)
    for listing in state.listings.values():
        _move_ledger(draft, listing, desired.get(listing.id, {}), opening)
    for listing in state.listings.values():
        if listing.link is Link.API and listing.account not in paused:
            _plan_writes(draft, listing)
    changed = [row for key, row in draft.blocks.items() if state.blocks.get(key) != row]
    return Plan(
        blocks=tuple(changed),
        spent=tuple(draft.spent),
        listings=tuple(draft.listings),
        writes=tuple(sorted(draft.writes, key=lambda item: item[1].opens)),
        conflicts=_conflicts(state, draft.taken, now),
        fence=draft.fence,
        wake=min(draft.wakes, default=None),
        waiting=tuple(draft.waiting),
    )


def desired_closures(
    state: SiteState, taken: Sequence[Occupancy], now: datetime
) -> dict[str, dict[str, tuple[str, StayDates]]]:
    """What each listing should carry, by ledger key: the nights of everything that shares a room with its home and does
    not come from that listing itself. Nights that have passed need no closure."""
    wanted: dict[str, dict[str, tuple[str, StayDates]]] = {}
    for listing in state.listings.values():
        home = state.site.properties[listing.property]
        today = home.today(now)
        rows = wanted.setdefault(listing.id, {})
        for one in taken:
            if one.listing == listing.id or one.dates.check_out <= today:
                continue
            if one.property.rooms & home.rooms:
                rows[Block(listing.id, one.cause, one.dates).key] = (one.cause, one.dates)
    return wanted


def may_open(state: SiteState, waiting: list[str]) -> bool:
    """Whether this site may open nights at all: every row could be read (rule 19), and every listing has once
    given a complete answer (rule 5)."""
    if not state.whole:
        waiting.append("a stored row cannot be read: nothing is opened")
    silent = sorted(one.id for one in state.listings.values() if not one.complete)
    if silent:
        waiting.append(f"no complete answer yet from {', '.join(silent)}: nothing is opened")
    return state.whole and not silent


# ------------------------------------------------------------------------------------------ the ledger


def _note_echoes(draft: _Draft) -> None:
    """Write beside each closure which event of its peer it explains; once released it explains no other. The event
    of the very same nights comes first, then one that the peer joined of several closures."""
    found = sorted(all_echoes(draft.state))
    for row in list(draft.blocks.values()):
        alike = [
            (dates != row.dates, key)
            for key, dates in found
            if draft.state.reservations[key].feed == row.listing and dates.overlaps(row.dates)
        ]
        if row.wanted and alike and row.echo not in {key for other, key in alike if not other}:
            draft.blocks[row.key] = replace(row, echo=min(alike)[1])


def _move_ledger(
    draft: _Draft, listing: Listing, desired: Mapping[str, tuple[str, StayDates]], opening: bool
) -> None:
    """New closures first, releases after; a row whose nights have passed is spent."""
    today = draft.state.today(listing.id, draft.now)
    for key, (cause, dates) in desired.items():
        row = draft.blocks.get(key)
        if row is None or not row.wanted:
            draft.blocks[key] = _close(draft, listing, cause, dates)
    for key, row in list(draft.blocks.items()):
        if row.listing != listing.id or key in desired:
            continue
        if row.dates.check_out <= today or _is_spent(row, draft.now):
            _spend(draft, key)
        elif row.wanted and opening:
            _release(draft, listing, row)


def _is_spent(row: Block, now: datetime) -> bool:
    """Whether a released row explains nothing any more: the peer has the release, and later answers were read (or
    could long have been)."""
    if row.wanted or row.cleared_at is None:
        return False
    return row.taken_at is None or row.imports >= SPENT or now - row.cleared_at > FORGET


def _close(draft: _Draft, listing: Listing, cause: str, dates: StayDates) -> Block:
    """A row for new nights, or for the same ones again: then it is the heir of the row the peer may still have."""
    served = listing.link is Link.ICAL
    row = Block(
        listing=listing.id,
        cause=cause,
        dates=dates,
        phase=Phase.SENT if served else Phase.INTENDED,
        since_version=draft.version,
        created_at=draft.now,
    )
    old = _ancestor(draft, row) if served else None
    if old is None:
        return row
    return replace(row, heir_taken=old.taken_at or old.heir_taken, heir_gap=old.gone_version or draft.version)


def _ancestor(draft: _Draft, row: Block) -> Block | None:
    """The latest row that closed the same nights on the same listing and that the peer took, and not yet let go."""
    alike = [
        old
        for old in (*draft.state.blocks.values(), *draft.blocks.values())
        if old.listing == row.listing
        and old.dates == row.dates
        and old.cleared_at is None
        and (old.taken_at or old.heir_taken) is not None
    ]
    return max(alike, key=lambda old: (old.wanted, old.gone_version), default=None)


def _release(draft: _Draft, listing: Listing, row: Block) -> None:
    """Stop wanting a row. One that never left is simply forgotten; an export drops it with this version."""
    never_left = row.phase is Phase.INTENDED and row.taken_at is None and not row.attempts
    if listing.link is Link.API and never_left:
        _spend(draft, row.key)
        return
    draft.blocks[row.key] = replace(
        row, wanted=False, gone_version=draft.version, released_at=draft.now, next_try=None, error=""
    )


def _spend(draft: _Draft, key: str) -> None:
    del draft.blocks[key]
    if key in draft.state.blocks:
        draft.spent.append(key)


# ------------------------------------------------------------------------------------------ the writes


def _plan_writes(draft: _Draft, listing: Listing) -> None:
    """At most one write that closes and one that opens. While the outcome of an older one is unknown nothing
    opens; once it can no longer land, what should be closed under it is said again (rule 2)."""
    today = draft.state.today(listing.id, draft.now)
    late = [write for write in listing.writes if write.deadline + GRACE <= draft.now]
    young = [write for write in listing.writes if write.deadline + GRACE > draft.now]
    draft.wakes.extend(write.deadline + GRACE for write in young)
    rows = [row for row in draft.blocks.values() if row.listing == listing.id]
    fences = {write.fence for write in young}
    closing = [row for row in rows if row.wanted and _is_due(draft, row, fences)]
    healed = {night for write in late for night in write.levels}
    held = nights_of(row.dates for row in rows if row.wanted)
    closes = {n for n in nights_of(row.dates for row in closing) | (healed & held) if n >= today}
    writes = [_write(draft, listing, closes, closing)] if closes else []
    if not young and not (late and closes):
        writes.extend(_open(draft, listing, rows, held, today))
    if writes or late:
        kept = (*young, *writes)
        draft.listings.append(replace(listing, writes=kept))
        draft.writes.extend((listing.id, write) for write in writes)
    draft.wakes.extend(write.deadline + GRACE for write in writes)


def _is_due(draft: _Draft, row: Block, under_way: Collection[int]) -> bool:
    """Whether a closure must go out now: never sent, refused and waited long enough, or its write was lost."""
    if row.phase is Phase.SENT:
        return row.fence not in under_way
    if row.phase is not Phase.INTENDED:
        return False
    if row.next_try is not None and row.next_try > draft.now:
        draft.wakes.append(row.next_try)
        return False
    return True


def _open(
    draft: _Draft, listing: Listing, rows: Iterable[Block], held: set[date], today: date
) -> list[Write]:
    """Put nights up for sale again: only such as our ledger holds as closed by us (rule 1). A night the platform has
    sold itself cannot be; its row stays until it can, or the closure would outlive a later cancellation there."""
    raised: set[date] = set()
    carried: list[Block] = []
    for row in rows:
        if row.wanted or row.cleared_at is not None or not _may_go(draft, listing, row):
            continue
        free, sold = _free_and_sold(draft, listing, row, held, today)
        raised |= free
        carried += _split(draft, row, free, sold)
    return [_write(draft, listing, raised, carried)] if raised else []


def _may_go(draft: _Draft, listing: Listing, row: Block) -> bool:
    if row.next_try is not None and row.next_try > draft.now:
        draft.wakes.append(row.next_try)
        return False
    if _count_waits(draft, listing, row):
        draft.waiting.append(f"{listing.id} waits for a reservation poll before it raises a count")
        draft.wakes.append(draft.now + LOOK_AGAIN)
        return False
    return True


def _free_and_sold(
    draft: _Draft, listing: Listing, row: Block, held: set[date], today: date
) -> tuple[set[date], set[date]]:
    """The row's nights that can be sold again, and those the platform sold itself; what another closure holds is
    neither, and that closure's own business."""
    home = draft.state.site.properties[listing.property]
    counts = _counts(draft, listing)
    nights = {night for night in row.dates.nights() if night >= today and (counts or night not in held)}
    free = {night for night in nights if level(draft.state.site, home, night, draft.taken) > 0}
    return free, nights - free


def _split(draft: _Draft, row: Block, free: set[date], sold: set[date]) -> list[Block]:
    """Make the row say exactly what is to be opened now and what later; returns the part that goes out now."""
    if free == set(row.dates.nights()):
        return [row]
    if sold == set(row.dates.nights()):
        return []
    _spend(draft, row.key)
    now, later = ([replace(row, dates=dates) for dates in ranges_of(nights)] for nights in (free, sold))
    draft.blocks.update({part.key: part for part in (*now, *later)})
    return now


def _counts(draft: _Draft, listing: Listing) -> bool:
    home = draft.state.site.properties[listing.property]
    return all(draft.state.site.rooms.get(room, 1) > 1 for room in home.rooms)


def _count_waits(draft: _Draft, listing: Listing, row: Block) -> bool:
    """Raising a count needs a reservation poll begun after the intent, or it forgets a sale (rule 1)."""
    if not _counts(draft, listing) or row.released_at is None:
        return False
    known = (listing.answered, draft.polled.get(listing.account))
    return not any(begun is not None and begun > row.released_at for begun in known)


def _write(
    draft: _Draft, listing: Listing, nights: Collection[date] | Mapping[date, int], rows: Iterable[Block]
) -> Write:
    """Take the next fence, mark the rows it carries, and give each night its absolute count."""
    draft.fence += 1
    home = draft.state.site.properties[listing.property]
    levels = {night: level(draft.state.site, home, night, draft.taken) for night in sorted(nights)}
    for row in rows:
        draft.blocks[row.key] = replace(row, phase=Phase.SENT, fence=draft.fence)
    return Write(draft.fence, draft.now + CALL, levels)


# --------------------------------------------------------------------------------------- the conflicts


def _conflicts(state: SiteState, taken: Sequence[Occupancy], now: datetime) -> tuple[BookingConflict, ...]:
    """Conflicts that are new, changed, or over."""
    ahead = [one for one in taken if one.dates.check_out > one.property.today(now)]
    found = ConflictDetector().detect_overlapping_bookings(state.site, ahead, now)
    changed = []
    for clash in found.values():
        known = state.conflicts.get(clash.id)
        if known is None or known.ended_at is not None:
            changed.append(clash)
        elif (known.conflict_dates, known.severity) != (clash.conflict_dates, clash.severity):
            changed.append(replace(clash, detected_at=known.detected_at, told=known.told))
    for known in state.conflicts.values():
        if known.id not in found and known.ended_at is None:
            changed.append(replace(known, ended_at=now, told=False))
    return tuple(changed)
