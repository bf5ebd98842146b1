"""When an administrator is told of what is wrong: once after its grace, again after a day while it lasts, and when it
is over. Pure: what was told stands in a text that all hosts share.

Findings of one code and platform are one alert: forty calendars of a platform that is down are one thing to see to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zlib import crc32

from shared.domain.health import Code, Finding, HealthReport

MORE_AFTER = timedelta(hours=1)
"""How soon after one telling of something that spreads the next may follow."""

MOST_MARKS = 50
"""Of how many it is remembered that they were told: where more have the same trouble, that more do is no news."""

AGAIN = timedelta(days=1)
"""How often something is told again that lasts."""

QUIET = timedelta(minutes=5)
"""How long something must be gone before it counts as over: what comes and goes is one thing."""


class Occasion(StrEnum):
    """Why somebody is told now."""

    BEGAN = "began"
    MORE = "more"  # others have the same
    LASTS = "lasts"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Alert:
    """One subject: first seen at ``begun``, ``told`` of last (None: not yet), not seen any more since ``gone``;
    ``marks`` of those it was told of."""

    begun: datetime
    told: datetime | None = None
    gone: datetime | None = None
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told. ``key`` is the same for every host that finds it due. ``findings``, those that are news
    first, are empty once it is over."""

    subject: str
    occasion: Occasion
    key: str
    since: datetime
    findings: tuple[Finding, ...] = ()


def due(known: Mapping[str, Alert], report: HealthReport) -> tuple[dict[str, Alert], list[Telling]]:
    """The alerts after this report, and what is to be told of it. A new one is only noted: it is told by the next
    report at the earliest, so that hosts which see it at once agree on when it began. What could not be looked at is
    neither gone nor over."""
    now, groups = report.at, _groups(report)
    after, tellings = dict(known), list[Telling]()
    for subject, found in groups.items():
        alert = known.get(subject)
        if alert is None:
            after[subject] = Alert(now)
            continue
        after[subject] = replace(alert, gone=None)
        occasion = _occasion(alert, found, now)
        if occasion is not None:
            key = f"{subject} {(alert.told or alert.begun).isoformat()} {occasion}"
            tellings.append(Telling(subject, occasion, key, alert.begun, _news_first(alert.marks, found)))
            after[subject] = Alert(alert.begun, now, marks=_marks(alert, found))
    for subject, alert in known.items():
        code = code_of(subject)
        if subject in groups or code is None or code in report.unseen:
            continue  # of a code of another release that one alone can say that it is over
        if alert.gone is None:
            after[subject] = replace(alert, gone=now)
        elif now - alert.gone >= QUIET:
            del after[subject]
            if alert.told is not None:
                key = f"{subject} {alert.begun.isoformat()} {Occasion.OVER}"
                tellings.append(Telling(subject, Occasion.OVER, key, alert.begun))
    return after, tellings


def _groups(report: HealthReport) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for one in report.findings:
        if one.alerts:
            groups.setdefault(one.subject, []).append(one)
    return groups


def _occasion(alert: Alert, found: Sequence[Finding], now: datetime) -> Occasion | None:
    if alert.told is not None:
        if now - alert.told >= AGAIN:
            return Occasion.LASTS
        spread = len(alert.marks) < MOST_MARKS and any(_mark(one) not in alert.marks for one in found)
        return Occasion.MORE if spread and now - alert.told >= MORE_AFTER else None
    grace = min(one.grace for one in found)
    return Occasion.BEGAN if now - alert.begun >= grace else None


def _news_first(known: frozenset[str], found: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda one: _mark(one) in known))


def _marks(alert: Alert, found: Sequence[Finding]) -> frozenset[str]:
    known = [*sorted(alert.marks), *(_mark(one) for one in found)]
    return frozenset(list(dict.fromkeys(known))[:MOST_MARKS])


def _mark(one: Finding) -> str:
    """A short name of what a finding is about: a text holds many."""
    return f"{crc32(one.about.encode()):08x}"


def code_of(subject: str) -> Code | None:
    """What an alert is about; None for a code of another release."""
    code = subject.partition("|")[0]
    return Code(code) if code in set(Code) else None


def platform_of(subject: str) -> str:
    """Which platform it is about; empty for none."""
    return subject.partition("|")[2]
