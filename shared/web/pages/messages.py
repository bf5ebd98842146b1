"""What nobody could process: the list with its reasons, and trying one of them again."""

from __future__ import annotations

import json

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.refusals import no_such_thing
from shared.web.render import see

_DONE = {202: "sent", 200: "before"}


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """The newest first; what they held is never shown, since it may name a guest."""
    return await _page(desk, ask)


async def replay(desk: Desk, ask: Ask) -> HttpAnswer:
    """Send one the usual way once more; where that cannot help, why."""
    answer = await desk.operations.poisoned.replay(ask.person, ask.params["id"])
    if answer.status in _DONE:
        return see(f"/messages?done={_DONE[answer.status]}")
    if answer.status == 409:
        return await _page(desk, ask, 409, str(json.loads(answer.body).get("detail", "")))
    return no_such_thing(desk.pages, ask)


async def _page(desk: Desk, ask: Ask, status: int = 200, refused: str = "") -> HttpAnswer:
    done = ask.query.get("done", "")
    return desk.pages.page(
        ask,
        "messages.html",
        status,
        now=desk.operations.world.now(),
        found=await desk.operations.poisoned.found(ask.person),
        decides=ask.person.everywhere,
        refused=refused,
        done=done if done in _DONE.values() else "",
    )
