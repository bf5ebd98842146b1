"""What vanished from calendars and is still held: the list, and one thumb to let it go."""

from __future__ import annotations

from shared.domain.errors import NotAllowed, NotFound
from shared.domain.spoken import Said
from shared.engine.homes_seen import states_seen
from shared.engine.removals import RemovalChanged
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.refusals import not_theirs
from shared.web.render import see


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """The soonest arrival first."""
    return await _page(desk, ask)


async def release(desk: Desk, ask: Ask) -> HttpAnswer:
    """Take this person's word. Whoever pressed before, and facts that changed, are told."""
    try:
        done = await desk.operations.vanished.let_go(ask.person, ask.params["id"])
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    except RemovalChanged as wrong:
        return await _page(desk, ask, 409, wrong.said)
    return see(f"/removals?done={'before' if done.already else 'waits' if done.waits else 'now'}")


async def _page(desk: Desk, ask: Ask, status: int = 200, refused: Said | None = None) -> HttpAnswer:
    states = await states_seen(desk.operations.world, ask.person)
    found = [
        (one, ask.person.decides(state.site.owner), state)
        for state in states
        for one in await desk.operations.vanished.waiting(state)
    ]
    found.sort(key=lambda item: (item[0].stay, item[0].id))
    done = ask.query.get("done", "")
    return desk.pages.page(
        ask,
        "removals.html",
        status,
        now=desk.operations.world.now(),
        removals=[(one, decides, state.site.properties[one.home].zone) for one, decides, state in found],
        refused=refused,
        done=done if done in ("now", "waits", "before") else "",
    )
