"""From nothing to the first calendar, page by page; and what the pages say when something is not right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.ports.http import Response
from tests.engine.hamlet import Hamlet, calendar
from tests.engine.test_connect import AIRBNB_LINK, BOOKING_LINK, OTHER_LINK, nights
from tests.web.html_tree import read
from tests.web.newcomer import Newcomer
from tests.web.support import Browser

MOST_CLICKS = 6

LOCAL = Person("local", {ALL_OWNERS: Role.OPERATOR})


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    found = Hamlet([])
    yield found
    found.close()


@pytest.fixture
def browser(hamlet: Hamlet) -> Browser:
    return Browser(hamlet.engine, hamlet.run, LOCAL)


def connected(hamlet: Hamlet, public: str = "https://console.example") -> Newcomer:
    """A newcomer who has gone all the way to the export address."""
    someone = Newcomer(public, hamlet=hamlet)
    someone.open("/")
    someone.press(someone.form("/sign-in"), code=hamlet.run(someone.keys.code()))
    someone.follow(next(one for one in someone.page.every("a") if one.attributes.get("href") == "/connect"))
    someone.press(someone.form("/connect/look"), link=f" {AIRBNB_LINK}\n")
    someone.press(someone.form("/connect"), name="Le Moulin de Vézelay")
    return someone


def test_from_an_empty_portfolio_to_the_copied_export_link_in_six_clicks(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar(("a", nights(5, 4)), ("b", nights(-9, 2)), summary="Reserved")
    someone = connected(hamlet)
    address = someone.copy()
    assert someone.clicks <= MOST_CLICKS
    assert address.startswith("https://console.example/export/")
    hamlet.run(hamlet.drain())
    token = address.removeprefix("https://console.example/export/").removesuffix(".ics")
    served = hamlet.run(hamlet.engine.export_calendar(token, {"user-agent": "Airbnb/1"}))
    assert (served.status, served.body[:15]) == (200, b"BEGIN:VCALENDAR")
    assert all(answer.status in (200, 303) for answer in someone.seen)
    assert not [where for where in someone.addresses if "secret" in where], "a link travels in forms alone"
    assert not [value for answer in someone.seen for value in answer.headers.values() if "secret" in value]


def test_before_anything_is_stored_the_page_says_what_is_in_the_calendar(
    hamlet: Hamlet, browser: Browser
) -> None:
    stays = [(f"u{n}", nights(5 + 3 * n, 2)) for n in range(20)]
    hamlet.web.answers[AIRBNB_LINK] = calendar(*stays, summary="Reserved").replace(
        b"END:VCALENDAR", b"BEGIN:VEVENT\r\nUID:odd\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    page = read(browser.post("/connect/look", {"link": AIRBNB_LINK}).body)
    text = page.said
    assert "Calendrier : airbnb" in text
    assert "www.airbnb.fr/…" in text
    assert "20" in text
    assert "2 nuits" in text
    assert "et 8 autres" in text
    assert "événement 21" in text
    assert "il n’a pas de début" in text
    assert "secret" not in text, "the link stands in the form's hidden field and nowhere else"
    assert hamlet.run(hamlet.engine.link_views.listed(LOCAL)) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response(404, {}, b""), "n’existe pas (plus)"),
        (Response(200, {}, b"<html>"), "répond par une page"),
        (Response(429, {}, b""), "demande d’attendre"),
        (Response(500, {}, b""), "ne répond pas"),
    ],
)
def test_a_link_that_cannot_be_used_is_told_beside_its_field_and_stays_in_it(
    hamlet: Hamlet, browser: Browser, answer: Response, words: str
) -> None:
    hamlet.web.answers[OTHER_LINK] = answer
    got = browser.post("/connect/look", {"link": OTHER_LINK})
    page = read(got.body)
    assert got.status == 422
    assert words in page.one("p", id="wrong").said
    field = page.one("input", id="link")
    assert (field.attributes["value"], field.attributes["aria-invalid"]) == (OTHER_LINK, "true")
    assert "wrong" in field.attributes["aria-describedby"]


@pytest.mark.parametrize(
    "fields", [{}, {"link": ""}, {"link": "\x00"}, {"link": "x" * 100_000}, {"link": "http://["}]
)
@pytest.mark.parametrize("where", ["/connect/look", "/connect"])
def test_nonsense_is_answered_in_words(browser: Browser, where: str, fields: dict[str, str]) -> None:
    assert browser.post(where, fields).status == 422


def test_a_new_home_without_a_name_is_asked_for_one_and_keeps_what_was_looked_at(
    hamlet: Hamlet, browser: Browser
) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    got = browser.post("/connect", {"link": AIRBNB_LINK, "name": "  "})
    page = read(got.body)
    assert got.status == 422
    assert "nom" in page.one("p", id="wrong").said
    assert page.one("form", action="/connect").one("input", name="link").attributes["value"] == AIRBNB_LINK


def test_the_second_calendar_is_offered_the_home_of_the_first(hamlet: Hamlet) -> None:
    hamlet.web.answers |= {AIRBNB_LINK: calendar(), BOOKING_LINK: calendar(("b", nights(4, 2)))}
    someone = connected(hamlet)
    assert "Un seul calendrier ne protège de rien" in someone.page.said
    someone.open("/connect")
    someone.press(someone.form("/connect/look"), link=BOOKING_LINK)
    someone.press(someone.form("/connect"))
    assert "Le Moulin de Vézelay sur booking" in someone.page.said
    assert "Un seul calendrier" not in someone.page.said
    assert len(hamlet.run(hamlet.engine.connect.homes(LOCAL))) == 1


def test_the_same_link_again_leads_to_what_is_there(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    someone = connected(hamlet)
    first = someone.where.partition("?")[0]
    someone.open("/connect")
    someone.press(someone.form("/connect/look"), link=AIRBNB_LINK)
    someone.press(someone.form("/connect"), name="Another")
    assert someone.where == f"{first}?done=known"
    assert "déjà connecté" in someone.page.said


def test_a_platform_that_the_address_does_not_name_is_asked_for(hamlet: Hamlet) -> None:
    hamlet.web.answers[OTHER_LINK] = calendar(("a", nights(3, 2)), summary="Reserved")
    someone = Newcomer(hamlet=hamlet)
    someone.open("/")
    someone.press(someone.form("/sign-in"), code=hamlet.run(someone.keys.code()))
    someone.open("/connect")
    someone.press(someone.form("/connect/look"), link=OTHER_LINK)
    assert "De quelle plateforme" in someone.page.said
    someone.press(someone.form("/connect"), name="Moulin", platform="airbnb")
    assert "Moulin sur airbnb" in someone.page.said


def test_the_page_waits_for_the_first_visit_and_says_when_it_came(hamlet: Hamlet, browser: Browser) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    someone = connected(hamlet)
    waits = someone.page.one("div", class_="wait")
    assert "pas encore lu" in waits.said
    hamlet.run(hamlet.drain())
    address = waits.attributes["hx-get"]
    token = someone.copy().rpartition("/")[2].removesuffix(".ics")
    hamlet.run(hamlet.engine.export_calendar(token, {"user-agent": "Mozilla/5.0 (me)"}))
    still = read(browser.get(address).body).one("div", class_="wait")
    assert "Nom donné : Mozilla/5.0 (me)" in still.said
    assert "hx-get" in still.attributes
    hamlet.run(hamlet.engine.export_calendar(token, {"user-agent": "Airbnb/1"}))
    hamlet.clock.advance(timedelta(minutes=3))
    came = read(browser.get(address).body).one("div", class_="wait")
    assert "a lu notre calendrier il y a 3\N{NO-BREAK SPACE}min" in came.text
    assert "hx-get" not in came.attributes, "nothing is left to wait for"


def test_a_visit_before_our_calendar_is_complete_is_told_as_such(hamlet: Hamlet, browser: Browser) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    someone = connected(hamlet)
    token = someone.copy().rpartition("/")[2].removesuffix(".ics")
    early = hamlet.run(hamlet.engine.export_calendar(token, {"user-agent": "Airbnb/1"}))
    assert early.status == 503
    page = read(browser.get(someone.page.one("div", class_="wait").attributes["hx-get"]).body)
    assert "pas encore complet" in page.said


def test_on_a_laptop_the_page_says_that_nobody_can_come_and_waits_for_nobody(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    someone = connected(hamlet, "http://127.0.0.1:7071")
    assert "ne peut pas joindre cette adresse" in someone.page.said
    assert "PUBLIC_BASE_URL" in someone.page.said
    assert "hx-get" not in someone.page.one("div", class_="wait").attributes


def test_nothing_stands_under_no_heading_once_all_is_read_and_nobody_can_come(hamlet: Hamlet) -> None:
    hamlet.web.answers[AIRBNB_LINK] = calendar()
    someone = connected(hamlet, "http://127.0.0.1:7071")
    heading = "Le premier passage"
    assert heading in someone.page.said, "whose first answer is waited for is said under it"
    hamlet.run(hamlet.drain())
    someone.open(someone.where)
    assert heading not in someone.page.said


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_platform_has_its_way_in_words(hamlet: Hamlet, language: str) -> None:
    from shared.web.words import words

    for platform in hamlet.engine.world.calendars:
        assert words(language)[f"paste.{platform}"]
        assert words(language)[f"rhythm.{platform}"]


def test_one_platform_twice_on_a_home_is_a_warning(hamlet: Hamlet) -> None:
    hamlet.web.answers |= {AIRBNB_LINK: calendar(), OTHER_LINK: calendar()}
    someone = connected(hamlet)
    someone.open("/connect")
    someone.press(someone.form("/connect/look"), link=OTHER_LINK)
    someone.press(someone.form("/connect"), platform="airbnb")
    assert "chaque séjour paraîtra en double réservation" in someone.page.said
    assert len(hamlet.run(hamlet.engine.link_views.listed(LOCAL))) == 2
