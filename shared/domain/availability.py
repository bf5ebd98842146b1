"""Availability: may these nights be promised on this listing? Three values, and only one of them is a yes.

Pure: what is known of the site goes in, with the sources that are too old to be believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.dates import StayDates
from shared.domain.holds import living
from shared.domain.model import Busy, Listing, SiteState, Status
from shared.domain.occupancy import Occupancy, level, occupancies


class Availability(StrEnum):
    """FREE may be promised. TAKEN is refused, and closed on the platform that asked. UNKNOWN is refused, and a person
    is told: nothing is known against it, and nothing is pushed (rule 20)."""

    FREE = "free"
    TAKEN = "taken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a site's facts say. ``why`` names causes and sources, no guest; ``own``: only stays that the asking listing
    sold itself stand against it, so what we know of them may be old."""

    availability: Availability
    why: str = ""
    own: bool = False


def concerned(state: SiteState, listing: str) -> list[Listing]:
    """The listings that can sell the same nights: whatever shares a room with the asking one's home. What the asking
    listing sells itself, its platform knows better than we do."""
    rooms = state.site.properties[state.listings[listing].property].rooms
    return [
        one
        for one in state.listings.values()
        if one.id != listing and state.site.properties[one.property].rooms & rooms
    ]


def judge(
    state: SiteState,
    listing: str,
    dates: StayDates,
    now: datetime,
    *,
    stale: Mapping[str, str] | None = None,
    mine: str = "",
) -> Finding:
    """Whether a unit of the listing's home is left on every night. ``stale`` are listings whose source is too old, with
    the reason; ``mine`` is the key of the reservation that asks, whose own nights do not stand against it.

    What is taken is taken, however old everything else is. A hold of the asking listing never counts; one of another
    listing does, since somebody is paying there at this moment.
    """
    home = state.site.properties[state.listings[listing].property]
    against = standing_against(state, listing, dates, now, mine)
    full = [night for night in dates.nights() if level(state.site, home, night, against) == 0]
    if full:
        guilty = [one for one in against if any(one.dates.check_in <= n < one.dates.check_out for n in full)]
        causes = ", ".join(sorted({one.cause for one in guilty}))
        return Finding(Availability.TAKEN, causes, all(one.listing == listing for one in guilty))
    doubts = dict(stale or {})
    if not state.whole:
        doubts[state.site.id] = "a stored row cannot be read"
    for one in concerned(state, listing):
        if not one.complete:
            doubts[one.id] = "never gave a complete answer"
    if doubts:
        return Finding(Availability.UNKNOWN, "; ".join(f"{name} {why}" for name, why in doubts.items()))
    return Finding(Availability.FREE)


def standing_against(
    state: SiteState, listing: str, dates: StayDates, now: datetime, mine: str = ""
) -> list[Occupancy]:
    """What takes any of these nights of the listing's home, with what is promised to others at this moment."""
    rooms = state.site.properties[state.listings[listing].property].rooms
    return [
        one
        for one in (*occupancies(state), *_held(state, listing, now))
        if one.cause != mine and one.dates.overlaps(dates) and one.property.rooms & rooms
    ]


def _held(state: SiteState, listing: str, now: datetime) -> list[Occupancy]:
    """What other listings are holding now, as if it were sold there."""
    return [
        Occupancy(
            f"hold {hold.id}",
            hold.listing,
            state.site.properties[state.listings[hold.listing].property],
            hold.dates,
            Busy.STAY,
            Status.PENDING,
            now,
        )
        for hold in living(state, now)
        if hold.listing != listing and hold.listing in state.listings
    ]
