"""How everything stands, and what ran."""

from __future__ import annotations

from shared.engine import health_view
from shared.engine.answers import json_answer
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def status(desk: Desk, ask: Ask) -> HttpAnswer:
    """Accounts, links, sites, what waits for a person, what is wrong: of the homes this one sees."""
    found = await desk.operations.overview.everything(ask.person)
    report = await desk.operations.watch.report()
    return json_answer(200, {**found, "health": health_view.as_json(report, ask.person)})


async def runs(desk: Desk, ask: Ask) -> HttpAnswer:
    """The reports of a day."""
    return await desk.operations.asked.runs(ask.person, ask.query)
