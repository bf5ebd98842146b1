"""``replay``: what nobody could process, and another try for one of it."""

from __future__ import annotations

from typing import Annotated

import typer

from local.cli.api import Refusal, at_path
from local.cli.reading import Json, at, items, number, said, text
from local.cli.session import Session, of
from local.cli.trouble import A_PERSON, OK, WRONG_USE, Trouble
from shared.domain.spoken import PARIS, moment


def replay(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="help.replay.message", metavar="[ID]")] = "",
) -> int:
    """List them (1 when there is one), or have one tried again."""
    session = of(ctx)
    if message:
        return _again(session, message)
    found = session.api.get("/api/quarantine").json
    listed = _all(found)
    if session.screen.as_json:
        session.screen.json(found)
    elif listed:
        _list(session, listed)
        if number(found, "left_out"):
            session.screen.say(session.t("replay.left_out", count=number(found, "left_out")))
    else:
        session.screen.say(session.t("replay.none"), "bold green")
    if text(found, "bus"):
        session.screen.tell(session.t("replay.bus", why=text(found, "bus")), "bold yellow")
    return A_PERSON if listed or text(found, "bus") else OK


def _all(found: Json) -> list[Json]:
    return [*items(found, "quarantine"), *items(found, "dead_letters")]


def _list(session: Session, listed: list[Json]) -> None:
    rows = []
    for place, one in enumerate(listed, 1):
        when = at(one, "at")
        clock = moment(when, PARIS, session.language) if when else ""
        source = text(one, "source") or text(one, "queue")
        rows.append([str(place), clock, source, said(one, "reason_text", session.language), text(one, "id")])
    names = ("number", "when", "source", "reason", "id")
    session.screen.table([session.t(f"replay.{name}") for name in names], rows)
    session.screen.say()
    session.screen.say(session.t("replay.how"))


def _again(session: Session, message: str) -> int:
    """Try one again, by its number in the list or its id."""
    if message.isdecimal():
        listed = _all(session.api.get("/api/quarantine").json)
        if not 1 <= int(message) <= len(listed):
            raise Trouble(WRONG_USE, "replay.no_number", number=message, most=len(listed))
        message = text(listed[int(message) - 1], "id")
    try:
        done = session.api.post(at_path("quarantine", message, "replay")).json
    except Refusal as refusal:
        if refusal.status == 404:
            raise Trouble(WRONG_USE, "replay.not_there") from None
        raise
    if session.screen.as_json:
        session.screen.json(done)
    elif done.get("already"):
        session.screen.say(session.t("replay.already", by=text(done, "by")))
    else:
        session.screen.say(session.t("replay.sent"), "bold green")
    return OK
