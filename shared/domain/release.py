"""The release guard: how much proof a vanished stay needs before its nights may be sold again (rule 21).

Closing is easy, opening is hard. A feed says that a stay is gone by not showing it any more, and it does the same
when it is broken; so nights that vanished stay held until complete answers, spread over time, agree.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from shared.domain.model import Busy, Fading

SHORT = timedelta(minutes=20)
"""What complete answers must span for an ordinary cancellation."""

LONG = timedelta(hours=6)
"""The same when something is odd about it, or when an error would hurt at once."""

NEAR = timedelta(days=2)
"""A check-in this close counts as hurting at once."""

MASS_SHARE, MASS_LEAST = 0.3, 3
"""More than this share of a feed's future stays, and at least so many at once: the feed is in doubt."""


def is_mass(vanished: int, known: int, empty: bool) -> bool:
    """Whether so much vanished at once that the feed itself is in doubt; an empty calendar always is."""
    return empty or (vanished >= MASS_LEAST and vanished > MASS_SHARE * known)


def proof_needed(fading: Fading, kind: Busy, today: date) -> timedelta | None:
    """How long absence must be seen, from the first complete answer without it to the last; None: only a person
    may release it (a guest may be in the house)."""
    if fading.stay.check_in <= today < fading.stay.check_out:
        return LONG if kind in (Busy.BLOCK, Busy.LIMIT) else None
    if fading.doubtful or fading.stay.check_in <= today + NEAR:
        return LONG
    return SHORT


def is_proven(fading: Fading, kind: Busy, answered: datetime, today: date) -> bool:
    """Whether a complete answer begun at that instant, still without it, is proof enough."""
    needed = proof_needed(fading, kind, today)
    return needed is not None and answered - fading.since >= needed
