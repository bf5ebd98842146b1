"""What nobody could process: the list with its reasons, and trying one of them again."""

from __future__ import annotations

from shared.domain import unprocessed
from shared.domain.errors import NotAllowed, NotFound
from shared.engine.quarantine import CannotHelp
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.refusals import not_theirs
from shared.web.render import see

_DONE = ("sent", "before")


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """The newest first; what they held is never shown, since it may name a guest."""
    return await _page(desk, ask)


async def replay(desk: Desk, ask: Ask) -> HttpAnswer:
    """Send one the usual way once more; where that cannot help, why."""
    try:
        done = await desk.operations.poisoned.replay(ask.person, ask.params["id"])
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    except CannotHelp as wrong:
        return await _page(desk, ask, 409, str(wrong))
    return see(f"/messages?done={'before' if done.already else 'sent'}")


async def _page(desk: Desk, ask: Ask, status: int = 200, refused: str = "") -> HttpAnswer:
    done, found = ask.query.get("done", ""), await desk.operations.poisoned.found(ask.person)
    return desk.pages.page(
        ask,
        "messages.html",
        status,
        now=found.at,
        found=found,
        refused=unprocessed.said(refused) if refused else None,
        why=unprocessed.said,
        done=done if done in _DONE else "",
    )
