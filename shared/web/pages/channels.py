"""Channels: how each account and calendar link stands, and what is changed about it."""

from __future__ import annotations

import re

from shared.domain.errors import PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.modes import BATCH_MINUTES, POLL_MINUTES
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.refusals import no_such_thing
from shared.web.render import see

DONE = ("mode", "paused", "resumed", "circuit")
"""What a page may say was just done."""

_LIMIT = re.compile(r"(\d+)/(s|min|h)( a property)?( write)?")


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """Every channel of the homes this person sees."""
    return await _page(desk, ask)


async def choose(desk: Desk, ask: Ask) -> HttpAnswer:
    """A mode and its rhythms."""
    sent = form(ask.body)
    try:
        mode = _mode(sent.get("mode", ""))
        poll, batch = (_minutes(sent.get(name, "")) for name in ("poll_minutes", "batch_minutes"))
        found = await desk.operations.channel_desk.choose(
            ask.person, ask.params["account"], mode, poll, batch
        )
    except PayloadRejected as wrong:
        return await _page(desk, ask, 400, str(wrong))
    return _after(desk, ask, "mode", found=found)


async def pause(desk: Desk, ask: Ask) -> HttpAnswer:
    """Nothing is sent there any more."""
    found = await desk.operations.channel_desk.pause(ask.person, ask.params["account"])
    return _after(desk, ask, "paused", found=found)


async def resume(desk: Desk, ask: Ask) -> HttpAnswer:
    """It goes on by itself."""
    found = await desk.operations.channel_desk.resume(ask.person, ask.params["account"])
    return _after(desk, ask, "resumed", found=found)


async def circuit(desk: Desk, ask: Ask) -> HttpAnswer:
    """Force a circuit, or leave it to itself again."""
    account, operation = ask.params["account"], ask.params["operation"]
    state = form(ask.body).get("state", "")
    try:
        found = await desk.operations.channel_desk.force(ask.person, account, operation, state)
    except PayloadRejected as wrong:
        return await _page(desk, ask, 400, str(wrong))
    return _after(desk, ask, "circuit", found=found)


async def _page(desk: Desk, ask: Ask, status: int = 200, wrong: str = "") -> HttpAnswer:
    view = await desk.operations.channels.shown(ask.person)
    done = ask.query.get("done", "")
    return desk.pages.page(
        ask,
        "channels.html",
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


def _after(desk: Desk, ask: Ask, done: str, *, found: bool) -> HttpAnswer:
    return see(f"/channels?done={done}") if found else no_such_thing(desk.pages, ask)


def _mode(text: str) -> SyncMode:
    try:
        return SyncMode(text)
    except ValueError:
        raise PayloadRejected(f"mode must be one of {', '.join(SyncMode)}") from None


def _minutes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise PayloadRejected("minutes must be a whole number")
    return int(text)
