"""Read-back: what a platform's own calendar shows, held against the closures it is known to have taken (rule 23).

It may confirm at any time. It contradicts only when it was asked for long enough after our last write: a replica of the
platform may be behind. What differs then on nights we wrote is drift, and is written again; it is never taken for a
closure of the owner's. A young closure that does not show is written again at once all the same: a closing that was
needless costs a call, and one that did nothing (written over a sale nobody had told us of, which moved on) a guest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.domain.model import Block, Phase, SiteState
from shared.domain.occupancy import is_counted, level, occupancies

SETTLES = timedelta(minutes=10)
"""How long after our last write a platform's calendar may still show what was before it (rule 23)."""


@dataclass(frozen=True, slots=True)
class Readback:
    """Rows of the ledger as a read calendar leaves them: ``seen`` there; ``missing`` so soon after the write that the
    platform may be behind; or ``drifted``. The last two are to be written again. ``opened`` are the nights that drifted
    after they had been seen closed, ``never_closed`` those that were not once."""

    seen: tuple[Block, ...] = ()
    missing: tuple[Block, ...] = ()
    drifted: tuple[Block, ...] = ()
    opened: frozenset[date] = frozenset()
    never_closed: frozenset[date] = frozenset()


def read_back(state: SiteState, listing: str, levels: Mapping[date, int], begun: datetime) -> Readback:
    """Judge a listing's closures by the number of units it shows for sale on each night. ``begun`` is when the calendar
    was asked for, by store time. Nights it does not name confirm nothing."""
    one = state.listings[listing]
    home = state.site.properties[one.property]
    counted = is_counted(state.site, home)
    taken = occupancies(state) if counted else []
    today = state.today(listing, begun)
    seen, missing, drifted = [], [], []
    opened, never_closed = set[date](), set[date]()
    for row in _waiting(state, listing, begun):
        nights = [night for night in row.dates.nights() if night >= today]
        allowed = {night: level(state.site, home, night, taken) if counted else 0 for night in nights}
        over = [night for night in nights if levels.get(night, 0) > allowed[night]]
        if over and row.taken_at is not None and begun - row.taken_at >= SETTLES:
            drifted.append(replace(row, phase=Phase.INTENDED, next_try=None, error=_words(over)))
            (opened if row.phase is Phase.SEEN else never_closed).update(over)
        elif over and row.created_at is not None and begun - row.created_at < SETTLES:
            missing.append(
                replace(row, phase=Phase.INTENDED, next_try=None, error="accepted, and not seen there yet")
            )
        elif not over and nights and all(night in levels for night in nights) and row.phase is not Phase.SEEN:
            seen.append(replace(row, phase=Phase.SEEN))
    return Readback(tuple(seen), tuple(missing), tuple(drifted), frozenset(opened), frozenset(never_closed))


def _waiting(state: SiteState, listing: str, begun: datetime) -> list[Block]:
    """The listing's closures that its platform took before the calendar was asked for."""
    return [
        row
        for row in state.blocks.values()
        if row.listing == listing
        and row.wanted
        and row.phase in (Phase.ACCEPTED, Phase.SEEN)
        and row.taken_at is not None
        and row.taken_at < begun
    ]


def _words(over: list[date]) -> str:
    return f"open again on the platform since we closed it: {min(over)}" + (" and more" if over[1:] else "")
