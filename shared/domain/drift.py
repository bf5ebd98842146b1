"""Drift: nights that we had closed on a platform and that its own calendar shows for sale again (rule 23).

The engine closes them again by itself. What a person has to know is that somebody opens them: by hand, or with another
program, and that between two looks guests could book them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

WATCHED = timedelta(hours=30)
"""How long after the last drift it counts as going on. Calendars are read every night: one without it ends it."""

MOST_NIGHTS = 20
"""So many nights of a listing are remembered."""

MOST_LISTINGS = 40
"""So many listings of one account are remembered, those that drifted last: a column holds no more."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found open on one listing: since when it goes on, when it was last found, how often, which nights.
    ``was_closed``: some had been seen closed there before; else our closures were accepted and never showed."""

    listing: str
    first: datetime
    last: datetime
    times: int
    nights: tuple[date, ...]
    was_closed: bool = True


def drifted(
    known: Iterable[Drift], listing: str, nights: Iterable[date], now: datetime, *, was_closed: bool = True
) -> tuple[Drift, ...]:
    """All that is known of an account's drift once these nights were found open; what is over is forgotten."""
    kept = {one.listing: one for one in standing(known, now)}
    before = kept.pop(listing, Drift(listing, now, now, 0, (), was_closed=False))
    every = tuple(sorted({*before.nights, *nights})[:MOST_NIGHTS])
    seen = before.was_closed or was_closed
    after = Drift(listing, before.first, now, before.times + 1, every, seen)
    last_first = sorted((*kept.values(), after), key=lambda one: one.last, reverse=True)
    return tuple(last_first[:MOST_LISTINGS])


def standing(known: Iterable[Drift], now: datetime) -> tuple[Drift, ...]:
    """The drift that goes on."""
    return tuple(one for one in known if now - one.last < WATCHED)
