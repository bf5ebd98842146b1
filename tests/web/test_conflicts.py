"""Double bookings in a browser: what is shown, one thumb to decide, and the second person who is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.state.sites import Changes
from shared.use_cases import HttpAnswer
from tests.engine.stories import AUGUST, JULY, cancelled, clashes, pulled, stored, told
from tests.engine.test_conflict_room import sold_and_shown, sold_twice
from tests.engine.village import Village
from tests.web.html_tree import Node, read
from tests.web.support import CLAIRE, MARC, STRANGER, VIEWER, Browser, reads


def the_page(browser: Browser) -> str:
    """The address of the only open conflict, found as a person finds it: by its link in the list."""
    (entry,) = browser.page("/conflicts").every(class_="is-open")
    return entry.one("a").attributes["href"]


def choose(browser: Browser, where: str, kind: str, **typed: str) -> HttpAnswer:
    """Press the button of a proposal on the page as it stands."""
    return press(browser, browser.page(where), kind, **typed)


def press(browser: Browser, page: Node, kind: str, **typed: str) -> HttpAnswer:
    form = page.one("form", id="decide")
    names = [one.attributes["value"] for one in form.every("button", name="proposal")]
    (name,) = [one for one in names if one.startswith(f"{kind}-")]
    return browser.press(form, proposal=name, **typed)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_without_a_conflict_the_list_is_calm(browser: Browser, language: str) -> None:
    page = replace(browser, language=language).page("/conflicts")
    assert not page.every(class_="conflict-entry")
    assert page.one(role="status").said.startswith({"fr": "Aucune", "en": "No"}[language])


def test_open_ones_stand_above_those_that_are_over(village: Village, browser: Browser) -> None:
    first, _ = sold_twice(village)
    cancelled(village, "airbnb", first)
    sold_twice(village, AUGUST)
    entries = browser.page("/conflicts").every(class_="conflict-entry")
    assert ["is-open" in one.attributes["class"] for one in entries] == [True, False]
    assert "1er–4 août 2027" in entries[0].said
    assert "résolu, vérifié sur les plateformes" in entries[1].said


@pytest.mark.parametrize("language", ["fr", "en"])
def test_one_is_shown_with_both_sides_what_is_exposed_and_what_can_be_done(
    village: Village, browser: Browser, language: str
) -> None:
    sold_twice(village)
    page = replace(browser, language=language).page(the_page(browser))
    assert "Gîte du Moulin" in page.one(class_="lead").said
    assert (
        page.one(class_="lead").said.count("10–13 jui") + page.one(class_="lead").said.count("10–13 July")
        == 1
    )
    sides = [one.one("h3").said for one in page.one(class_="sides").every("article")]
    assert [side.split()[1] for side in sides] == ["airbnb", "booking"]
    exposed = {"fr": "Peut-être encore en vente", "en": "Perhaps still for sale"}[language]
    assert exposed in page.said
    buttons = page.one("form", id="decide").every("button", name="proposal")
    assert {one.attributes["value"].rpartition("-")[0] for one in buttons} >= {"cancel", "ask_guest"}
    assert len(page.one(id="lines").every("li")) >= 3


def test_exposure_is_told_as_over_once_every_peer_has_fetched(village: Village, browser: Browser) -> None:
    sold_twice(village)
    pulled(village)
    assert "aucune autre plateforme ne peut plus vendre" in browser.page(the_page(browser)).said


def test_a_guest_is_named_on_the_conflicts_page_alone(village: Village, browser: Browser) -> None:
    sold_twice(village)
    state = stored(village)
    named = [replace(one, guest=f"Guest{n} Q") for n, one in enumerate(state.reservations.values())]
    village.run(village.engine.world.sites.commit(state, Changes(reservations=named)))
    shown = browser.page(the_page(browser))
    assert sorted(one.text for one in shown.every("bdi", class_="guest")) == ["Guest0 Q", "Guest1 Q"]
    assert b"Guest0" not in browser.get("/conflicts").body
    cancel = next(one for one in shown.every(class_="proposal") if "Annuler" in one.one("h3").said)
    assert cancel.one(class_="place").said.endswith(
        "booking · B1 (booking) · Guest1 Q"
    )  # whose stay it would be


def test_to_take_care_is_one_button_and_no_resolution(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    answer = browser.press(browser.page(where).one(id="state").one("form"))
    assert (answer.status, answer.headers["location"]) == (303, where)
    page = browser.page(where)
    assert "Claire s’en occupe" in page.one(id="state").said
    assert not page.one(id="state").every("form")
    assert clashes(village)
    assert browser(MARC).post(f"{where}/acknowledge").status == 303
    assert "Claire s’en occupe" in browser.page(where).one(id="state").said  # who was first stays


def test_a_decision_is_shown_with_its_note_and_its_task(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    answer = choose(browser, where, "ask_guest", note="J'appelle ce soir.\r\nMerci !")
    assert (answer.status, answer.headers["location"]) == (303, where)
    page = browser.page(where)
    assert "Décidé par Claire" in page.one(id="state").said
    assert page.one(id="note").one("bdi").text == "J'appelle ce soir.\nMerci !"
    letter = page.one(id="task").every("textarea")[0]
    assert letter.attributes["lang"] == "fr"
    assert letter.text.strip().startswith("Bonjour")


def test_what_cannot_be_taken_back_asks_once_more(village: Village, browser: Browser) -> None:
    sold_and_shown(village)
    page = browser.page(the_page(browser))
    hidden = {
        button.attributes["value"].rpartition("-")[0]
        for part in page.every("details", class_="sure")
        for button in part.every("button", name="proposal")
    }
    shown = {one.attributes["value"].rpartition("-")[0] for one in page.every("button", name="proposal")}
    assert shown - hidden == {"ask_person"}
    assert "cancel" in hidden


def test_of_two_browsers_the_second_is_told_and_nothing_is_lost(village: Village, browser: Browser) -> None:
    """Both have the page open; Claire decides, Marc presses another button with a note of his own."""
    sold_twice(village)
    where = the_page(browser)
    claire, marc = browser(CLAIRE), browser(MARC)
    his = marc.page(where)
    assert choose(claire, where, "ask_guest").status == 303
    answer = press(marc, his, "cancel", note="Non, on annule Airbnb !")
    assert answer.status == 409
    page = read(answer.body)
    alert = page.one(id="refused").said
    assert "Déjà décidé par Claire" in alert
    assert "écrire à un voyageur" in alert
    assert "Vous aviez choisi : annuler un séjour" in alert
    assert page.one("textarea", id="note-field").text.strip() == "Non, on annule Airbnb !"
    assert "Décidé par Claire" in page.one(id="state").said
    # He reads it again and decides otherwise, with what he typed: that is his right, and is no accident now.
    assert press(marc, page, "cancel").status == 303
    after = browser.page(where)
    assert "Décidé par Marc" in after.one(id="state").said
    assert after.one(id="note").one("bdi").text == "Non, on annule Airbnb !"
    assert after.one(id="lines").said.count("décision prise") == 2


def test_of_two_at_the_same_moment_one_decides_and_the_other_is_told(
    village: Village, browser: Browser
) -> None:
    sold_twice(village)
    where = the_page(browser)
    claire, marc = browser(CLAIRE), Browser(village.another_host(), village.run, MARC)
    hers, his = claire.page(where), marc.page(where)
    answers: list[HttpAnswer] = []

    async def at_once() -> None:
        def later(one: Browser, page: Node, kind: str) -> asyncio.Task[HttpAnswer]:
            sent: list[tuple[str, str, bytes, dict[str, str]]] = []
            quiet = replace(one)
            quiet.ask = lambda *wanted: sent.append(wanted) or HttpAnswer(0)  # type: ignore[method-assign,func-returns-value]
            press(quiet, page, kind)
            return asyncio.ensure_future(one.asked(*sent[0]))

        answers.extend(await asyncio.gather(later(claire, hers, "ask_guest"), later(marc, his, "cancel")))

    village.loop.run_until_complete(at_once())
    assert sorted(one.status for one in answers) == [303, 409]
    late = read(next(one.body for one in answers if one.status == 409))
    assert "Déjà décidé par" in late.one(id="refused").said


def test_a_decision_on_facts_that_have_changed_is_told_what_changed(
    village: Village, browser: Browser
) -> None:
    first, _ = sold_twice(village)
    where = the_page(browser)
    page = browser.page(where)
    cancelled(village, "airbnb", first)
    answer = press(browser, page, "cancel", note="ma note")
    assert answer.status == 412
    told_so = read(answer.body)
    assert "ne se chevauchent plus" in told_so.one(id="refused").said
    assert "résolu" in told_so.said.lower()


def test_a_note_that_cannot_be_kept_comes_back_to_be_mended(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    answer = choose(browser, where, "ask_guest", note="x" * 501)
    assert answer.status == 400
    page = read(answer.body)
    assert page.one("textarea", id="note-field").text == "\n" + "x" * 501
    assert press(browser, page, "ask_guest", note="é\u00a0!").status == 303
    assert browser.page(where).one(id="note").one("bdi").text == "é\u00a0!"


def test_who_may_only_look_sees_no_button_and_presses_none(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    page = browser(VIEWER).page(where)
    assert not page.one(id="state").every("form")
    assert not page.every("button", name="proposal")
    assert browser(VIEWER).post(f"{where}/acknowledge").status == 403
    assert choose_blindly(browser(VIEWER), where) == 403
    assert clashes(village)[0].decision is None


def choose_blindly(browser: Browser, where: str) -> int:
    return browser.post(f"{where}/decide", {"proposal": "cancel-x", "tag": '"x"'}).status


def test_to_another_owners_people_it_is_not_there(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    other = browser(STRANGER)
    assert not other.page("/conflicts").every(class_="conflict-entry")
    assert other.get(where).status == 404
    assert other.post(f"{where}/acknowledge").status == 404
    assert choose_blindly(other, where) in (400, 404)
    assert other.page(where, 404).one("main").text == other.page("/conflicts/nonsense", 404).one("main").text
    assert clashes(village)[0].acknowledged is None


def test_an_open_page_hears_that_the_conflict_changed(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    asks = browser.page(where).one(id="news").attributes["hx-get"]
    answers: list[HttpAnswer] = []
    assert reads(village, lambda: answers.append(browser.get(asks, **{"hx-request": "true"}))) == 1
    assert answers[0].status == 204
    browser(MARC).post(f"{where}/acknowledge")
    answer = browser.get(asks, **{"hx-request": "true"})
    assert answer.status == 200
    assert read(answer.body).one("a").attributes["href"] == where


def test_a_form_that_was_forged_decides_nothing(village: Village, browser: Browser) -> None:
    sold_twice(village)
    where = the_page(browser)
    assert browser.post(f"{where}/acknowledge", origin="https://evil.example").status == 403
    assert browser.ask("POST", f"{where}/acknowledge").status == 403
    assert clashes(village)[0].acknowledged is None


def test_one_over_tells_how_it_ended(village: Village, browser: Browser) -> None:
    first, _ = sold_twice(village)
    where = the_page(browser)
    cancelled(village, "airbnb", first)
    told(village, "booking", AUGUST)
    page = browser.page(where)
    assert "Vérifié sur les plateformes" in page.one(id="state").said
    assert not page.every(id="decide")
    assert "annulée" in page.one(id="lines").said
    assert JULY.check_in.strftime("%Y-%m-%d") not in page.said  # dates are in words
