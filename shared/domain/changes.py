"""What differs between a site as it was loaded and as it should be: the rows a commit writes, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain.disconnect import is_disconnected
from shared.domain.model import (
    Block,
    BookingConflict,
    Busy,
    Head,
    Hold,
    Listing,
    Reservation,
    SiteState,
)
from shared.domain.plan import Plan

KEEP_DEPARTED = timedelta(days=2)
"""How long after its departure a stay stays in the living range: late changes still find it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows to put, and keys to remove. ``departed`` reservations move out of the living range."""

    listings: tuple[Listing, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    dropped: tuple[str, ...] = ()
    departed: tuple[Reservation, ...] = ()
    blocks: tuple[Block, ...] = ()
    spent: tuple[str, ...] = ()
    holds: tuple[Hold, ...] = ()
    removed_holds: tuple[str, ...] = ()
    conflicts: tuple[BookingConflict, ...] = ()
    fence: int = 0

    @property
    def empty(self) -> bool:
        """Whether both are the same."""
        return not any(
            (
                *(self.listings, self.reservations, self.dropped, self.departed),
                *(self.blocks, self.spent, self.holds, self.removed_holds, self.conflicts),
            )
        )


def apply_plan(state: SiteState, plan: Plan) -> SiteState:
    """The site as the plan wants it stored before anything is sent."""
    blocks = {key: row for key, row in state.blocks.items() if key not in plan.spent}
    return replace(
        state,
        head=replace(state.head, fence=plan.fence),
        listings={**state.listings, **{one.id: one for one in plan.listings}},
        blocks={**blocks, **{row.key: row for row in plan.blocks}},
        conflicts={**state.conflicts, **{one.id: one for one in plan.conflicts}},
    )


def difference(before: SiteState, after: SiteState, now: datetime) -> Difference:
    """The rows that make ``after`` of ``before``. A stay that left days ago is moved to the record on the way, and
    its guest's name is forgotten."""
    gone = {key: one for key, one in after.reservations.items() if _is_departed(after, one, now)}
    alive = {key: one for key, one in after.reservations.items() if key not in gone}
    dropped = (key for key in before.reservations if key not in alive and key not in gone)
    return Difference(
        listings=_changed(before.listings, after.listings),
        reservations=_changed(before.reservations, alive),
        dropped=tuple(dropped),
        departed=tuple(replace(one, guest="") for key, one in gone.items() if key in before.reservations),
        blocks=_changed(before.blocks, after.blocks),
        spent=tuple(key for key in before.blocks if key not in after.blocks),
        holds=_changed(before.holds, after.holds),
        removed_holds=tuple(key for key in before.holds if key not in after.holds),
        conflicts=_changed(before.conflicts, after.conflicts),
        fence=after.head.fence,
    )


def committed(after: SiteState, head: Head, diff: Difference) -> SiteState:
    """The site as it is stored once the commit has gone through."""
    moved = {one.key for one in diff.departed}
    alive = {key: one for key, one in after.reservations.items() if key not in moved}
    return replace(after, head=head, reservations=alive)


def _changed(before: Mapping[str, T], after: Mapping[str, T]) -> tuple[T, ...]:
    # Most rows are the loaded object itself, and comparing twenty fields of it with themselves takes its time.
    return tuple(
        value for key, value in after.items() if (old := before.get(key)) is not value and old != value
    )


def _is_departed(state: SiteState, one: Reservation, now: datetime) -> bool:
    """A calendar says itself what has passed, unless it is not read any more."""
    leaves, cut = one.leaves, is_disconnected(state, one)
    if leaves is None or not (cut or (one.kind is Busy.STAY and not one.feed)):
        return False
    parts = one.held() if cut else one.parts
    listing = next((part.listing for part in parts if part.listing in state.listings), None)
    return listing is not None and leaves + KEEP_DEPARTED < state.today(listing, now)
