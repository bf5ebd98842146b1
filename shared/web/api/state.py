"""How everything stands, and what ran."""

from __future__ import annotations

from shared.engine.answers import json_answer
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def status(desk: Desk, ask: Ask) -> HttpAnswer:
    """Accounts, links, sites, what waits for a person: of the homes this one sees."""
    return json_answer(200, await desk.operations.overview.everything(ask.person))


async def runs(desk: Desk, ask: Ask) -> HttpAnswer:
    """The reports of a day."""
    return await desk.operations.asked.runs(ask.person, ask.query)
