"""Exposure: which channel could still sell which nights that are taken elsewhere, and since when. Computed, never
stored.

A closure counts once its listing is known to have it: the platform's answer named the nights, or the peer fetched a
calendar of ours that holds them. Until then a second guest can book there, and that is all anybody can know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.model import Block, BookingConflict, Busy, Listing, Phase, SiteState
from shared.domain.occupancy import Occupancy, is_counted, level, occupancies
from shared.domain.platform import Link, Platform


@dataclass(frozen=True, slots=True)
class Exposure:
    """Nights that a listing could still sell although nothing of its home is left on them. ``since`` is when we first
    knew that they must be closed there (store time); None where they had been closed and may have been put back on sale
    at a moment nobody knows. ``causes`` are the keys of the facts that take them; ``sent``: a write is under way, or
    they stand in a calendar of ours that its peer has not fetched."""

    home: str
    listing: str
    platform: Platform
    link: Link
    dates: StayDates
    since: datetime | None
    causes: tuple[str, ...]
    sent: bool


def exposure(state: SiteState, now: datetime) -> tuple[Exposure, ...]:
    """Every exposure of a site at an instant of store time, soonest nights first. Empty: no channel can sell a taken
    night, as far as is known. Nights a listing has sold itself it cannot sell again."""
    taken = occupancies(state)
    found = [one for listing in state.listings.values() for one in _of(state, listing, taken, now)]
    return tuple(sorted(found, key=lambda one: (one.dates, one.listing)))


def of_conflict(exposures: Iterable[Exposure], conflict: BookingConflict) -> tuple[Exposure, ...]:
    """The exposures that make a conflict worse: those caused by one of its facts, on its nights."""
    return tuple(
        one
        for one in exposures
        if set(one.causes) & set(conflict.conflicting_bookings)
        and any(one.dates.overlaps(dates) for dates in conflict.exact)
    )


def _of(state: SiteState, listing: Listing, taken: Sequence[Occupancy], now: datetime) -> Iterable[Exposure]:
    """Neighbouring nights that wait for the same closures are one exposure."""
    rows = [row for row in state.blocks.values() if row.listing == listing.id and row.wanted]
    waiting = [row for row in rows if not known_closed(row, listing)]
    if not waiting:
        return
    home = state.site.properties[listing.property]
    shut = set() if is_counted(state.site, home) else _shut(listing, rows, taken)
    today = home.today(now)
    behind: dict[tuple[str, ...], list[date]] = {}
    for night in sorted({night for row in waiting for night in row.dates.nights()}):
        if night >= today and night not in shut and level(state.site, home, night, taken) == 0:
            keys = tuple(row.key for row in waiting if row.dates.check_in <= night < row.dates.check_out)
            behind.setdefault(keys, []).append(night)
    for keys, nights in behind.items():
        for dates in ranges_of(nights):
            yield _exposure(listing, dates, [state.blocks[key] for key in keys])


def _shut(listing: Listing, rows: Iterable[Block], taken: Iterable[Occupancy]) -> set[date]:
    """Nights a home of one unit cannot be sold on there: another closure holds them, or the listing sold them
    itself."""
    had = nights_of(row.dates for row in rows if known_closed(row, listing))
    own = (one for one in taken if one.listing == listing.id and one.kind is not Busy.BUFFER)
    return had | nights_of(one.dates for one in own)


def _exposure(listing: Listing, dates: StayDates, behind: Sequence[Block]) -> Exposure:
    return Exposure(
        home=listing.property,
        listing=listing.id,
        platform=listing.platform,
        link=listing.link,
        dates=dates,
        since=None if any(row.taken_at for row in behind) else min(_knew(behind), default=None),
        causes=tuple(sorted({row.cause.partition("#")[0] for row in behind})),
        sent=all(row.phase is not Phase.INTENDED for row in behind),
    )


def _knew(behind: Iterable[Block]) -> Iterable[datetime]:
    return (row.created_at for row in behind if row.created_at is not None)


def known_closed(row: Block, listing: Listing) -> bool:
    """Whether the listing is known to have these nights closed. A peer that took an older closure of the same nights
    still has that; one we write to may have put nights back on sale by itself, and is asked again (``say_again``)."""
    if listing.link is Link.ICAL:
        return (row.taken_at or row.heir_taken) is not None
    return row.phase in (Phase.ACCEPTED, Phase.SEEN)
