"""Signing in with a code on one's own machine, and out again. On Azure the platform does both."""

from __future__ import annotations

import secrets

from shared.use_cases import Ask, HttpAnswer
from shared.web.cookies import cookie
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.local_keys import STAYS_IN
from shared.web.render import see
from shared.web.sign_in import SESSION


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """The field for the code, or the way to the platform's own sign-in."""
    return desk.pages.page(ask, "sign_in.html", local=desk.keys is not None, wrong=False)


async def enter(desk: Desk, ask: Ask) -> HttpAnswer:
    """Exchange a code for the cookie."""
    if desk.keys is None:
        return see("/")
    if not await desk.keys.enter(form(ask.body).get("code", "")):
        return desk.pages.page(ask, "sign_in.html", 403, local=True, wrong=True)
    value = desk.keys.session(desk.operations.world.now(), secrets.token_urlsafe(12))
    age = int(STAYS_IN.total_seconds())
    return see("/", **{"set-cookie": cookie(SESSION, value, age=age, secure=desk.secure, strict=False)})


async def leave(desk: Desk, ask: Ask) -> HttpAnswer:
    """Forget this browser."""
    where = "/sign-in" if desk.keys is not None else "/.auth/logout"
    return see(where, **{"set-cookie": cookie(SESSION, "", age=0, secure=desk.secure)})
