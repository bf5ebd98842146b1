"""Bells: whether a platform that is supposed to call us still does, held against what our own looks find.

A look that finds a stay nobody had called about is a *missed* bell. One alone may be a call on its way, or lost; a call
that comes later, however late, says that the way is open, and wipes out what was missed before it. So an idle platform
is never silent: one counts as silent only after looks that found something.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

BESIDE = timedelta(minutes=2)
"""A look that found something so soon after a call may have been quicker than the work on that very call."""

NOTED_EVERY = timedelta(minutes=1)
"""The least time between two notes that an account was called about, while nothing was missed."""

LATE = timedelta(minutes=5)
"""How long after the second missed one a call is still waited for."""

ALONE = timedelta(hours=1)
"""The same where one alone was missed: half an hour of an outage of ours, or theirs, loses one."""

FORGOTTEN = timedelta(days=7)
"""After so long one alone is no reason any more: a home may be sold once a month, and nothing else would prove that the
way is open."""

KEPT = 3
"""So many missed ones are kept: the first two, which decide, and the last."""


@dataclass(frozen=True, slots=True)
class Bells:
    """What is known of an account's bells, by store time: when a call about it was last worked off (None: never, since
    we began to note it; noted once a minute at most), and when looks of our own found what nobody had called about,
    oldest first."""

    rung: datetime | None = None
    missed: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody calls: since the first look that found something, ``missed`` times in a row (as far as they are kept)."""

    since: datetime
    missed: int
    rung: datetime | None

    @property
    def never(self) -> bool:
        """Whether no call about the account is known at all: not "stopped", but perhaps never begun."""
        return self.rung is None


def is_worth_noting(bells: Bells, now: datetime) -> bool:
    """Whether a call about the account that was worked off now is to be written down."""
    return bool(bells.missed) or bells.rung is None or now - bells.rung >= NOTED_EVERY


def missed_with(bells: Bells, now: datetime) -> tuple[datetime, ...] | None:
    """All that was missed, after a look found a stay, or a change of one, that nobody had called about; None where a
    call was so near that it may have been about this very stay."""
    if bells.rung is not None and now - bells.rung <= BESIDE:
        return None
    return (*bells.missed[: KEPT - 1], now)


def silence(bells: Bells, now: datetime) -> Silence | None:
    """Whether the platform has fallen silent: two looks in a row found what nobody called about, or one did and an hour
    went by."""
    missed = [at for at in bells.missed if bells.rung is None or at - bells.rung > BESIDE]
    if not missed:
        return None
    alone = len(missed) == 1
    waited = ALONE <= now - missed[0] < FORGOTTEN if alone else now - missed[1] >= LATE
    return Silence(missed[0], len(missed), bells.rung) if waited else None
