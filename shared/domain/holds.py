"""Holds: nights a platform asked about and was told it may sell, kept for it until its guest has decided (rule 20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.dates import StayDates
from shared.domain.model import Hold, SiteState

HOLD_FOR = timedelta(minutes=15)
"""How long a hold lives: long enough for a guest to pay, short enough to be forgotten by the next one."""

MOST_HOLDS = 200
"""Living holds of one site. Each is a row that every look at the site reads; a platform asks for a few at a time."""


def living(state: SiteState, now: datetime) -> list[Hold]:
    """The holds that still count at that instant of store time."""
    return [hold for hold in state.holds.values() if hold.expires > now]


def without_expired(state: SiteState, now: datetime) -> SiteState:
    """The site without the holds whose time is over; the very same object when there are none."""
    left = {key: hold for key, hold in state.holds.items() if hold.expires > now}
    return state if len(left) == len(state.holds) else replace(state, holds=left)


def placed(state: SiteState, listing: str, dates: StayDates, now: datetime) -> SiteState:
    """The site with these nights held for a listing from now on. Asked again, the same hold is renewed: its id is made
    of the listing and the nights."""
    hold = Hold(f"{listing}|{dates}", listing, dates, now + HOLD_FOR)
    return replace(state, holds={**state.holds, hold.id: hold})


def lifted(state: SiteState, listing: str, dates: StayDates) -> SiteState:
    """The site without what it held for that listing on any of these nights: the stay itself holds them now."""
    left = {
        key: hold
        for key, hold in state.holds.items()
        if hold.listing != listing or not hold.dates.overlaps(dates)
    }
    return replace(state, holds=left)


def held_until(state: SiteState, listing: str, dates: StayDates, now: datetime) -> datetime | None:
    """Until when any of these nights are promised to another listing that sells the same rooms, or None. Nothing is
    opened under a promise: the guest it was given to may be paying."""
    rooms = state.site.properties[state.listings[listing].property].rooms
    ends = [
        hold.expires
        for hold in living(state, now)
        if hold.listing != listing
        and hold.dates.overlaps(dates)
        and (other := state.listings.get(hold.listing)) is not None
        and state.site.properties[other.property].rooms & rooms
    ]
    return max(ends, default=None)
