"""How one is told, and what is kept of people: two pages and what their forms do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.domain import kept
from shared.domain.access import Person, Role
from shared.domain.portfolio import Owner
from shared.domain.targets import Way
from shared.engine.notice_desk import MOST_SENT, NoticeDesk
from shared.ports.people import Notice
from shared.routes import ROUTES
from shared.state.sites import Changes
from shared.state.told import MOST_TEXT, Told
from shared.web import csrf
from tests.engine.test_personal import clash, everything, sell
from tests.engine.test_personal import village as village
from tests.engine.village import Village
from tests.security.test_strings import strings
from tests.web.html_tree import read
from tests.web.support import CLAIRE, EVERYWHERE, STRANGER, VIEWER, Browser

HOURS = {
    "language": "fr",
    "zone": "Europe/Paris",
    "begins": "22:10",
    "ends": "07:00",
    "digest": "08:00",
    "stay": "daily",
}


@pytest.fixture
def browser(village: Village) -> Iterator[Browser]:
    world = village.engine.world
    village.run(world.owners.put([Owner("owner", "Claire", Role.OPERATOR, "claire@example.org")]))
    village.engine.notices = NoticeDesk(replace(world, ways=frozenset({Way.EMAIL, Way.NTFY})))
    return Browser(village.engine, village.run)


# --------------------------------------------------------------------------------------- notifications


def test_one_chooses_and_finds_it_again(browser: Browser) -> None:
    assert "c…@example.org" in browser.page("/notifications").text
    answer = browser.post("/notifications", HOURS)
    assert (answer.status, answer.headers["location"]) == (303, "/notifications?done=saved")
    page = browser.page("/notifications?done=saved")
    checked = {
        one.attributes["name"]: one.attributes["value"]
        for one in page.every("input")
        if "checked" in one.attributes
    }
    chosen = {
        one.attributes["name"]: next(
            each.text for each in one.every("option") if "selected" in each.attributes
        )
        for one in page.every("select")
        if one.attributes["name"] in ("begins", "ends", "digest")
    }
    assert chosen == {"begins": "22:10", "ends": "07:00", "digest": "08:00"}, (
        "also a time that is not offered"
    )
    assert checked == {"stay": "daily", "over": "now", "connection": "now", "message": "now"}
    assert "C’est enregistré." in page.text


def test_what_is_always_told_offers_no_choice(browser: Browser) -> None:
    page = browser.page("/notifications")
    names = {one.attributes.get("name") for one in page.every("input")}
    assert not names & {"conflict", "push"}
    assert page.text.count("toujours tout de suite") == 2


def test_a_way_is_added_shown_masked_tried_and_taken_away(browser: Browser, village: Village) -> None:
    assert browser.post("/notifications/ways", {"way": "ntfy", "address": "claire-topic"}).status == 303
    page = browser.page("/notifications")
    assert "ntfy.sh/cl…" in page.text
    assert "claire-topic" not in repr(browser.get("/notifications").body)
    assert browser.post("/notifications/test").headers["location"] == "/notifications?done=tested"
    assert [notice.kind for notice in village.notify.notices] == ["test"]
    (form,) = [one for one in page.every("form") if "email" in one.attributes["action"]]
    assert browser.press(form).status == 303
    assert "c…@example.org" not in browser.page("/notifications").text


def test_why_a_notice_did_not_arrive_is_said_in_the_readers_language(
    browser: Browser, village: Village
) -> None:
    """The French page said "its name was not found", though there are words for it."""
    assert browser.post("/notifications/ways", {"way": "ntfy", "address": "claire-topic"}).status == 303
    known = village.run(village.engine.notices._choices.get("claire"))
    assert known is not None
    way = next(one.mark for one in known.targets if one.way is Way.NTFY)
    own = f"{known.mark}/{way}"
    notice = Notice("conflict", "1", "high", {"fr": "Essai.", "en": "Trial."}, "owner")
    row = Told(notice, village.clock.now(), (own,), error=f"{own}: ntfy.sh: its name was not found")
    village.run(village.engine.world.told.put(row))
    text = browser.page("/notifications").text
    assert "ntfy.sh est introuvable sur internet" in text
    assert "was not found" not in text


@pytest.mark.parametrize(
    ("where", "fields", "said"),
    [
        ("ways", {"way": "email", "address": "nobody"}, "Ce n’est pas une adresse e-mail."),
        ("ways", {"way": "apprise", "address": "tgram://1/2"}, "Ce moteur ne peut pas envoyer par ce moyen."),
        (
            "ways",
            {"way": "apprise", "address": "tgram://1/2?template=/etc/passwd"},
            "une seule adresse, sans options.",
        ),
        ("ways", {}, "Ce moteur ne peut pas envoyer par ce moyen."),
        ("ways/none/remove", {}, "Le dernier moyen reste"),
        ("test", {}, "Dites d’abord où vous prévenir."),
        ("", {**HOURS, "begins": "<b>"}, "Une valeur n’a pas de sens."),
        ("", {}, "Ce fuseau horaire n’existe pas."),
    ],
)
def test_what_cannot_be_is_said_on_the_page(
    browser: Browser, where: str, fields: dict[str, str], said: str
) -> None:
    answer = browser.post(f"/notifications/{where}".rstrip("/"), fields)
    assert answer.status == 400
    assert said in answer.body.decode()


def test_what_was_typed_comes_back_escaped(browser: Browser) -> None:
    answer = browser.post("/notifications/ways", {"way": "email", "address": '"><script>alert(1)</script>'})
    assert b"<script>alert" not in answer.body
    assert b"&lt;script&gt;alert(1)" in answer.body


def test_a_word_in_the_address_is_shown_only_if_it_is_one_of_ours(browser: Browser) -> None:
    assert browser.get("/notifications?done=<b>").status == 200
    assert b"<b>" not in browser.get("/notifications?done=%3Cb%3E").body


def test_who_reads_english_is_told_in_english_until_they_choose(browser: Browser, village: Village) -> None:
    english = replace(browser(VIEWER), language="en")
    assert english.post("/notifications/ways", {"way": "ntfy", "address": "vera-topic"}).status == 303
    known = village.run(village.engine.notices._choices.get("vera"))
    assert known is not None
    assert known.language == "en"


def test_a_viewer_chooses_for_themselves(browser: Browser) -> None:
    vera = browser(VIEWER)
    assert vera.post("/notifications/ways", {"way": "ntfy", "address": "vera-topic"}).status == 303
    assert "ve…" in vera.page("/notifications").text
    assert "ve…" not in browser.page("/notifications").text


# --------------------------------------------------------------------------------------------- privacy


def test_the_page_says_all_that_the_list_says(browser: Browser) -> None:
    """In the language of who reads, with the days that hold here."""
    for language in ("fr", "en"):
        text = replace(browser, language=language).page("/privacy").text
        for one in kept.KEPT:
            for said in (one.what, one.why, one.long):
                assert kept.said(said[language], 30) in text


def test_one_person_is_found_handed_out_and_erased(browser: Browser, village: Village) -> None:
    clash(village, note="Marie rings at eight")
    found = browser.post("/privacy/find", {"name": "Marie Dupont", "reservation": ""})
    page = found.body.decode()
    assert found.status == 200
    assert "Marie D." in page
    assert "Marie rings at eight" in page
    (sure,) = read(found.body).every("details", class_="sure")  # no single click erases anybody
    assert sure.one("form").attributes["action"] == "/privacy/erase"
    assert "0 avec ce nom, sur" in page  # lines without the name stay: a bare count of them was no promise
    file = browser.post("/privacy/export", {"name": "Marie Dupont", "reservation": ""})
    assert file.headers["content-disposition"].startswith("attachment")
    assert json.loads(file.body)["stays"][0]["guest"] == "Marie D."
    erased = browser.post("/privacy/erase", {"name": "Marie Dupont", "reservation": ""})
    assert "C’est effacé." in erased.body.decode()
    assert "Noms\u202f: 1. Notes\u202f: 1." in erased.body.decode()
    assert "Marie" not in everything(village)
    again = browser.post("/privacy/find", {"name": "Marie Dupont", "reservation": ""})
    assert "Rien\u202f: ni séjour" in again.body.decode()


def test_no_name_stands_in_an_address() -> None:
    """People are looked for by POST alone, and no form on the way sends a name by GET."""
    mine = [route for route in ROUTES if "privacy/" in route.path or "people" in route.path]
    assert {route.method for route in mine} == {"POST"}


@pytest.mark.parametrize("fields", [{}, {"name": "M"}, {"name": " "}, {"reservation": "x" * 201}])
def test_nobody_is_looked_for_by_nothing(browser: Browser, fields: dict[str, str]) -> None:
    for where in ("find", "export", "erase"):
        answer = browser.post(f"/privacy/{where}", fields)
        assert answer.status == 400
        assert "deux lettres" in answer.body.decode()


def test_who_may_only_look_is_offered_no_erasure_and_may_not_do_it(
    browser: Browser, village: Village
) -> None:
    sell(village)
    vera = browser(VIEWER)
    page = vera.post("/privacy/find", {"name": "Marie"}).body.decode()
    assert "Marie D." in page
    assert 'action="/privacy/erase"' not in page
    assert vera.post("/privacy/erase", {"name": "Marie"}).status == 403
    assert vera.post("/api/people/erase", {}).status == 403
    assert "Marie" in everything(village)


def test_what_is_somebody_elses_is_not_there(browser: Browser, village: Village) -> None:
    sell(village)
    marc = browser(STRANGER)
    assert "Rien\u202f: ni séjour" in marc.post("/privacy/find", {"name": "Marie"}).body.decode()
    marc.post("/privacy/erase", {"name": "Marie"})
    assert "Marie" in everything(village)


def ask(browser: Browser, where: str, body: object) -> tuple[int, dict[str, object]]:
    headers = {"content-type": "application/json", csrf.HEADER: csrf.masked(browser.secret)}
    answer = browser.ask("POST", where, json.dumps(body).encode(), headers)
    value = json.loads(answer.body)
    assert isinstance(value, dict)
    return answer.status, value


def test_programs_do_the_same(browser: Browser, village: Village) -> None:
    sell(village)
    status, found = ask(browser(EVERYWHERE), "/api/people/export", {"reservation": "A1"})
    assert status == 200
    assert found["stays"][0]["guest"] == "Marie D."  # type: ignore[index]
    status, done = ask(browser(EVERYWHERE), "/api/people/erase", {"reservation": "A1"})
    assert (status, done["erased"]) == (200, {"names": 1, "notes": 0, "lines": 0, "messages": 0})
    assert "Marie" not in everything(village)


@pytest.mark.parametrize("body", [{}, {"name": 1}, {"nom": "Marie"}, [], "x", {"name": "M"}])
def test_programs_are_told_what_is_wrong(browser: Browser, body: object) -> None:
    for where in ("/api/people/export", "/api/people/erase"):
        status, problem = ask(browser, where, body)
        assert status == 400
        assert problem["detail"]


def test_a_name_full_of_signs_is_shown_as_it_is_and_runs_nothing(browser: Browser, village: Village) -> None:
    name = "<img src=x onerror=alert(1)> & \"quotes\" 'single'"
    answer = browser.post("/privacy/find", {"name": name})
    assert b"<img src=x" not in answer.body
    assert b"&lt;img src=x onerror=alert(1)&gt; &amp; &#34;quotes&#34; &#39;single&#39;" in answer.body


def test_the_person_at_the_machine_may_look_through_messages_too(browser: Browser) -> None:
    local = browser(Person("local", EVERYWHERE.roles))
    assert "réservé à qui gère tout" not in local.post("/privacy/find", {"name": "Marie"}).body.decode()
    assert CLAIRE.roles


def test_every_string_of_the_corpus_is_shown_back_exactly_as_a_name_and_a_note(
    browser: Browser, village: Village
) -> None:
    clash(village, note="x")
    sites = village.engine.world.sites
    for text in strings():
        state = village.run(sites.load("gite"))
        (conflict,) = state.conflicts.values()
        assert conflict.decision is not None
        noted = replace(conflict, decision=replace(conflict.decision, note=text[:4_000]))
        named = [replace(one, guest=text) for one in state.reservations.values() if one.id == "A1"]
        village.run(sites.commit(state, Changes(reservations=named, conflicts=[noted])))
        page = read(browser.post("/privacy/find", {"reservation": "A1"}).body)
        shown = [one.text for one in page.one(id="found").every("bdi")]
        assert shown[0] == (text or "(sans nom)")
        assert text == "" or text[:4_000] in shown[1:]


def test_every_string_of_the_corpus_is_shown_back_exactly_in_a_notice(
    browser: Browser, village: Village
) -> None:
    world, every = village.engine.world, strings()
    for start in range(0, len(every), MOST_SENT):
        texts = every[start : start + MOST_SENT]
        for number, text in enumerate(texts):
            notice = Notice("new_stay", f"{start + number}", "info", {"fr": text}, "owner")
            village.run(world.told.put(Told(notice, village.clock.now())))
        shown = [one.text for one in browser.page("/notifications").every("p", class_="said")]
        kept = [text[:MOST_TEXT].encode("utf-8", "replace").decode() for text in texts]
        assert shown[: len(texts)] == kept[::-1]
