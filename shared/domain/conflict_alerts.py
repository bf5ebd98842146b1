"""When the owner of a double booking is told of it: at once, again while nothing happens, and when it is over.

Pure: what was last told stands in the conflict, so that whoever looks next, in whichever process, knows what is due.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.model import BookingConflict, Property, SiteState

EARLY = (timedelta(minutes=15), timedelta(hours=1))
"""How long after it was found a conflict nobody has acknowledged is told again, at first."""

EVERY = timedelta(hours=6)
"""How often after that, counted from the last of these."""

PATIENCE = timedelta(minutes=30)
"""How long a decision may take to show on the platforms before it is asked about."""

NEAR_DAYS = 2
"""From so many days before the first clashing night on, it is told once more, acknowledged or not: 48 h."""


class Stage(StrEnum):
    """How far a conflict has come."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"  # somebody has seen it; nothing is decided
    DECIDED = "decided"  # somebody chose what to do; the platforms still show both
    RESOLVED = "resolved"  # the platforms' own answers show that it is over
    OVER = "over"  # it clashes no longer, and no platform has confirmed why (or the nights have passed)


class Occasion(StrEnum):
    """Why somebody is told now."""

    FOUND = "found"
    AGAIN = "again"  # nothing happened
    NEAR = "near"  # the check-in comes within 48 h
    NO_EFFECT = "no_effect"  # something was decided, and no platform shows it
    OVER = "over"


def stage(clash: BookingConflict) -> Stage:
    """How far it has come."""
    if clash.ended_at is not None:
        return Stage.RESOLVED if clash.verified_at is not None else Stage.OVER
    if clash.decision is not None:
        return Stage.DECIDED
    return Stage.NEW if clash.acknowledged is None else Stage.ACKNOWLEDGED


def due_alert(clash: BookingConflict, home: Property, now: datetime) -> Occasion | None:
    """Why its owner should be told now (store time), or None. What was missed while nobody looked is told once, not as
    often as it was missed."""
    if clash.ended_at is not None:
        return None if clash.told or not _is_settled(clash, home, now) else Occasion.OVER
    if not clash.told:
        return Occasion.FOUND
    last = _last(clash, now)
    if last < near_from(clash, home) <= now:
        return Occasion.NEAR
    again = _again_at(clash, last)
    if again is None or again > now:
        return None
    return Occasion.NO_EFFECT if clash.decision is not None else Occasion.AGAIN


def next_alert(clash: BookingConflict, home: Property, now: datetime) -> datetime | None:
    """When something will be due of which nothing is due now; None: of its own accord, nothing."""
    if clash.ended_at is not None:
        return None if clash.told else clash.ended_at + PATIENCE
    ahead = (near_from(clash, home), _again_at(clash, _last(clash, now)))
    return min((at for at in ahead if at is not None and at > now), default=None)


def home_of(state: SiteState, clash: BookingConflict) -> Property:
    """The home by whose days it is told; should its row be gone, any of the site's, which stand in one zone."""
    homes = state.site.properties
    return homes.get(clash.property_id) or next(iter(homes.values()))


def near_from(clash: BookingConflict, home: Property) -> datetime:
    """When its first clashing night has come within 48 h, by the home's own days."""
    day = clash.conflict_dates.check_in - timedelta(days=NEAR_DAYS)
    return datetime.combine(day, time(), ZoneInfo(home.zone))


def _is_settled(clash: BookingConflict, home: Property, now: datetime) -> bool:
    """Whether its end may be told: the platforms confirmed it, or will not in good time, or need not any more."""
    assert clash.ended_at is not None, "only of what has ended"
    passed = clash.conflict_dates.check_out <= home.today(now)
    return clash.verified_at is not None or passed or now - clash.ended_at >= PATIENCE


def _last(clash: BookingConflict, now: datetime) -> datetime:
    """When it was last told of; of what an older release told, when it was found."""
    return clash.alerted_at or clash.detected_at or now


def _again_at(clash: BookingConflict, last: datetime) -> datetime | None:
    """When it is told again while nothing happens, the first time after ``last``. Who has acknowledged it needs no
    reminder; who has decided is asked when nothing comes of it."""
    if clash.decision is not None:
        return _in_rhythm(clash.decision.at + PATIENCE, last)
    if clash.acknowledged is not None or clash.detected_at is None:
        return None
    early = (clash.detected_at + pause for pause in EARLY)
    return next((at for at in early if at > last), _in_rhythm(clash.detected_at + EARLY[-1] + EVERY, last))


def _in_rhythm(first: datetime, last: datetime) -> datetime:
    """The first time after ``last`` of those that begin with ``first``."""
    return first if last < first else first + ((last - first) // EVERY + 1) * EVERY
