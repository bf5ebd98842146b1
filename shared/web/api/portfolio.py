"""The portfolio as a text, out and in."""

from __future__ import annotations

from shared.domain.errors import NotAllowed, Unreadable
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import json_answer, problem, problem_more, refused
from shared.web.desk import Desk

_YAML = {"content-type": "application/yaml; charset=utf-8", "cache-control": "no-store"}


async def text(desk: Desk, ask: Ask) -> HttpAnswer:
    """What this person sees of it; with calendar links where they ask for them and decide."""
    whole = ask.query.get("links", "") == "true"
    try:
        found = await desk.operations.library.text(ask.person, links=whole)
    except Unreadable as wrong:  # a copy without it would pass for whole
        return problem(409, str(wrong))
    return HttpAnswer(200, found.encode(), _YAML)


async def take(desk: Desk, ask: Ask) -> HttpAnswer:
    """Add and update what a text names; nothing is deleted."""
    report = await desk.operations.library.take(ask.person, ask.body)
    if report is None:
        return refused(
            NotAllowed("a text may name anybody's homes: it is for whoever decides for all owners")
        )
    if report.problems:
        wrong = [
            {"line": one.line, "column": one.column, "field": one.field, "text": one.text}
            for one in report.problems
        ]
        first = report.problems[0]
        return problem_more(400, f"line {first.line}: {first.text}", problems=wrong)
    made = {"created": list(report.created), "changed": list(report.changed)}
    return json_answer(200, {**made, "homes": report.homes, "listings": report.listings})
