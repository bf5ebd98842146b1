"""The plan: what a site's calendars should say, against what our ledger says they do. A pure function of values.

In order: who takes which nights -> which closures each listing should carry -> which rows of the ledger are new,
released or spent -> which writes go out now. Closures go out at once; what opens waits for proof.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain, count

from shared.domain.conflicts import ConflictDetector, carried_on
from shared.domain.dates import StayDates, without
from shared.domain.draft import Draft
from shared.domain.ledger import move_ledger, note_echoes
from shared.domain.model import Block, BookingConflict, Busy, Listing, SiteState, Write
from shared.domain.occupancy import Occupancy, all_echoes, full, is_counted, occupancies
from shared.domain.platform import Link
from shared.domain.writes import plan_writes, wait_for_account


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


def plan(
    state: SiteState,
    now: datetime,
    paused: Collection[str] = (),
    polled: Mapping[str, datetime] | None = None,
) -> Plan:
    """Decide. ``now`` is store time; ``paused`` are accounts into which nothing is sent (MANUAL, revoked, circuit);
    ``polled`` says, by account, when the last poll of its reservations began that is stored whole."""
    echoes = all_echoes(state)
    draft = Draft(
        state,
        now,
        state.head.version + 1,
        state.head.fence,
        occupancies(state, echoes),
        dict(state.blocks),
        polled or {},
    )
    note_echoes(draft, echoes)
    desired = desired_closures(state, draft.taken, now)
    draft.desired = {name for rows in desired.values() for name in rows}
    opening = may_open(state, draft.waiting)
    for listing in state.listings.values():
        move_ledger(draft, listing, desired.get(listing.id, {}), opening)
    for listing in state.listings.values():
        if listing.link is Link.API and listing.account in paused:
            wait_for_account(draft, listing)
        elif listing.link is Link.API:
            plan_writes(draft, listing, opening=opening)
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
    """What each listing should carry, by the rows' names: the nights of everything that shares a room with its home
    and does not come from that listing itself. Nights that have passed need no closure. Of a home sold by count each
    unit of a reservation is a row, since each takes one off the count; in a calendar, which knows no counts, only for
    the nights on which no unit is left. Only what it holds can come back from there as an echo (rule 3)."""
    wanted: dict[str, dict[str, tuple[str, StayDates]]] = {}
    for listing in state.listings.values():
        home = state.site.properties[listing.property]
        today, counted = home.today(now), is_counted(state.site, home)
        shut = _shut(state, listing, taken, today) if counted and listing.link is Link.ICAL else None
        rows = wanted.setdefault(listing.id, {})
        for one in taken:
            if needs_none(listing, one) or not one.property.rooms & home.rooms:
                continue
            for dates in (one.dates,) if shut is None else _within(one.dates, shut):
                if dates.check_out > today:
                    name, cause = _row_of(one.cause, dates, listing.id, rows if counted else {})
                    rows[name] = (cause, dates)
    return wanted


def _shut(state: SiteState, listing: Listing, taken: Sequence[Occupancy], today: date) -> list[StayDates]:
    """When no unit is left, from today on. A closure in progress keeps the nights that have passed, whoever has left
    since: it stays the row that its peer took."""
    home = state.site.properties[listing.property]
    ahead = (dates.from_day(today) for dates in full(state.site, home, taken))
    begun = [
        StayDates(row.dates.check_in, today)
        for row in state.blocks.values()
        if row.listing == listing.id and row.wanted and row.dates.check_in < today < row.dates.check_out
    ]
    return [*begun, *(dates for dates in ahead if dates is not None)]


def _within(dates: StayDates, ranges: Sequence[StayDates]) -> tuple[StayDates, ...]:
    """The nights that lie in any of the ranges; touching ones are joined."""
    return without(dates, without(dates, ranges))


def needs_none(listing: Listing, one: Occupancy) -> bool:
    """What a listing sold or shows itself is not closed there. The nights kept free beside its own stays are, where we
    write into it; a calendar that we publish never holds what came from its own reader, who might join the two."""
    if one.kind is Busy.BUFFER and listing.link is Link.API:
        return False
    return listing.id == one.listing or listing.id in one.shown


def _row_of(fact: str, dates: StayDates, listing: str, rows: Collection[str]) -> tuple[str, str]:
    """Name and cause of the closure: the cause's next unit where ``rows`` hold it already."""
    causes = chain([fact], (f"{fact}#{number}" for number in count(2)))
    return next((name, cause) for cause in causes if (name := Block(listing, cause, dates).name) not in rows)


def may_open(state: SiteState, waiting: list[str]) -> bool:
    """Whether this site may open nights at all: every row could be read (rule 19), and every listing has once
    given a complete answer (rule 5)."""
    if not state.whole:
        waiting.append("a stored row cannot be read: nothing is opened")
    silent = sorted(one.id for one in state.listings.values() if not one.complete)
    if silent:
        waiting.append(f"no complete answer yet from {', '.join(silent)}: nothing is opened")
    return state.whole and not silent


def _conflicts(state: SiteState, taken: Sequence[Occupancy], now: datetime) -> tuple[BookingConflict, ...]:
    """Conflicts that are new, changed, or over. One that is over keeps what it was about."""
    ahead = [one for one in taken if one.dates.check_out > one.property.today(now)]
    found = ConflictDetector().detect_overlapping_bookings(state.site, ahead, now)
    changed = []
    for clash in found.values():
        known = state.conflicts.get(clash.id)
        now_on = clash if known is None or known.ended_at is not None else carried_on(known, clash)
        if now_on != known:
            changed.append(now_on)
    for known in state.conflicts.values():
        if known.id not in found and known.ended_at is None:
            changed.append(replace(known, ended_at=now, told=False))
    return tuple(changed)
