"""``erase`` and ``export-person``: what is kept of one guest, handed out or erased.

A name is asked for and not shown while it is typed, or read from the input: what stands on a command line stands in the
shell's history and in the list of processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from local.cli.files import write
from local.cli.reading import Json, items, number, part, text, texts
from local.cli.session import Session, be_sure, of, unseen
from local.cli.trouble import A_PERSON, OK
from shared.domain.spoken import nights_said

Reservation = Annotated[str, typer.Option(help="help.erase.reservation", metavar="CODE")]


def erase(
    ctx: typer.Context,
    reservation: Reservation = "",
    yes: Annotated[bool, typer.Option("--yes", help="help.erase.yes")] = False,
) -> int:
    """Erase one person; 1 when something could not be erased yet."""
    session = of(ctx)
    who = _who(session, reservation)
    found = session.api.post("/api/people/export", who).json
    if not _any(found):
        session.screen.say(session.t("erase.nothing"))
        return _left(session, found)
    if not yes:
        _say(session, found)
        session.screen.tell(session.t("erase.sure"))
        be_sure(session)
    done = session.api.post("/api/people/erase", who).json
    if session.screen.as_json:
        session.screen.json({"erased": done.get("erased"), "left": _counts(part(done, "left"))})
    else:
        erased = part(done, "erased")
        counted = {name: number(erased, name) for name in ("names", "notes", "lines", "messages")}
        session.screen.say(session.t("erase.done", **counted), "bold green")
    return _left(session, part(done, "left"))


def export_person(
    ctx: typer.Context,
    reservation: Reservation = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="help.export.output", metavar="FILE")
    ] = None,
) -> int:
    """Hand out what is kept of one person, as JSON."""
    session = of(ctx)
    answer = session.api.post("/api/people/export", _who(session, reservation))
    if output is not None:
        write(session, output, answer.text)
    else:
        session.screen.json(answer.json)
    return _left(session, answer.json)


def _who(session: Session, reservation: str) -> dict[str, str]:
    """Who is meant: by the code of a reservation, or by the name that is typed."""
    if reservation:
        return {"reservation": reservation}
    return {"name": unseen(session.t("erase.name"))}


def _any(found: Json) -> bool:
    return any(_counts(found).values())


def _counts(found: Json) -> dict[str, int]:
    return {name: len(items(found, name)) for name in ("stays", "notes", "record", "messages")}


def _say(session: Session, found: Json) -> None:
    """How much was found, and in which stays: enough to see that the right person is meant, without a name."""
    session.screen.say(session.t("erase.found", **_counts(found)), "bold")
    for stay in items(found, "stays"):
        nights = nights_said(" ".join(texts(stay, "nights")), session.language)
        code = text(stay, "code") or text(stay, "platform")
        session.screen.say(f"• {', '.join(texts(stay, 'homes'))}, {nights} ({code})", indent=2)


def _left(session: Session, left: Json) -> int:
    """What was not looked through, or is still there."""
    for name in texts(left, "not_looked_through"):
        session.screen.tell(session.t("erase.not_looked", what=name), "bold yellow")
    waits = len(items(left, "messages"))
    if waits:
        session.screen.tell(session.t("erase.waits", count=waits), "bold yellow")
    return A_PERSON if texts(left, "not_looked_through") or waits else OK
