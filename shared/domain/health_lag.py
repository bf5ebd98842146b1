"""Lag: which sources have been silent for too long. Pure.

A source is fresh for three of its periods (rule 22) and silent after twice that. What was never read counts from when
it was given: a portfolio imported a moment ago is no fault. An account nobody books on is not silent: what counts is
that it answered, not that it had news.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain import health_words as words
from shared.domain.health import Code, Figure, Finding, Sight, Weight
from shared.domain.model import SyncMode
from shared.domain.modes import FEED_FAILURES, STALE_PERIODS, Standing

SILENT_PERIODS = 2 * STALE_PERIODS
"""Periods after which a source without an answer is silent."""

LEAST = timedelta(minutes=5)
"""No source is silent sooner: a queue asked every 20 s outlasts the start of a new release."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What was read of a calendar link. ``period`` is how often it is asked as things are, ``answered`` its last good
    answer, ``added`` when the link was given, ``dead``: its host refuses it."""

    listing: str
    platform: str
    period: timedelta
    answered: datetime | None
    added: datetime | None = None
    error: str = ""
    failures: int = 0
    dead: bool = False


@dataclass(frozen=True, slots=True)
class ByApi:
    """What was read of an account by API. ``period`` is what its answers are held against, ``batch`` how often it is
    asked in BATCH, ``changed`` when one of its units was put or moved last, which has it looked at anew."""

    account: str
    platform: str
    owner: str
    period: timedelta
    batch: timedelta
    answered: datetime | None
    standing: Standing
    paused: str = ""
    changed: datetime | None = None


def of_calendars(calendars: Iterable[Calendar], now: datetime) -> Sight:
    """The silent ones, and the longest silence of each platform."""
    every = list(calendars)
    found = [_silent_calendar(one) for one in every if _is_silent(one.answered, one.added, one.period, now)]
    return Sight(tuple(found), _ages(((one.platform, one.answered) for one in every), now))


def of_accounts(accounts: Iterable[ByApi], now: datetime) -> Sight:
    """The silent ones, and the longest silence of each platform. One that fell down the ladder is asked once a batch:
    it is not silent in between. One whose platform withdrew our access is said to be that, and nothing more."""
    every = list(accounts)
    found = []
    for one in every:
        fell = not one.standing.chosen and one.standing.mode is not SyncMode.REAL_TIME
        patience = one.batch if fell else timedelta()
        if not one.paused and _is_silent(one.answered, one.changed, one.period, now - patience):
            found.append(_silent_account(one, fell=fell))
    return Sight(tuple(found), _ages(((one.platform, one.answered) for one in every if not one.paused), now))


def _is_silent(answered: datetime | None, begun: datetime | None, period: timedelta, now: datetime) -> bool:
    last = max((at for at in (answered, begun) if at is not None), default=None)
    return last is None or now - last > max(SILENT_PERIODS * period, LEAST)


def _silent_calendar(one: Calendar) -> Finding:
    told_by = "dead_link" if one.dead else "mode_changed" if one.failures >= FEED_FAILURES else ""
    cause, step = words.calendar_silent(one.listing, one.answered, one.error, dead=one.dead)
    return Finding(
        Code.CALENDAR_SILENT,
        Weight.ILL,
        cause,
        step,
        one.listing,
        one.platform,
        since=one.answered or one.added,
        told_by=told_by,
    )


def _silent_account(one: ByApi, *, fell: bool) -> Finding:
    cause, step = words.account_silent(one.account, one.answered, one.standing.reason if fell else "")
    return Finding(
        Code.ACCOUNT_SILENT,
        Weight.ILL,
        cause,
        step,
        one.account,
        one.platform,
        one.owner,
        one.answered or one.changed,
        told_by="mode_changed" if fell else "",
    )


def _ages(answers: Iterable[tuple[str, datetime | None]], now: datetime) -> tuple[Figure, ...]:
    """The longest silence of each platform, in seconds; what never answered has no age."""
    worst: dict[str, float] = {}
    for platform, at in answers:
        if at is not None:
            worst[platform] = max(worst.get(platform, 0.0), (now - at).total_seconds())
    return tuple(Figure("sync_age_s", age, platform) for platform, age in sorted(worst.items()))
