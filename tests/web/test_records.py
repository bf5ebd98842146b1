"""History, why, removals and messages in a browser: every state, both languages, and whose homes they are of."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.dates import ONE_DAY, StayDates
from shared.engine.work import MOST_DELIVERIES
from shared.state.inbox import SetAside
from shared.use_cases import WebhookCall
from tests.engine.stories import AUGUST, JULY, MINUTE, cancelled, polled, pulled, sold, stored, told
from tests.engine.village import HOME, Village
from tests.web.html_tree import Node, read
from tests.web.support import EVERYWHERE, STRANGER, VIEWER, Browser

BOTH = pytest.mark.parametrize("language", ["fr", "en"])


def rows(page: Node) -> list[list[str]]:
    return [[cell.said for cell in row.every("td")] for row in page.one("tbody").every("tr")]


def vanished(village: Village) -> None:
    """A stay that Greengo's calendar showed, and shows no longer."""
    stay = sold(village, "greengo", JULY)
    sold(village, "greengo", AUGUST)
    polled(village)
    village.greengo.hidden.add(stay.id)
    polled(village, MINUTE)


# ------------------------------------------------------------------------------------------- history


@BOTH
def test_what_happened_is_told_newest_first_with_before_and_after(
    village: Village, browser: Browser, language: str
) -> None:
    stay = told(village, "airbnb", JULY)
    cancelled(village, "airbnb", stay)
    found = rows(replace(browser, language=language).page("/history"))
    gone, new = ({"fr": "annulée", "en": "cancelled"}, {"fr": "nouvelle", "en": "is new"})
    places = [
        next(n for n, row in enumerate(found) if word in row[1]) for word in (gone[language], new[language])
    ]
    assert places[0] < places[1]
    before = found[places[0]][2]
    assert {"fr": "10–13 juillet 2027", "en": "10–13 July 2027"}[language] in before
    assert found[places[1]][4].endswith(
        {"fr": "un appel de la plateforme", "en": "a call of the platform"}[language]
    )


