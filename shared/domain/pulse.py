"""The pulse of a source, as a monitor of regular jobs would judge it: a period, a grace, and what is beyond both."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

GRACE_PERIODS = 2
"""Periods of grace: with its own one a source is fresh for three (rule 22)."""

LEAST_GRACE = timedelta(minutes=2)
"""The shortest grace: a queue asked every 20 s is not late for a slow minute."""

BROKEN = timedelta(hours=24)
"""After so long without an answer a source is down, whatever its rhythm."""


class Pulse(StrEnum):
    """How a source stands, each with a word and a sign of its own: colour alone tells nothing."""

    NEW = "new"  # never asked yet
    UP = "up"  # its last answer is within period and grace
    LATE = "late"  # beyond them
    UNREAD = "unread"  # it answers, and does not read the calendar we serve it
    DOWN = "down"  # silent for a day, given up, or refused
    PAUSED = "paused"  # an owner chose that nothing is sent


def pulse(
    answered: datetime | None,
    period: timedelta,
    now: datetime,
    *,
    failing: bool = False,
    given_up: bool = False,
    paused: bool = False,
) -> Pulse:
    """How a source stands that was ``answered`` last then and is asked once a ``period``. ``failing``: its last try
    brought no answer; ``given_up``: nothing is expected of it (a refused link, withdrawn access, an account that the
    ladder took out of service); ``paused`` by its owner."""
    if given_up or (answered is None and failing):
        return Pulse.DOWN
    if answered is not None and now - answered > BROKEN:
        return Pulse.DOWN
    if paused:
        return Pulse.PAUSED
    if answered is None:
        return Pulse.NEW
    grace = max(GRACE_PERIODS * period, LEAST_GRACE)
    return Pulse.UP if now - answered <= period + grace else Pulse.LATE


def both_ways(asked: Pulse, *, reads_us: bool) -> Pulse:
    """How a source stands that is ``asked`` with that outcome and should read us besides: it is up to date only if it
    does. What is down is worse than that; a pause of ours stops nobody who reads."""
    return asked if reads_us or asked is Pulse.DOWN else Pulse.UNREAD


_WORST_FIRST = (Pulse.DOWN, Pulse.UNREAD, Pulse.LATE, Pulse.NEW, Pulse.PAUSED, Pulse.UP)


def worst(pulses: list[Pulse]) -> Pulse:
    """The pulse of several sources together: that of the one in most need. Of none: NEW."""
    return min(pulses, key=_WORST_FIRST.index, default=Pulse.NEW)
