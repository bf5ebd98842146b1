"""What people choose for an account."""

from __future__ import annotations

from shared.domain.model import SyncMode
from shared.engine.status import circuit_status, standing_status
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, refused
from shared.web.api.models import CircuitWish, ModeWish
from shared.web.desk import Desk


async def mode(desk: Desk, ask: Ask) -> HttpAnswer:
    """Mode and rhythms."""
    account, wish = ask.params["account"], ModeWish.model_validate_json(ask.body or b"{}")
    chosen = SyncMode(wish.mode) if wish.mode else None
    try:
        state = await desk.operations.mode_desk.choose(
            ask.person, account, chosen, wish.poll_minutes, wish.batch_minutes
        )
    except REFUSALS as wrong:
        return refused(wrong)
    return json_answer(200, {"account": account, **standing_status(state)})


async def circuit(desk: Desk, ask: Ask) -> HttpAnswer:
    """One circuit, by hand."""
    account, operation = ask.params["account"], ask.params["operation"]
    wish = CircuitWish.model_validate_json(ask.body)
    try:
        found = await desk.operations.mode_desk.force(ask.person, account, operation, wish.state)
    except REFUSALS as wrong:
        return refused(wrong)
    return json_answer(200, {"account": account, "circuits": [circuit_status(one) for one in found]})
