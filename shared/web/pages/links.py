"""The links calendars travel by: all of them masked; one with its address, where to paste it, and who has read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from shared.domain.addresses import is_own_machine
from shared.domain.errors import NotAllowed, NotFound, PayloadRejected
from shared.domain.portfolio import masked
from shared.domain.spoken import Said
from shared.engine.connect import fit_name
from shared.engine.link_view import LinkView
from shared.engine.links import GRACE, Replacement
from shared.engine.look import Refusal
from shared.engine.look_text import odd
from shared.engine.turn import Taken
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.refusals import not_theirs
from shared.web.render import see
from shared.web.words import words

DONE = ("connected", "known", "renewed", "revoked", "replaced", "disconnected")
"""What a page may say that was just done, by the word in its address."""

_GUESSED = frozenset({"greengo", "ical"})
"""Platforms for which no public page says where an address is pasted."""


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """Every link, by home."""
    found = [_named(ask, one) for one in await desk.operations.link_views.listed(ask.person)]
    homes = [list(group) for _, group in groupby(found, key=lambda one: (one.home_name.lower(), one.home))]
    return desk.pages.page(
        ask,
        "links.html",
        homes=homes,
        host=masked(desk.public).removesuffix("/…"),
        now=desk.operations.world.now(),
        decides=any(one.decides for one in found) or ask.person.everywhere,
    )


async def one(desk: Desk, ask: Ask) -> HttpAnswer:
    """One of them, its address in plain sight: whoever opens this page asked for it and may decide."""
    return await _one(desk, ask)


async def wait(desk: Desk, ask: Ask) -> HttpAnswer:
    """Only whether the channel has read our calendar, or we its own: asked again by a page that waits."""
    try:
        view = await _mine(desk, ask)
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    part = "link_import.html" if ask.query.get("part") == "import" else "link_wait.html"
    return desk.pages.page(ask, part, view=view, waiting=_waiting(desk, ask, view))


async def renew(desk: Desk, ask: Ask) -> HttpAnswer:
    """Give it a new address."""
    grace = timedelta() if form(ask.body).get("grace") == "none" else GRACE
    return await _done(desk, ask, desk.operations.links.renew(ask.person, ask.params["id"], grace), "renewed")


async def revoke(desk: Desk, ask: Ask) -> HttpAnswer:
    """Take its address away."""
    return await _done(desk, ask, desk.operations.links.revoke(ask.person, ask.params["id"]), "revoked")


async def disconnect(desk: Desk, ask: Ask) -> HttpAnswer:
    """Read its calendar no more."""
    doing = desk.operations.links.disconnect(ask.person, ask.params["id"])
    return await _done(desk, ask, doing, "disconnected")


async def replace(desk: Desk, ask: Ask) -> HttpAnswer:
    """Read another link from now on. One that looks like another home's is asked about first."""
    given = form(ask.body)
    link, sure = given.get("link", ""), given.get("sure") == "yes"
    doing = desk.operations.links.replace(ask.person, ask.params["id"], link, sure=sure)
    return await _done(desk, ask, doing, "replaced", link)


async def rename(desk: Desk, ask: Ask) -> HttpAnswer:
    """Call a home something else; an empty name changes nothing."""
    name = fit_name(form(ask.body).get("name", ""))
    try:
        await desk.operations.home_names.rename(ask.person, ask.params["id"], name)
    except PayloadRejected:
        return see("/links")
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    return see("/links")


# ------------------------------------------------------------------------------------------------------


async def _one(
    desk: Desk,
    ask: Ask,
    status: int = 200,
    wrong: Said | None = None,
    *,
    link: str = "",
    doubt: Replacement | None = None,
) -> HttpAnswer:
    try:
        view = await _mine(desk, ask)
    except (NotFound, NotAllowed) as no:
        return not_theirs(desk.pages, ask, no)
    others = await desk.operations.link_views.beside(ask.person, view)
    done = ask.query.get("done", "")
    key = view.platform if f"paste.{view.platform}" in words("fr") else "ical"
    return desk.pages.page(
        ask,
        "link.html",
        status,
        address=f"{desk.public}/export/{view.token}.ics" if view.token else "",
        done=f"links.done_{done}" if done in DONE else "",
        alone=not others,
        twice=view.platform in others,
        paste=f"paste.{key}",
        rhythm=f"rhythm.{key}",
        guessed=key in _GUESSED,
        wrong=wrong,
        link=link,
        doubt=doubt,
        view=view,
        waiting=_waiting(desk, ask, view),
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the part of the page shows that waits: ``laptop``: nobody can come; ``served``: the channel has read it;
    ``silent``: whose first answer our calendar waits for; ``asks``: whether there is a visit to wait for; ``reads``:
    whether our own first reading is still to come; ``problems``: what is wrong with theirs, in words."""

    now: datetime
    laptop: bool
    served: bool
    silent: str
    asks: bool
    reads: bool
    problems: tuple[str, ...]


def _waiting(desk: Desk, ask: Ask, view: LinkView) -> Waiting:
    came, laptop = view.fetches.peer, is_own_machine(desk.public)
    served = came is not None and came.status in (200, 304)
    asks = not (served or laptop or view.revoked)
    reads = bool(view.host) and view.good is None and not view.error
    problems = tuple(odd(text, ask.language) for text in view.error.split("; ") if text)
    return Waiting(desk.operations.world.now(), laptop, served, ", ".join(view.silent), asks, reads, problems)


async def _mine(desk: Desk, ask: Ask) -> LinkView:
    """The link in the address. Raises ``NotFound``, and ``NotAllowed`` for whoever does not decide about it: the page
    shows its address."""
    views = desk.operations.link_views
    await views.decided(ask.person, ask.params["id"])
    return _named(ask, await views.one(ask.person, ask.params["id"]))


def _named(ask: Ask, view: LinkView) -> LinkView:
    """A calendar of a platform nobody knows is called that in the reader's language."""
    if view.platform != "ical":
        return view
    return dataclasses.replace(view, platform_name=words(ask.language)["connect.any"])


def _busy() -> Said:
    return {language: words(language)["connect.busy"] for language in ("fr", "en")}


async def _done(
    desk: Desk,
    ask: Ask,
    doing: Awaitable[LinkView | Refusal | Replacement],
    what: str,
    link: str = "",
) -> HttpAnswer:
    """Do it, and say so. ``link`` is what was pasted: it comes back where it cannot be taken."""
    try:
        found = await doing
    except (NotFound, NotAllowed) as wrong:
        return not_theirs(desk.pages, ask, wrong)
    except Taken:
        return await _one(desk, ask, 409, _busy(), link=link)
    if isinstance(found, Refusal):
        return await _one(desk, ask, 422, found.said, link=link)
    if isinstance(found, Replacement):
        return await _one(desk, ask, 409, doubt=found)
    return see(f"/links/{found.id}?done={what}")
