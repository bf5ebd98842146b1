"""The ladder: recent outcomes in, rung out. Down one step on repeated failure, up one step on recovery.

REAL_TIME -> BATCH after 3 failures in a row that span 30 s: fewer are a hiccup, and many at one instant are one
failure seen by many sites. BATCH -> MANUAL after 15 min more without one answer. Credentials that are refused lead to
MANUAL at once: nothing we send can arrive. Two answers in a row lead up one step. Probes wait 30 s at first, twice as
long after each failure, up to 5 min, in MANUAL up to 15: a platform that returns is noticed soon, and one that does
not is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.model import SyncMode
from shared.domain.modes import LONGEST_REAL_TIME, Ending, Outcome, Rung

FAILURES = 3
SPAN = timedelta(seconds=30)
GIVE_UP = timedelta(minutes=15)
SUCCESSES = 2
FIRST_PROBE = timedelta(seconds=30)
SECOND_LOOK = timedelta(seconds=20)
"""How soon after a first answer the second is asked for that leads up."""
LONGEST_PROBE = {SyncMode.BATCH: timedelta(minutes=5), SyncMode.MANUAL: timedelta(minutes=15)}
_MOST_DOUBLINGS = 6


def climb(rung: Rung, outcome: Outcome) -> Rung:
    """The rung after one more outcome; the very same one when nothing is worth noting, so that a success in REAL_TIME
    costs no write."""
    if outcome.ending is Ending.OK:
        return _answered(rung, outcome.at)
    if outcome.ending is Ending.LIMITED:
        return _limited(rung, outcome)
    if outcome.ending is Ending.REFUSED:
        return _refused(rung, outcome)
    return _failed(rung, outcome)


def _answered(rung: Rung, at: datetime) -> Rung:
    if rung.mode is SyncMode.REAL_TIME:
        return rung if not rung.failures else replace(rung, failures=0, failing_since=None)
    if rung.successes + 1 < SUCCESSES:
        return replace(
            rung, successes=rung.successes + 1, failures=0, failing_since=None, probe_at=at + SECOND_LOOK
        )
    if rung.mode is SyncMode.MANUAL:
        return Rung(SyncMode.BATCH, "answers again", at, at + SECOND_LOOK)
    return Rung(since=at)


def _failed(rung: Rung, outcome: Outcome) -> Rung:
    failing_since = rung.failing_since or outcome.at
    failures = rung.failures + 1
    if rung.mode is SyncMode.REAL_TIME:
        if failures >= FAILURES and outcome.at - failing_since >= SPAN:
            return _down(SyncMode.BATCH, outcome, failing_since)
        counted = min(failures, FAILURES)
        return (
            rung
            if counted == rung.failures
            else replace(rung, failures=counted, failing_since=failing_since, successes=0)
        )
    if rung.probe_at is not None and outcome.at < rung.probe_at:
        return rung  # another call of the same bad minute: the probe decides
    if rung.mode is SyncMode.BATCH and failures >= FAILURES and _long_enough(rung, outcome.at):
        return _down(SyncMode.MANUAL, outcome, failing_since)
    probe_at = outcome.at + _pause(rung.mode, failures, outcome.wait)
    return replace(
        rung,
        failures=failures,
        successes=0,
        failing_since=failing_since,
        probe_at=probe_at,
        reason=outcome.why,
    )


def _long_enough(rung: Rung, at: datetime) -> bool:
    return rung.since is not None and at - rung.since >= GIVE_UP


def _down(mode: SyncMode, outcome: Outcome, failing_since: datetime) -> Rung:
    return Rung(mode, outcome.why, outcome.at, outcome.at + FIRST_PROBE, failing_since=failing_since)


def _pause(mode: SyncMode, failures: int, wait: float | None = None) -> timedelta:
    """Until the next probe: when an open circuit lets a trial through, or by our own doubling."""
    own = FIRST_PROBE * (1 << min(failures, _MOST_DOUBLINGS))
    return min(timedelta(seconds=wait) if wait else own, LONGEST_PROBE[mode])


def _limited(rung: Rung, outcome: Outcome) -> Rung:
    """A short pause is nothing to tell; one over five minutes is no real time, and is said to be none."""
    wait = timedelta(seconds=outcome.wait or 0)
    if wait.total_seconds() <= LONGEST_REAL_TIME:
        return rung
    if rung.mode is SyncMode.REAL_TIME:
        return Rung(SyncMode.BATCH, outcome.why, outcome.at, outcome.at + wait)
    probe_at = max(rung.probe_at or outcome.at, outcome.at + wait)
    return rung if probe_at == rung.probe_at else replace(rung, probe_at=probe_at)


def _refused(rung: Rung, outcome: Outcome) -> Rung:
    if rung.mode is not SyncMode.MANUAL:
        return _down(SyncMode.MANUAL, outcome, outcome.at)
    if rung.probe_at is not None and outcome.at < rung.probe_at:
        return rung
    failures = rung.failures + 1
    probe_at = outcome.at + _pause(rung.mode, failures, outcome.wait)
    return replace(rung, failures=failures, successes=0, probe_at=probe_at, reason=outcome.why)
