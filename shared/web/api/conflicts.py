"""Double bookings: look, take care of one, decide."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """All of a person's homes."""
    return await desk.operations.room.listed(ask.person)


async def shown(desk: Desk, ask: Ask) -> HttpAnswer:
    """One of them."""
    return await desk.operations.room.shown(ask.person, ask.params["id"])


async def acknowledge(desk: Desk, ask: Ask) -> HttpAnswer:
    """Take care of one."""
    return await desk.operations.room.acknowledge(ask.person, ask.params["id"])


async def resolve(desk: Desk, ask: Ask) -> HttpAnswer:
    """Decide about one."""
    return await desk.operations.room.resolve(ask.person, ask.params["id"], ask.headers, ask.body)
