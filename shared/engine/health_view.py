"""The health report as people see it: each what concerns their homes, who looks after the whole installation all."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.access import Person
from shared.domain.health import Code, Finding, HealthReport

IN_ITS_PLACE = frozenset({Code.CALENDAR_SILENT, Code.ACCOUNT_SILENT, Code.DEAD_LETTERS})
"""What the first page shows as a channel in trouble, or as a message."""


def seen(report: HealthReport, person: Person) -> tuple[Finding, ...]:
    """The findings a person may see."""
    if person.everywhere:
        return report.findings
    return tuple(one for one in report.findings if one.owner and person.sees(one.owner))


def to_see_to(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that need somebody and are shown nowhere else on the first page."""
    return tuple(one for one in findings if one.alerts and one.code not in IN_ITS_PLACE)
