"""``conflicts``: the double bookings."""

from __future__ import annotations

from typing import Annotated

import typer

from local.cli.api import Refusal, at_path
from local.cli.clash import UNDECIDED, stands, whole
from local.cli.reading import Json, items, said, text
from local.cli.session import Session, of
from local.cli.trouble import A_PERSON, OK, WRONG_USE, Trouble


def conflicts(
    ctx: typer.Context,
    conflict: Annotated[str, typer.Argument(help="help.resolve.conflict", metavar="[ID]")] = "",
    everything: Annotated[bool, typer.Option("--all", help="help.conflicts.all")] = False,
) -> int:
    """List them, or show one with what can be done; 1 when one waits for a decision."""
    session = of(ctx)
    if conflict:
        return _one(session, pick(session, conflict))
    answer = session.api.get("/api/conflicts").json
    found = items(answer, "conflicts") if everything else open_ones(answer)
    if session.screen.as_json:
        session.screen.json({**answer, "conflicts": found})
    elif found:
        listed(session, found)
    else:
        session.screen.say(session.t("conflicts.none"), "bold green")
    return A_PERSON if any(text(one, "state") in UNDECIDED for one in found) else OK


def _one(session: Session, name: str) -> int:
    """One of them; for scripts with the tag that a decision about it must name."""
    try:
        read = session.api.get(at_path("conflicts", name))
    except Refusal as refusal:
        if refusal.status == 404:
            raise Trouble(WRONG_USE, "resolve.not_there") from None
        raise
    if session.screen.as_json:
        session.screen.json({**read.json, "etag": read.etag})
    else:
        whole(session, read.json)
        stands(session, read.json)
    return A_PERSON if text(read.json, "state") in UNDECIDED else OK


def pick(session: Session, which: str) -> str:
    """The id meant: one by its number in the list of open ones, or the id itself. Raises ``Trouble``."""
    if not which.isdecimal():
        return which
    return nth(open_ones(session.api.get("/api/conflicts").json), which)


def nth(found: list[Json], number: str) -> str:
    """The id of the one with this number in a list that a person sees. Raises ``Trouble``."""
    if not number.isdecimal() or not 1 <= int(number) <= len(found):
        raise Trouble(WRONG_USE, "resolve.no_number", number=number, most=len(found))
    return text(found[int(number) - 1], "id")


def open_ones(answer: Json) -> list[Json]:
    """Those that are not over, the worst first."""
    return [one for one in items(answer, "conflicts") if not text(one, "ended_at")]


def listed(session: Session, found: list[Json]) -> None:
    """A table of them; the number in front may be given to ``resolve``."""
    names = ("number", "home", "nights", "sides", "severity", "state", "id")
    rows = [
        [
            str(place),
            text(one, "home_name"),
            said(one, "nights_text", session.language),
            " + ".join(text(side, "platform_name") for side in items(one, "sides")),
            said(one, "severity_text", session.language),
            said(one, "state_text", session.language),
            text(one, "id"),
        ]
        for place, one in enumerate(found, 1)
    ]
    session.screen.table([session.t(f"conflicts.{name}") for name in names], rows)
