"""How everything stands, and what ran."""

from __future__ import annotations

from shared.domain.health_state import of_unread_sites
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, refused
from shared.web.api.health import as_json
from shared.web.days import asked_day
from shared.web.desk import Desk

LISTED = 100
"""Reports that one answer holds when nothing else is said."""


async def status(desk: Desk, ask: Ask) -> HttpAnswer:
    """Accounts, links, sites, what waits for a person, what is wrong: of the homes this one sees."""
    found = await desk.operations.overview.everything(ask.person)
    unread = found.pop("unread_sites")
    owners = {site: str(owner) for site, owner in unread.items()} if isinstance(unread, dict) else {}
    report = await desk.operations.watch.report(also=[of_unread_sites(owners)])
    return json_answer(200, {**found, "health": as_json(report, ask.person)})


async def runs(desk: Desk, ask: Ask) -> HttpAnswer:
    """The reports of a day, today's where none is named (UTC), newest first."""
    query = ask.query
    try:
        day = asked_day("day", query.get("day", "")) or desk.operations.world.now().date()
    except REFUSALS as wrong:
        return refused(wrong)
    most = int(query.get("limit", LISTED))
    found = await desk.operations.asked.runs(ask.person, day, query.get("platform", ""), most)
    return json_answer(200, {"day": day.isoformat(), "runs": found})
