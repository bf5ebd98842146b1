"""Health: everything that is wrong now, as values. Readings go in, one report comes out, and all that is said of it is
read off that report: ``GET /health``, the metrics, the log, what administrators are told, what the console shows.

To add a finding:

1. a word in ``Code``, and in ``health_words.OPEN`` how it is counted before people who may know no name;
2. a pure function from what was read to findings, its words beside it (``health_lag`` and ``health_words`` show how);
3. an eye in ``shared.engine.health_eyes`` (or a file of its own) that reads and asks that function, in the list
   ``eyes`` there. An eye that only reads tables, and few rows of them, is for ``/health`` too (``outside``).

Alerts, the page, the log and the metrics follow by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.spoken import LANGUAGES, Said

GRACE = timedelta(minutes=5)
"""How long something must last before an administrator is told, where nothing else is said."""


class Code(StrEnum):
    """What may be found. The words are part of the API, of the log and of ``docs/operations.md``: never rename one."""

    STORE_DOWN = "store_down"  # the tables did not answer, or what stands in them cannot be read
    UNREAD = "unread"  # a row of an account or a link that this release cannot read
    TIMERS_STOPPED = "timers_stopped"  # nothing rings any more: the app was stopped, or its timers were
    CALENDAR_SILENT = (
        "calendar_silent"  # a calendar link gave no good answer for twice the time it counts as fresh
    )
    ACCOUNT_SILENT = "account_silent"  # the same of an account by API
    ACCOUNT_PAUSED = "account_paused"  # its platform withdrew our access
    MODE_FALLEN = "mode_fallen"  # the ladder went down
    MODE_CHOSEN = "mode_chosen"  # a person chose that nothing is sent
    CIRCUIT_OPEN = "circuit_open"  # calls are held back since the platform kept failing
    CIRCUIT_FORCED = "circuit_forced"  # a person holds it open, or shut against its own judgement
    WORK_LATE = "work_late"  # a site waits for over five minutes
    SITE_FAILING = "site_failing"  # a site cannot be brought up to date, again and again
    JOB_STUCK = "job_stuck"  # what a person asked for stands still
    BUS_DOWN = "bus_down"  # the message queue does not answer: all goes on, more slowly
    DEAD_LETTERS = "dead_letters"  # messages that were delivered too often
    SET_ASIDE = "set_aside"  # messages nobody could read or place
    WEBHOOKS_SILENT = (
        "webhooks_silent"  # a platform that should call us did not call about what our looks found
    )
    DRIFT = "drift"  # nights we had closed were for sale again
    KEY_ENDS = "key_ends"  # an account's keys end soon, by its owner's word
    CLOCK_OFF = "clock_off"  # a host's own clock is not the store's


class Weight(StrEnum):
    """How much a finding weighs."""

    SHOWN = "shown"  # said where people look, and nowhere else
    TOLD = "told"  # an administrator is told; the engine keeps its promises all the same
    ILL = "ill"  # a promise is broken: told, and ``/health`` answers 503


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``about`` names what it concerns (an account, a listing, a site) and ``owner`` whose it
    is; both empty for the whole installation. ``since``: when it began, store time, None where nobody knows.

    ``cause`` and ``step`` are sentences: what is the matter, and what to do. They may name homes and accounts, never a
    guest or a secret. ``told_by`` is the kind of notice by which somebody hears of it already: nobody is told twice.
    ``grace`` is how long it must last before it is told."""

    code: Code
    weight: Weight
    cause: Said
    step: Said
    about: str = ""
    platform: str = ""
    owner: str = ""
    since: datetime | None = None
    told_by: str = ""
    grace: timedelta = GRACE

    @property
    def alerts(self) -> bool:
        """Whether the health report itself tells an administrator."""
        return self.weight is not Weight.SHOWN and not self.told_by

    @property
    def subject(self) -> str:
        """What one alert is about: many homes of one platform are one."""
        return f"{self.code}|{self.platform}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One level to be measured, by the metric's name."""

    name: str
    value: float
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one eye saw. ``unseen`` is what it would have seen and could not look at: not known is not well."""

    findings: tuple[Finding, ...] = ()
    figures: tuple[Figure, ...] = ()
    unseen: frozenset[Code] = frozenset()


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All of it at ``at`` (store time), the heaviest findings first; the worst of each figure."""

    at: datetime
    findings: tuple[Finding, ...] = ()
    figures: tuple[Figure, ...] = ()
    unseen: frozenset[Code] = frozenset()

    @property
    def ok(self) -> bool:
        """Whether every promise is kept."""
        return not any(one.weight is Weight.ILL for one in self.findings)

    @property
    def ill(self) -> tuple[Finding, ...]:
        """What ``/health`` answers 503 for."""
        return tuple(one for one in self.findings if one.weight is Weight.ILL)

    @property
    def noted(self) -> tuple[Finding, ...]:
        """What is worth a line in the log."""
        return tuple(one for one in self.findings if one.weight is not Weight.SHOWN)


def joined(at: datetime, sights: Iterable[Sight]) -> HealthReport:
    """One report of what all eyes saw."""
    every = list(sights)
    found = [one for sight in every for one in sight.findings]
    order = {weight: place for place, weight in enumerate(reversed(Weight))}
    codes = {code: place for place, code in enumerate(Code)}
    found.sort(key=lambda one: (order[one.weight], codes[one.code], one.platform, one.about))
    worst: dict[tuple[str, str], Figure] = {}
    for figure in (one for sight in every for one in sight.figures):
        known = worst.get((figure.name, figure.platform), figure)
        worst[figure.name, figure.platform] = max(known, figure, key=lambda one: one.value)
    unseen = frozenset(code for sight in every for code in sight.unseen)
    return HealthReport(at, tuple(found), tuple(worst.values()), unseen)


def both(french: str, english: str) -> Said:
    """A sentence in both languages."""
    return dict(zip(LANGUAGES, (french, english), strict=True))
