"""``check-feed``: what is in a calendar link, or in plain words why it cannot be used. Nothing is stored.

The look is the console's own, made from this machine: it needs no engine that runs.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from local.cli.look import look
from local.cli.session import Session, named, of
from local.cli.trouble import A_PERSON, OK
from shared.domain.model import Busy
from shared.domain.spoken import span
from shared.engine.look import Looked, Refusal
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
    pasted = link or typer.prompt(session.t("feed.paste"), hide_input=True, prompt_suffix=" ", err=True)
    found = asyncio.run(look(pasted, platform, session.tools.http))
    if isinstance(found, Refusal):
        if session.screen.as_json:
            session.screen.json({"usable": False, "why": found.why.value, "said": found.said})
        else:
            session.screen.say(found.said[session.language], "bold red")
        return A_PERSON
    if session.screen.as_json:
        session.screen.json(_as_json(found))
    else:
        _show(session, found)
    return OK


def _show(session: Session, found: Looked) -> None:
    screen, language = session.screen, session.language
    platform = named(found.platform)
    screen.say(session.t("feed.host", host=found.host, platform=platform), "bold green")
    if not found.recognised:
        screen.say(session.t("feed.guessed", platform=platform), "yellow")
    stays, closed = found.counted(Busy.STAY), found.counted(Busy.CLOSED)
    blocks = len(found.ahead) - stays - closed
    counted = {
        "ahead": len(found.ahead),
        "stays": stays,
        "closed": closed,
        "blocks": blocks,
        "past": found.past,
    }
    screen.say(session.t("feed.ahead", **counted))
    for one in found.ahead[:MOST_SHOWN]:
        screen.say(f"• {span(one.dates, language)}  {session.t(f'feed.{one.kind.value}')}", indent=2)
    if len(found.ahead) > MOST_SHOWN:
        screen.say(session.t("feed.more", count=len(found.ahead) - MOST_SHOWN), indent=2)
    for oddity in found.oddities:
        screen.say(session.t("feed.odd", what=odd(oddity, language)), "yellow")


def _as_json(found: Looked) -> dict[str, object]:
    return {
        "usable": True,
        "host": found.host,
        "platform": str(found.platform),
        "recognised": found.recognised,
        "ahead": [{"kind": one.kind.value, "nights": str(one.dates)} for one in found.ahead],
        "past": found.past,
        "oddities": list(found.oddities),
    }
