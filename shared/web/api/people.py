"""One person's data: handed out, or erased. By POST, since a name never stands in an address."""

from __future__ import annotations

from shared.domain.personal import NobodyNamed, Sought
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import json_answer, problem
from shared.web.api.models import Somebody
from shared.web.desk import Desk
from shared.web.personal_json import as_json


async def export(desk: Desk, ask: Ask) -> HttpAnswer:
    """200 with everything found; 400 naming what is wrong."""
    wanted = _wanted(ask.body)
    if isinstance(wanted, HttpAnswer):
        return wanted
    return json_answer(200, as_json(await desk.operations.personal.find(ask.person, wanted)))


async def erase(desk: Desk, ask: Ask) -> HttpAnswer:
    """200 with how much was erased, and what could not be yet; 400 naming what is wrong."""
    wanted = _wanted(ask.body)
    if isinstance(wanted, HttpAnswer):
        return wanted
    done = await desk.operations.personal.erase(ask.person, wanted)
    counts = {"names": done.names, "notes": done.notes, "lines": done.lines, "messages": done.bodies}
    return json_answer(200, {"erased": counts, "left": as_json(done.left)})


def _wanted(body: bytes) -> Sought | HttpAnswer:
    """Who is meant, or why nobody is."""
    sent = Somebody.model_validate_json(body or b"{}")
    try:
        return Sought(sent.name, sent.reservation)
    except NobodyNamed as wrong:
        return problem(400, str(wrong))
