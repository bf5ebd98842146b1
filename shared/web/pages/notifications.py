"""How the person who looks wants to be told, and what reached them lately."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace

from shared.domain import setbacks
from shared.domain.access import Person
from shared.engine.notice_desk import ChoiceRefused, zones
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.render import see

TIMES = tuple(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30))
"""What the page offers where a time of day is chosen."""

_DONE = ("saved", "added", "removed", "tested")
"""What the page may say was done: words for a query, of which nothing else is shown."""


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """The page as things stand."""
    done = ask.query.get("done", "")
    return await _page(desk, ask, done=done if done in _DONE else "")


async def choose(desk: Desk, ask: Ask) -> HttpAnswer:
    """Keep when one is told of what."""
    sent = form(ask.body)
    return await _after(desk, ask, desk.operations.notices.choose(_who(ask), sent), "saved", sent)


async def add(desk: Desk, ask: Ask) -> HttpAnswer:
    """One way more."""
    sent = form(ask.body)
    doing = desk.operations.notices.add(_who(ask), sent.get("way", ""), sent.get("address", ""))
    return await _after(desk, ask, doing, "added", sent)


async def remove(desk: Desk, ask: Ask) -> HttpAnswer:
    """One way less."""
    doing = desk.operations.notices.remove(_who(ask), ask.params["mark"])
    return await _after(desk, ask, doing, "removed", {})


async def test(desk: Desk, ask: Ask) -> HttpAnswer:
    """A trial to every way."""
    return await _after(desk, ask, desk.operations.notices.test(_who(ask)), "tested", {})


def _who(ask: Ask) -> Person:
    """Who asks, in the language they read: that of their notices until they choose one."""
    return replace(ask.person, language=ask.language)


async def _after(
    desk: Desk, ask: Ask, doing: Awaitable[None], done: str, sent: Mapping[str, str]
) -> HttpAnswer:
    try:
        await doing
    except ChoiceRefused as wrong:
        return await _page(desk, ask, 400, sent=sent, wrong=wrong.why)
    return see(f"/notifications?done={done}")


async def _page(
    desk: Desk,
    ask: Ask,
    status: int = 200,
    *,
    sent: Mapping[str, str] | None = None,
    done: str = "",
    wrong: str = "",
) -> HttpAnswer:
    """``sent`` is what was filled in: an address that was refused comes back to who typed it, and to nobody else."""
    view = await desk.operations.notices.show(_who(ask))
    return desk.pages.page(
        ask,
        "notifications.html",
        status,
        view=view,
        zones=sorted(zones() | {view.hours.zone}),
        times=TIMES,
        sent=sent or {},
        done=done,
        wrong=wrong,
        setback=setbacks.said,
        now=desk.operations.world.now(),
    )
