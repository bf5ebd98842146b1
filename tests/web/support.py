"""A browser of a kind at the console's door: it finds the route, keeps cookies, and sends forms with their token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.engine.operations import Operations
from shared.routes import ROUTES, Route
from shared.use_cases import Ask, HttpAnswer
from shared.web import csrf
from shared.web.desk import Desk
from shared.web.door import Door
from shared.web.limit import Limit
from shared.web.render import Pages
from tests.engine.village import Village
from tests.web.html_tree import Node, read

PUBLIC = "https://console.example"

CLAIRE = Person("Claire", {"owner": Role.OPERATOR})
MARC = Person("Marc", {"owner": Role.OPERATOR})
VIEWER = Person("Vera", {"owner": Role.VIEWER})
STRANGER = Person("Zoé", {"somebody else": Role.OPERATOR})
EVERYWHERE = Person("Odile", {ALL_OWNERS: Role.OPERATOR})

PAGES = Pages()
"""One for all tests: templates are compiled once."""


@dataclass(frozen=True)
class As:
    """A sign-in that knows one person."""

    who: Person
    where: str = "/sign-in"

    async def person(
        self, headers: Mapping[str, str], now: datetime, most: timedelta = timedelta()
    ) -> Person:
        """Always the same."""
        return self.who


@dataclass
class Browser:
    """Somebody at the door of an engine. ``run`` is the village's; ``language`` what the browser asks for."""

    engine: Operations
    run: Callable[[Coroutine[Any, Any, HttpAnswer]], HttpAnswer]
    person: Person = CLAIRE
    language: str = "fr"
    secret: str = field(default_factory=csrf.new_secret)

    def __post_init__(self) -> None:
        free = Limit(1_000_000, 1, lambda: 0.0)
        self.door = Door(Desk(self.engine, PAGES, PUBLIC), As(self.person), free, free)

    def get(self, where: str, **headers: str) -> HttpAnswer:
        """Open an address."""
        return self.ask("GET", where, headers=headers)

    def post(self, where: str, fields: Mapping[str, str] | None = None, **headers: str) -> HttpAnswer:
        """Send a form of ours."""
        body = urlencode({csrf.FIELD: csrf.masked(self.secret), **(fields or {})}).encode()
        own = {"origin": PUBLIC, "sec-fetch-site": "same-origin", **headers}
        return self.ask("POST", where, body, own)

    def ask(
        self, method: str, where: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """One request."""
        return self.run(self.asked(method, where, body, headers))

    async def asked(
        self, method: str, where: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """The same for whoever runs several at once."""
        parts = urlsplit(where)
        route, params = find(method, parts.path)
        sent = {"cookie": f"csrf={self.secret}", "accept-language": self.language, **(headers or {})}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return await self.door.answer(route, Ask(method, parts.path, params, query, sent, body))

    def call(
        self, method: str, where: str, value: object = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """What a script of a page asks of the API."""
        return self.run(self.called(method, where, value, headers))

    async def called(
        self, method: str, where: str, value: object = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """The same for whoever runs several at once. ``value`` is sent as JSON, bytes as they are."""
        sent = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        return await self.asked(
            method, where, sent, {csrf.HEADER: csrf.masked(self.secret), **(headers or {})}
        )

    def page(self, where: str, status: int = 200) -> Node:
        """The page at an address, as a tree."""
        answer = self.get(where)
        assert answer.status == status, (answer.status, answer.headers)
        return read(answer.body)

    def press(self, form: Node, **fields: str) -> HttpAnswer:
        """Send a form as it stands on a page: its hidden fields, what was typed, and the button's own name."""
        own = {one.attributes["name"]: one.attributes.get("value", "") for one in form.every("input")}
        typed = [one for one in form.every("textarea") if "name" in one.attributes]
        own |= {one.attributes["name"]: one.text.removeprefix("\n") for one in typed}
        assert form.attributes["method"] == "post"
        assert csrf.fits(own.pop(csrf.FIELD), self.secret)
        return self.post(form.attributes["action"], own | fields)

    def __call__(self, person: Person) -> Browser:
        """Somebody else at the same door."""
        return replace(self, person=person, secret=csrf.new_secret())


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of an address, with its parameters as the Functions host gives them."""
    for route in ROUTES:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(route.path.strip("/")))
        found = re.fullmatch(pattern, path.strip("/"))
        if found and route.method == method:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise AssertionError(f"no route for {method} {path}")


def reads(village: Village, doing: Callable[[], object]) -> int:
    """How many reads of the tables something costs."""
    counted = [0]

    def count(operation: str, table: str, partition: str) -> None:
        counted[0] += operation in ("get", "query")

    before, village.tables.before = village.tables.before, count
    try:
        doing()
    finally:
        village.tables.before = before
    return counted[0]
