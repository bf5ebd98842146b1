"""Conflicts: two facts that claim the same unit on the same nights. Found by sort and sweep, pair by pair.

Never "compare with the previous stay only": one long stay can cover many that follow it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from shared.domain.clash_graph import crowds
from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.estate import Step, StepKind
from shared.domain.exposure import exposure, of_conflict
from shared.domain.model import (
    BookingConflict,
    Busy,
    Certainty,
    ConflictResolution,
    ConflictSeverity,
    Side,
    Site,
    SiteState,
    Source,
    Status,
)
from shared.domain.occupancy import Occupancy
from shared.domain.validation import BookingRequest, SourceAge, ValidationResult, validate

SOLD = frozenset({Busy.STAY, Busy.CLOSED})
"""The kinds of busy time that may be a sale: only these can clash."""

CRITICAL_WITHIN, HIGH_WITHIN = timedelta(days=2), timedelta(days=14)
"""Days before the first arrival."""

UNREAD = {
    Source.API: timedelta(minutes=2),
    Source.FEED: timedelta(minutes=30),
    Source.HINT: timedelta(minutes=2),
}
"""How long a sale may have been made before its source told of it, while that source is asked at its ordinary rhythm:
calendars every 2 min, every 15 to 30 where something slows them down."""

Meeting = tuple[Occupancy, Occupancy, StayDates]
"""Two rooms' worth of busy time, and nights on which they want the same unit."""


class ConflictDetector:
    """Finds double sales on one site."""

    def detect_overlapping_bookings(
        self, site: Site, taken: Sequence[Occupancy], now: datetime
    ) -> dict[str, BookingConflict]:
        """Every clashing pair by its id. Rooms with several units clash only beyond their count; what touches (one
        leaves as the other arrives) does not clash. An owner's block, a buffer or a platform's rule is no sale."""
        sold = [one for one in taken if one.kind in SOLD]
        pairs: dict[tuple[str, str], list[Meeting]] = {}
        for meeting in _meetings(site, sold):
            pairs.setdefault(_pair(meeting), []).append(meeting)
        crowd = crowds(pairs)
        found = (_conflict(meetings, crowd[pair[0]], sold, now) for pair, meetings in pairs.items())
        return {clash.id: clash for clash in found}

    def validate_availability(
        self, request: BookingRequest, state: SiteState, freshness: Mapping[str, SourceAge], now: datetime
    ) -> ValidationResult:
        """Whether a home may be promised on some nights: free, taken or unknown, with the reason and the age of each
        channel's answer. Raises ``KeyError`` for a home the site does not have."""
        return validate(request, state, freshness, now)

    def auto_resolve_blocking(
        self, conflict: BookingConflict, state: SiteState, now: datetime
    ) -> tuple[Step, ...]:
        """What keeps an open conflict from growing, and bothers no guest: close its nights wherever they could still be
        sold, and ask again for what is only claimed or no longer shown. Nothing is done here: the plan closes by
        itself, and what these steps name beyond it is for whoever carries them out."""
        if conflict.ended_at is not None:
            return ()
        doubts = [side for side in conflict.sides if side.source is Source.HINT or side.fading]
        return (
            *(
                Step(StepKind.CLOSE, "", one.listing, one.dates)
                for one in of_conflict(exposure(state, now), conflict)
            ),
            *(Step(StepKind.REREAD, side.key, side.listing, side.dates) for side in doubts),
        )


def overlaps_any(dates: StayDates, taken: Iterable[StayDates]) -> bool:
    """Whether a new stay meets any existing one: a linear scan, which beats any index at a home's size. A plain loop,
    which costs two thirds of the generator that ``any`` would need."""
    start, end = dates.check_in, dates.check_out
    for one in taken:  # noqa: SIM110
        if start < one.check_out and one.check_in < end:
            return True
    return False


def may_clash(first: Occupancy, second: Occupancy) -> bool:
    """One reservation does not clash with itself. A platform does not sell one calendar twice: what overlaps inside one
    feed without being told apart is the feed's way of cutting, and what replaced a vanished stay there is no clash."""
    if first.cause == second.cause:
        return False
    if first.listing != second.listing:
        return True
    return not (first.fading or second.fading or Busy.CLOSED in (first.kind, second.kind))


def _meetings(site: Site, sold: Sequence[Occupancy]) -> Iterator[Meeting]:
    """Room by room; two that share several rooms meet once in each."""
    by_room: dict[str, list[Occupancy]] = {}
    for one in sold:
        for room in one.property.rooms:
            by_room.setdefault(room, []).append(one)
    for room, there in by_room.items():
        units = site.rooms.get(room, 1)
        if len(there) > units:
            yield from _pairs(there) if units == 1 else _pairs_beyond(there, units)


def _pairs(stays: Sequence[Occupancy]) -> Iterator[Meeting]:
    active: list[Occupancy] = []
    for one in sorted(stays, key=lambda stay: (stay.dates, stay.cause, stay.listing)):
        active = [other for other in active if other.dates.check_out > one.dates.check_in]
        for other in active:
            common = other.dates.intersection(one.dates)
            if common is not None and may_clash(other, one):
                yield other, one, common
        active.append(one)


