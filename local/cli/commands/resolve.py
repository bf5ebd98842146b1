"""``resolve``: both stays of a double booking, what can be done, and a person's choice.

The choice goes out with the tag of what was shown. Whoever comes second is told who was first, and nothing is done
twice; whoever decided on facts that have changed is shown the new ones.
"""

from __future__ import annotations

from typing import Annotated

import typer

from local.cli.api import Answer, Overtaken, Refusal, at_path
from local.cli.commands.conflicts import listed, open_ones
from local.cli.reading import Json, items, part, said, text
from local.cli.session import Session, of
from local.cli.trouble import A_PERSON, OK, WRONG_USE, Trouble
from shared.domain.spoken import nights_said

_CHANGED = 412


def resolve(
    ctx: typer.Context,
    conflict: Annotated[str, typer.Argument(help="help.resolve.conflict", metavar="[ID]")] = "",
    proposal: Annotated[str, typer.Option(help="help.resolve.proposal", metavar="ID")] = "",
    note: Annotated[str, typer.Option(help="help.resolve.note", metavar="TEXT")] = "",
    acknowledge: Annotated[bool, typer.Option("--acknowledge", help="help.resolve.acknowledge")] = False,
) -> int:
    """Decide one; 1 when nothing was decided."""
    session = of(ctx)
    name = conflict if conflict and not conflict.isdecimal() else _choose(session, conflict)
    if not name:
        session.screen.say(session.t("conflicts.none"), "bold green")
        return OK
    if acknowledge:
        return _shown(session, session.api.post(at_path("conflicts", name, "acknowledge")).json)
    while True:
        read = _read(session, name)
        if not items(read.json, "proposals"):
            return _shown(session, read.json)
        chosen = proposal or _ask(session, read.json)
        if not chosen:
            session.screen.say(session.t("resolve.nothing"))
            return A_PERSON
        try:
            decided = _decide(session, name, read, chosen, note)
        except Overtaken as overtaken:
            if overtaken.status != _CHANGED or proposal:
                raise
            session.screen.tell(str(overtaken.values["why"]), "bold yellow")
            continue  # the person decides anew, on what is true now
        return _shown(session, decided.json)


def _choose(session: Session, number: str) -> str:
    """The id of the conflict meant: the only one, the one of that number in the list, or the one a person names."""
    found = open_ones(session.api.get("/api/conflicts").json)
    if not found:
        return ""
    if not number and len(found) > 1:
        if session.screen.as_json:
            raise Trouble(WRONG_USE, "resolve.which_id")
        listed(session, found)
        number = typer.prompt(session.t("resolve.which"), prompt_suffix=" ", err=True)
    place = int(number) if number.isdecimal() else 0 if number else 1
    if not 1 <= place <= len(found):
        raise Trouble(WRONG_USE, "resolve.no_number", number=number, most=len(found))
    return text(found[place - 1], "id")


def _read(session: Session, name: str) -> Answer:
    try:
        return session.api.get(at_path("conflicts", name))
    except Refusal as refusal:
        if refusal.status == 404:
            raise Trouble(WRONG_USE, "resolve.not_there") from None
        raise


def _ask(session: Session, conflict: Json) -> str:
    """Show both sides and what can be done; the id of what was chosen, empty for nothing."""
    if session.screen.as_json:
        raise Trouble(WRONG_USE, "resolve.needs_proposal")
    _both(session, conflict)
    proposals = items(conflict, "proposals")
    for place, one in enumerate(proposals, 1):
        _proposal(session, place, one)
    number = typer.prompt(
        session.t("resolve.choose"), default="", show_default=False, prompt_suffix=" ", err=True
    ).strip()
    if not number:
        return ""
    if not number.isdecimal() or not 1 <= int(number) <= len(proposals):
        raise Trouble(WRONG_USE, "resolve.no_number", number=number, most=len(proposals))
    return text(proposals[int(number) - 1], "id")


def _decide(session: Session, name: str, read: Answer, chosen: str, note: str) -> Answer:
    """Send the choice; by its number among the proposals, or by its id."""
    proposals = items(read.json, "proposals")
    if chosen.isdecimal() and 1 <= int(chosen) <= len(proposals):
        chosen = text(proposals[int(chosen) - 1], "id")
    wish = {"proposal": chosen, **({"note": note} if note else {})}
    return session.api.post(at_path("conflicts", name, "resolution"), wish, read.etag)


def _both(session: Session, one: Json) -> None:
    language, screen = session.language, session.screen
    screen.say(
        session.t(
            "resolve.title",
            home=text(one, "home_name"),
            nights=said(one, "nights_text", language),
            severity=said(one, "severity_text", language),
            state=said(one, "state_text", language),
        ),
        "bold",
    )
    for side in items(one, "sides"):
        first = session.t("resolve.first") if side.get("first") else ""
        nights = said(side, "nights_text", language)
        screen.say(f"• {text(side, 'booking')}{session.t('base.colon')}{nights}{first}", indent=2)
        for line in (said(side, "what", language), said(side, "how_sure", language), text(side, "page")):
            if line:
                screen.say(line, "dim", indent=4)
    for open_one in items(one, "exposure"):
        nights = nights_said(text(open_one, "nights"), language)
        screen.say(
            session.t("resolve.exposed", platform=text(open_one, "platform_name"), nights=nights), "yellow"
        )
    screen.say()


def _proposal(session: Session, place: int, one: Json) -> None:
    language, screen = session.language, session.screen
    by_hand = session.t("resolve.by_hand") if one.get("by_hand") else session.t("resolve.by_us")
    screen.say(f"{place}. {said(one, 'what', language)} ({by_hand})", "bold")
    for name in ("reason", "cost", "what_will_happen"):
        line = said(one, name, language)
        if line:
            screen.say(session.t(f"resolve.{name}", what=line), indent=3)


def _shown(session: Session, one: Json) -> int:
    """How it stands now; what is left for a person to do."""
    if session.screen.as_json:
        session.screen.json(one)
        return OK
    language, screen = session.language, session.screen
    screen.say(session.t("resolve.stands", state=said(one, "state_text", language)), "bold green")
    decision = part(one, "decision")
    if decision:
        what = said(decision, "what", language) or text(decision, "proposal")
        screen.say(session.t("resolve.decided", what=what, by=text(decision, "by")))
    task = part(one, "task")
    for step in items(task, "steps"):
        nights = nights_said(text(step, "nights"), language)
        screen.say(
            f"• {text(step, 'booking') or text(step, 'listing')}{session.t('base.colon')}{nights}", indent=2
        )
        if text(step, "page"):
            screen.say(text(step, "page"), "dim", indent=4)
    message = said(task, "message", language)
    if message:
        screen.say(session.t("resolve.message"))
        screen.say(message, indent=4)
    return OK
