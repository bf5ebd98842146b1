"""The door: what it asks for, what it refuses, and what it adds to every answer."""

from __future__ import annotations

import gzip
import importlib
from dataclasses import replace

import pytest

from shared.domain.access import NOBODY, Person, Right
from shared.engine.opaque import sealed
from shared.routes import ROUTES
from shared.web import csrf
from shared.web.door import SAFE
from shared.web.limit import Limit
from tests.engine.village import Village
from tests.web.support import PUBLIC, Browser


@pytest.fixture
def browser() -> Browser:
    village = Village()
    return Browser(village.engine, village.run)


def test_every_handler_can_be_imported() -> None:
    for route in ROUTES:
        module, _, function = route.handler.partition(":")
        assert callable(getattr(importlib.import_module(f"shared.web.{module}"), function)), route


def test_names_and_addresses_are_unique() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_no_address_begins_as_the_hosts_own() -> None:
    assert not [route for route in ROUTES if route.path.startswith("admin") or "admin" in route.name]


def test_whoever_is_not_signed_in_is_shown_the_way_and_nothing_else(browser: Browser) -> None:
    nobody = browser(NOBODY)
    answer = nobody.get("/")
    assert (answer.status, answer.headers["location"], answer.body) == (303, "/sign-in", b"")
    assert nobody.get("/api/sign-in").status == 401


def test_whoever_has_no_role_reads_why(browser: Browser) -> None:
    answer = browser(Person("Zoé <b>")).get("/")
    assert answer.status == 403
    assert "Zoé &lt;b&gt;" in answer.body.decode()
    assert "aucun logement" in answer.body.decode()


def test_every_answer_keeps_the_browser_safe(browser: Browser) -> None:
    for answer in (browser.get("/"), browser(NOBODY).get("/"), browser.get("/static/none")):
        assert SAFE.items() <= answer.headers.items()
        assert "strict-transport-security" in answer.headers  # the village is reached by https
    assert browser.get("/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_form_of_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    assert browser.post("/language", {"language": "en"}, **headers).status == 403


def test_a_form_without_its_token_is_refused(browser: Browser) -> None:
    answer = browser.post("/language", {"language": "en", "csrf": csrf.masked(csrf.new_secret())})
    assert answer.status == 403
    assert "Rien n’a été fait" in answer.body.decode()


def test_a_program_without_cookies_needs_no_token(browser: Browser) -> None:
    headers = {"authorization": "Bearer x"}
    answer = browser.run(_without_cookie(browser, headers))
    assert answer.status == 303


async def _without_cookie(browser: Browser, headers: dict[str, str]):  # type: ignore[no-untyped-def]
    from shared.use_cases import Ask
    from tests.web.support import find

    route, params = find("POST", "/language")
    return await browser.door.answer(route, Ask("POST", "/language", params, {}, headers, b"language=en"))


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/channels", "/channels"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_after_the_language_one_is_back_where_one_was_and_nowhere_else(
    browser: Browser, back: str, where: str
) -> None:
    answer = browser.post("/language", {"language": "en", "back": back})
    assert (answer.status, answer.headers["location"]) == (303, where)
    assert answer.headers["set-cookie"].startswith("language=en; ")


def test_a_page_is_in_the_language_that_was_chosen_else_the_browsers(browser: Browser) -> None:
    assert 'lang="fr"' in browser.get("/").body.decode()
    assert '<html lang="en">' in browser.get("/", **{"accept-language": "de, en;q=0.5"}).body.decode()
    chosen = {"accept-language": "en", "cookie": f"csrf={browser.secret}; language=fr"}
    assert '<html lang="fr">' in browser.get("/", **chosen).body.decode()
    person = replace(browser.person, language="en")
    assert '<html lang="en">' in browser(person).get("/").body.decode()


def test_who_asks_too_fast_waits(browser: Browser) -> None:
    now = [0.0]
    browser.door = replace(browser.door, limit=Limit(2, 60, lambda: now[0]))
    assert [browser.get("/").status for _ in range(3)] == [200, 200, 429]
    refused = browser.get("/")
    assert refused.headers["retry-after"] == "30"
    now[0] = 30.0
    assert browser.get("/").status == 200


def test_a_body_nobody_asked_for_is_refused_before_it_is_read(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.web.door.form", lambda body: pytest.fail("it was read"))
    answer = browser(NOBODY).ask("POST", "/sign-in", b"%zz" * 10_000)
    assert answer.status == 413
    assert "Rien n’a été fait" in answer.body.decode()


def test_strangers_are_counted_by_address_whatever_port_they_come_from(browser: Browser) -> None:
    nobody = browser(NOBODY)
    nobody.door = replace(nobody.door, strangers=Limit(2, 60, lambda: 0.0))
    seen = [nobody.get("/", **{"x-forwarded-for": f"203.0.113.7:{port}"}).status for port in (1, 2, 3)]
    assert seen == [303, 303, 429]


def test_a_cookie_that_cannot_be_read_is_replaced_and_costs_nothing(browser: Browser) -> None:
    answer = browser.get("/", cookie="csrf=" + "4 " * 24)
    assert answer.status == 200
    assert answer.headers["set-cookie"].startswith("csrf=")


def test_a_name_that_can_be_no_key_is_not_there(browser: Browser) -> None:
    assert browser.get(f"/conflicts/{sealed('x' * 900, 'y')}").status == 404
    assert browser.get(f"/links/{sealed('x' * 900, 'y')}").status == 404


def test_an_address_in_a_header_is_ascii(browser: Browser) -> None:
    answer = browser.post("/language", {"language": "en", "back": "/é"})
    assert answer.headers["location"] == "/%C3%A9"


def test_a_long_page_is_packed_for_whoever_can_unpack_it(browser: Browser) -> None:
    packed = browser.get("/", **{"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(packed.body)
    assert "content-encoding" not in browser.get("/").headers


def test_a_first_visit_gets_the_cookie_that_proves_later_forms(browser: Browser) -> None:
    answer = browser.get("/", cookie="")
    assert answer.headers["set-cookie"].startswith("csrf=")
    assert "HttpOnly; SameSite=Strict; Secure" in answer.headers["set-cookie"]
    assert "set-cookie" not in browser.get("/").headers


_LOOKS = {
    # What is asked must not stand in an address: a name, or whether secrets are wanted.
    *("privacy/find", "privacy/export", "api/people/export", "portfolio/export"),
    # How one is told oneself: nothing of any home.
    *("notifications", "notifications/ways", "notifications/ways/{mark}/remove", "notifications/test"),
    *(
        "api/notifications",
        "api/notifications/ways",
        "api/notifications/ways/{mark}",
        "api/notifications/test",
    ),
}
"""What whoever only looks may send."""


def test_rights_are_what_the_method_suggests() -> None:
    for route in ROUTES:
        if route.changes and route.path in _LOOKS:
            assert route.right is Right.LOOK, route
        elif route.changes and route.right is not Right.DECIDE:
            assert route.right is Right.OPEN, f"{route}: whoever only looks changes nothing"
            assert route.path in ("sign-in", "sign-out", "language"), route
    assert PUBLIC
