"""A person with a browser and nothing else: types, clicks, follows redirects, and every click is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import httpx

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.door import Door
from shared.web.limit import Limit
from shared.web.local_keys import LocalKeys
from shared.web.sign_in import LocalSignIn
from tests.engine.hamlet import Hamlet
from tests.web.html_tree import Node, read
from tests.web.support import PAGES, find

KEY = "a-key-that-stays-on-this-machine"


@dataclass
class Visitor:
    """Somebody at an engine, however it is reached. ``public`` is where the world reaches it; ``page`` is what is on
    the screen, ``seen`` all answers, ``addresses`` all that was asked for."""

    public: str = "https://console.example"
    clicks: int = 0
    where: str = ""
    page: Node = field(default_factory=lambda: Node("html"))
    jar: dict[str, str] = field(default_factory=dict)
    seen: list[HttpAnswer] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def open(self, where: str) -> None:
        """Type an address (or follow a bookmark): no click."""
        self._go("GET", where)

    def follow(self, link: Node) -> None:
        """Click a link."""
        self.clicks += 1
        self._go("GET", link.attributes["href"])

    def press(self, form: Node, button: Node | None = None, **typed: str) -> None:
        """Type into fields that are on the form, and click its button."""
        names = {
            one.attributes.get("name")
            for one in (*form.every("input"), *form.every("textarea"), *form.every("select"))
        }
        assert typed.keys() <= names, f"{typed.keys()} of {names}"
        self.clicks += 1
        fields = [*_stands(form), *([button] if button else [])]
        values = {
            one.attributes["name"]: one.attributes.get("value", "")
            for one in fields
            if "name" in one.attributes
        }
        values |= {name: chosen for one in form.every("select") for name, chosen in [_chosen(one)]}
        self._go("POST", form.attributes["action"], urlencode(values | typed).encode())

    def copy(self) -> str:
        """Click the button that copies, and say what is in the clipboard then."""
        self.clicks += 1
        (button,) = [one for one in self.page.every("button") if "data-copy" in one.attributes]
        source = self.page.one("input", id=button.attributes["data-copy"])
        assert "readonly" in source.attributes, "without scripts it is selected and copied by hand"
        return source.attributes["value"]

    def form(self, action: str) -> Node:
        """The form that goes there."""
        return self.page.one("form", action=action)

    def _go(self, method: str, where: str, body: bytes = b"") -> None:
        for _ in range(5):
            self.addresses.append(where)
            answer = self._ask(method, where, body)
            self.seen.append(answer)
            self._keep(answer)
            if answer.status != 303:
                break
            method, where, body = "GET", answer.headers["location"], b""
        self.where, self.page = where, read(answer.body)

    def _headers(self, method: str) -> dict[str, str]:
        headers = {
            "cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items()),
            "accept-language": "fr",
        }
        if method == "POST":
            headers |= {"origin": self.public, "sec-fetch-site": "same-origin"}
        return headers

    def _ask(self, method: str, where: str, body: bytes) -> HttpAnswer:
        raise NotImplementedError

    def _keep(self, answer: HttpAnswer) -> None:
        cookie = SimpleCookie(answer.headers.get("set-cookie", ""))
        self.jar |= {name: one.value for name, one in cookie.items()}


def _stands(form: Node) -> list[Node]:
    """Fields that go along as they stand."""
    kinds = ("hidden", "text", "url", "")
    found = [one for one in form.every("input") if one.attributes.get("type", "") in kinds]
    ticked = [one for one in form.every("input") if "checked" in one.attributes]
    return [*found, *ticked]


def _chosen(select: Node) -> tuple[str, str]:
    options = select.every("option")
    chosen = next((one for one in options if "selected" in one.attributes), options[0])
    return select.attributes["name"], chosen.attributes.get("value", chosen.text.strip())


@dataclass
class Newcomer(Visitor):
    """At the door of a hamlet's engine."""

    hamlet: Hamlet = field(kw_only=True)

    def __post_init__(self) -> None:
        engine = self.hamlet.engine
        self.keys = LocalKeys(KEY, engine.world.notes)
        free = Limit(1_000_000, 1, lambda: 0.0)
        desk = Desk(engine, PAGES, self.public, self.keys)
        self.door = Door(desk, LocalSignIn(self.keys), free, free)

    def _ask(self, method: str, where: str, body: bytes) -> HttpAnswer:
        path, _, query = where.partition("?")
        route, params = find(method, path)
        given = dict(one.partition("=")[::2] for one in query.split("&") if one)
        ask = Ask(method, path, params, given, self._headers(method), body)
        return self.hamlet.run(self.door.answer(route, ask))


@dataclass
class OverHttp(Visitor):
    """At an engine that runs, by real requests."""

    client: httpx.Client = field(kw_only=True)

    def _ask(self, method: str, where: str, body: bytes) -> HttpAnswer:
        kind = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        answer = self.client.request(
            method, self.public + where, content=body, headers=self._headers(method) | kind
        )
        return HttpAnswer(answer.status_code, answer.content, dict(answer.headers))
