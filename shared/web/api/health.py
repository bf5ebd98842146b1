"""The health report, as the API shows it to a person."""

from __future__ import annotations

from shared.domain.access import Person
from shared.domain.health import HealthReport
from shared.engine.health_view import seen


def as_json(report: HealthReport, person: Person) -> dict[str, object]:
    """The report, as the API shows it."""
    return {
        "ok": report.ok,
        "findings": [
            {
                "code": one.code.value,
                "weight": one.weight.value,
                "about": one.about or None,
                "platform": one.platform or None,
                "since": one.since.isoformat() if one.since else None,
                "cause": dict(one.cause),
                "step": dict(one.step),
                "told_by": one.told_by or None,
            }
            for one in seen(report, person)
        ],
    }
