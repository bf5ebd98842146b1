"""Remapped: what a portfolio that names a stored listing's unit, or a home's rooms, anew does to the site's ledger.

The ledger says what we closed under the platform's id of then, and with the count of then. Under another id nothing is
closed yet, and with fewer rooms too much is for sale: both are said again at once. A count that may rise waits for the
listing's whole state, asked for after the change: what its platform sold meanwhile is in no count of ours (rule 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.model import Block, Listing, Phase, Property, Site, SiteState
from shared.domain.occupancy import is_counted
from shared.domain.platform import Link


@dataclass(frozen=True, slots=True)
class Remapped:
    """What changes: rows of the ledger, and the keys of those to forget. ``listings`` are asked for their whole state:
    until it is in, none ever was. ``left`` are, by listing, the nights we closed under its former id: nobody knows
    whether they are free, and no row of ours will ever open them."""

    blocks: tuple[Block, ...] = ()
    spent: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()
    left: Mapping[str, tuple[StayDates, ...]] = field(default_factory=dict)


def remapped(state: SiteState, named: Mapping[str, Listing], site: Site, now: datetime) -> Remapped:
    """What follows for a stored site from the listings and the rooms it is about to have. ``now`` is store time."""
    by_api = {key: one for key, one in named.items() if one.link is Link.API and key in state.listings}
    moved = {key for key, one in by_api.items() if one.unit != state.listings[key].unit}
    resized, fewer = _resized(state.site, site)
    counted = {
        key
        for key, one in by_api.items()
        if one.property in resized and is_counted(site, site.properties[one.property])
    }
    rows = [row for row in state.blocks.values() if row.listing in by_api]
    old = [row for row in rows if row.listing in moved]
    again = (row for row in rows if fewer and by_api[row.listing].property in resized and row not in old)
    return Remapped(
        blocks=(
            *(_begun_anew(row, now) for row in old if row.wanted),
            *(replace(row, phase=Phase.INTENDED, next_try=None) for row in again if row.wanted),
        ),
        spent=tuple(row.key for row in old if not row.wanted),
        listings=tuple(replace(by_api[key], answered=None) for key in sorted(moved | counted)),
        left={key: nights for key in sorted(moved) if (nights := _left(state, key, now))},
    )


def _begun_anew(row: Block, now: datetime) -> Block:
    """The closure as one that nobody has been sent."""
    return replace(
        row, phase=Phase.INTENDED, created_at=now, taken_at=None, attempts=0, next_try=None, error=""
    )


def _left(state: SiteState, listing: str, now: datetime) -> tuple[StayDates, ...]:
    """The nights from today on that may stand closed by us under the listing's stored id."""
    today = state.today(listing, now)
    rows = (row for row in state.blocks.values() if row.listing == listing)
    sent = (row.dates for row in rows if row.phase is not Phase.INTENDED or row.taken_at is not None)
    return ranges_of(night for night in nights_of(sent) if night >= today)


def _resized(before: Site, after: Site) -> tuple[set[str], bool]:
    """The stored homes of which another number may be for sale, themselves or by a room they share; and whether it may
    be fewer anywhere."""
    homes = before.properties
    rooms = {name: (_counts(before, homes[name]), _counts(after, after.properties[name])) for name in homes}
    changed = [(was, now_on) for was, now_on in rooms.values() if was != now_on]
    touched = {room for was, now_on in changed for room in (*was, *now_on)}
    fewer = any(
        was.keys() != now_on.keys() or any(now_on[room] < was[room] for room in was)
        for was, now_on in changed
    )
    return {name for name, pair in rooms.items() if touched & {*pair[0], *pair[1]}}, fewer


def _counts(site: Site, home: Property) -> dict[str, int]:
    return {room: site.rooms.get(room, 1) for room in home.rooms}
