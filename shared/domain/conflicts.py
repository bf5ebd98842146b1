"""Conflicts: two facts that claim the same unit on the same nights. Found by sort and sweep, pair by pair.

Never "compare with the previous stay only": one long stay can cover many that follow it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from shared.domain.dates import StayDates
from shared.domain.model import (
    BookingConflict,
    Busy,
    ConflictResolution,
    ConflictSeverity,
    Site,
    Status,
)
from shared.domain.occupancy import Occupancy

SOLD = frozenset({Busy.STAY, Busy.CLOSED})
"""The kinds of busy time that may be a sale: only these can clash."""


class ConflictDetector:
    """Finds double sales on one site."""

    def detect_overlapping_bookings(
        self, site: Site, taken: Sequence[Occupancy], now: datetime
    ) -> dict[str, BookingConflict]:
        """Every clashing pair by its id. Rooms with several units clash only beyond their count; what touches (one
        leaves as the other arrives) does not clash. An owner's block or a platform's rule is no sale."""
        sold = [one for one in taken if one.kind in SOLD]
        found: dict[str, BookingConflict] = {}
        for room, units in site.rooms.items():
            there = [one for one in sold if room in one.property.rooms]
            pairs = _pairs(there) if units == 1 else _pairs_beyond(there, units)
            for first, second, dates in pairs:
                if may_clash(first, second):
                    clash = _conflict(first, second, dates, now)
                    found.setdefault(clash.id, clash)
        return found


def overlaps_any(dates: StayDates, taken: Iterable[StayDates]) -> bool:
    """Whether a new stay meets any existing one: a linear scan, which beats any index at a home's size. A plain loop,
    which costs two thirds of the generator that ``any`` would need."""
    start, end = dates.check_in, dates.check_out
    for one in taken:  # noqa: SIM110
        if start < one.check_out and one.check_in < end:
            return True
    return False


def _pairs(stays: Sequence[Occupancy]) -> Iterator[tuple[Occupancy, Occupancy, StayDates]]:
    active: list[Occupancy] = []
    for one in sorted(stays, key=lambda stay: (stay.dates, stay.cause, stay.listing)):
        active = [other for other in active if other.dates.check_out > one.dates.check_in]
        for other in active:
            common = other.dates.intersection(one.dates)
            if common is not None:
                yield other, one, common
        active.append(one)


def _pairs_beyond(stays: Sequence[Occupancy], units: int) -> Iterator[tuple[Occupancy, Occupancy, StayDates]]:
    """Per night: whoever came after the last that fits, against that last one; or, where both are one reservation or
    one feed's own affair, against the latest before it."""
    nights = {night for one in stays for night in one.dates.nights()}
    clashing: dict[tuple[str, str], list[tuple[Occupancy, Occupancy, StayDates]]] = {}
    for night in sorted(nights):
        there = sorted(
            (one for one in stays if one.dates.check_in <= night < one.dates.check_out),
            key=lambda stay: (stay.since, stay.cause),
        )
        for late in there[units:]:
            fits = next((one for one in there[units - 1 :: -1] if may_clash(one, late)), None)
            if fits is None:
                continue
            dates = StayDates.of_nights(night, 1)
            clashing.setdefault((fits.cause, late.cause), []).append((fits, late, dates))
    for rows in clashing.values():
        fits, late, first = rows[0]
        yield fits, late, StayDates(first.check_in, rows[-1][2].check_out)


def may_clash(first: Occupancy, second: Occupancy) -> bool:
    """One reservation does not clash with itself. A platform does not sell one calendar twice: what overlaps inside one
    feed without being told apart is the feed's way of cutting, and what replaced a vanished stay there is no clash."""
    if first.cause == second.cause:
        return False
    if first.listing != second.listing:
        return True
    return not (first.fading or second.fading or Busy.CLOSED in (first.kind, second.kind))


def _conflict(first: Occupancy, second: Occupancy, dates: StayDates, now: datetime) -> BookingConflict:
    early, late = sorted((first, second), key=lambda one: (one.since, one.cause))
    causes = (early.cause, late.cause)
    digest = hashlib.sha256("\n".join(sorted(causes)).encode()).hexdigest()[:24]
    return BookingConflict(
        id=digest,
        property_id=late.property.id,
        conflict_dates=dates,
        conflicting_bookings=causes,
        severity=_severity(early.property.today(now), early, late),
        suggested_resolution=_proposal(early, late),
        detected_at=now,
    )


def _severity(today: date, early: Occupancy, late: Occupancy) -> ConflictSeverity:
    arrival = min(early.dates.check_in, late.dates.check_in)
    if arrival <= today + timedelta(days=2):
        return ConflictSeverity.CRITICAL
    return ConflictSeverity.HIGH if arrival <= today + timedelta(days=14) else ConflictSeverity.MEDIUM


def _proposal(early: Occupancy, late: Occupancy) -> ConflictResolution:
    if Status.PENDING in (early.status, late.status):
        return ConflictResolution.DECLINE_PENDING
    if Busy.CLOSED in (early.kind, late.kind):
        return ConflictResolution.ASK_A_PERSON
    return ConflictResolution.MOVE_OR_CANCEL_LATER
