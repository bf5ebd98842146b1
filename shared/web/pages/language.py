"""Choosing the language."""

from __future__ import annotations

from shared.domain.spoken import LANGUAGES
from shared.use_cases import Ask, HttpAnswer
from shared.web.cookies import YEAR, cookie
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.language import COOKIE
from shared.web.render import see


async def choose(desk: Desk, ask: Ask) -> HttpAnswer:
    """Remember it in this browser, and go back to the page one came from; another site's address is not gone to."""
    sent = form(ask.body)
    language = sent.get("language", "")
    where = sent.get("back", "/")
    if not where.startswith("/") or where.startswith(("//", "/\\")) or not where.isprintable():
        where = "/"
    if language not in LANGUAGES:
        return see(where)
    return see(where, **{"set-cookie": cookie(COOKIE, language, age=YEAR, secure=desk.secure, strict=False)})
