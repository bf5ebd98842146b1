"""A job as the API shows it: its wish, how far it is, and what came of each step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.reports import Figures
from shared.engine.jobs import FIELDS, GIVEN_UP
from shared.engine.reports import figures_json
from shared.state.jobs import Job, JobStep


def as_json(job: Job, now: datetime) -> dict[str, object]:
    """A job as the API shows it."""
    given_up = now - job.head.at > GIVEN_UP
    figures: dict[str, Figures] = {}
    for one in job.steps:
        for platform, more in one.figures.items():
            figures[platform] = figures.get(platform, Figures()) + more
    ends = [one.begun + one.duration for one in job.steps if one.begun is not None]
    lasted = max(ends, default=job.head.at) - job.head.at if job.finished else now - job.head.at
    return {
        "job": job.head.id,
        **{name: text for name, text in job.head.wish.items() if name in FIELDS},
        "asked_at": job.head.at.isoformat(),
        "correlation": job.head.correlation,
        "state": "done" if job.finished else "never finished" if given_up else "running",
        "duration_ms": round(lasted / timedelta(milliseconds=1)),
        **_counts(job.steps),
        "progress": _progress(job.steps),
        "figures": {platform: figures_json(one) for platform, one in figures.items()},
        "steps": [_step_json(one, given_up=given_up) for one in job.steps],
    }


def _counts(steps: Sequence[JobStep]) -> dict[str, int]:
    states = [one.state for one in steps]
    return {"total": len(states), "done": states.count("done"), "failed": states.count("failed")}


def _progress(steps: Sequence[JobStep]) -> dict[str, dict[str, int]]:
    """By platform: a step counts for each that it concerns."""
    platforms = sorted({platform for one in steps for platform in one.platforms})
    return {name: _counts([one for one in steps if name in one.platforms]) for name in platforms}


def _step_json(step: JobStep, *, given_up: bool) -> dict[str, object]:
    state = "never finished" if given_up and step.state == "waiting" else step.state
    return {
        "step": f"{step.kind} {step.key}",
        "platforms": list(step.platforms),
        "state": state,
        "begun": step.begun.isoformat() if step.begun else None,
        "duration_ms": round(step.duration / timedelta(milliseconds=1)),
        "said": step.said,
        "error": step.error or None,
        "figures": {name: figures_json(one) for name, one in step.figures.items()},
        "report": [dict(line) for line in step.lines],
        "left_out": step.dropped,
    }
