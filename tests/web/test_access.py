"""Who may do what: every HTTP function by {nobody, somebody who only says so, another owner, a viewer, an operator}.

The rows are made of the table of routes, and the functions of what Azure would index: one without a row fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from local.host.indexing import index, load_app
from shared.domain.access import NOBODY, Person, Right
from shared.routes import ROUTES, Route
from shared.state.notes import NoteStore
from shared.state.people import PeopleStore
from shared.use_cases import HttpAnswer
from shared.web import assets, csrf
from shared.web.local_keys import LocalKeys
from shared.web.sign_in import AzureSignIn, LocalSignIn, SignIn
from tests.web.access import (
    BOTH,
    OPERATOR,
    OTHER,
    THEIRS,
    VIEWER,
    Stage,
    address,
    body_of,
    encoded,
    kinds_of,
    names_something,
    staged,
)
from tests.web.support import Browser

OWN_FUNCTIONS = {"console_export", "console_health", "webhook_receiver"}
"""Functions beside the table: whoever has the secret address, and monitors."""

NOT_HERE = {"console_code": 404}
"""What is of one's own machine alone, and so not of this village."""

PERSONAL = ("notifications", "api/notifications")
"""What belongs to whoever looks, and to no home."""

AT_HOMES = [route for route in ROUTES if not route.path.startswith(("static/", *PERSONAL))]
CLOSED = [route for route in ROUTES if route.right is not Right.OPEN]
CHANGES = [route for route in ROUTES if route.changes]
named = pytest.mark.parametrize


def name_of(route: Route) -> str:
    return route.name


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    built = staged()
    yield built
    built.village.close()


@pytest.fixture(autouse=True)
def nothing_changed(request: pytest.FixtureRequest) -> Iterator[None]:
    """The shared village is looked at and refused to change: it stays, row by row, what it was."""
    if "stage" not in request.fixturenames:
        yield
        return
    stage: Stage = request.getfixturevalue("stage")
    before = stage.dump()
    yield
    assert stage.dump() == before, "somebody who may not, or a GET, changed something"


def asked(
    stage: Stage,
    route: Route,
    person: Person,
    names: dict[str, str] | None = None,
    *,
    sign_in: SignIn | None = None,
    headers: Mapping[str, str] | None = None,
    token: bool = True,
    bare: bool = False,
) -> HttpAnswer:
    """One request as a browser of ours would send it; without ``token`` as another site would have it sent."""
    names = names or stage.real
    browser = Browser(stage.village.engine, stage.village.run, person)
    if sign_in is not None:
        browser.door = replace(browser.door, sign_in=sign_in)
    sent = {"sec-fetch-site": "same-origin", "if-match": names["tag"], **(headers or {})}
    if route.path.endswith("/progress"):
        sent["hx-request"] = "true"  # whoever opens it without a script is led to the whole page
    fields, more = body_of(route, names), {}
    if token and route.is_page:
        more = {csrf.FIELD: csrf.masked(browser.secret)}
    elif token:
        sent[csrf.HEADER] = csrf.masked(browser.secret)
    body = encoded(route, fields, **more) if route.changes else b""
    where = address(route, names, bare=bare) if "{name}" not in route.path else assets.address("style.css")
    return browser.ask(route.method, where, body, sent)


# ---------------------------------------------------------------------------------------- the rows are all there


def test_every_http_function_has_its_row() -> None:
    functions = {one.name for one in index(load_app()) if one.trigger["type"] == "httpTrigger"}
    assert functions == {route.name for route in ROUTES} | OWN_FUNCTIONS
    for route in AT_HOMES:
        kinds_of(route)


# --------------------------------------------------------------------------------------------- nobody, and wrong


def refused_unknown(route: Route, answer: HttpAnswer) -> bool:
    """Sent to sign in, or told to."""
    if route.is_page and not route.changes:
        return answer.status == 303 and answer.headers["location"] == "/sign-in"
    return answer.status == 401 and (route.is_page or answer.headers["www-authenticate"] == "Bearer")


@named("route", CLOSED, ids=name_of)
def test_nobody_is_sent_away(stage: Stage, route: Route) -> None:
    assert refused_unknown(route, asked(stage, route, NOBODY))


FORGED = {
    "x-ms-client-principal-id": "Ada",
    "x-ms-client-principal-name": "Ada",
    "x-ms-client-principal-idp": "aad",
}
WRONG: list[tuple[str, dict[str, str]]] = [
    ("azure", FORGED),
    ("azure", {"authorization": "Bearer whatever"}),
    ("local", {"authorization": "Bearer whatever"}),
    ("local", {"authorization": "Basic YWRhOmFkYQ=="}),
    ("local", FORGED),
]


@named("route", CLOSED, ids=name_of)
def test_whoever_only_says_so_is_nobody(stage: Stage, route: Route) -> None:
    tables = stage.village.engine.world.tables
    ways: dict[str, SignIn] = {
        "azure": AzureSignIn(PeopleStore(tables), enabled=False, operators=frozenset({"ada"})),
        "local": LocalSignIn(LocalKeys("k" * 24, NoteStore(tables))),
    }
    for way, headers in WRONG:
        answer = asked(stage, route, NOBODY, sign_in=ways[way], headers=headers)
        assert refused_unknown(route, answer), (way, headers)


