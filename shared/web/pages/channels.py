"""Channels: how each account and calendar link stands, and what is changed about it."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from shared.domain.errors import NotAllowed, NotFound, PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.modes import BATCH_MINUTES, POLL_MINUTES
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.refusals import not_theirs
from shared.web.render import see
from shared.web.ticks import STAMP, tick

DONE = ("mode", "paused", "resumed", "circuit")
"""What a page may say was just done."""

_LIMIT = re.compile(r"(\d+)/(s|min|h)( a property)?( write)?")


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """Every channel of the homes this person sees. A script that shows a page already, and says by its stamp of when
    that is, gets 204 while nothing changed."""
    if ask.part and await desk.operations.channels.still(ask.query.get(STAMP, "")):
        return tick(news=False)
    return await _page(desk, ask)


async def choose(desk: Desk, ask: Ask) -> HttpAnswer:
    """A mode and its rhythms."""
    sent = form(ask.body)
    try:
        mode = _mode(sent.get("mode", ""))
        poll, batch = (_minutes(sent.get(name, "")) for name in ("poll_minutes", "batch_minutes"))
    except PayloadRejected as wrong:
        return await _page(desk, ask, 400, str(wrong))
    modes = desk.operations.mode_desk
    return await _after(desk, ask, "mode", modes.choose(ask.person, ask.params["account"], mode, poll, batch))


async def pause(desk: Desk, ask: Ask) -> HttpAnswer:
    """Nothing is sent there any more."""
    return await _after(
        desk, ask, "paused", desk.operations.mode_desk.pause(ask.person, ask.params["account"])
    )


async def resume(desk: Desk, ask: Ask) -> HttpAnswer:
    """It goes on by itself."""
    return await _after(
        desk, ask, "resumed", desk.operations.mode_desk.resume(ask.person, ask.params["account"])
    )


async def circuit(desk: Desk, ask: Ask) -> HttpAnswer:
    """Force a circuit, or leave it to itself again."""
    account, operation = ask.params["account"], ask.params["operation"]
    state = form(ask.body).get("state", "")
    doing = desk.operations.mode_desk.force(ask.person, account, operation, state)
    return await _after(desk, ask, "circuit", doing)


async def _page(desk: Desk, ask: Ask, status: int = 200, wrong: str = "") -> HttpAnswer:
    view = await desk.operations.channels.shown(ask.person)
    done = ask.query.get("done", "")
    return desk.pages.page(
        ask,
        "channels_part.html" if ask.part else "channels.html",
        status,
        view=view,
        done=done if done in DONE else "",
        wrong=wrong,
        limit=limit,
        poll_minutes=POLL_MINUTES,
        batch_minutes=BATCH_MINUTES,
    )


def limit(name: str) -> tuple[str, str, bool, bool] | None:
    """A limit's name taken apart: calls, unit of time, whether it is each home's own, whether it is for writes alone.
    None for one that is written otherwise."""
    found = _LIMIT.fullmatch(name)
    return (found[1], found[2], bool(found[3]), bool(found[4])) if found else None


async def _after(desk: Desk, ask: Ask, done: str, doing: Awaitable[object]) -> HttpAnswer:
    try:
        await doing
    except PayloadRejected as wrong:
        return await _page(desk, ask, 400, str(wrong))
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    return see(f"/channels?done={done}")


def _mode(text: str) -> SyncMode:
    try:
        return SyncMode(text)
    except ValueError:
        raise PayloadRejected(f"mode must be one of {', '.join(SyncMode)}") from None


def _minutes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise PayloadRejected("minutes must be a whole number")
    return int(text)
