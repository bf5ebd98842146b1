"""How the door says no: a page for people, a problem document for programs (RFC 9457)."""

from __future__ import annotations

from shared.domain.errors import NotAllowed, NotFound
from shared.domain.spoken import LANGUAGES
from shared.routes import Route
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import problem_in_words
from shared.web.render import Pages
from shared.web.words import words


def refuse(pages: Pages, route: Route, ask: Ask, status: int, key: str, **named: object) -> HttpAnswer:
    """A refusal in words: ``key`` names the text."""
    if not route.is_page:
        both = {language: words(language)[key].format(**named) for language in LANGUAGES}
        reason = "sign_in" if status == 401 else key.rpartition(".")[2]
        asks = {"www-authenticate": "Bearer"} if status == 401 else {}
        return problem_in_words(status, reason, both, **asks)
    said = words(ask.language)[key].format(**named)
    return pages.page(
        ask, "refused.html", status, title=words(ask.language)[f"refused.title_{status}"], said=said
    )


def not_theirs(pages: Pages, ask: Ask, wrong: NotFound | NotAllowed) -> HttpAnswer:
    """A page's no to what somebody names: 403 for who may look at it and not decide, 404 for who does not see it."""
    if isinstance(wrong, NotFound):
        return no_such_thing(pages, ask)
    found = words(ask.language)
    return pages.page(
        ask, "refused.html", 403, title=found["refused.title_403"], said=found["refused.viewer"]
    )


def no_such_thing(pages: Pages, ask: Ask) -> HttpAnswer:
    """A page's 404: the same for what never was and for what is somebody else's."""
    found = words(ask.language)
    return pages.page(
        ask, "refused.html", 404, title=found["refused.title_404"], said=found["refused.nothing"]
    )
