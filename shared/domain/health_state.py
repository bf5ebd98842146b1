"""How accounts, work and queues stand, as findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain import health_words as words
from shared.domain.health import Code, Figure, Finding, Sight, Weight
from shared.domain.health_lag import ByApi
from shared.domain.model import SyncMode

LATE = timedelta(minutes=5)
"""How long a site may wait beyond the instant its work was due."""

MOST_FAILURES = 4
"""Reconciles of a site that may fail in a row: the pauses between them add up to over a minute."""

SWEPT_WITHIN = timedelta(minutes=10)
"""How long ago the sweep, which comes every 15 s, may have ended last."""

CIRCUIT_GRACE = timedelta(minutes=10)
"""How long a circuit may stay open before it is told: most open for a minute."""

BUS_GRACE = timedelta(minutes=10)
"""How long the bus may be silent before it is told: the sweep does its work meanwhile."""

IDLE = timedelta(minutes=2)
"""How long a circuit may be due for its trial and untried, before nobody counts as having anything to send: what waits
for it is tried within seconds. Reads are tried by the clock."""

FORCED = ("forced_open", "forced_closed")
OPEN = ("open", "half_open")


@dataclass(frozen=True, slots=True)
class OneCircuit:
    """A circuit: of which operation, its state in the words of the port, and since when."""

    operation: str
    state: str
    since: datetime | None
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class OneWork:
    """Work of a site: due since when, and how many reconciles failed in a row."""

    site: str
    at: datetime
    failed: int


def of_mode(one: ByApi) -> Finding | None:
    """Why an account is not in REAL_TIME, where that is not chosen or nothing is sent. Each is told by the notice of
    its change."""
    standing = one.standing
    if one.paused:
        return _mode(Code.ACCOUNT_PAUSED, Weight.SHOWN, one, "revoked")
    if standing.chosen:
        manual = standing.mode is SyncMode.MANUAL
        return _mode(Code.MODE_CHOSEN, Weight.SHOWN, one, "mode_changed") if manual else None
    if standing.mode is SyncMode.REAL_TIME:
        return None
    weight = Weight.SHOWN if standing.sends else Weight.ILL
    return _mode(Code.MODE_FALLEN, weight, one, "mode_changed")


def _mode(code: Code, weight: Weight, one: ByApi, told_by: str) -> Finding:
    reason = one.paused or one.standing.reason
    cause, step = words.MODES[code](one.account, one.standing.mode, reason, one.standing.probe_at)
    return Finding(
        code, weight, cause, step, one.account, one.platform, one.owner, one.standing.since, told_by
    )


def of_circuits(one: ByApi, circuits: Iterable[OneCircuit], now: datetime) -> list[Finding]:
    """Those that let nothing through, and those a person holds. Where the account fell down the ladder for it, that was
    told. One that waits for somebody to have something to send is shown alone."""
    fell = bool(one.paused) or not (one.standing.chosen or one.standing.mode is SyncMode.REAL_TIME)
    found = []
    for circuit in circuits:
        idle = _is_idle(circuit, now)
        if circuit.state in OPEN:
            code, weight = Code.CIRCUIT_OPEN, Weight.SHOWN if idle else Weight.TOLD
        elif circuit.state in FORCED:
            code, weight = Code.CIRCUIT_FORCED, Weight.SHOWN
        else:
            continue
        if idle:
            cause, step = words.circuit_idle(one.account, circuit.operation)
        else:
            cause, step = words.circuit(one.account, circuit.operation, circuit.state, circuit.retry_at)
        found.append(
            Finding(
                code,
                weight,
                cause,
                step,
                one.account,
                one.platform,
                one.owner,
                circuit.since,
                "mode_changed" if fell else "",
                CIRCUIT_GRACE,
            )
        )
    return found


def _is_idle(one: OneCircuit, now: datetime) -> bool:
    return (
        one.state == "half_open"
        and one.operation != "read"
        and one.since is not None
        and now - one.since >= IDLE
    )


def of_work(works: Iterable[OneWork], now: datetime) -> Sight:
    """Sites that wait too long or cannot be brought up to date, and the longest wait in seconds."""
    found, age = list[Finding](), 0.0
    for one in works:
        age = max(age, (now - one.at).total_seconds())
        if now - one.at > LATE:
            cause, step = words.work_late(one.site)
            found.append(Finding(Code.WORK_LATE, Weight.ILL, cause, step, one.site, since=one.at))
        elif one.failed >= MOST_FAILURES:
            cause, step = words.site_failing(one.site, one.failed)
            found.append(Finding(Code.SITE_FAILING, Weight.ILL, cause, step, one.site))
    return Sight(tuple(found), (Figure("work_age_s", age),))


def of_timers(swept: datetime | None, now: datetime) -> Sight:
    """Whether anybody rings: the sweep leaves its mark every 15 s. Where it never did nothing can be said."""
    if swept is None or now - swept <= SWEPT_WITHIN:
        return Sight()
    cause, step = words.timers_stopped()
    return Sight((Finding(Code.TIMERS_STOPPED, Weight.ILL, cause, step, since=swept),))


def of_queues(dead: Mapping[str, int] | None, most: int) -> Sight:
    """Dead letters by queue, counted up to ``most`` each; None while the bus does not answer: unknown, and said so."""
    if dead is None:
        cause, step = words.bus_down()
        down = Finding(Code.BUS_DOWN, Weight.TOLD, cause, step, grace=BUS_GRACE)
        return Sight((down,), unseen=frozenset({Code.DEAD_LETTERS}))
    found = []
    for queue, count in sorted(dead.items()):
        if count:
            cause, step = words.dead_letters(queue, count, more=count >= most)
            found.append(Finding(Code.DEAD_LETTERS, Weight.TOLD, cause, step, queue, grace=timedelta()))
    return Sight(tuple(found), (Figure("dead_letters", sum(dead.values())),))


def of_set_aside(count: int, since: datetime | None) -> Sight:
    """What nobody could process: each was told when it came."""
    if not count:
        return Sight()
    cause, step = words.set_aside(count)
    return Sight((Finding(Code.SET_ASIDE, Weight.SHOWN, cause, step, since=since, told_by="unreadable"),))


def of_jobs(stuck: Iterable[tuple[str, datetime]]) -> Sight:
    """What people asked for and stands still: the job's id, and when it was asked for. No page
    of the others shows it, so the log does, and an administrator is told."""
    found = []
    for job, asked in stuck:
        cause, step = words.job_stuck(job)
        found.append(Finding(Code.JOB_STUCK, Weight.TOLD, cause, step, job, since=asked))
    return Sight(tuple(found))


OF_ACCOUNTS = frozenset(
    {Code.ACCOUNT_SILENT, Code.CIRCUIT_OPEN, Code.WEBHOOKS_SILENT, Code.DRIFT, Code.KEY_ENDS}
)
"""What is not known of an account that cannot be read."""


def of_unread(names: Iterable[str], unseen: frozenset[Code]) -> Sight:
    """Accounts or links whose rows this release cannot read; ``unseen`` is what nobody knows of them then."""
    found = []
    for name in names:
        cause, step = words.unread(name)
        found.append(Finding(Code.UNREAD, Weight.ILL, cause, step, name))
    return Sight(tuple(found), unseen=unseen if found else frozenset())


def of_unread_sites(sites: Mapping[str, str]) -> Sight:
    """Sites whose homes this release cannot read, each with its owner."""
    found = []
    for site, owner in sites.items():
        cause, step = words.unread(site)
        found.append(Finding(Code.UNREAD, Weight.ILL, cause, step, site, owner=owner))
    return Sight(tuple(found))


def of_store(why: str) -> Sight:
    """The tables did not answer, or hold what cannot be read; ``why`` in our own words. Nothing else is known then."""
    cause, step = words.store_down(why)
    return Sight((Finding(Code.STORE_DOWN, Weight.ILL, cause, step),), unseen=frozenset(Code))
