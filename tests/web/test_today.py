"""Today: what needs a person, worst first, or since when nothing does; each state, both languages."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.connectors.registry import PLATFORMS, console_link
from shared.domain.access import Person, Role
from shared.domain.dates import StayDates
from shared.ports.bus import Received
from shared.use_cases import HttpAnswer
from tests.engine.stories import AUGUST, JULY, cancelled, polled, pulled, sold, told
from tests.engine.test_conflict_room import sold_twice
from tests.engine.village import HOME, Village
from tests.web.html_tree import read
from tests.web.support import EVERYWHERE, STRANGER, VIEWER, Browser, reads
from tests.web.test_records import set_aside, vanished

BOTH = pytest.mark.parametrize("language", ["fr", "en"])
PART = {"hx-request": "true"}


def settled(village: Village) -> None:
    """Everything is known everywhere, and Greengo has read our calendar."""
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village)


@BOTH
def test_with_no_home_the_page_shows_the_way_to_the_first_one(browser: Browser, language: str) -> None:
    page = replace(browser, language=language)(STRANGER).page("/")
    assert page.one("a", href="/connect", class_="main").said
    assert not page.every(id="verdict")
    assert page.one("html").attributes["lang"] == language


@BOTH
def test_when_nothing_needs_anybody_it_says_so_and_since_when(
    village: Village, browser: Browser, language: str
) -> None:
    settled(village)
    village.clock.advance(timedelta(seconds=90))
    verdict = replace(browser, language=language).page("/").one(id="verdict")
    assert {"fr": "Tout est synchronisé", "en": "Everything is in step"}[language] in verdict.said
    assert {"fr": "Rien n’a changé depuis le 1er mars 2027", "en": "Nothing has changed since 1 March 2027"}[
        language
    ] in verdict.said
    assert {"fr": "il y a 1 min", "en": "1 min ago"}[language] in verdict.said


def test_a_closure_that_is_on_its_way_is_neither_calm_nor_alarming(
    village: Village, browser: Browser
) -> None:
    settled(village)
    told(village, "booking", AUGUST)
    page = browser.page("/")
    assert "Rien ne vous attend" in page.one(id="verdict").said
    assert "greengo · 1er–4 août 2027" in page.one(id="on-way").said
    pulled(village)
    assert not browser.page("/").every(id="on-way")


@BOTH
def test_a_double_booking_stands_on_top_with_the_way_to_it(
    village: Village, browser: Browser, language: str
) -> None:
    settled(village)
    sold_twice(village, AUGUST)
    page = replace(browser, language=language).page("/")
    assert {"fr": "chose", "en": "need"}[language] in page.one(id="verdict").said
    sections = [one.attributes.get("id") for one in page.one(id="today").every("section")]
    assert sections[0] == "conflicts"
    card = page.one(id="conflicts").one("li")
    assert {"fr": "personne ne s’en occupe", "en": "nobody takes care of it"}[language] in card.said
    where = card.one("a").attributes["href"]
    browser.post(f"{where}/acknowledge")
    assert "Claire s’en occupe" in browser.page("/").one(id="conflicts").said
    assert browser.get(where).status == 200


def test_a_conflict_that_changed_on_the_same_nights_is_no_news(village: Village, browser: Browser) -> None:
    """It was listed under "what happened" as changed, with the same nights before and after."""
    settled(village)
    sold_twice(village, AUGUST)
    stay = village.booking.calendar.live()[-1]
    stay.dates = StayDates(AUGUST.check_in, AUGUST.check_out + timedelta(days=2))
    village.booking.told(stay, "modified")
    village.run(village.poll_booking())
    village.run(village.drain())
    assert "double réservation modifiée" in browser.page("/history").said
    assert "double réservation modifiée" not in browser.page("/").one(id="lines").said


def test_what_did_not_arrive_can_be_tried_again_at_once(village: Village, browser: Browser) -> None:
    settled(village)
    village.booking.faults.refuse = True
    told(village, "airbnb", AUGUST)
    page = browser.page("/")
    card = page.one(id="failed").one("li")
    assert "Fermeture qui n’est pas arrivée, 1er–4 août 2027" in card.said
    assert "1 essai" in card.said
    village.booking.faults.refuse = False
    answer = browser.press(card.one("form"))
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sync/")
    village.run(village.drain())
    assert not browser.page("/").every(id="failed")
    assert "Nouvel essai demandé." in browser.page("/history").said
    assert browser(VIEWER).post("/retry").status == 403
    assert browser(STRANGER).post("/retry", {"home": HOME}).status == 404


def test_after_vain_tries_a_person_is_asked_to_close_by_hand_with_the_page(
    village: Village, browser: Browser
) -> None:
    settled(village)
    object.__setattr__(village.engine.world, "console_link", console_link)
    names = {platform: entry.name for platform, entry in PLATFORMS.items()}
    object.__setattr__(village.engine.world, "platform_names", names)
    village.booking.faults.refuse = True
    told(village, "airbnb", AUGUST)
    for _ in range(4):
        village.clock.advance(timedelta(hours=1))
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())
    page = browser.page("/")
    card = page.one(id="hands").one("li")
    assert "1er–4 août 2027" in card.said
    assert "Booking.com" in card.said
    assert card.one("a").attributes["href"].startswith("https://")
    assert not page.every(id="failed")  # what a person is asked to do is not told twice


def test_from_home_what_no_platform_can_come_for_is_to_be_closed_by_hand(
    village: Village, browser: Browser
) -> None:
    """Of an engine whose address leads to its own machine the page said that these closures were on their way, and
    settle by themselves: nobody was ever going to fetch them. Only the terminal listed them."""
    object.__setattr__(village.engine.world, "unreachable", True)
    told(village, "airbnb", AUGUST)
    page = browser.page("/")
    card = page.one(id="hands").one("li")
    assert "1er–4 août 2027" in card.said
    assert "aucune plateforme ne peut lire notre calendrier sur cette machine" in card.said
    assert not page.every(id="on-way")
    assert "Collez notre lien" not in page.one(id="pressing").said
    channels = browser.page("/channels").said
    assert "Fermez-y ces nuits à la main" in channels
    assert "Collez notre lien" not in channels
    (one,) = status_of(browser)["close_by_hand"]
    assert (one["platform"], one["nights"]) == ("greengo", str(AUGUST))
    pulled(village)  # simulated platforms are on this machine, and do come
    assert not browser.page("/").every(id="hands")
    assert status_of(browser)["close_by_hand"] == []


def status_of(browser: Browser) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(browser.get("/api/status").body)
    return found


def test_what_vanished_can_be_let_go_with_one_thumb_and_a_confirmation(
    village: Village, browser: Browser
) -> None:
    pulled(village)
    vanished(village)
    page = browser.page("/")
    assert "Rien ne vous attend" in page.one(id="verdict").said  # it is let go by itself when that is proven
    assert "dans 22 min au plus tard" in page.one(id="removals").said
    part = page.one(id="removals").one("details", class_="sure")
    assert browser.press(part.one("form")).headers["location"] == "/removals?done=now"
    assert not browser.page("/").every(id="removals")
    assert not browser(VIEWER).page("/").every("form", action=part.one("form").attributes["action"])


def test_what_vanished_and_is_in_doubt_needs_somebody(village: Village, browser: Browser) -> None:
    pulled(village)
    sold(village, "greengo", JULY)
    polled(village)
    village.greengo.empty = True
    polled(village)
    page = browser.page("/")
    assert "Une chose vous attend" in page.one(id="verdict").said
    assert "le calendrier ne montre plus rien du tout" in page.one(id="removals").said


def test_one_stay_that_vanished_from_an_empty_calendar_is_no_mass(village: Village, browser: Browser) -> None:
    """Once the calendar showed something again the page said "1 séjours ont disparu du calendrier en même temps"."""
    pulled(village)
    stay = sold(village, "greengo", JULY)
    polled(village)
    village.greengo.calendar.cancel(stay)
    polled(village)
    sold(village, "greengo", AUGUST)
    polled(village)
    said = browser.page("/").one(id="removals").said
    assert "quand ce séjour a disparu, le calendrier était vide" in said
    assert "séjours ont disparu" not in said


def test_messages_are_counted_for_those_who_may_see_them(village: Village, browser: Browser) -> None:
    set_aside(village)
    assert "1 message attend." in browser(EVERYWHERE).page("/").one(id="messages").said
    assert not browser.page("/").every(id="messages")


def test_trouble_of_the_engine_itself_is_told_to_those_who_look_after_it(
    village: Village, browser: Browser
) -> None:
    work = village.engine.world.due.put("another site", village.clock.now() - timedelta(minutes=9), "a test")
    village.run(work)
    said = browser(EVERYWHERE).page("/").one(id="engine").said
    assert "Le site another site attend depuis plus de 5 minutes" in said
    assert "le balayage aurait dû le prendre" in said
    assert not browser.page("/").every(id="engine")


def test_a_calendar_nobody_fetched_and_a_silent_one_are_told(village: Village, browser: Browser) -> None:
    page = browser.page("/")
    assert "greengo n’a encore jamais lu notre calendrier." in page.one(id="pressing").said
    pulled(village)
    assert not browser.page("/").every(id="pressing")
    village.clock.advance(timedelta(minutes=20))
    assert "greengo répond en retard." in browser.page("/").one(id="waiting").said
    village.clock.advance(timedelta(hours=25))
    said = browser.page("/").one(id="pressing").said
    assert "Le calendrier greengo ne répond plus." in said
    assert "greengo ne lit plus notre calendrier." in said


def test_arrivals_of_the_next_days_are_named_without_their_guests(village: Village, browser: Browser) -> None:
    soon = replace(
        JULY, check_in=JULY.check_in.replace(month=3, day=4), check_out=JULY.check_in.replace(month=3, day=6)
    )
    told(village, "airbnb", soon)
    told(village, "airbnb", JULY)
    assert [one.said for one in browser.page("/").one(id="arrivals").every("li")] == [
        "A Gîte du Moulin · airbnb · 4–6 mars 2027"
    ]


def test_the_newest_of_the_record_is_told(village: Village, browser: Browser) -> None:
    stay = told(village, "airbnb", JULY)
    cancelled(village, "airbnb", stay)
    lines = [one.said for one in browser.page("/").one(id="lines").every("li")]
    assert "réservation A1 annulée" in lines[0]
    assert not any("fermeture" in one for one in lines)  # what followed from it goes without saying


def test_an_open_page_asks_for_one_read_and_hears_of_news(village: Village, browser: Browser) -> None:
    settled(village)
    asks = browser.page("/").one(id="today").attributes["hx-get"]
    answers: list[HttpAnswer] = []
    assert reads(village, lambda: answers.append(browser.get(asks, **PART))) == 1
    assert answers[0].status == 204
    sold(village, "airbnb", AUGUST)
    village.run(village.webhook(village.deliveries.pop(0)))
    answer = browser.get(asks, **PART)
    assert answer.status == 200
    assert read(answer.body).one(id="today").attributes["hx-get"] != asks
    assert b"<html" not in answer.body


def test_other_owners_homes_are_no_part_of_it(village: Village, browser: Browser) -> None:
    sold_twice(village)
    page = browser(STRANGER).get("/").body.decode()
    assert "Moulin" not in page
    assert HOME not in page


def test_a_bus_that_hangs_holds_up_no_page(village: Village, browser: Browser) -> None:
    set_aside(village)

    async def hangs(queue: str, most: int) -> list[Received]:
        await asyncio.Event().wait()
        return []

    object.__setattr__(village.bus, "dead_letters", hangs)
    begun = village.clock.peek()
    assert "1 message attend." in browser(EVERYWHERE).page("/").one(id="messages").said
    assert village.clock.peek() - begun < timedelta(seconds=5)


def test_who_decides_elsewhere_and_looks_here_is_offered_no_button_here(
    village: Village, browser: Browser
) -> None:
    pulled(village)
    vanished(village)
    village.booking.faults.refuse = True
    told(village, "airbnb", StayDates.of_nights(AUGUST.check_out, 2))
    mia = browser(Person("Mia", {"owner": Role.VIEWER, "marc": Role.OPERATOR}))
    for person, offered in ((mia, False), (browser, True)):
        page = person.page("/")
        assert page.one(id="failed")
        presses = [one.attributes["action"].split("/")[1] for one in page.one(id="today").every("form")]
        assert set(presses) == ({"retry", "removals"} if offered else set())
