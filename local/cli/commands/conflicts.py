"""``conflicts``: the double bookings."""

from __future__ import annotations

from typing import Annotated

import typer

from local.cli.needs import UNDECIDED
from local.cli.reading import Json, items, said, text
from local.cli.session import Session, of
from local.cli.trouble import A_PERSON, OK


def conflicts(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="help.conflicts.all")] = False,
) -> int:
    """List them; 1 when one waits for a decision."""
    session = of(ctx)
    answer = session.api.get("/api/conflicts").json
    found = items(answer, "conflicts") if everything else open_ones(answer)
    if session.screen.as_json:
        session.screen.json({**answer, "conflicts": found})
    elif found:
        listed(session, found)
    else:
        session.screen.say(session.t("conflicts.none"), "bold green")
    return A_PERSON if any(text(one, "state") in UNDECIDED for one in found) else OK


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
