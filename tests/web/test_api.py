"""The control API: its answers are what its document says, its bodies are checked by the same models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from shared.domain.access import NOBODY
from shared.domain.dates import StayDates
from shared.domain.targets import Way
from shared.engine.notice_desk import NoticeDesk
from shared.routes import ROUTES, Route
from shared.use_cases import HttpAnswer
from shared.web import csrf
from shared.web.api.checks import MOST_BODY, model
from shared.web.api.models_state import Need
from shared.web.api.openapi import document
from tests.engine.stories import AUGUST, JULY, MINUTE, after, polled, pulled, told
from tests.engine.test_conflict_room import sold_twice
from tests.engine.test_removals import vanished
from tests.engine.village import HOME, Village
from tests.web.support import EVERYWHERE, PUBLIC, Browser, find

API = [route for route in ROUTES if not route.is_page]
ROOT = Path(__file__).resolve().parents[2]
NOTHING_TO_SAY = ("/acknowledge", "/disconnect", "/release", "/replay", "/revoke", "/test")
KINDS = get_args(Need.model_fields["kind"].annotation)
LATE = StayDates(date(2027, 9, 1), date(2027, 9, 4))


def ask(browser: Browser, method: str, where: str, body: object = None, **headers: str) -> HttpAnswer:
    """What a script of a page asks."""
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    route, params = find(method, where.partition("?")[0])
    assert not route.is_page, (route, params)
    return browser.ask(method, where, sent, {"x-csrf-token": csrf.masked(browser.secret), **headers})


def paths() -> dict[str, dict[str, Any]]:
    found = document()["paths"]
    assert isinstance(found, dict)
    return found


def value(answer: HttpAnswer, status: int = 200) -> Any:
    assert answer.status == status, answer.body
    return json.loads(answer.body)


def checked(browser: Browser, method: str, where: str, body: object = None, **headers: str) -> Any:
    """A good answer, held against its model field by field: nothing is missing, of another kind, or untold."""
    route, _ = find(method, where.partition("?")[0])
    answer = ask(browser, method, where, body, **headers)
    assert answer.status in (route.status, *(one for one in route.also if one < 300)), answer.body
    found = json.loads(answer.body)
    shape = model(route.gives)
    again = shape.model_validate(found, strict=True).model_dump(by_alias=True, exclude_unset=True)
    assert again == found, f"{shape.__name__} does not tell all of {where}"
    return found


@pytest.fixture
def everybody(browser: Browser) -> Browser:
    return browser(EVERYWHERE)


@pytest.fixture
def busy(village: Village) -> Village:
    """A double booking, something that vanished, poison in the queue, a closure that fails."""
    vanished(village, AUGUST)
    sold_twice(village)
    village.run(village.engine.work(b"{", 1, "poisoned"))
    village.booking.faults.down = True
    told(village, "airbnb", LATE)
    after(village, MINUTE)
    village.run(village.greengo_pulls())
    return village


def test_how_everything_stands_is_what_the_document_says(busy: Village, everybody: Browser) -> None:
    assert checked(everybody, "PUT", "/api/platforms/booking/mode", {"mode": "manual"})["mode"] == "manual"
    found = checked(everybody, "GET", "/api/status")
    assert all(found[part] for part in found if part != "notices"), found
    assert checked(everybody, "GET", "/api/runs?limit=500")["runs"]


def test_what_needs_a_person_is_what_the_first_page_counts(busy: Village, everybody: Browser) -> None:
    """The command line went by narrower rules of its own, and knew nothing of a calendar no platform had fetched."""
    busy.clock.advance(timedelta(days=2))
    checked(everybody, "PUT", "/api/platforms/booking/mode", {"mode": "manual"})
    late = busy.clock.now() - timedelta(minutes=9)
    busy.run(busy.engine.world.due.put("another site", late, "a test"))
    found = checked(everybody, "GET", "/api/today")
    page = everybody.page("/")
    assert f"{len(found['needs'])} choses" in page.one(id="verdict").said
    shown = dict.fromkeys(one["kind"] for one in found["needs"])
    headings = [one.attributes.get("id") for one in page.every("section")]
    assert list(shown) == [one for one in headings if one in shown], "in the order of the page"
    assert shown.keys() <= set(KINDS)
    assert {"conflicts", "hands", "messages", "engine", "pressing"} <= shown.keys()
    said = {one["kind"]: one["said"]["fr"] for one in found["needs"]}
    assert said["conflicts"].startswith("Gîte du Moulin, 10–13 juillet 2027, gravité ")
    assert said["pressing"].endswith(" Gîte du Moulin")


def test_a_calendar_no_platform_ever_fetched_is_told_to_programs_with_what_to_do(browser: Browser) -> None:
    (one,) = checked(browser, "GET", "/api/today")["needs"]
    assert one["kind"] == "pressing"
    assert one["said"]["fr"] == (
        "greengo n’a encore jamais lu notre calendrier. Gîte du Moulin "
        "(Collez notre lien chez greengo, ou attendez sa première lecture)"
    )


def test_all_is_well_is_told_to_programs_too(browser: Browser, village: Village) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    after(village, timedelta(seconds=90))
    found = checked(browser, "GET", "/api/today")
    assert (found["homes"], found["checked"] is None, found["calm"], found["needs"], found["settling"]) == (
        1,
        False,
        True,
        [],
        0,
    )


def test_a_synchronisation_is_what_the_document_says(busy: Village, everybody: Browser) -> None:
    begun = checked(everybody, "POST", "/api/sync", {"mode": "manual"})
    assert checked(everybody, "GET", begun["href"])["state"] == "running"
    busy.run(busy.drain())
    found = checked(everybody, "GET", begun["href"])
    assert found["state"] == "done"
    assert any(step["report"] for step in found["steps"])


def test_circuits_are_what_the_document_says() -> None:
    village = Village(guarded=True)
    browser = Browser(village.engine, village.run)
    moved = checked(browser, "PUT", "/api/platforms/booking/circuits/write", {"state": "forced_open"})
    assert [one["state"] for one in moved["circuits"] if one["operation"] == "write"] == ["forced_open"]
    assert checked(browser, "GET", "/api/status")["accounts"][1]["circuits"]
    village.close()


def test_a_double_booking_is_what_the_document_says(busy: Village, everybody: Browser) -> None:
    (short,) = checked(everybody, "GET", "/api/conflicts")["conflicts"]
    assert short["exposure"]
    assert len(short["sides"]) == 2
    answer = ask(everybody, "GET", short["href"])
    proposal = value(answer)["proposals"][0]["id"]
    assert checked(everybody, "GET", short["href"])["proposals"]
    assert checked(everybody, "POST", f"{short['href']}/acknowledge")["acknowledged"]["by"] == EVERYWHERE.name
    wish = {"proposal": proposal, "note": "I call them"}
    tag = answer.headers["etag"]
    done = checked(everybody, "POST", f"{short['href']}/resolution", wish, **{"if-match": tag})
    assert (done["decision"]["note"], done["task"] is None) == ("I call them", False)


def test_records_are_what_the_document_says(busy: Village, everybody: Browser) -> None:
    assert len(checked(everybody, "GET", f"/api/history?home={HOME}&limit=500")["lines"]) > 5
    assert checked(everybody, "GET", f"/api/why?home={HOME}&date={JULY.check_in}")["facts"]
    busy.clock.advance(timedelta(days=150))
    assert checked(everybody, "GET", f"/api/why?home={HOME}&date={JULY.check_in}")["record"]
    file = ask(everybody, "GET", f"/api/history.csv?home={HOME}")
    assert (file.status, file.headers["content-type"].partition(";")[0]) == (200, "text/csv")


def test_what_vanished_and_what_is_set_aside_are_what_the_document_says(
    busy: Village, everybody: Browser
) -> None:
    (one,) = checked(everybody, "GET", "/api/removals")["removals"]
    assert not checked(everybody, "POST", f"/api/removals/{one['id']}/release")["already"]
    (poison,) = checked(everybody, "GET", "/api/quarantine")["quarantine"]
    assert value(ask(everybody, "POST", f"/api/quarantine/{poison['id']}/replay"), 409)["detail"]


def test_links_are_what_the_document_says(busy: Village, everybody: Browser) -> None:
    (masked,) = checked(everybody, "GET", "/api/links")["links"]
    (link,) = checked(everybody, "GET", "/api/links?addresses=true")["links"]
    assert masked["address"] is None
    assert link["address"].startswith(f"{PUBLIC}/export/")
    assert link["read_by_platform"]["status"] == 200
    assert checked(everybody, "GET", link["href"]) == link
    new = checked(everybody, "POST", f"{link['href']}/renew", {"days": 3})
    assert new["address"] not in (link["address"], None)
    assert new["former_until"] is not None
    gone = checked(everybody, "POST", f"{link['href']}/revoke")
    assert (gone["address"], gone["revoked"]) == (None, True)


def test_a_person_is_what_the_document_says(busy: Village, everybody: Browser) -> None:
    code = next(iter(busy.airbnb.calendar.sold))
    found = checked(everybody, "POST", "/api/people/export", {"reservation": code})
    assert [one["reservation"] for one in found["stays"]] == [code]
    assert (
        checked(everybody, "POST", "/api/people/erase", {"reservation": code})["left"]["not_looked_through"]
        == []
    )
    assert value(ask(everybody, "POST", "/api/people/export", {"name": "x"}), 400)["detail"]


def test_notifications_are_what_the_document_says(busy: Village, browser: Browser) -> None:
    object.__setattr__(busy.engine.world, "ways", frozenset(Way))
    busy.engine.notices = NoticeDesk(busy.engine.world)
    where = "/api/notifications"
    assert checked(browser, "GET", where)["chosen"] is False
    for address in ("claire@example.org", "marc@example.org"):
        found = checked(browser, "POST", f"{where}/ways", {"way": "email", "address": address})
    assert "example.org" in str(found["ways"])
    assert "claire@" not in str(found["ways"])
    hours = {"language": "en", "zone": "Europe/Paris", "begins": "22:30", "ends": "07:00", "digest": "08:15"}
    assert checked(browser, "PUT", where, {**hours, "stay": "daily"})["topics"]["stay"] == "daily"
    first, last = (one["mark"] for one in found["ways"])
    assert len(checked(browser, "DELETE", f"{where}/ways/{first}")["ways"]) == 1
    kept = value(ask(browser, "DELETE", f"{where}/ways/{last}"), 400)
    assert (kept["reason"], "must be told" in kept["detail"]) == ("last", True)
    assert checked(browser, "POST", f"{where}/test")["ways"]


# ------------------------------------------------------------------------------------------ the document


def test_the_document_holds_every_route_of_the_api_once() -> None:
    told_of = {(way.upper(), path) for path, ways in paths().items() for way in ways}
    assert told_of == {(route.method, f"/{route.path}") for route in API}
    names = [one["operationId"] for ways in paths().values() for one in ways.values()]
    assert sorted(names) == sorted(route.name for route in API)


def test_every_body_and_every_good_answer_is_described() -> None:
    without = {route.path for route in API if route.method in ("PUT", "POST") and not route.asks}
    assert without == {path for path in without if path.endswith(NOTHING_TO_SAY)}
    assert {route.name for route in API if not route.gives} == {"console_openapi"}


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    known = document()["components"]["schemas"]  # type: ignore[index]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named
    assert named <= known.keys()
    assert known.keys() - named == set(), "a model that nothing leads to"


def test_the_document_is_served_to_anybody_and_is_the_same_for_all(browser: Browser) -> None:
    nobody = browser(NOBODY)
    assert value(ask(nobody, "GET", "/api/openapi.json")) == value(ask(browser, "GET", "/api/openapi.json"))


def test_neither_a_webhook_nor_the_index_pays_for_models_and_templates() -> None:
    code = "import sys, function_app, shared.bootstrap, shared.web.door; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "shared.web.door" in done.stdout
    for heavy in ("pydantic", "jinja2", "icalendar"):
        assert f"'{heavy}'" not in done.stdout


# ------------------------------------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("where", "body", "named"),
    [
        ("POST /api/sync", {"mode": "fast"}, "mode: input should be 'auto'"),
        ("POST /api/sync", {"colour": "red"}, "colour: there is no such field"),
        ("POST /api/sync", b"{", "the body: it is not JSON"),
        ("POST /api/sync", b"[]", "the body: "),
        ("POST /api/sync", b'{"platform": "\\ud800"}', "the body: it is not JSON"),
        ("POST /api/sync", b'{"platform": "\xff"}', "the body: it is not JSON"),
        ("POST /api/sync", b"[" * 5_000, "the body: it is not JSON"),
        ("POST /api/sync", {"platform": "a\x00b"}, "platform: "),
        (
            "PUT /api/platforms/booking/mode",
            {"poll_minutes": "2"},
            "poll_minutes: input should be a valid integer",
        ),
        ("PUT /api/platforms/booking/mode", {"poll_minutes": 6}, "poll_minutes: input should be less than"),
        ("PUT /api/platforms/booking/mode", {"poll_minutes": True}, "poll_minutes: "),
        ("PUT /api/platforms/booking/circuits/write", {}, "state: field required"),
        ("POST /api/conflicts/x/resolution", {"proposal": "p", "note": "n" * 501}, "note: "),
        ("POST /api/links/x/renew", {"days": 31}, "days: "),
        ("POST /api/feeds/check", {"zone": "Europe/Nowhere", "url": "x"}, "zone: "),
        ("POST /api/feeds/check", {"zone": "../../etc/passwd", "url": "x"}, "zone: "),
        ("POST /api/people/erase", {"name": 7}, "name: "),
        ("GET /api/why?home=gite", None, "date: field required"),
        ("GET /api/why?home=gite&date=tomorrow", None, "date: "),
        ("GET /api/runs?limit=0", None, "limit: "),
        ("GET /api/runs?limit=" + "9" * 5_000, None, "limit: "),
        ("GET /api/history?guest=Jeanne", None, "guest: there is no such field"),
        ("GET /api/history?from=yesterday", None, "from: "),
        ("GET /api/links?addresses=yes", None, "addresses: "),
    ],
)
def test_what_is_wrong_with_a_request_is_named(
    browser: Browser, where: str, body: object, named: str
) -> None:
    method, _, path = where.partition(" ")
    answer = ask(browser, method, path, body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in value(answer, 400)["detail"]


def test_a_secret_that_was_sent_is_not_repeated(browser: Browser) -> None:
    link = "https://calendar.example/hunter2.ics" + "x" * 5_000
    answer = ask(browser, "POST", "/api/feeds/check", {"url": link, "platform": 1})
    assert b"hunter2" not in answer.body
    assert value(answer, 400)["detail"].count(";") == 1


def test_a_body_that_is_too_large_is_not_read(browser: Browser) -> None:
    body = b'{"note": "' + b"x" * MOST_BODY + b'"}'
    assert "larger than" in value(ask(browser, "POST", "/api/sync", body), 413)["detail"]


@pytest.mark.parametrize("name", ["%00", "a%0Ab", "x" * 3_000, "%E2%80%AE"])
@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.path], ids=lambda one: one.name)
def test_a_name_that_is_none_is_not_there(everybody: Browser, route: Route, name: str) -> None:
    where = re.sub(r"{\w+}", name, f"/{route.path}")
    answer = opened(everybody, route, where) if route.is_page else ask(everybody, route.method, where, b"{}")
    assert answer.status == 404, answer.body


def opened(browser: Browser, route: Route, where: str) -> HttpAnswer:
    return browser.post(where) if route.changes else browser.get(where)
