"""``portfolio``: homes, listings and links as a text, out and in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from local.cli.api import Refusal
from local.cli.files import read, write
from local.cli.reading import Json, items, number, text, texts
from local.cli.session import Session, of
from local.cli.trouble import OK, WRONG_USE

KIND = "application/yaml"


def export(
    ctx: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="help.export.output", metavar="FILE")
    ] = None,
    links: Annotated[bool, typer.Option("--links", help="help.portfolio.links")] = False,
) -> int:
    """Print it, or write it into a file."""
    session = of(ctx)
    found = session.api.get("/api/portfolio", **({"links": "true"} if links else {})).text
    if output is not None:
        write(session, output, found)
    elif session.screen.as_json:
        session.screen.json({"portfolio": found})
    else:
        session.screen.raw(found)
    return OK


def take(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="help.portfolio.file", metavar="FILE")],
) -> int:
    """Add and update what a file names; nothing is deleted."""
    session = of(ctx)
    try:
        done = session.api.put("/api/portfolio", read(file), KIND).json
    except Refusal as refusal:
        problems = items(refusal.problem, "problems")
        if not problems:
            raise
        _mistakes(session, file.name, problems)
        return WRONG_USE
    if session.screen.as_json:
        session.screen.json(done)
    else:
        _done(session, done)
    return OK


def _mistakes(session: Session, name: str, problems: list[Json]) -> None:
    session.screen.tell(session.t("portfolio.mistakes", count=len(problems), file=name), "bold red")
    for one in problems:
        place = ":".join(str(number(one, part)) for part in ("line", "column") if number(one, part))
        parts = [part for part in (place, text(one, "field"), text(one, "text")) if part]
        session.screen.tell(f"  {'  '.join(parts)}")


def _done(session: Session, done: Json) -> None:
    counted = {name: number(done, name) for name in ("homes", "listings")}
    session.screen.say(session.t("portfolio.taken", **counted), "bold green")
    for key in ("created", "changed"):
        if texts(done, key):
            session.screen.say(session.t(f"portfolio.{key}", sites=", ".join(texts(done, key))))
