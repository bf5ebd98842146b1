"""Clocks: a host whose own clock is not the store's. Nights are decided by store time alone (rule 26), so this harms
none; but that host's log lies about when things happened, and credentials signed with its time may be refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_OFF = timedelta(seconds=30)
"""From here on a clock is off. The store's time is known to a second (``StoreClock``), a host that is kept in time is
milliseconds from it; Azure refuses signed requests from 15 minutes on (VERIFIED, "Authorize with Shared Key")."""

SAME = timedelta(seconds=10)
"""What may lie between two readings that say the same."""

HEARD = timedelta(minutes=30)
"""A host that said nothing for so long is gone, or watches no longer: hosts come and go on Azure."""

SAID_AGAIN = timedelta(minutes=10)
"""How often a host whose clock stays off says so again."""

MOST_HOSTS = 20
"""So many hosts are remembered, those that were read last."""


@dataclass(frozen=True, slots=True)
class Off:
    """One host's clock: how far ahead of the store it is (behind: below 0), since when, and when it was last read."""

    host: str
    ahead: timedelta
    since: datetime
    read: datetime


def read_clock(known: tuple[Off, ...], host: str, ahead: timedelta, now: datetime) -> tuple[Off, ...] | None:
    """What is known of all hosts after one has read its own clock; None where nothing is worth a write: a clock that is
    right and was, or one that is as far off as it said lately."""
    before = next((one for one in known if one.host == host), None)
    others = tuple(one for one in known if one.host != host and now - one.read < HEARD)
    if abs(ahead) <= MOST_OFF:
        return None if before is None else others
    if before is not None and abs(before.ahead - ahead) <= SAME and now - before.read < SAID_AGAIN:
        return None
    since = now if before is None or now - before.read >= HEARD else before.since
    return (Off(host, ahead, since, now), *others)[:MOST_HOSTS]


def off(known: tuple[Off, ...], now: datetime) -> tuple[Off, ...]:
    """The hosts whose clock is off now, as far as they said."""
    return tuple(one for one in known if now - one.read < HEARD)
