"""``code``: the code that signs in next at the console of this machine."""

from __future__ import annotations

import typer

from local.cli.api import Refusal
from local.cli.reading import text
from local.cli.session import of
from local.cli.trouble import OK, WRONG_USE, Trouble


def code(ctx: typer.Context) -> int:
    """Show it."""
    session = of(ctx)
    try:
        found = session.api.get("/api/sign-in").json
    except Refusal as refusal:
        if refusal.status == 404:
            raise Trouble(WRONG_USE, "code.elsewhere") from None
        raise
    if session.screen.as_json:
        session.screen.json(found)
    else:
        session.screen.say(text(found, "code"), "bold")
        session.screen.tell(session.t("code.where", address=f"{session.api.address}/sign-in"))
    return OK
