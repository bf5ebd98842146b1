"""Synchronise now, as people press and follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from shared.domain.dates import StayDates
from shared.use_cases import HttpAnswer
from shared.web import csrf
from tests.engine.stories import told
from tests.engine.village import HOME, Village
from tests.web.html_tree import read
from tests.web.support import EVERYWHERE, MARC, PUBLIC, STRANGER, VIEWER, Browser

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
ALL = {"how": "batch", "target": "all"}


@pytest.fixture
def village() -> Iterator[Village]:
    made = Village()
    yield made
    made.close()


@pytest.fixture
def browser(village: Village) -> Browser:
    return Browser(village.engine, village.run)


def finish(village: Village) -> None:
    for _ in range(6):
        village.run(village.drain())
        village.clock.advance(timedelta(seconds=7))


def press(browser: Browser, **fields: str) -> str:
    answer = browser.post("/sync", {**ALL, **fields})
    assert answer.status == 303, answer.body
    return answer.headers["location"]


def test_a_forced_sync_pressed_ten_times_at_once_runs_once_and_all_follow_the_same(
    village: Village, browser: Browser
) -> None:
    people = [browser, browser(MARC)] * 5
    village.clock.advance(timedelta(seconds=30))
    polls = village.booking.asked["poll"]

    async def all_press() -> list[HttpAnswer]:
        def body(one: Browser) -> bytes:
            return urlencode({**ALL, csrf.FIELD: csrf.masked(one.secret)}).encode()

        own = {"origin": PUBLIC, "sec-fetch-site": "same-origin"}
        return list(await asyncio.gather(*(one.asked("POST", "/sync", body(one), own) for one in people)))

    answers = village.loop.run_until_complete(all_press())
    places = {one.headers["location"] for one in answers}
    assert [one.status for one in answers] == [303] * 10
    assert len(places) == 1
    for person in (browser, browser(MARC), browser(VIEWER)):
        assert person.page(*places).every("section", id="progress")
    finish(village)
    assert village.booking.asked["poll"] == polls + 1
    assert press(browser) not in places


def test_the_page_is_shown_while_a_write_is_under_way(village: Village, browser: Browser) -> None:
    """Listings were looked up by their value, and one with a write in it has none: a fault of ours instead of the
    page, just when somebody comes to press."""
    village.booking.faults.lose_answer = True
    told(village, "airbnb", JULY)
    state = village.run(village.engine.world.sites.load(HOME))
    assert any(one.writes for one in state.listings.values()), "its outcome is not known"
    assert browser.page("/sync").one("h1").said == "Synchroniser"
    assert browser.page(press(browser)).every("section", id="progress")


def test_presses_in_a_row_are_one_although_the_work_is_quicker_than_the_finger(
    village: Village, browser: Browser
) -> None:
    village.clock.advance(timedelta(seconds=30))
    first = press(browser)
    village.run(village.drain())
    assert not browser.page(first).every("noscript"), "it is over"
    village.clock.advance(timedelta(seconds=2))
    assert press(browser) == first
    village.clock.advance(timedelta(seconds=4))
    assert press(browser) != first


def test_while_it_runs_its_buttons_are_disabled_with_the_reason(village: Village, browser: Browser) -> None:
    where = press(browser)
    page = browser.page("/sync")
    assert [one.attributes["href"] for one in page.every("a") if one.said.startswith("La suivre")] == [where]
    assert page.one("p", id="busy").said.startswith("Une synchronisation est déjà en cours")
    buttons = page.one("main").every("button")
    assert buttons
    assert all("disabled" in one.attributes for one in buttons)
    assert all(one.attributes["aria-describedby"] == "busy" for one in buttons)
    finish(village)
    assert not [one for one in browser.page("/sync").every("button") if "disabled" in one.attributes]


def test_one_platform_and_one_home_have_their_button(village: Village, browser: Browser) -> None:
    page = browser.page("/sync")
    targets = {one.attributes.get("value") for one in page.every("button", name="target")}
    assert targets == {"all", "platform:airbnb", "platform:booking", "platform:greengo", f"home:{HOME}"}
    for target in sorted(str(one) for one in targets):
        assert browser.page(press(browser, target=target)).every("section", id="progress")
        finish(village)
    assert len(browser.page("/sync").every("li", class_="entry")) >= 5


def test_progress_is_a_piece_that_asks_again_until_the_end_is_told_once(
    village: Village, browser: Browser
) -> None:
    where = press(browser)
    part = read(browser.get(f"{where}/progress", **{"hx-request": "true"}).body)
    section = part.one("section", id="progress")
    assert section.attributes["hx-trigger"] == "every 2s"
    assert len(section.every("progress")) == 3
    finish(village)
    ended = read(browser.get(f"{where}/progress", **{"hx-request": "true"}).body)
    assert "hx-trigger" not in ended.one("section", id="progress").attributes
    said = ended.one("p", role="status")
    assert said.attributes["hx-swap-oob"] == "innerHTML", "the region itself stays: a new one would be silent"
    assert said.said.startswith("Synchronisation terminée")
    page = browser.page(where)
    assert page.one("p", role="status").said == "", "who opens the report later is told nothing new"


def test_without_scripts_the_page_comes_back_by_itself_until_the_end(
    village: Village, browser: Browser
) -> None:
    where = press(browser)
    page = browser.page(where)
    assert page.one("noscript").one("meta").attributes["content"] == "10"
    assert browser.get(f"{where}/progress").headers["location"] == where
    finish(village)
    assert not browser.page(where).every("noscript")


def test_the_report_is_kept_in_words(village: Village, browser: Browser) -> None:
    village.book("greengo", JULY)
    where = press(browser, how="manual")
    finish(village)
    said = browser.page(where).one("main").said
    assert "Gîte du Moulin, booking : ferme 10–13 juillet 2027 – accepté" in said
    village.clock.advance(timedelta(days=2))
    page = browser.page("/sync")
    assert where in [one.attributes["href"] for one in page.every("a")]


def test_who_may_only_look_follows_and_presses_nothing(browser: Browser) -> None:
    viewer = browser(VIEWER)
    page = viewer.page("/sync")
    assert not page.one("main").every("button")
    assert "operator" in page.one("main").said
    assert viewer.post("/sync", ALL).status == 403


def test_others_homes_and_jobs_are_not_there(browser: Browser) -> None:
    where = press(browser)
    stranger = browser(STRANGER)
    assert stranger.get(where).status == 404
    assert stranger.get(f"{where}/progress", **{"hx-request": "true"}).status == 404
    assert stranger.post("/sync", {"target": f"home:{HOME}"}).status == 404
    assert stranger.post("/sync", {"target": "platform:booking"}).status == 404
    everywhere = press(browser(EVERYWHERE))
    assert everywhere != where
    assert browser.get(everywhere).status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"target": ""},
        {"target": "home:"},
        {"target": "home:castle"},
        {"target": "platform:nowhere"},
        {"target": "moon:1"},
        {"target": "all", "how": "auto"},
        {"target": "home:" + "x" * 5_000},
        {"target": "platform:\x00"},
    ],
)
def test_what_no_form_of_ours_sends_starts_nothing(
    village: Village, browser: Browser, fields: dict[str, str]
) -> None:
    answer = browser.post("/sync", fields)
    assert answer.status == 404
    assert not browser.page("/sync").every("section", class_="info")


def test_with_no_home_the_way_to_the_first_calendar_is_shown(browser: Browser) -> None:
    """Whoever had connected nothing yet was told to lack the role "operator"."""
    page = browser(STRANGER).page("/sync")
    assert page.one("a", href="/connect", class_="main").said
    assert "Rien à synchroniser" in page.said
    assert "operator" not in page.said
