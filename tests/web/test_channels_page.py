"""The channels' page: what each card says, and what its forms do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.connectors.registry import PLATFORMS, CallLimit
from shared.domain.dates import StayDates
from shared.domain.model import SyncMode
from shared.resilience.rate_limit import Limit
from shared.web.pages.channels import limit
from tests.engine.village import Village
from tests.web.html_tree import Node
from tests.web.support import CLAIRE, STRANGER, VIEWER, Browser

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


@pytest.fixture
def village() -> Iterator[Village]:
    made = Village(guarded=True)
    yield made
    made.close()


@pytest.fixture
def browser(village: Village) -> Browser:
    return Browser(village.engine, village.run)


def card(page: Node, account: str) -> Node:
    return next(one for one in page.every("section", class_="channel-card") if account in one.text)


def wanted(village: Village, account: str) -> SyncMode:
    state = village.run(village.engine.world.accounts.load(account))
    assert state is not None
    return state.setting.wanted


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_channel_has_its_card_with_state_and_last_read_in_words(
    village: Village, language: str
) -> None:
    village.run(village.poll_booking())
    village.clock.advance(timedelta(seconds=40))
    page = Browser(village.engine, village.run, language=language).page("/channels")
    assert len(page.every("section", class_="channel-card")) == 3
    booking = card(page, "booking").said
    assert ("À jour" if language == "fr" else "Up to date") in booking
    assert ("il y a 40 s" if language == "fr" else "40 s ago") in booking


def test_a_viewer_finds_no_form_but_those_of_the_frame(browser: Browser) -> None:
    page = browser(VIEWER).page("/channels")
    assert len(page.every("section", class_="channel-card")) == 3
    assert {one.attributes["action"] for one in page.every("form")} <= {"/language", "/sign-out"}


def test_another_owner_sees_no_channel_and_finds_none_to_change(browser: Browser) -> None:
    stranger = browser(STRANGER)
    assert not stranger.page("/channels").every("section", class_="channel-card")
    for where in ("pause", "resume", "mode", "circuits/read"):
        fields = {"mode": "batch", "poll_minutes": "2", "batch_minutes": "15", "state": "forced_open"}
        assert stranger.post(f"/channels/booking/{where}", fields).status == 404


def test_a_pause_says_what_it_does_and_is_undone_with_one_button(village: Village, browser: Browser) -> None:
    page = browser.page("/channels")
    form = card(page, "booking").one("form", action="/channels/booking/pause")
    answer = browser.press(form)
    assert (answer.status, answer.headers["location"]) == (303, "/channels?done=paused")
    assert wanted(village, "booking") is SyncMode.MANUAL
    page = browser.page("/channels?done=paused")
    assert "rien n’y est envoyé" in page.one("p", role="status").text
    booking = card(page, "booking")
    assert "En pause" in booking.said
    browser.press(booking.one("form", action="/channels/booking/resume"))
    assert wanted(village, "booking") is SyncMode.AUTO


def test_mode_and_rhythms_are_chosen_and_shown(village: Village, browser: Browser) -> None:
    fields = {"mode": "batch", "poll_minutes": "3", "batch_minutes": "30"}
    form = card(browser.page("/channels"), "booking").one("form", action="/channels/booking/mode")
    assert browser.press(form, **fields).status == 303
    assert wanted(village, "booking") is SyncMode.BATCH
    form = card(browser.page("/channels"), "booking").one("form", action="/channels/booking/mode")
    checked = [one for one in form.every("input", name="mode") if "checked" in one.attributes]
    assert [one.attributes["value"] for one in checked] == ["batch"]
    chosen = [one.text for one in form.every("option") if "selected" in one.attributes]
    assert chosen == ["3", "30"]


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "slow", "poll_minutes": "2", "batch_minutes": "15"},
        {"mode": "batch", "poll_minutes": "99", "batch_minutes": "15"},
        {"mode": "batch", "poll_minutes": "٣", "batch_minutes": "15"},
        {"mode": "batch", "poll_minutes": "9" * 5_000, "batch_minutes": "15"},
        {},
    ],
)
def test_what_no_form_of_ours_sends_changes_nothing_and_is_told(
    village: Village, browser: Browser, fields: dict[str, str]
) -> None:
    answer = browser.post("/channels/booking/mode", fields)
    assert answer.status == 400
    assert b'role="alert"' in answer.body
    assert wanted(village, "booking") is SyncMode.AUTO


def test_a_circuit_is_forced_and_left_to_itself_again(browser: Browser) -> None:
    where = "/channels/booking/circuits/write"
    assert browser.post(where, {"state": "forced_open"}).status == 303
    assert "forcé ouvert" in card(browser.page("/channels"), "booking").said
    assert browser.post(where, {"state": "closed"}).status == 303
    assert "forcé ouvert" not in card(browser.page("/channels"), "booking").said
    assert browser.post(where, {"state": "melted"}).status == 400
    assert browser.post("/channels/booking/circuits/fly", {"state": "closed"}).status == 400


def test_nights_a_channel_has_not_read_are_told_with_their_age(village: Village, browser: Browser) -> None:
    village.book("airbnb", JULY)
    village.run(village.webhook(village.deliveries.pop(0)))
    village.clock.advance(timedelta(minutes=72))
    said = card(browser.page("/channels"), "greengo-owner").one("div", class_="exposed").said
    assert "n’a pas encore lu ce blocage" in said
    assert "1 h 12" in said


def test_no_link_is_shown_beyond_its_host(village: Village, browser: Browser) -> None:
    for person in (CLAIRE, VIEWER):
        text = browser(person).get("/channels").body.decode()
        assert "greengo.example/…" in text
        assert "greengo.example/x" not in text
        assert not any(token in text for token in village.tokens.values())


def test_a_done_word_nobody_wrote_is_not_repeated(browser: Browser) -> None:
    page = browser.page("/channels?done=%3Cscript%3E")
    assert not page.every("p", role="status")


def test_every_limit_of_a_platform_can_be_said_in_words() -> None:
    named = [Limit(*_limit(one)).name for entry in PLATFORMS.values() for one in entry.limits]
    assert named
    assert all(limit(name) for name in named), named
    assert limit("10/min a property write") == ("10", "min", True, True)
    assert limit("7 whales") is None


def _limit(one: CallLimit) -> tuple[int, float, str, frozenset[str]]:
    return one.calls, one.seconds, one.scope, one.operations


def test_an_open_page_hears_of_news_and_a_form_somebody_fills_in_stays(
    village: Village, browser: Browser
) -> None:
    """Nothing new: 204. Something new: the cards alone; the settings keep their name until what they show changed."""

    def part(page: Node) -> str:
        where = page.one("div", id="channels").attributes["hx-get"]
        answer = browser.get(where, **{"hx-request": "true"})
        return answer.body.decode() if answer.status == 200 else ""

    page = browser.page("/channels")
    forms = {one.attributes["id"] for one in page.every("details", hx_preserve="true")}
    assert len(forms) == 2
    assert part(page) == ""
    browser.post("/channels/booking/circuits/read", {"state": "forced_closed"})
    browser.post("/channels/booking/circuits/read", {"state": "closed"})
    news = part(page)
    assert 'id="channels"' in news
    assert "<h1" not in news
    assert all(f'id="{one}"' in news for one in forms)
    browser.post("/channels/booking/pause")
    assert sum(f'id="{one}"' in part(page) for one in forms) == 1
