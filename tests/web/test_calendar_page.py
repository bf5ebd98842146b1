"""The calendar's pages: what they say, in both languages, and what they weigh."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bench.calendar_page import Console, weight
from bench.fifty import furnished
from shared.domain.access import Role
from shared.domain.dates import StayDates
from shared.domain.model import Busy, SyncMode
from shared.domain.modes import ModeSetting
from shared.domain.portfolio import Owner
from shared.domain.timeline import timeline
from shared.engine.stamps import OLD
from shared.memory.tables import MemoryTables
from shared.state.people import PeopleStore
from shared.state.sites import Changes
from shared.use_cases import HttpAnswer
from shared.web.agenda import MOST_LINES, agenda
from shared.web.bars import Cell, Drawing
from shared.web.desk import Desk
from shared.web.door import Door
from shared.web.limit import Limit
from shared.web.sign_in import AzureSignIn
from shared.web.words import words
from tests.domain.test_timeline import NOW, WINDOW, fact, house, july, mill
from tests.domain.test_timeline import row as row_of
from tests.engine.asking import asks, look
from tests.engine.stories import JULY, LATER, MINUTE, after, clashes, polled, pulled, told
from tests.engine.village import HOME, START, Village
from tests.planted import GUEST
from tests.web.html_tree import Node, read
from tests.web.support import PAGES, PUBLIC, STRANGER, VIEWER, Browser

IN_JULY = "/calendar?start=2027-07-01"
AT_HOME = f"/calendar/{HOME}?start=2027-07-01"
ODD = "<script>alert(1)</script>\"'&amp; ‮Zoé"
"""What nobody is called."""


def bars(page: Node) -> list[Node]:
    return [one for table in page.every("table", class_="frieze") for one in table.every("a", class_="bar")]


def label(page: Node) -> str:
    (only,) = bars(page)
    return in_words(only)


def in_words(bar: Node) -> str:
    """What is heard of a bar; what is seen of it is not heard."""
    seen, heard = bar.every("span")
    assert seen.attributes == {"aria-hidden": "true"}
    return heard.text


def named(village: Village, home: str = "", guest: str = "") -> None:
    """Another name for the home, and for every guest."""
    sites = village.engine.world.sites
    state = village.run(sites.load(HOME))
    place = state.site.properties[HOME]
    site = replace(state.site, properties={HOME: replace(place, name=home or place.name)})
    stays = [replace(one, guest=guest) for one in state.reservations.values()] if guest else []
    village.run(sites.commit(state, Changes(site=site, reservations=stays)))


# ----------------------------------------------------------------------------------------- the table


def test_a_stay_is_a_bar_with_its_channels_letter_and_everything_in_words(
    village: Village, browser: Browser
) -> None:
    told(village, "airbnb", JULY)
    named(village, guest="Zoé T.")
    page = browser.page(IN_JULY)
    (bar,) = bars(page)
    assert in_words(bar) == (
        "airbnb, réservation, 10–13 juillet 2027, Zoé T.\u202f; booking\u202f: confirmé\u202f; "
        "greengo\u202f: envoyé, peut encore vendre"
    )
    assert bar.one("b").text == "A"
    assert [(one.text, one.attributes["class"]) for one in bar.every("i")] == [("B✓", "done"), ("G➜", "open")]
    assert {"bar", "stay", "by-airbnb"} <= set(bar.attributes["class"].split())


def test_the_four_words_follow_the_closure(village: Village, browser: Browser) -> None:
    village.booking.faults.down = True
    told(village, "airbnb", JULY)
    assert "booking\u202f: à envoyer, échec, nouvel essai prévu, peut encore vendre" in label(
        browser.page(IN_JULY)
    )
    village.booking.faults.down = False
    after(village, 2 * MINUTE)
    assert "booking\u202f: confirmé" in label(browser.page(IN_JULY))
    after(village, 2 * MINUTE)
    assert "booking\u202f: vu" in label(browser.page(IN_JULY))
    assert "greengo\u202f: envoyé" in label(browser.page(IN_JULY))
    pulled(village)
    assert "greengo\u202f: confirmé" in label(browser.page(IN_JULY))


def test_a_short_bar_has_one_mark_for_all_channels_the_one_that_is_least_far(
    village: Village, browser: Browser
) -> None:
    told(village, "airbnb", StayDates(date(2027, 7, 10), date(2027, 7, 11)))
    (bar,) = bars(browser.page(IN_JULY))
    assert [one.text for one in bar.every("i")] == ["➜"]
    assert "one" in bar.attributes["class"].split()
    pulled(village)
    assert [one.text for one in bars(browser.page(IN_JULY))[0].every("i")] == ["✓"]


def test_in_english_too(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    page = replace(browser, language="en").page(IN_JULY)
    assert label(page) == (
        f"airbnb, booking, 10–13 July 2027, {GUEST}; booking: confirmed; greengo: sent, can still sell"
    )
    assert page.one("caption").said == "1 home, 1 July 2027 to 31 July 2027. Each column is a night."


def test_every_line_of_the_table_has_the_months_nights_under_scoped_heads(
    village: Village, browser: Browser
) -> None:
    told(village, "airbnb", JULY)
    village.greengo.calendar.book(StayDates(date(2027, 6, 28), date(2027, 7, 2)))
    village.greengo.calendar.book(StayDates(date(2027, 7, 30), date(2027, 8, 4)))
    polled(village)
    table = browser.page(IN_JULY).one("table", class_="frieze")
    months, days = table.one("thead").every("tr")
    assert [one.attributes.get("scope") for one in months.every("th")] == ["col", "colgroup"]
    assert [one.said for one in days.every("th")][:2] == ["jeu. 1", "ven. 2"]
    assert {one.attributes["scope"] for one in days.every("th")} == {"col"}
    (line,) = table.one("tbody").every("tr")
    assert line.one("th").attributes["scope"] == "rowgroup"
    assert sum(int(one.attributes.get("colspan", "1")) for one in line.every("td")) == 31
    styles = [set(one.attributes["class"].split()) for one in line.every("a", class_="bar")]
    assert ["from-before" in one for one in styles] == [True, False, False]
    assert ["goes-on" in one for one in styles] == [False, False, True]
    region = next(one for one in browser.page(IN_JULY).every("div") if one.attributes.get("role") == "region")
    assert (region.attributes["tabindex"], bool(region.attributes["aria-label"])) == ("0", True)


def test_a_window_over_two_months_names_both(browser: Browser) -> None:
    head = browser.page("/calendar?start=2027-07-20").one("thead")
    assert [
        (one.said, one.attributes["colspan"])
        for one in head.every("th")
        if one.attributes["scope"] == "colgroup"
    ] == [("juillet 2027", "12"), ("août 2027", "19")]


def test_a_double_booking_is_red_has_a_sign_and_leads_to_its_decision(
    village: Village, browser: Browser
) -> None:
    village.greengo.calendar.book(LATER)
    told(village, "airbnb", JULY)
    polled(village)
    (clash,) = clashes(village)
    page = browser.page(IN_JULY)
    assert len(page.one("table", class_="frieze").one("tbody").every("tr")) == 2
    for bar in bars(page):
        assert "clash" in bar.attributes["class"].split()
        assert bar.one("i").text == "!"
        assert "Double réservation" in in_words(bar)
        assert browser.get(bar.attributes["href"]).status == 200
    assert clash.id


def test_what_vanished_says_so_and_is_marked(village: Village, browser: Browser) -> None:
    village.greengo.calendar.book(JULY)
    polled(village)
    village.greengo.hidden = set(village.greengo.calendar.sold)
    village.greengo.calendar.book(StayDates(date(2027, 9, 1), date(2027, 9, 3)))
    polled(village, 2 * MINUTE)
    (bar,) = bars(browser.page(IN_JULY))
    assert "disparue du calendrier, à confirmer" in in_words(bar)
    assert {"gone", "linked"} <= set(bar.attributes["class"].split())
    assert bar.one("i").text == "?"


def test_a_promise_is_dotted_and_says_until_when(village: Village, browser: Browser) -> None:
    village.run(look(village))
    assert village.run(asks(village.engine, JULY))
    (bar,) = bars(browser.page(IN_JULY))
    assert "hold" in bar.attributes["class"].split()
    until = village.clock.peek() + 15 * MINUTE + timedelta(hours=1)  # Paris
    assert in_words(bar).endswith(
        f"promise le temps d’un paiement, 10–13 juillet 2027, jusqu’à {until:%H:%M}"
    )


def test_what_waits_by_hand_says_so(village: Village, browser: Browser) -> None:
    account = village.run(village.engine.world.accounts.load("booking"))
    assert account is not None
    village.run(village.engine.modes.choose(account, ModeSetting(SyncMode.MANUAL), "Claire"))
    told(village, "airbnb", JULY)
    assert "booking\u202f: à envoyer, à fermer à la main" in label(browser.page(IN_JULY))


def test_units_that_find_no_lane_are_counted_and_lead_to_the_home() -> None:
    shown = row_of(mill(*(fact(f"s{n}", "airbnb", july(10, 13)) for n in range(6)), units=6))
    texts = words("fr")
    drawing = Drawing(WINDOW, lambda key, **named: texts[key].format(**named), "fr", {})
    lanes = drawing.lanes(shown)
    assert len(lanes) == 4
    more = next(cell for cell in lanes[-1] if cell.style)
    assert (more.mark, more.span, more.href) == ("+3", 3, "/calendar/mill?start=2027-07-10")
    assert more.text == "3 de plus, 10–13 juillet 2027\u202f: voir le logement"
    assert all(sum(cell.span for cell in lane) == 31 for lane in lanes)


def test_a_home_without_a_bar_is_a_row_of_free_nights(browser: Browser) -> None:
    (line,) = browser.page(IN_JULY).one("table", class_="frieze").one("tbody").every("tr")
    assert len(line.every("td")) == 31


# -------------------------------------------------------------------------------------- choosing


def test_homes_and_channels_can_be_chosen(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    page = browser.page(f"{IN_JULY}&channel=greengo&home={HOME}")
    assert label(page).endswith("greengo\u202f: envoyé, peut encore vendre")
    chosen = [one.attributes["value"] for one in page.every("option") if "selected" in one.attributes]
    assert chosen == [HOME, "greengo"]
    week = next(
        one for one in page.every("a", class_="button") if "1 semaine" in one.said and "›" in one.said
    )
    assert week.attributes["href"] == f"/calendar?start=2027-07-08&home={HOME}&channel=greengo"


@pytest.mark.parametrize(
    ("start", "back", "on"),
    [
        ("2027-07-01", "2027-06-01", "2027-08-01"),
        ("2027-03-31", "2027-02-28", "2027-04-30"),
        ("2027-01-15", "2026-12-15", "2027-02-15"),
        ("2028-01-31", "2027-12-31", "2028-02-29"),
    ],
)
def test_a_month_on_is_the_same_day_or_the_months_last(
    browser: Browser, start: str, back: str, on: str
) -> None:
    links = [
        one.attributes["href"]
        for one in browser.page(f"/calendar?start={start}").one("nav", class_="moving").every("a")
    ]
    assert (links[0], links[-1]) == (f"/calendar?start={back}", f"/calendar?start={on}")


@pytest.mark.parametrize(("start", "many"), [("2000-01-01", 3), ("2199-12-31", 3), ("2000-01-08", 4)])
def test_at_the_ends_of_time_there_is_no_way_on(browser: Browser, start: str, many: int) -> None:
    assert len(browser.page(f"/calendar?start={start}").one("nav", class_="moving").every("a")) == many


@pytest.mark.parametrize(
    "start", ["x", "2027-02-30", "1999-12-31", "2200-01-01", "0000-00-00", "20270701'", "9999-12-31"]
)
def test_what_is_no_day_is_refused_by_name(browser: Browser, start: str) -> None:
    for where in ("/calendar", f"/calendar/{HOME}"):
        answer = browser.get(f"{where}?start={start}")
        assert answer.status == 400
        assert "n’est pas un jour comme 2027-03-01" in read(answer.body).one("main").said


@pytest.mark.parametrize("page", ["x", "-1", "1.5", "²", "999999", "٣"])
def test_what_is_no_page_is_refused_by_name(browser: Browser, page: str) -> None:
    assert browser.get(f"/calendar?page={page}").status == 400


@pytest.mark.parametrize(
    "where",
    ["/calendar?page=0", "/calendar?page=2", "/calendar?home=no", "/calendar?channel=no", "/calendar/no"],
)
def test_what_is_not_there_is_not_found(browser: Browser, where: str) -> None:
    assert browser.get(where).status == 404


def test_a_list_stands_alone_where_it_was_chosen(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    page = browser.page(f"{IN_JULY}&view=list")
    assert not page.every("table")
    assert [one.one("strong").said for one in page.every("a", class_="line")] == ["Arrivée", "Départ"]


def test_whoever_only_looks_sees_it(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    assert len(bars(browser(VIEWER).page(IN_JULY))) == 1


def test_a_stranger_finds_nothing_and_no_trace(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    named(village, guest="Zoé T.")
    stranger = browser(STRANGER)
    for where in (IN_JULY, f"/calendar?home={HOME}", AT_HOME):
        body = stranger.get(where).body.decode()
        for word in (HOME, "Moulin", "Zoé T.", "10-13"):
            assert word not in re.sub(r'value="[^"]*"', "", body), (where, word)
    assert stranger.get(AT_HOME).status == 404
    assert "Aucun logement" in stranger.page(IN_JULY).one("main").said


# ------------------------------------------------------------------------------------------ the list


def test_the_list_has_departures_before_arrivals_and_says_who_comes_next() -> None:
    first, second = fact("a", "airbnb", july(3, 7)), fact("b", "booking", july(7, 9))
    shown = row_of(mill(first, second, fact("c", "airbnb", july(20, 22))))
    found = agenda([shown], StayDates(date(2027, 7, 1), date(2027, 8, 1)))
    lines = [
        (day.day, line.what, line.follows and line.follows.day) for day, those in found.days for line in those
    ]
    assert lines == [
        (3, "arrival", None),
        (7, "departure", 7),
        (7, "arrival", None),
        (9, "departure", 20),
        (20, "arrival", None),
        (22, "departure", None),
    ]


def test_what_a_room_sold_is_on_the_rooms_list_and_on_the_houses_line() -> None:
    whole, room = timeline(house(), WINDOW, NOW)
    lines = [line for _, those in agenda([whole, room], WINDOW).days for line in those]
    assert {line.row.home for line in lines} == {"up"}
    texts = words("fr")
    drawing = Drawing(
        WINDOW, lambda key, **named: texts[key].format(**named), "fr", {"up": "Chambre du haut"}
    )
    cell = next(one for lane in drawing.lanes(whole) for one in lane if one.style)
    assert "elsewhere" in cell.style.split()
    assert "au logement Chambre du haut" in cell.text
    own = next(one for lane in drawing.lanes(room) for one in lane if one.style)
    assert "elsewhere" not in own.style.split()


def test_a_long_list_is_cut_between_two_days_and_goes_on_there() -> None:
    window = StayDates(date(2027, 7, 1), date(2027, 8, 1))
    rows = [row_of(mill(fact(f"s{n}", "airbnb", july(1 + n % 20, 25)))) for n in range(MOST_LINES + 10)]
    found = agenda(rows, window)
    many = sum(len(lines) for _, lines in found.days)
    assert 0 < many <= MOST_LINES
    assert found.next_day is not None
    assert found.days[-1][0] < found.next_day


def test_an_owners_block_begins_and_nobody_arrives() -> None:
    shown = row_of(mill(fact("mine", "greengo", july(5, 8), Busy.BLOCK)))
    found = agenda([shown], StayDates(date(2027, 7, 1), date(2027, 8, 1)))
    assert [line.what for _, lines in found.days for line in lines] == ["begins"]


# ------------------------------------------------------------------------------------------ one home


def test_one_home_tells_each_channel_night_by_night_and_leads_to_why(
    village: Village, browser: Browser
) -> None:
    village.run(village.first_answers())
    told(village, "airbnb", JULY)
    village.run(village.poll_booking())
    page = browser.page(AT_HOME)
    assert page.one("h1").said == "Gîte du Moulin"
    lines = page.one("table", class_="nights").one("tbody").every("tr")
    assert [one.one("th").said for one in lines] == [
        "1er–10 juillet 2027 (9 nuits)",
        "10–13 juillet 2027 (3 nuits)",
        "13 juillet – 1er août 2027 (19 nuits)",
    ]
    assert [cell.said for cell in lines[1].every("td")] == [
        "vendue ici",
        "✓ fermée, confirmé",
        "➜ à fermer, envoyé",
        "A airbnb, réservation",
        "Pourquoi ?",
    ]
    why = lines[1].every("a")[-1]
    assert why.attributes["href"] == f"/why?home={HOME}&date=2027-07-10"
    assert why.attributes["aria-label"] == "Pourquoi la nuit du 10 juillet 2027 est ainsi"


def test_stays_that_touch_are_told_each_by_itself(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    told(village, "airbnb", StayDates(JULY.check_out, date(2027, 7, 15)))
    lines = browser.page(AT_HOME).one("table", class_="nights").one("tbody").every("tr")
    assert [one.one("th").said for one in lines[1:3]] == [
        "10–13 juillet 2027 (3 nuits)",
        "13–15 juillet 2027 (2 nuits)",
    ]


def test_one_home_says_what_went_wrong_last(village: Village, browser: Browser) -> None:
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    card = browser.page(AT_HOME).one("article")
    assert "refused for the test" in card.said
    assert "A1 (airbnb)" in card.said


def test_a_source_that_is_too_old_is_told_once(village: Village, browser: Browser) -> None:
    village.clock.advance(timedelta(hours=5))
    page = browser.page(AT_HOME)
    assert len([one for one in page.every("p", class_="warn") if "trop ancienne" in one.said]) == 3
    assert {one.said for one in page.every("span", class_="night")} == {"inconnue"}


# ---------------------------------------------------------------------------------- names that are odd


def test_odd_names_are_shown_as_they_are_and_run_nothing(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    named(village, home=ODD, guest=ODD)
    for where in (IN_JULY, AT_HOME, f"{IN_JULY}&view=list"):
        answer = browser.get(where)
        page = read(answer.body)
        assert b"<script>alert" not in answer.body
        assert all("src" in one.attributes for one in page.every("script"))
        if where == IN_JULY:
            assert page.one("tbody").one("th").one("a").text == ODD
        if "list" in where:
            assert all(ODD in one.text for one in page.every("a", class_="line"))
        else:
            assert ODD in label(page)
    assert browser.page(AT_HOME).one("h1").text == ODD


def test_no_name_of_a_guest_is_in_a_repr(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    named(village, guest="Zoé T.")
    state = village.run(village.engine.world.sites.load(HOME))
    rows = timeline(state, WINDOW, village.clock.now())
    assert [bar.guest for row in rows for lane in row.lanes for bar in lane] == ["Zoé T."]
    page = browser.get(IN_JULY)
    assert "Zoé" in page.body.decode()
    for held in (rows, page, Cell(1, guest="Zoé T.")):
        assert "Zo" not in repr(held)


def test_no_name_of_a_guest_is_in_an_address(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    named(village, guest="Zoé T.")
    for where in (IN_JULY, AT_HOME):
        page = browser.page(where)
        assert "Zoé T." in label(page)
        named_in = [
            one.attributes.get(name, "") for one in page.every() for name in ("href", "action", "hx-get")
        ]
        assert not any("Zo" in one for one in named_in)


# ------------------------------------------------------------------------------------------- news


def ticks(page: Node) -> str:
    return page.one(id="calendar-as-of").attributes["hx-get"]


def tick(village: Village, browser: Browser, where: str, **headers: str) -> tuple[HttpAnswer, Counter[str]]:
    counted: Counter[str] = Counter()
    village.tables.before = lambda operation, table, partition: counted.update([f"{operation} {table}"])
    answer = browser.get(where, **{"hx-request": "true"}, **headers)
    village.tables.before = None
    return answer, counted


def redrawn(browser: Browser, where: str) -> Node:
    """What the page asks for when it hears that there is news."""
    listens = next(one for one in browser.page(where).every() if one.attributes.get("hx-trigger") == "news")
    answer = browser.get(listens.attributes["hx-get"], **{"hx-request": "true"})
    assert answer.status == 200
    return read(answer.body)


def test_a_tick_without_news_answers_nothing_for_one_read(village: Village, browser: Browser) -> None:
    told(village, "airbnb", JULY)
    where = ticks(browser.page(IN_JULY))
    answer, cost = tick(village, browser, where)
    assert (answer.status, answer.body, cost) == (204, b"", Counter({"query Runs": 1}))
    assert "hx-trigger" not in answer.headers


def test_a_tick_with_news_says_so_and_nothing_else_for_one_read(village: Village, browser: Browser) -> None:
    where = ticks(browser.page(IN_JULY))
    told(village, "airbnb", JULY)
    answer, cost = tick(village, browser, where)
    assert (answer.status, answer.body, cost) == (204, b"", Counter({"query Runs": 1}))
    assert answer.headers["hx-trigger"] == "news"


def test_after_the_news_the_page_gets_the_table_the_list_and_the_next_tick(
    village: Village, browser: Browser
) -> None:
    where = ticks(browser.page(IN_JULY))
    told(village, "airbnb", JULY)
    part = redrawn(browser, IN_JULY)
    assert not part.every("html")
    assert [one.attributes["id"] for one in part.every() if "hx-swap-oob" in one.attributes] == [
        "calendar-agenda",
        "calendar-table",
    ]
    assert len(bars(part)) == 1
    assert ticks(part) != where
    assert "hx-trigger" not in tick(village, browser, ticks(part))[0].headers


def test_what_somebody_decides_elsewhere_is_news(village: Village, browser: Browser) -> None:
    where = ticks(browser.page(IN_JULY))
    assert browser.post("/language", {"language": "en"}).status == 303
    assert "hx-trigger" not in tick(village, browser, where)[0].headers  # their own affair
    assert browser.post("/channels/booking/pause").status == 303
    assert tick(village, browser, where)[0].headers["hx-trigger"] == "news"


def test_a_page_left_open_asks_for_itself_after_a_while(village: Village, browser: Browser) -> None:
    where = ticks(browser.page(IN_JULY))
    village.clock.advance(OLD)
    answer, cost = tick(village, browser, where)
    assert (answer.headers["hx-trigger"], cost) == ("news", Counter())


@pytest.mark.parametrize("stamp", ["", "x", "1-2", "%00", "9" * 40])
def test_an_odd_stamp_is_news(browser: Browser, stamp: str) -> None:
    answer = browser.get(f"/calendar?stamp={stamp}", **{"hx-request": "true"})
    assert (answer.status, answer.headers["hx-trigger"]) == (204, "news")


def test_on_azure_too_a_tick_is_one_read_although_somebody_must_be_known(village: Village) -> None:
    people = PeopleStore(village.engine.world.tables)
    village.run(people.put([Owner("owner", "claire@example.org", Role.VIEWER)]))
    free = Limit(1_000_000, 1, lambda: 0.0)
    azure = {"x-ms-client-principal-id": "claire@example.org"}
    browser = Browser(village.engine, village.run)
    browser.door = Door(Desk(village.engine, PAGES, PUBLIC), AzureSignIn(people, enabled=True), free, free)
    where = ticks(read(browser.get(IN_JULY, **azure).body))
    spent: list[int] = []
    while village.clock.peek() < START + 3 * OLD:
        village.clock.advance(timedelta(seconds=20))
        answer, cost = tick(village, browser, where, **azure)
        spent.append(cost.total())
        if "hx-trigger" in answer.headers:
            where = ticks(read(browser.get(IN_JULY, **azure).body))
    assert max(spent) == 1
    assert sum(spent) >= 10


def test_two_people_are_never_shown_each_others_rows(village: Village, browser: Browser) -> None:
    """Rows are kept as they were written: only for whoever is handed the very same ones."""
    told(village, "airbnb", JULY)
    assert len(bars(browser.page(IN_JULY))) == 1
    assert not browser(STRANGER).page(IN_JULY).every("table")
    other = Village()
    try:
        other_browser = Browser(other.engine, other.run)
        assert bars(other_browser.page(IN_JULY)) == []
    finally:
        other.close()
    assert len(bars(browser.page(IN_JULY))) == 1


# ------------------------------------------------------------------------------------------ fifty homes


@pytest.fixture(scope="module")
def fifty() -> HttpAnswer:
    async def first() -> HttpAnswer:
        tables = MemoryTables(lambda: datetime(2027, 3, 1, 8, tzinfo=UTC))
        return await Console(await furnished(tables)).get("/calendar")

    return asyncio.run(first())


def test_fifty_homes_weigh_less_than_sixty_thousand_bytes_at_a_first_visit(fifty: HttpAnswer) -> None:
    assert weight(fifty) <= 60


def test_fifty_homes_are_all_there(fifty: HttpAnswer) -> None:
    page = read(gzip.decompress(fifty.body))
    table = page.one("table", class_="frieze")
    assert len(table.every("tbody")) == 50
    for line in table.every("tr")[2:]:
        assert sum(int(one.attributes.get("colspan", "1")) for one in line.every("td")) == 31
    assert len(bars(page)) > 200
    assert page.every("a", class_="clash")
