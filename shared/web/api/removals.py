"""What vanished and is still held."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """All of a person's homes, or of one."""
    return await desk.operations.vanished.listed(ask.person, ask.query)


async def release(desk: Desk, ask: Ask) -> HttpAnswer:
    """Let go of one."""
    return await desk.operations.vanished.release(ask.person, ask.params["id"])