@named("route", CLOSED, ids=name_of)
def test_somebody_with_no_home_in_their_care_is_told_so(stage: Stage, route: Route) -> None:
    assert asked(stage, route, Person("Zoé")).status == 403


# -------------------------------------------------------------------------------------------------- another owner


def alike(answer: HttpAnswer, names: dict[str, str]) -> tuple[int, str]:
    """An answer without what differs from request to request: the names that were sent, tokens, ids of the log."""
    text = answer.body.decode()
    for name in sorted((one for one in names.values() if len(one) > 3), key=len, reverse=True):
        text = text.replace(name, "NAME")
    text = re.sub(r"[0-9a-f]{96}", "TOKEN", text)
    return answer.status, re.sub(r'"correlation": "[^"]*"', "", text)


@named("route", [one for one in AT_HOMES if kinds_of(one)], ids=name_of)
def test_what_is_another_owners_was_never_there(stage: Stage, route: Route) -> None:
    theirs = asked(stage, route, OTHER)
    nobodys = asked(stage, route, OTHER, stage.made_up)
    assert theirs.status == 404, theirs.body
    assert alike(theirs, stage.real) == alike(nobodys, stage.made_up)


@named("route", [one for one in AT_HOMES if not kinds_of(one) and names_something(one)], ids=name_of)
def test_what_a_question_or_a_form_names_of_another_owner_was_never_there(stage: Stage, route: Route) -> None:
    theirs = asked(stage, route, OTHER)
    nobodys = asked(stage, route, OTHER, stage.made_up)
    assert alike(theirs, stage.real) == alike(nobodys, stage.made_up)
    if route.changes:
        assert theirs.status in (400, 404, 422), theirs.body


@named("route", [one for one in AT_HOMES if not one.changes and not kinds_of(one)], ids=name_of)
def test_a_list_tells_another_owner_nothing_of_ours(stage: Stage, route: Route) -> None:
    mine = {**stage.real, "home": THEIRS}
    answers = [asked(stage, route, OTHER, mine, bare=bare) for bare in (False, True)]
    for answer in answers:
        assert answer.status < 400 or answer.status == NOT_HERE.get(route.name), answer.body
    told = "".join(answer.body.decode() for answer in answers)
    assert [word for word in stage.of_first_owner() if re.search(rf"\b{re.escape(word)}\b", told)] == []


# ------------------------------------------------------------------------------------------- viewer and operator


@named("route", [one for one in CLOSED if not (one.changes and one.path.startswith(PERSONAL))], ids=name_of)
def test_a_viewer_looks_and_decides_nothing(stage: Stage, route: Route) -> None:
    answer = asked(stage, route, VIEWER)
    if route.right is Right.DECIDE:
        assert answer.status == 403
    else:
        assert answer.status < 400, answer.body


@named("route", [one for one in AT_HOMES if one.right is Right.DECIDE and names_something(one)], ids=name_of)
def test_who_decides_for_one_owner_and_looks_at_another_decides_for_the_one_alone(
    stage: Stage, route: Route
) -> None:
    answer = asked(stage, route, BOTH)
    if route.changes:
        # What an address names is seen: it is refused. What a form or a body names may be wrong in other ways too.
        assert answer.status in ((403,) if kinds_of(route) else (400, 403, 404, 422)), answer.body
    else:
        assert SECRET.search(answer.body.decode()) is None


SECRET = re.compile(r"/export/[A-Za-z0-9_-]+\.ics")
"""An export address: whoever only looks does not see it."""


@named("route", [one for one in ROUTES if not one.changes], ids=name_of)
def test_an_operator_looks_and_looking_changes_nothing(stage: Stage, route: Route) -> None:
    answer = asked(stage, route, OPERATOR)
    assert answer.status < 400 or answer.status == NOT_HERE.get(route.name), answer.body


@named("route", [one for one in CHANGES if one in AT_HOMES], ids=name_of)
def test_an_operator_decides(route: Route) -> None:
    stage = staged()
    answer = asked(stage, route, OPERATOR)
    assert answer.status < 500
    assert answer.status not in (401, 404), answer.body
    everywhere = route.path in ("portfolio", "api/portfolio")
    assert (answer.status == 403) == everywhere, answer.body
    stage.village.close()


# ------------------------------------------------------------------------------------------------------- forgery


FORGERIES: list[tuple[dict[str, str], bool]] = [
    ({"origin": "https://evil.example"}, True),
    ({"origin": "null"}, True),
    ({"sec-fetch-site": "cross-site"}, True),
    ({"sec-fetch-site": "same-site"}, True),
    ({}, False),
    ({"authorization": "Bearer beside a cookie"}, False),
]
"""What another site's request looks like, and whether it has got hold of a token."""


@named("route", CHANGES, ids=name_of)
def test_a_forged_request_changes_nothing(stage: Stage, route: Route) -> None:
    for headers, token in FORGERIES:
        answer = asked(stage, route, OPERATOR, headers=headers, token=token)
        assert answer.status == 403, (headers, token)
