"""``why``: why a night of a home is as it is, with the chain of causes."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer

from local.cli.api import Refusal
from local.cli.reading import Json, at, items, said, text, texts
from local.cli.session import Session, of
from local.cli.trouble import OK, WRONG_USE, Trouble
from shared.domain.spoken import PARIS, moment

_FRENCH = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")


def why(
    ctx: typer.Context,
    home: Annotated[str, typer.Argument(help="help.why.home", metavar="HOME")],
    night: Annotated[str, typer.Argument(help="help.why.date", metavar="DATE")],
    chain: Annotated[bool, typer.Option("--chain", help="help.why.chain")] = False,
) -> int:
    """Explain it."""
    session = of(ctx)
    try:
        found = session.api.get("/api/why", home=home, date=_day(night)).json
    except Refusal as refusal:
        if refusal.status == 404:
            raise Trouble(WRONG_USE, "why.no_home", home=home, known=_homes(session)) from None
        raise
    if session.screen.as_json:
        session.screen.json(found)
    else:
        _explain(session, found, chain=chain)
    return OK


def _day(written: str) -> str:
    """A day as the API reads it; "10/07/2027" is understood as in French. Raises ``Trouble``."""
    french = _FRENCH.fullmatch(written)
    try:
        if french:
            day, month, year = (int(one) for one in french.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(written).isoformat()
    except ValueError:
        raise Trouble(WRONG_USE, "why.no_date", date=written) from None


def _homes(session: Session) -> str:
    """The homes there are, as far as the state tells them: a site of one home bears its id."""
    sites = items(session.api.get("/api/status").json, "sites")
    return ", ".join(f"{text(one, 'id')} ({', '.join(texts(one, 'homes'))})" for one in sites)


def _explain(session: Session, found: Json, *, chain: bool) -> None:
    language, screen = session.language, session.screen
    screen.say(said(found, "text", language), "bold")
    for listing in items(found, "listings"):
        screen.say(f"• {said(listing, 'text', language)}", indent=2)
        for closure in items(listing, "closures") if chain else []:
            screen.say(said(closure, "text", language), indent=4)
            _chain(session, items(closure, "chain"))
    for fact in items(found, "facts"):
        screen.say(f"• {said(fact, 'text', language)}{_by(said(fact, 'by_text', language))}", indent=2)
        _chain(session, items(fact, "chain") if chain else [])
    for hold in items(found, "holds"):
        screen.say(f"• {said(hold, 'text', language)}", indent=2)
    for reason in items(found, "held_back"):
        screen.say(f"• {text(reason, language)}", indent=2)


def _chain(session: Session, steps: list[Json]) -> None:
    for step in steps:
        when = at(step, "at")
        clock = moment(when, PARIS, session.language) if when else "?"
        line = f"{clock}  {said(step, 'text', session.language)}{_by(said(step, 'by', session.language))}"
        session.screen.say(line, "dim", indent=6)


def _by(who: str) -> str:
    """By whom or what, behind a sentence."""
    return f" ({who})" if who else ""
