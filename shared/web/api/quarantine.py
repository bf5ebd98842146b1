"""What nobody could process."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """With its reasons, without what it held."""
    return await desk.operations.poisoned.listed(ask.person)


async def replay(desk: Desk, ask: Ask) -> HttpAnswer:
    """Try one again."""
    return await desk.operations.poisoned.replay(ask.person, ask.params["id"])
