"""When a conflict that clashes no longer counts as resolved: once the platforms' own answers show it.

That our record holds no clash is not enough: a person may have said so, or we may have understood an event anew. What
counts is an answer of the platform begun after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from shared.domain.conflict_alerts import home_of
from shared.domain.conflicts import SOLD
from shared.domain.model import BookingConflict, Side, SiteState, Status


def with_verified(state: SiteState, now: datetime) -> SiteState:
    """The site with every conflict stamped whose end the platforms have confirmed by now (store time); the very same
    object when there is none."""
    found = {one.id: replace(one, verified_at=now) for one in _open_ends(state, now) if _is_shown(state, one)}
    return replace(state, conflicts={**state.conflicts, **found}) if found else state


def awaited(state: SiteState, now: datetime) -> frozenset[str]:
    """Listings whose next complete calendar may confirm the end of a conflict, also when it is unchanged."""
    return frozenset(
        side.listing for one in _open_ends(state, now) for side in one.sides if _feed(state, side)
    )


def _open_ends(state: SiteState, now: datetime) -> Iterable[BookingConflict]:
    """What has ended, is not confirmed, and lies ahead: nights that have passed need no proof any more."""
    for one in state.conflicts.values():
        ahead = one.conflict_dates.check_out > home_of(state, one).today(now)
        if one.ended_at is not None and one.verified_at is None and ahead:
            yield one


def _is_shown(state: SiteState, clash: BookingConflict) -> bool:
    """Whether a platform shows it: one of the two no longer takes these nights there; or each calendar concerned has
    answered whole since, and what it shows was understood as no clash."""
    if any(not _still_sold(state, clash, key) for key in clash.conflicting_bookings):
        return True
    feeds = {side.listing for side in clash.sides if _feed(state, side)}
    answers = [state.listings[name].answered for name in feeds]
    assert clash.ended_at is not None, "only of what has ended"
    return bool(answers) and all(at is not None and at > clash.ended_at for at in answers)


def _still_sold(state: SiteState, clash: BookingConflict, key: str) -> bool:
    """Whether the fact of that key is still told as a sale of any of the clashing nights where it was."""
    fact = state.reservations.get(key)
    if fact is None or fact.kind not in SOLD or fact.status is Status.CANCELLED:
        return False
    where = {side.listing for side in clash.sides if side.key == key}  # none in what an older release wrote
    return any(
        (not where or part.listing in where) and part.dates.overlaps(dates)
        for part in fact.held()
        for dates in clash.exact
    )


def _feed(state: SiteState, side: Side) -> bool:
    listing = state.listings.get(side.listing)
    fact = state.reservations.get(side.key)
    return listing is not None and bool(listing.shard) and (fact is None or bool(fact.feed))
