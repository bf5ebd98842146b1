"""``check-feed``: what is in a calendar link, or in plain words why it cannot be used. Nothing is stored.

The look is the console's own, made from this machine, so that it needs no engine that runs; with ``--at`` the engine
there looks.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from local.cli.api import Refusal
from local.cli.look import look
from local.cli.reading import Json, items, number, part, said, text, texts
from local.cli.session import Session, of, unseen
from local.cli.trouble import A_PERSON, OK
from shared.domain.model import Busy
from shared.domain.spoken import nights_said
from shared.engine.look_text import odd

MOST_SHOWN = 20
"""Stretches that are listed."""


def check_feed(
    ctx: typer.Context,
    link: Annotated[str, typer.Argument(help="help.feed.link", metavar="[URL]")] = "",
    platform: Annotated[str, typer.Option(help="help.feed.platform", metavar="NAME")] = "",
) -> int:
    """Look into it; 1 when it cannot be used."""
    session = of(ctx)
    pasted = link or unseen(session.t("feed.paste"))
    found = _there(session, pasted, platform) if session.at else _here(session, pasted, platform)
    if session.screen.as_json:
        session.screen.json(found)
    elif found.get("usable"):
        _show(session, found)
    else:
        session.screen.say(said(found, "said", session.language), "bold red")
    return OK if found.get("usable") else A_PERSON


def _here(session: Session, pasted: str, platform: str) -> Json:
    return asyncio.run(look(pasted, platform, session.tools.http))


def _there(session: Session, pasted: str, platform: str) -> Json:
    """The same, seen by an engine elsewhere, which also knows its own addresses."""
    wanted = {"url": pasted, **({"platform": platform} if platform else {})}
    try:
        return {"usable": True, **session.api.post("/api/feeds/check", wanted).json}
    except Refusal as refusal:
        problem = refusal.problem
        if not part(problem, "said"):
            raise
        return {"usable": False, "why": text(problem, "reason"), "said": part(problem, "said")}


def _show(session: Session, found: Json) -> None:
    screen, language = session.screen, session.language
    platform, taken = text(found, "platform_name"), items(found, "taken")
    screen.say(session.t("feed.host", host=text(found, "host"), platform=platform), "bold green")
    if not found.get("recognised"):
        screen.say(session.t("feed.guessed", platform=platform), "yellow")
    if not taken:
        screen.say(session.console("connect.empty"), "yellow")
    for one in taken[:MOST_SHOWN]:
        screen.say(f"• {nights_said(text(one, 'nights'), language)}  {_kind(session, one)}", indent=2)
    if len(taken) > MOST_SHOWN:
        screen.say(session.console("connect.more", count=len(taken) - MOST_SHOWN), indent=2)
    screen.say(f"{session.console('connect.past')}{session.t('base.colon')}{number(found, 'past')}")
    for oddity in texts(found, "oddities"):
        line = f"{session.console('connect.odd')}{session.t('base.colon')}{odd(oddity, language)}"
        screen.say(line, "yellow")


def _kind(session: Session, one: Json) -> str:
    """What the calendar's words say that a stretch is. A platform's own rule closes nights as its host would."""
    kind = text(one, "kind")
    key = f"connect.is_{Busy.BLOCK if kind == Busy.LIMIT else kind}"
    return session.console(key) if session.has_console(key) else kind
