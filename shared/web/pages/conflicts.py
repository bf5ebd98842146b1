"""Double bookings: the list, the page on which one is decided, and what a second person is told."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.errors import NotAllowed, NotFound, PayloadRejected
from shared.domain.proposals import kind_of
from shared.engine.conflict_cases import MOST_NOTE
from shared.engine.conflict_decide import AlreadyDecided, FactsChanged
from shared.engine.conflict_page import ConflictPages, mark_of
from shared.engine.conflict_text import LABELS, decided_by, said_together
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.refusals import no_such_thing, not_theirs
from shared.web.render import see
from shared.web.ticks import tick


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """Open ones on top, then what is over for 30 days."""
    cases = desk.operations.cases
    found = [(case, cases.short(case)) for case in await cases.listed(ask.person)]
    return desk.pages.page(
        ask,
        "conflicts.html",
        now=desk.operations.world.now(),
        open=[pair for pair in found if pair[0].clash.ended_at is None],
        over=[pair for pair in found if pair[0].clash.ended_at is not None],
    )


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """One of them. A script that asks whether it still is as it was read gets 204 while it is."""
    if ask.part and ask.query.get("seen"):
        return await _news(desk, ask)
    return await _page(desk, ask)


async def acknowledge(desk: Desk, ask: Ask) -> HttpAnswer:
    """Somebody takes care of it; who was first stays."""
    name = ask.params["id"]
    try:
        await desk.operations.cases.acknowledge(ask.person, name)
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    except FactsChanged as wrong:
        return await _page(desk, ask, 409, refused=said_together("", wrong.what))
    return see(f"/conflicts/{name}")


async def decide(desk: Desk, ask: Ask) -> HttpAnswer:
    """Decide about what was read. Whoever comes second sees who was first and how it stands now; his note comes back
    to him."""
    name, sent = ask.params["id"], form(ask.body)
    proposal, note, tag = (sent.get(field, "") for field in ("proposal", "note", "tag"))
    try:
        await desk.operations.cases.decide(ask.person, name, proposal, note, tag)
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    except AlreadyDecided as wrong:
        case = await desk.operations.cases.bare(ask.person, name)
        return await _page(desk, ask, 409, sent, refused=decided_by(wrong.decision, case.zone))
    except FactsChanged as wrong:
        return await _page(desk, ask, 412, sent, refused=said_together("changed", wrong.what))
    except PayloadRejected:
        return await _page(desk, ask, 400, sent, wrong=True)
    return see(f"/conflicts/{name}")


async def _page(
    desk: Desk,
    ask: Ask,
    status: int = 200,
    sent: Mapping[str, str] | None = None,
    *,
    refused: Mapping[str, str] | None = None,
    wrong: bool = False,
) -> HttpAnswer:
    """The page as things stand. ``refused`` says why a press did nothing, ``wrong`` that the note cannot be kept;
    ``sent`` is what was pressed and typed."""
    try:
        view = await _pages(desk).show(ask.person, ask.params["id"])
    except NotFound:
        return no_such_thing(desk.pages, ask)
    typed = sent or {}
    kind = kind_of(typed.get("proposal", ""))
    return desk.pages.page(
        ask,
        "conflict.html",
        status,
        view=view,
        shown=view.shown,
        refused=refused,
        wrong=wrong,
        note=typed.get("note", ""),
        wished=LABELS[kind] if kind else None,
        most=MOST_NOTE,
    )


async def _news(desk: Desk, ask: Ask) -> HttpAnswer:
    """Whether the page in the browser still tells how it is: a line about it, or nothing."""
    try:
        case = await desk.operations.cases.bare(ask.person, ask.params["id"])
    except NotFound:
        return no_such_thing(desk.pages, ask)
    if mark_of(case) == ask.query["seen"]:
        return tick(news=False)
    return desk.pages.page(ask, "conflict_news.html", name=case.name)


def _pages(desk: Desk) -> ConflictPages:
    return ConflictPages(desk.operations.world, desk.operations.cases)
