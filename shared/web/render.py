"""Templates into pages. Everything that is put into one is escaped; what a template asks for must be there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.use_cases import Ask, HttpAnswer
from shared.web.words import words

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

_HTML = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}


class Pages:
    """Renders templates; built at the first page, since a webhook needs none."""

    def __init__(self) -> None:
        self._environment: Environment | None = None

    def page(
        self,
        ask: Ask,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> HttpAnswer:
        """A template as an answer. It finds ``ask``, ``t`` (a text of the interface by its key, with its values) and
        what is given here."""
        body = self.text(ask, template, **values)
        return HttpAnswer(status, body.encode(), {**_HTML, **(headers or {})})

    def text(self, ask: Ask, template: str, **values: object) -> str:
        """A template as text: for a piece of a page."""
        found = words(ask.language)

        def t(key: str, **named: object) -> str:
            return found[key].format(**named)

        return self._ready().get_template(template).render(ask=ask, t=t, lang=ask.language, **values)

    def _ready(self) -> Environment:
        if self._environment is None:
            from jinja2 import Environment, FileSystemLoader, StrictUndefined

            from shared.web import assets, filters
            from shared.web.escape import exact
            from shared.web.nav import NAV

            self._environment = Environment(
                loader=FileSystemLoader(TEMPLATES),
                autoescape=True,
                undefined=StrictUndefined,
                finalize=exact,
                trim_blocks=True,
                lstrip_blocks=True,
            )
            self._environment.globals.update(asset=assets.address, nav=NAV)
            self._environment.filters.update(filters.FILTERS)
        return self._environment


def see(where: str, **headers: str) -> HttpAnswer:
    """After a form: go and look there (303)."""
    # A header is ASCII: what a name in an address holds beyond that is written in percent signs.
    return HttpAnswer(
        303,
        b"",
        {"location": quote(where, safe="/%?&=#:;,.~+@!$'()*[]-_"), "cache-control": "no-store", **headers},
    )
