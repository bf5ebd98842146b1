"""Synchronise now: press, follow, read the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.access import Right
from shared.domain.errors import NotAllowed, PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.wish import Wanted
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.refusals import no_such_thing
from shared.web.render import see

FEW_HOMES = 12
"""Up to so many homes have a button each; more are chosen from a list."""

ONE_PRESS = timedelta(seconds=5)
"""Presses so close to each other are one, also when what the first began is over before the last arrives."""

_MODES = {"batch": SyncMode.BATCH, "manual": SyncMode.MANUAL}


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """What can be pressed, and what ran."""
    view = await desk.operations.sync_view.page(ask.person, SyncMode.BATCH)
    return desk.pages.page(
        ask, "sync.html", view=view, few=FEW_HOMES, may_connect=ask.person.has(Right.DECIDE)
    )


async def start(desk: Desk, ask: Ask) -> HttpAnswer:
    """Start what was pressed, or go to what already does it."""
    try:
        job = await desk.operations.sync_desk.start(ask.person, _wanted(form(ask.body)), young=ONE_PRESS)
    except (PayloadRejected, NotAllowed):
        return no_such_thing(desk.pages, ask)
    return see(f"/sync/{job.head.id}")


async def report(desk: Desk, ask: Ask) -> HttpAnswer:
    """How far it is, or all it did."""
    found = await desk.operations.sync_view.report(ask.person, ask.params["job"])
    if found is None:
        return no_such_thing(desk.pages, ask)
    return desk.pages.page(ask, "sync_report.html", report=found)


async def progress(desk: Desk, ask: Ask) -> HttpAnswer:
    """The part that changes: how far each platform is, for one read; at the end the report in its place."""
    name = ask.params["job"]
    if not ask.part:
        return see(f"/sync/{name}")
    going = await desk.operations.sync_view.progress(ask.person, name)
    if going is None:
        return no_such_thing(desk.pages, ask)
    if going.running:
        return desk.pages.page(ask, "sync_progress.html", going=going)
    found = await desk.operations.sync_view.report(ask.person, name)
    if found is None:
        return no_such_thing(desk.pages, ask)
    return desk.pages.page(ask, "sync_ended.html", report=found)


def _wanted(sent: dict[str, str]) -> Wanted:
    """What a form asks: ``target`` is "all", "platform:..." or "home:..."; "home" alone takes the one chosen from the
    list. Raises ``PayloadRejected`` for anything else."""
    mode = _MODES.get(sent.get("how", "batch"))
    kind, _, name = sent.get("target", "").partition(":")
    if mode is None:
        raise PayloadRejected("how must be batch or manual")
    wanted = Wanted(mode)
    if kind == "all":
        return wanted
    if kind == "home" and (name or sent.get("home")):
        return replace(wanted, property=name or sent["home"])
    if kind == "platform" and name:
        return replace(wanted, platform=name)
    raise PayloadRejected("target must be all, platform: or home:")
