"""``resolve``: both stays of a double booking, what can be done, and a person's choice.

The choice goes out with the tag of what was shown. Whoever comes second is told who was first, and nothing is done
twice; whoever decided on facts that have changed is shown the new ones.
"""

from __future__ import annotations

from typing import Annotated

import typer

from local.cli.api import Answer, Overtaken, Refusal, at_path
from local.cli.clash import stands, whole
from local.cli.commands.conflicts import listed, nth, open_ones, pick
from local.cli.reading import Json, items, text
from local.cli.session import Session, of
from local.cli.trouble import A_PERSON, OK, WRONG_USE, Trouble

_CHANGED = 412


def resolve(
    ctx: typer.Context,
    conflict: Annotated[str, typer.Argument(help="help.resolve.conflict", metavar="[ID]")] = "",
    proposal: Annotated[str, typer.Option(help="help.resolve.proposal", metavar="ID")] = "",
    etag: Annotated[str, typer.Option(help="help.resolve.etag", metavar="TAG")] = "",
    note: Annotated[str, typer.Option(help="help.resolve.note", metavar="TEXT")] = "",
    acknowledge: Annotated[bool, typer.Option("--acknowledge", help="help.resolve.acknowledge")] = False,
) -> int:
    """Decide one; 1 when nothing was decided."""
    session = of(ctx)
    name = pick(session, conflict) if conflict else _choose(session)
    if not name:
        session.screen.say(session.t("conflicts.none"), "bold green")
        return OK
    try:
        if acknowledge:
            return _shown(session, session.api.post(at_path("conflicts", name, "acknowledge")).json)
        if proposal:
            etag = etag or session.api.get(at_path("conflicts", name)).etag
            return _shown(session, _decide(session, name, proposal, note, etag).json)
        return _decided(session, name, note)
    except Refusal as refusal:
        if refusal.status == 404:
            raise Trouble(WRONG_USE, "resolve.not_there") from None
        raise


def _decided(session: Session, name: str, note: str) -> int:
    """Show it, ask what to do, do it: again while the facts change under the person's eyes."""
    while True:
        read = session.api.get(at_path("conflicts", name))
        if not items(read.json, "proposals"):
            return _shown(session, read.json)
        chosen = _ask(session, read.json)
        if not chosen:
            session.screen.say(session.t("resolve.nothing"))
            return A_PERSON
        try:
            return _shown(session, _decide(session, name, chosen, note, read.etag).json)
        except Overtaken as overtaken:
            if overtaken.status != _CHANGED:
                raise
            session.screen.tell(str(overtaken.values["why"]), "bold yellow")


def _choose(session: Session) -> str:
    """The id of the only conflict there is, or of the one a person names by its number; empty for none."""
    found = open_ones(session.api.get("/api/conflicts").json)
    if len(found) < 2:
        return text(found[0], "id") if found else ""
    if session.screen.as_json:
        raise Trouble(WRONG_USE, "resolve.which_id")
    listed(session, found)
    return nth(found, typer.prompt(session.t("resolve.which"), prompt_suffix=" ", err=True).strip())


def _ask(session: Session, conflict: Json) -> str:
    """Show both sides and what can be done; the id of what was chosen, empty for nothing."""
    if session.screen.as_json:
        raise Trouble(WRONG_USE, "resolve.needs_proposal")
    whole(session, conflict)
    proposals = items(conflict, "proposals")
    number = typer.prompt(
        session.t("resolve.choose"), default="", show_default=False, prompt_suffix=" ", err=True
    ).strip()
    return nth(proposals, number) if number else ""


def _decide(session: Session, name: str, chosen: str, note: str, etag: str) -> Answer:
    """Send the choice, with the tag of what it rests on."""
    wish = {"proposal": chosen, **({"note": note} if note else {})}
    return session.api.post(at_path("conflicts", name, "resolution"), wish, etag)


def _shown(session: Session, one: Json) -> int:
    """How it stands now; what is left for a person to do."""
    if session.screen.as_json:
        session.screen.json(one)
    else:
        stands(session, one)
    return OK
