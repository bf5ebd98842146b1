"""What is kept of people and why; and one person's data, found, handed out or erased.

What was looked for comes back in the page that answers the form, never in an address: those are kept by browsers, and
by whatever stands in between.
"""

from __future__ import annotations

import json

from shared.domain import kept
from shared.domain.personal import NobodyNamed, Sought
from shared.engine.personal import Erased
from shared.engine.personal_found import Found
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.personal_json import as_json


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """The list, and the form."""
    return _page(desk, ask)


async def find(desk: Desk, ask: Ask) -> HttpAnswer:
    """Everything there is of somebody, in the homes one looks after."""
    wanted = _wanted(ask)
    if wanted is None:
        return _page(desk, ask, 400)
    return _page(desk, ask, wanted=wanted, found=await desk.operations.personal.find(ask.person, wanted))


async def erase(desk: Desk, ask: Ask) -> HttpAnswer:
    """Erase it, and say what could not be."""
    wanted = _wanted(ask)
    if wanted is None:
        return _page(desk, ask, 400)
    return _page(desk, ask, wanted=wanted, erased=await desk.operations.personal.erase(ask.person, wanted))


async def export(desk: Desk, ask: Ask) -> HttpAnswer:
    """The same as ``find``, as a file to hand out."""
    wanted = _wanted(ask)
    if wanted is None:
        return _page(desk, ask, 400)
    found = as_json(await desk.operations.personal.find(ask.person, wanted))
    headers = {
        "content-type": "application/json; charset=utf-8",
        "content-disposition": 'attachment; filename="personal-data.json"',
        "cache-control": "no-store",
    }
    return HttpAnswer(200, json.dumps(found, ensure_ascii=False, indent=1).encode(), headers)


def _wanted(ask: Ask) -> Sought | None:
    """Who is meant; None for nobody."""
    sent = form(ask.body)
    try:
        return Sought(sent.get("name", ""), sent.get("reservation", ""))
    except NobodyNamed:
        return None


def _page(
    desk: Desk,
    ask: Ask,
    status: int = 200,
    *,
    wanted: Sought | None = None,
    found: Found | None = None,
    erased: Erased | None = None,
) -> HttpAnswer:
    days = desk.operations.personal.days
    return desk.pages.page(
        ask,
        "privacy.html",
        status,
        kept=kept.KEPT,
        days=days,
        fill=lambda text: kept.said(text, days),
        wanted=wanted,
        found=found,
        erased=erased,
        decides=any(ask.person.decides(owner) for owner in ask.person.roles),
        everywhere=ask.person.everywhere,
        wrong=status == 400,
    )