def test_each_filter_leaves_what_it_says(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    told(village, "booking", AUGUST)
    every = rows(browser.page("/history"))
    assert len(every) > len(rows(browser.page("/history?kind=fact"))) > 0
    polls = rows(browser.page("/history?kind=fact&who=FILE de booking"))
    assert polls
    assert all("file de booking" in row[4] for row in polls)
    assert rows(browser.page(f"/history?home={HOME}")) == every
    assert not browser.page("/history?from=2027-03-02").every("tbody")
    assert rows(browser.page("/history?from=2027-03-01&to=2027-03-01")) == every
    assert not browser.page("/history?to=2027-02-28").every("tbody")


def test_pages_follow_one_another_without_a_gap(village: Village, browser: Browser) -> None:
    for start in range(8):
        dates = StayDates.of_nights(JULY.check_in + start * 4 * ONE_DAY, 3)
        cancelled(village, "airbnb", told(village, "airbnb", dates))
        pulled(village)
    whole = list(csv.reader(io.StringIO(browser.get("/history.csv").body.decode("utf-8-sig"))))[1:]
    seen, where = [], "/history"
    while where:
        page = browser.page(where)
        seen += rows(page)
        (where,) = [one.attributes["href"] for one in page.every("a", rel="next")] or [""]
    assert len(seen) == len(whole) > 50
    lines = [
        " ".join(one[7].split()) for one in whole
    ]  # narrow blanks are blanks on a page that is read aloud
    assert [one in row[1] for one, row in zip(lines, seen, strict=True)] == [True] * len(whole)


@pytest.mark.parametrize(
    "query", ["from=x", "to=2027-13-01", "kind=x", "before=x", "before=2027-03-01_1_2_a", "from=0001-01-01"]
)
def test_a_filter_that_cannot_be_read_is_named(browser: Browser, query: str) -> None:
    page = browser.page(f"/history?{query}", 400)
    assert page.one(role="alert").said.startswith("Ce filtre ne se lit pas")


def test_the_record_of_a_portfolio_without_homes_is_empty_and_says_so(browser: Browser) -> None:
    page = browser(STRANGER).page("/history")
    assert page.one(role="status").said == "Rien ne s’est encore passé."
    assert browser(STRANGER).get(f"/history?home={HOME}").status == 404
    assert browser(STRANGER).get("/history.csv").body.count(b"\r\n") == 1


def test_the_file_has_the_same_lines(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    answer = browser.get("/history.csv?kind=fact")
    table = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert len(table) - 1 == len(rows(browser.page("/history?kind=fact")))
    assert table[1][3] == "Gîte du Moulin"


# ----------------------------------------------------------------------------------------------- why


@BOTH
def test_a_night_is_explained_channel_by_channel(village: Village, browser: Browser, language: str) -> None:
    told(village, "airbnb", JULY)
    page = replace(browser, language=language).page(f"/why?home={HOME}&date=2027-07-10")
    cards = {one.one("h3").said.split()[1]: one for one in page.every("article", class_="listing")}
    assert cards.keys() == {"airbnb", "booking", "greengo"}
    assert {"fr": "vendue ici", "en": "sold here"}[language] in cards["airbnb"].said
    assert {"fr": "fermée par nous", "en": "closed by us"}[language] in cards["booking"].said
    assert page.one(class_="fact").said.count("A1") >= 1


def test_a_free_night_and_a_past_one_are_explained_too(village: Village, browser: Browser) -> None:
    assert "Rien de connu ne prend cette nuit." in browser.page(f"/why?home={HOME}&date=2027-07-10").said
    past = browser.page(f"/why?home={HOME}&date=2027-02-10")
    assert "Cette nuit est passée" in past.said


def test_the_form_asks_and_names_what_it_cannot_read(browser: Browser) -> None:
    page = browser.page("/why")
    assert [one.said for one in page.one("select", id="home").every("option")] == ["Gîte du Moulin"]
    assert page.one("input", id="date").attributes["value"] == "2027-03-01"
    assert "ne se lit pas" in browser.page(f"/why?home={HOME}&date=demain", 400).one(role="alert").said
    assert browser.get("/why?home=nowhere&date=2027-07-10").status == 404
    assert browser(STRANGER).get(f"/why?home={HOME}&date=2027-07-10").status == 404
    assert "Aucun logement" in browser(STRANGER).page("/why").said


# ------------------------------------------------------------------------------------------ removals


@BOTH
def test_what_vanished_is_listed_with_what_would_confirm_it(
    village: Village, browser: Browser, language: str
) -> None:
    calm = replace(browser, language=language)
    assert not calm.page("/removals").every(class_="removal")
    vanished(village)
    card = calm.page("/removals").one(class_="removal")
    assert "Gîte du Moulin" in card.said
    assert {"fr": "une seule lecture ne prouve pas", "en": "a single reading is no proof"}[
        language
    ] in card.said


def test_one_thumb_and_a_confirmation_let_it_go(village: Village, browser: Browser) -> None:
    vanished(village)
    form = browser.page("/removals").one("details", class_="sure").one("form")
    answer = browser.press(form)
    assert (answer.status, answer.headers["location"]) == (303, "/removals?done=now")
    page = browser.page("/removals?done=now")
    assert "ces nuits se rouvrent" in page.one(role="status").said
    assert not page.every(class_="removal")
    assert not any(one.fading for one in stored(village).reservations.values())
    assert browser.press(form).headers["location"] == "/removals?done=before"


def test_a_stay_that_came_back_is_not_let_go(village: Village, browser: Browser) -> None:
    vanished(village)
    form = browser.page("/removals").one("details", class_="sure").one("form")
    village.greengo.hidden.clear()
    polled(village, MINUTE)
    answer = browser.press(form)
    assert answer.status == 409
    assert "de nouveau dans son calendrier" in read(answer.body).one(role="alert").said


def test_whoever_may_only_look_or_sees_other_homes_lets_nothing_go(
    village: Village, browser: Browser
) -> None:
    vanished(village)
    where = browser.page("/removals").one("details", class_="sure").one("form").attributes["action"]
    assert not browser(VIEWER).page("/removals").every("form", action=where)
    assert browser(VIEWER).post(where).status == 403
    assert not browser(STRANGER).page("/removals").every(class_="removal")
    assert browser(STRANGER).post(where).status == 404
    assert any(one.fading for one in stored(village).reservations.values())


# ------------------------------------------------------------------------------------------ messages


def set_aside(village: Village) -> None:
    """A webhook's body that nobody can read, tried until it is put aside."""
    answer = village.run(
        village.engine.receive_webhook(WebhookCall("airbnb", "secret", "notification", body=b"not json"))
    )
    assert answer.status == 200
    village.run(village.drain())
    village.clock.advance(timedelta(hours=1))
    for _ in range(MOST_DELIVERIES):
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())


@BOTH
def test_without_messages_the_page_is_calm(browser: Browser, language: str) -> None:
    page = replace(browser, language=language)(EVERYWHERE).page("/messages")
    assert not page.every(class_="message")
    assert page.every(class_="calm")


def test_what_was_set_aside_is_listed_with_its_reason_and_can_be_tried_again(
    village: Village, browser: Browser
) -> None:
    set_aside(village)
    everywhere = browser(EVERYWHERE)
    page = everywhere.page("/messages")
    card = page.one("li", class_="message")
    assert "Appel d’une plateforme" in card.said
    assert card.one("bdi", lang="en").said
    assert "not json" not in page.text
    answer = everywhere.press(card.one("form"))
    assert (answer.status, answer.headers["location"]) == (303, "/messages?done=sent")
    assert "reparti" in everywhere.page("/messages?done=sent").one(role="status").said
    assert everywhere.press(card.one("form")).headers["location"] == "/messages?done=before"


def test_a_message_that_belongs_to_nobody_is_for_those_who_decide_for_all(
    village: Village, browser: Browser
) -> None:
    set_aside(village)
    where = browser(EVERYWHERE).page("/messages").one("li", class_="message").one("form").attributes["action"]
    assert not browser.page("/messages").every(class_="message")
    assert browser.post(where).status == 404
    assert browser(EVERYWHERE).post("/messages/nonsense/replay").status == 404


@BOTH
def test_whoever_may_only_look_is_offered_no_try_that_would_be_refused(
    village: Village, browser: Browser, language: str
) -> None:
    village.run(
        village.engine.world.inbox.quarantine("odd~stay", "booking", "unplaced", b"{}", SetAside.STAY)
    )
    decides = replace(browser, language=language)
    (form,) = decides.page("/messages").one("li", class_="message").every("form")
    looks = decides(VIEWER)
    page = looks.page("/messages")
    assert not page.one("li", class_="message").every("form")
    words = {"fr": "n’a pas de bouton", "en": "has no button"}[language]
    assert words in page.said
    assert words not in decides.page("/messages").said
    assert looks.post(form.attributes["action"]).status == 403


@BOTH
def test_why_nobody_could_process_it_is_said_in_the_readers_language(
    village: Village, browser: Browser, language: str
) -> None:
    """Beside what was stored, which whoever mends it looks for."""
    village.run(village.engine.work(b"{", 1, "odd"))
    card = replace(browser, language=language)(EVERYWHERE).page("/messages").one("li", class_="message")
    words = {
        "fr": "ce message est abîmé, ou n’est pas de nous",
        "en": "this message is damaged, or none of ours",
    }
    assert words[language] in card.said
    assert card.one("bdi", lang="en").said == "queue message is not JSON in UTF-8"
