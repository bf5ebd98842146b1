"""What is remembered and explained."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def history(desk: Desk, ask: Ask) -> HttpAnswer:
    """What happened, by pages."""
    return await desk.operations.record.lines(ask.person, ask.query)


async def history_file(desk: Desk, ask: Ask) -> HttpAnswer:
    """The same as CSV."""
    return await desk.operations.record.file(ask.person, ask.query)


async def why(desk: Desk, ask: Ask) -> HttpAnswer:
    """Why a night is as it is."""
    return await desk.operations.explain.night(ask.person, ask.query)
