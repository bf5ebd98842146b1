"""The portfolio as a text: given out as a file, taken in from a field."""

from __future__ import annotations

from shared.domain.access import Role
from shared.domain.errors import Unreadable
from shared.engine.library import ImportReport
from shared.engine.turn import Taken
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form

_FILE = {
    "content-type": "application/yaml; charset=utf-8",
    "content-disposition": 'attachment; filename="portfolio.yaml"',
    "cache-control": "no-store",
}


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """Both ways."""
    return _page(desk, ask)


async def export(desk: Desk, ask: Ask) -> HttpAnswer:
    """The text as a file, of what this person sees; with links where they ask for them and decide. None at all while a
    row of it cannot be read: a copy without it would pass for whole."""
    links = form(ask.body).get("links") == "yes"
    try:
        text = await desk.operations.library.text(ask.person, links=links)
    except Unreadable as wrong:
        return _page(desk, ask, 409, unread=str(wrong))
    return HttpAnswer(200, text.encode(), _FILE)


async def take(desk: Desk, ask: Ask) -> HttpAnswer:
    """Add and update what a text names."""
    text = form(ask.body).get("text", "")
    try:
        report = await desk.operations.library.take(ask.person, text.encode())
    except Taken:
        return _page(desk, ask, 409, text=text, busy=True)
    if report is None:
        return _page(desk, ask, 403, text=text)
    return _page(
        desk, ask, 422 if report.problems else 200, text=text if report.problems else "", report=report
    )


def _page(
    desk: Desk,
    ask: Ask,
    status: int = 200,
    *,
    text: str = "",
    report: ImportReport | None = None,
    busy: bool = False,
    unread: str = "",
) -> HttpAnswer:
    return desk.pages.page(
        ask,
        "portfolio.html",
        status,
        text=text,
        report=report,
        busy=busy,
        unread=unread,
        everywhere=ask.person.everywhere,
        decides=Role.OPERATOR in ask.person.roles.values(),
    )
