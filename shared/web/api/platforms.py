"""What people choose for an account."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from shared.engine.answers import REFUSALS, json_answer, refused
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def mode(desk: Desk, ask: Ask) -> HttpAnswer:
    """Mode and rhythms."""
    return await _answered(desk.operations.mode_desk.choose(ask.person, ask.params["account"], ask.body))


async def circuit(desk: Desk, ask: Ask) -> HttpAnswer:
    """One circuit, by hand."""
    at = ask.params
    return await _answered(
        desk.operations.mode_desk.move(ask.person, at["account"], at["operation"], ask.body)
    )


async def _answered(doing: Awaitable[Mapping[str, object]]) -> HttpAnswer:
    try:
        return json_answer(200, dict(await doing))
    except REFUSALS as wrong:
        return refused(wrong)
