"""Removals: what vanished from a calendar and is still held, why it is not believed yet, and what would confirm it.

Rule 21 in words for a person: the guard itself stands in ``shared.domain.release``; here it is only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.disconnect import is_disconnected
from shared.domain.merge import release_by_hand
from shared.domain.model import Fading, Part, Reservation, SiteState
from shared.domain.release import NEAR, proof_needed

USUAL = timedelta(minutes=2)
"""How often a calendar is asked of which nothing else is known."""


class Doubt(StrEnum):
    """Why a removal needs more proof than usual, the most pressing first."""

    GUEST = "guest"  # somebody may be in the house: only a person may say that he is not
    EMPTY = "empty"  # the calendar shows nothing at all any more
    MASS = "mass"  # too many vanished at once
    NEAR = "near"  # the arrival is within two days
    CUT = "cut"  # its calendar is not read any more, as its owner wished: nothing will tell
    NONE = "none"  # nothing odd: complete answers over 20 min are enough


@dataclass(frozen=True, slots=True)
class Removal:
    """One stay's nights on one listing that its calendar no longer shows. ``since`` is when the last of them was
    first missing; ``at_once`` counts the stays that vanished from the calendar in that same answer.

    ``needed`` is how long complete answers must go on without it, None where only a person may release it. ``by`` is
    when that will be at the latest while the calendar answers as often as it is asked; None: not by itself.
    """

    key: str
    listing: str
    stay: StayDates
    nights: tuple[StayDates, ...]
    since: datetime
    doubt: Doubt
    at_once: int
    needed: timedelta | None
    by: datetime | None

    @property
    def mark(self) -> str:
        """A short name of the stay, the same each time it vanishes."""
        return mark_of(self.key, self.listing, self.stay)


def mark_of(key: str, listing: str, stay: StayDates) -> str:
    """The short name of a stay on a listing."""
    return sha256(f"{key}\n{listing}\n{stay}".encode()).hexdigest()[:16]


def removals(
    state: SiteState, now: datetime, periods: Mapping[str, timedelta] | None = None
) -> list[Removal]:
    """Everything of a site that vanished and is still held, the soonest arrival first. ``periods`` say how often each
    listing's calendar is asked."""
    found: list[Removal] = []
    for one in state.reservations.values():
        groups: dict[tuple[str, StayDates], list[Fading]] = {}
        for fading in one.fading:
            if _waits(state, fading, now):
                groups.setdefault((fading.part.listing, fading.stay), []).append(fading)
        for (listing, _), group in groups.items():
            period = (periods or {}).get(listing, USUAL)
            found.append(_removal(state, one, group, now, period))
    return sorted(found, key=lambda removal: (removal.stay, removal.listing, removal.key))


def _waits(state: SiteState, fading: Fading, now: datetime) -> bool:
    """Whether it is on a listing that can be read and nights of it are still ahead: what has passed holds nothing."""
    listing = fading.part.listing
    return listing in state.listings and fading.part.dates.check_out > state.today(listing, now)


def _removal(
    state: SiteState, one: Reservation, group: list[Fading], now: datetime, period: timedelta
) -> Removal:
    last = max(group, key=lambda fading: fading.since)
    last = replace(last, doubtful=any(fading.doubtful for fading in group))
    listing = last.part.listing
    today, cut = state.today(listing, now), is_disconnected(state, one)
    return Removal(
        key=one.key,
        listing=listing,
        stay=last.stay,
        nights=ranges_of(nights_of(fading.part.dates for fading in group)),
        since=last.since,
        doubt=_doubt(state, one, last, now),
        at_once=_at_once(state, one.feed, last.since),
        needed=None if cut else proof_needed(last, one.kind, today),
        by=None if cut else _proven_by(state, one, last, now, period),
    )


def _doubt(state: SiteState, one: Reservation, fading: Fading, now: datetime) -> Doubt:
    today = state.today(fading.part.listing, now)
    if fading.stay.check_in <= today < fading.stay.check_out:
        return Doubt.GUEST
    if is_disconnected(state, one):
        return Doubt.CUT
    if fading.doubtful:
        shown = (other for other in state.reservations.values() if other.feed == one.feed and other.parts)
        return Doubt.MASS if any(shown) else Doubt.EMPTY
    return Doubt.NEAR if fading.stay.check_in <= today + NEAR else Doubt.NONE


def _at_once(state: SiteState, feed: str, since: datetime) -> int:
    return sum(
        1
        for other in state.reservations.values()
        if other.feed == feed and any(fading.since == since for fading in other.fading)
    )


def _proven_by(
    state: SiteState, one: Reservation, fading: Fading, now: datetime, period: timedelta
) -> datetime | None:
    """The first instant at which the guard would be content, plus one look: what it asks for grows as the arrival
    comes nearer, so each day on the way is asked about."""
    at = fading.since
    for _ in range(4):
        needed = proof_needed(fading, one.kind, state.today(fading.part.listing, max(at, now)))
        if needed is None:
            return None
        if max(at, now) - fading.since >= needed and at != fading.since:
            break
        at = fading.since + needed
    return max(at, now) + period


def released(state: SiteState, key: str, listing: str, stay: StayDates) -> SiteState:
    """The site after a person said that what vanished of a stay there is free; the very same object where nothing of
    it waits."""
    one = state.reservations.get(key)
    if one is None:
        return state
    waiting = [fading for fading in one.fading if (fading.part.listing, fading.stay) == (listing, stay)]
    if not waiting:
        return state
    left = release_by_hand(one, waiting)
    others = {name: other for name, other in state.reservations.items() if name != key}
    keep = bool(left.parts or left.fading or left.hinted)
    return replace(state, reservations={**others, key: left} if keep else others)


def is_shown(state: SiteState, mark: str) -> bool:
    """Whether the stay of that mark stands in its calendar now."""
    return any(
        mark_of(one.key, part.listing, part.dates) == mark
        for one in state.reservations.values()
        for part in _live(one)
    )


def _live(one: Reservation) -> Iterable[Part]:
    return (*one.parts, *one.hinted)
