"""Signing in, for programs of this machine."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import json_answer, problem
from shared.web.desk import Desk


async def code(desk: Desk, ask: Ask) -> HttpAnswer:
    """The code that signs in next; 404 where the platform signs people in."""
    if desk.keys is None or not ask.person.everywhere:
        return problem(404, "nobody signs in with a code here")
    return json_answer(200, {"code": await desk.keys.code()})
