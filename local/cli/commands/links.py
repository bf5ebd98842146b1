"""``links``: the addresses calendars travel by. They are secrets: only ``show`` and ``rotate`` print one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import typer

from local.cli.api import at_path
from local.cli.place import is_loopback
from local.cli.reading import Json, at, items, part, text, texts
from local.cli.session import Session, be_sure, of, setback
from local.cli.trouble import A_PERSON, OK, WRONG_USE, Trouble
from shared.domain.ago import ago
from shared.domain.spoken import PARIS, moment

Which = Annotated[str, typer.Argument(help="help.links.which", metavar="LINK")]
Yes = Annotated[bool, typer.Option("--yes", help="help.links.yes")]


def links(ctx: typer.Context) -> int:
    """List them, masked; 1 when a calendar refuses us or nobody can read ours."""
    session = of(ctx)
    if ctx.invoked_subcommand is not None:
        return OK
    answer = session.api.get("/api/links").json
    found = items(answer, "links")
    if session.screen.as_json:
        session.screen.json(answer)
    elif not found:
        session.screen.say(session.console("links.none"))
    else:
        _table(session, found)
    return A_PERSON if any(one.get("dead") or one.get("revoked") for one in found) else OK


def show(ctx: typer.Context, link: Which) -> int:
    """Print the address of one of our calendars, and where to paste it."""
    session = of(ctx)
    return _shown(session, session.api.get(at_path("links", _id(session, link))).json)


def rotate(
    ctx: typer.Context,
    link: Which,
    days: Annotated[int, typer.Option(help="help.links.days", min=0, max=30, metavar="0-30")] = 7,
    yes: Yes = False,
) -> int:
    """Give a calendar a new address."""
    session = of(ctx)
    one = _one(session, link)
    _title(session, one)
    session.screen.tell(session.console("links.renew_what", platform=text(one, "platform_name")))
    if not yes:
        be_sure(session)
    return _shown(session, session.api.post(at_path("links", text(one, "id"), "renew"), {"days": days}).json)


def revoke(ctx: typer.Context, link: Which, yes: Yes = False) -> int:
    """Have no address open a calendar any more."""
    return _ended(of(ctx), link, "revoke", "revoked", yes=yes)


def disconnect(ctx: typer.Context, link: Which, yes: Yes = False) -> int:
    """Read a channel's calendar no more."""
    return _ended(of(ctx), link, "disconnect", "disconnected", yes=yes)


def _ended(session: Session, link: str, step: str, done: str, *, yes: bool) -> int:
    """Take one of the two links away, once the person is sure."""
    one = _one(session, link)
    _title(session, one)
    platform = text(one, "platform_name")
    session.screen.tell(session.console(f"links.{step}_what", platform=platform))
    if not yes:
        be_sure(session)
    answer = session.api.post(at_path("links", text(one, "id"), step)).json
    if session.screen.as_json:
        session.screen.json(answer)
    else:
        session.screen.say(session.console(f"links.done_{done}", platform=platform), "bold green")
    return OK


def _title(session: Session, one: Json) -> None:
    """Which link is meant."""
    home, platform = text(one, "home_name"), text(one, "platform_name")
    session.screen.tell(session.console("links.one_title", home=home, platform=platform), "bold")


def _id(session: Session, which: str) -> str:
    return text(_one(session, which), "id")


def _one(session: Session, which: str) -> Json:
    """A link by its number in the list, its listing, or its id. Raises ``Trouble``."""
    found = items(session.api.get("/api/links").json, "links")
    if which.isdecimal() and 1 <= int(which) <= len(found):
        return found[int(which) - 1]
    named = [one for one in found if which in (text(one, "listing"), text(one, "id"))]
    if not named:
        known = ", ".join(text(one, "listing") for one in found)
        raise Trouble(WRONG_USE, "links.not_there", link=which, known=known)
    return named[0]


def _table(session: Session, found: list[Json]) -> None:
    names = ("number", "listing", "home", "channel", "ours", "read", "theirs", "note")
    rows = []
    for place, one in enumerate(found, 1):
        peer = at(part(one, "read_by_platform"), "at")
        good = at(one, "last_answer")
        theirs = text(one, "reads_from")
        rows.append(
            [
                str(place),
                text(one, "listing"),
                text(one, "home_name"),
                text(one, "platform_name"),
                _ours(session, one),
                ago(peer, session.tools.now(), session.language),
                f"{theirs}, {ago(good, session.tools.now(), session.language)}" if theirs else "",
                session.console("links.dead") if one.get("dead") else setback(session, one, "error"),
            ]
        )
    session.screen.table([session.t(f"links.{name}") for name in names], rows)


def _ours(session: Session, one: Json) -> str:
    """How far our calendar is given out."""
    if one.get("revoked"):
        return session.t("links.is_revoked")
    if not one.get("served"):
        return session.t("links.waits", silent=", ".join(texts(one, "waits_for")))
    until = at(one, "former_until")
    return session.t("links.until", when=_day(session, until)) if until else session.t("links.given")


def _day(session: Session, when: datetime) -> str:
    return moment(when, PARIS, session.language)


def _shown(session: Session, one: Json) -> int:
    """An address, and where it goes."""
    if session.screen.as_json:
        session.screen.json(one)
        return OK
    screen, platform, address = session.screen, text(one, "platform_name"), text(one, "address")
    if not address:
        screen.say(session.console("links.revoked") if one.get("revoked") else session.t("links.not_yours"))
        return A_PERSON
    _title(session, one)
    screen.say(address, "bold")
    screen.tell(session.console("links.give", platform=platform))
    kind = text(one, "platform")
    paste = f"paste.{kind}" if session.has_console(f"paste.{kind}") else "paste.ical"
    screen.tell(f"{session.console('links.paste')}{session.t('base.colon')}{session.console(paste)}")
    until = at(one, "former_until")
    if until:
        screen.tell(session.console("links.until", when=_day(session, until)))
    if is_loopback(urlsplit(address).hostname or ""):
        screen.tell(session.console("links.laptop", platform=platform), "yellow")
    if not one.get("served"):
        silent = ", ".join(texts(one, "waits_for"))
        screen.tell(session.console("links.wait_silent", silent=silent), "yellow")
    return OK
