"""The first page: what needs me, else that all is well."""

from __future__ import annotations

from shared.domain.access import Right
from shared.domain.errors import NotAllowed, NotFound
from shared.engine.retry import Retry
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.refusals import not_theirs
from shared.web.render import see
from shared.web.ticks import tick

FEW = 8
"""Entries of one kind that are shown; the rest are counted."""


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """What needs a person, worst first. A script that shows a page already, and says by its stamp of when that is, gets
    204 while nothing changed."""
    today = desk.operations.today
    if ask.part and await today.still(ask.query.get("stamp", "")):
        return tick(news=False)
    return desk.pages.page(
        ask,
        "today_part.html" if ask.part else "today.html",
        view=await today.show(ask.person),
        may_connect=ask.person.has(Right.DECIDE),
        few=FEW,
    )


async def retry(desk: Desk, ask: Ask) -> HttpAnswer:
    """Try again what did not arrive, of one home or of all, and go and see how far it is."""
    operations = desk.operations
    again = Retry(operations.world, operations.reconciler, operations.sync_desk)
    try:
        job = await again.now(ask.person, form(ask.body).get("home", ""))
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    return see(f"/sync/{job.head.id}")