def _pairs_beyond(stays: Sequence[Occupancy], units: int) -> Iterator[Meeting]:
    """Night by night, where more want the room than there are units of it: whoever came after the last that fits,
    against that last one; or, where both are one reservation or one feed's own affair, against the latest before it.
    Who is there changes only on days of arrival and departure, so the nights between two of them are looked at once."""
    for nights, there in _crowded(stays, units):
        ordered = sorted(there, key=lambda stay: (stay.since, stay.cause))
        for late in ordered[units:]:
            fits = next((one for one in ordered[units - 1 :: -1] if may_clash(one, late)), None)
            if fits is not None:
                yield fits, late, nights


def _crowded(stays: Sequence[Occupancy], units: int) -> Iterator[tuple[StayDates, list[Occupancy]]]:
    """The stretches of nights on which more than so many are there, with those who are."""
    days = sorted({day for one in stays for day in (one.dates.check_in, one.dates.check_out)})
    waiting = sorted(stays, key=lambda stay: stay.dates.check_in, reverse=True)
    there: list[Occupancy] = []
    for start, end in pairwise(days):
        there = [one for one in there if one.dates.check_out > start]
        while waiting and waiting[-1].dates.check_in == start:
            there.append(waiting.pop())
        if len(there) > units:
            yield StayDates(start, end), there


def _pair(meeting: Meeting) -> tuple[str, str]:
    one, other = meeting[0].cause, meeting[1].cause
    return (one, other) if one < other else (other, one)


def conflict_id(one: str, other: str) -> str:
    """The name of the conflict of two facts, by their keys in any order."""
    return hashlib.sha256("\n".join(sorted((one, other))).encode()).hexdigest()[:24]


def carried_on(known: BookingConflict, found: BookingConflict) -> BookingConflict:
    """An open conflict as it is now: what people did about it stays, and who was first while the facts are the same.
    Nights nobody was told of are to be told."""
    same = _claims(known) == _claims(found)
    heard = nights_of(found.exact) <= nights_of(known.exact)
    return replace(
        known,
        property_id=found.property_id,
        conflict_dates=found.conflict_dates,
        conflicting_bookings=known.conflicting_bookings if same else found.conflicting_bookings,
        severity=found.severity,
        suggested_resolution=found.suggested_resolution,
        nights=found.nights,
        sides=found.sides,
        certainty=known.certainty if same else found.certainty,
        told=known.told and heard,
    )


def _claims(clash: BookingConflict) -> set[tuple[str, StayDates, datetime]]:
    return {(side.key, side.dates, side.since) for side in clash.sides}


def _conflict(
    meetings: Sequence[Meeting], crowd: frozenset[str], sold: Sequence[Occupancy], now: datetime
) -> BookingConflict:
    met = [one for meeting in meetings for one in meeting[:2]]
    sides = sorted(dict.fromkeys(met), key=lambda one: (one.since, one.cause, one.dates, one.listing))
    early, late = sides[0], next(one for one in sides if one.cause != sides[0].cause)
    nights = ranges_of(night for meeting in meetings for night in meeting[2].nights())
    return BookingConflict(
        id=conflict_id(early.cause, late.cause),
        property_id=late.property.id,
        conflict_dates=StayDates(nights[0].check_in, nights[-1].check_out),
        conflicting_bookings=(early.cause, late.cause),
        severity=_severity(early.property.today(now), sides, crowd),
        suggested_resolution=_proposal(early, late),
        detected_at=now,
        nights=nights,
        sides=tuple(_side(one) for one in sides),
        certainty=_certainty(early, late, sold),
    )


def _side(one: Occupancy) -> Side:
    return Side(
        one.cause,
        one.listing,
        one.platform,
        one.property.id,
        one.dates,
        one.kind,
        one.status,
        one.since,
        one.source,
        one.fading,
    )


def _severity(today: date, sides: Sequence[Occupancy], crowd: frozenset[str]) -> ConflictSeverity:
    """By the time to the first arrival; a grade lower where a request can still be declined, a grade higher where a
    third guest is concerned. An arrival within two days is critical whatever else is true."""
    left = min(one.dates.check_in for one in sides) - today
    if left <= CRITICAL_WITHIN:
        return ConflictSeverity.CRITICAL
    grades = tuple(ConflictSeverity)
    grade = grades.index(ConflictSeverity.HIGH if left <= HIGH_WITHIN else ConflictSeverity.MEDIUM)
    grade += any(one.status is Status.PENDING for one in sides)
    grade -= len(crowd) > 2
    return grades[grade]


def _certainty(early: Occupancy, late: Occupancy, sold: Sequence[Occupancy]) -> Certainty:
    """How surely the one we heard of first was first. What a source told together with others, or as the first thing
    it ever told, may have been sold long before."""
    if late.since - early.since < UNREAD[late.source]:
        return Certainty.UNKNOWN
    told = [one.since for one in sold if one.listing == late.listing and one.cause != late.cause]
    alone = late.since not in told and any(since < late.since for since in told)
    return Certainty.SURE if alone else Certainty.LIKELY


def _proposal(early: Occupancy, late: Occupancy) -> ConflictResolution:
    if Status.PENDING in (early.status, late.status):
        return ConflictResolution.DECLINE_PENDING
    if Busy.CLOSED in (early.kind, late.kind):
        return ConflictResolution.ASK_A_PERSON
    return ConflictResolution.MOVE_OR_CANCEL_LATER
