"""The ladder's values: how an account is kept in step now, what moved it there, and what its owner asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.errors import PayloadRejected
from shared.domain.model import SyncMode

POLL_MINUTES = range(1, 6)
"""Minutes between two looks in REAL_TIME that an owner may choose, both ends included."""

BATCH_MINUTES = range(15, 31)
"""Minutes between two looks in BATCH that an owner may choose, both ends included."""


class Ending(StrEnum):
    """How asking a platform for something ended, as far as the ladder cares."""

    OK = "ok"
    DOWN = "down"  # no answer, a timeout, a 5xx
    LIMITED = "limited"  # it asked us to slow down: budget, not failure
    REFUSED = "refused"  # it no longer takes our credentials


@dataclass(frozen=True, slots=True)
class Outcome:
    """One ending at an instant of store time. ``why`` is safe to show; ``wait`` are the seconds it asked us to wait, or
    until its circuit lets the next trial through."""

    ending: Ending
    at: datetime
    why: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """Where an account stands on the ladder while nobody says otherwise; never AUTO.

    ``reason`` tells why it is not REAL_TIME, ``since`` when it came here, ``probe_at`` when it is asked next although
    its rhythm would say later. ``failures`` and ``successes`` count in a row, up to what decides the next step;
    ``failing_since`` is when the present row of failures began. ``untold`` is the mode it came from, while nobody was
    told of that yet.
    """

    mode: SyncMode = SyncMode.REAL_TIME
    reason: str = ""
    since: datetime | None = None
    probe_at: datetime | None = None
    failures: int = 0
    successes: int = 0
    failing_since: datetime | None = None
    untold: SyncMode | None = None


@dataclass(frozen=True, slots=True)
class ModeSetting:
    """What an owner chose: AUTO lets the ladder decide. ``poll_minutes`` is the rhythm of REAL_TIME (a platform with a
    rhythm of its own keeps that), ``batch_minutes`` of BATCH."""

    wanted: SyncMode = SyncMode.AUTO
    poll_minutes: int = 2
    batch_minutes: int = 15

    def __post_init__(self) -> None:
        _check("poll_minutes", self.poll_minutes, POLL_MINUTES)
        _check("batch_minutes", self.batch_minutes, BATCH_MINUTES)


def _check(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise PayloadRejected(f"{name} is {value}: it must be {allowed[0]} to {allowed[-1]}")


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's mode as it holds now, joined from what its owner chose, what the ladder says, and a revocation."""

    mode: SyncMode
    reason: str = ""
    since: datetime | None = None
    probe_at: datetime | None = None
    chosen: bool = False

    @property
    def sends(self) -> bool:
        """Whether closures and openings go out by themselves."""
        return self.mode is not SyncMode.MANUAL


CHOSEN = "chosen by its owner"
"""The reason of a mode that a person chose."""

UNREAD = Standing(SyncMode.MANUAL, "its row cannot be read")
"""How an account stands of which nobody can tell: nothing is sent into it."""


def standing(setting: ModeSetting, rung: Rung, revoked: str = "") -> Standing:
    """What holds now. A revocation stands above everything, an owner's choice above the ladder."""
    if revoked:
        return Standing(SyncMode.MANUAL, revoked, rung.since, rung.probe_at)
    if setting.wanted is not SyncMode.AUTO:
        return Standing(setting.wanted, CHOSEN, chosen=True)
    return Standing(rung.mode, rung.reason, rung.since, rung.probe_at)


def next_look(
    setting: ModeSetting, now_on: Standing, looked: datetime | None, own_rhythm: float = 0.0
) -> datetime | None:
    """When a source is asked next, by its rhythm or an earlier probe; None for at once. ``looked`` is when the last
    whole look began, ``own_rhythm`` the seconds a platform prescribes for REAL_TIME (0: none)."""
    if looked is None:
        return now_on.probe_at
    if now_on.mode is SyncMode.REAL_TIME:
        return looked + timedelta(seconds=own_rhythm or 60 * setting.poll_minutes)
    due = looked + timedelta(minutes=setting.batch_minutes)
    return min(due, now_on.probe_at) if now_on.probe_at else due


STALE_PERIODS = 3
"""A source is fresh for so many of its periods (rule 22)."""


def is_fresh(answered: datetime | None, period: float, now: datetime) -> bool:
    """Whether a source that ``answered`` last then, and is asked every so many seconds, still tells how things are."""
    return answered is not None and now - answered <= timedelta(seconds=STALE_PERIODS * period)


def look_period(setting: ModeSetting, now_on: Standing, units: int, own_rhythm: float | None) -> float:
    """Seconds between two looks at an account that its answers are held against: its platform's own rhythm, or what its
    owner chose. One that fell down the ladder is asked more rarely; what it has not said meanwhile is not fresher for
    that."""
    if now_on.chosen and now_on.mode is not SyncMode.REAL_TIME:
        return 60.0 * setting.batch_minutes
    return own_rhythm or survey_period(setting, units)


def survey_period(setting: ModeSetting, units: int) -> float:
    """Seconds between two looks at the whole state of an account in REAL_TIME: as its owner chose, and longer where it
    has so many units that asking for each of them would leave no calls for closures."""
    return max(60.0 * setting.poll_minutes, units * SECONDS_A_UNIT)


SECONDS_A_UNIT = 3.6
"""A thousand calls an hour: half of what Airbnb grants an account, the lowest hourly limit of those we know."""


def feed_mode(period: float, failures: int, dead: bool, slow_because: str = "") -> tuple[SyncMode, str]:
    """The mode of one calendar link and why: its ladder is the pauses after its failures. ``dead``: its host says there
    is no such calendar; ``slow_because``: why it is asked less often than wished."""
    if dead:
        return SyncMode.MANUAL, "its link is refused: give a new one"
    if failures >= FEED_FAILURES:
        return SyncMode.BATCH, f"{failures} failures in a row"
    if period > LONGEST_REAL_TIME:
        return SyncMode.BATCH, slow_because or f"asked every {period / 60:.0f} min"
    return SyncMode.REAL_TIME, ""


FEED_FAILURES = 3
"""Failures in a row after which a calendar link counts as BATCH: its pauses are then over 15 min."""

LONGEST_REAL_TIME = 300
"""Seconds between two looks up to which a source counts as real time."""
