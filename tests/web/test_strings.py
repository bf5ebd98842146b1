"""Strings that broke other people's programs, as names of guests and homes, as notes, UIDs and summaries: each page
shows them back exactly or not at all, and none of them becomes an element, an attribute or a style."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest

from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.model import Decision, Status
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.engine.conflict_cases import MOST_NOTE, checked_note
from shared.engine.opaque import sealed
from shared.state.sites import Changes
from tests.engine.hamlet import Hamlet, calendar, link
from tests.security.test_strings import strings
from tests.web.html_tree import Node, read, shape
from tests.web.support import Browser

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
HOMES = 44
ROUNDS = 12
PLAIN = "Le Moulin"
IN_ONE = 40
"""Events of one calendar."""


@pytest.fixture(scope="module")
def hamlet() -> Iterator[Hamlet]:
    """As many homes as a person may have, each of them sold twice on the same nights."""
    homes = [Home(f"h{n:02}", PLAIN, "owner") for n in range(HOMES)]
    built = Hamlet(homes, {home.id: GREENGO for home in homes})
    built.run(built.first_answers())
    for home in homes:
        built.booking.tell(SeenStay(home.id, Status.CONFIRMED, (SeenRoom(home.id, "1", JULY),), guest="Ana"))
        built.web.answers[link(home.id)] = calendar(
            (f"uid-{home.id}", JULY), (f"more-{home.id}", gone(home.id))
        )
    built.run(built.poll())
    built.run(built.engine.calendars.shard("0000", force=True))
    for home in homes:
        built.web.answers[link(home.id)] = calendar((f"uid-{home.id}", JULY))
    built.run(built.poll())
    built.run(built.engine.calendars.shard("0000", force=True))
    yield built
    built.close()


def gone(home: str) -> StayDates:
    """Nights that vanish from a home's calendar."""
    return StayDates.of_nights(date(2027, 9, 1) + int(home[1:]) * ONE_DAY, 2)


def named(built: Hamlet, home: str, text: str) -> str:
    """Call a home, its guests and the note of its conflict so; returns the conflict's name in addresses."""
    state = built.run(built.engine.world.sites.load(home))
    (clash,) = state.conflicts.values()
    called = replace(state.site.properties[home], name=text)
    decision = Decision("ask_guest-0", "Claire", built.clock.peek(), text)
    line = {"at": built.clock.now().isoformat(), "by": "person Claire", "what": "acknowledged"}
    line |= {"kind": "person", "of": clash.id, "home": home}
    news = Changes(
        site=replace(state.site, properties={home: called}),
        reservations=[replace(one, guest=text) for one in state.reservations.values()],
        conflicts=[replace(clash, decision=decision)],
        history=[line],
    )
    built.run(built.engine.world.sites.commit(state, news))
    return sealed(home, clash.id)


def rounds() -> list[list[str]]:
    """All strings, in as many rounds as it takes to give each home one."""
    every = strings()
    found = [every[start : start + HOMES] for start in range(0, len(every), HOMES)]
    assert len(found) == ROUNDS
    return [[*one, *[PLAIN] * (HOMES - len(one))] for one in found]


def bdis(node: Node) -> list[str]:
    return [one.text for one in node.every("bdi")]


def test_every_page_shows_them_back_and_keeps_its_shape(hamlet: Hamlet) -> None:
    browser = Browser(hamlet.engine, hamlet.run)
    pages = ("/conflicts", "/", "/removals", "/why")
    for home in range(HOMES):
        named(hamlet, f"h{home:02}", PLAIN)
    plain = {where: _but_names(browser.page(where)) for where in pages}
    whole = shape(browser.page(f"/conflicts/{named(hamlet, 'h00', PLAIN)}"))
    one = whole[: whole.index(("section", ("id",)), -60)]  # the record below it grows by a line each time
    for texts in rounds():
        clashes = [named(hamlet, f"h{n:02}", text) for n, text in enumerate(texts)]
        seen = {where: browser.page(where) for where in pages}
        assert {where: _but_names(page) for where, page in seen.items()} == plain
        in_list = [
            entry.one("h3").one("bdi").text for entry in seen["/conflicts"].every(class_="conflict-entry")
        ]
        assert sorted(in_list) == sorted(texts)
        assert {entry.one("bdi").text for entry in seen["/"].one(id="conflicts").every("h3")} <= set(texts)
        assert sorted(
            card.one("h2").one("bdi").text for card in seen["/removals"].every(class_="removal")
        ) == sorted(texts)
        assert sorted(item.text for item in seen["/why"].one("select", id="home").every("option")) == sorted(
            texts
        )
        told = [
            row.one("td", class_="what").one("bdi").text
            for row in browser.page("/history").one("tbody").every("tr")
        ]
        assert all(any(text in one for one in told) for text in texts)
        for text, name in zip(texts, clashes, strict=True):
            page = browser.page(f"/conflicts/{name}")
            assert page.one(class_="lead").one("bdi").text == text
            assert page.one(id="note").one("bdi").text == text if text else not page.every(id="note")
            assert [guest.text for guest in page.every("bdi", class_="guest")] == ([text] * 2 if text else [])
            assert bdis(page.one(class_="sides")).count(text) >= (4 if text else 2)
            if text:
                assert shape(page)[: len(one)] == one


def test_a_note_that_is_typed_comes_back_exactly_kept_or_not(hamlet: Hamlet) -> None:
    """Pressed on the page: what can be kept is shown, what cannot be stands in its field again."""
    browser = Browser(hamlet.engine, hamlet.run)
    every, kept = strings(), 0
    for number in range(HOMES):
        where = f"/conflicts/{named(hamlet, f'h{number:02}', PLAIN)}"
        page = browser.page(where)
        for text in every[number::HOMES]:
            form = page.one("form", id="decide")
            button = form.every("button", name="proposal")[-1]
            answer = browser.press(form, proposal=button.attributes["value"], note=text)
            typed = text.replace("\r\n", "\n")
            if answer.status == 303:
                kept += 1
                page = browser.page(where)
                assert [one.one("bdi").text for one in page.every(id="note")] == ([typed] if typed else [])
            else:
                assert answer.status == 400
                page = read(answer.body)
                assert page.one("textarea", id="note-field").text == f"\n{typed}"
    assert kept > 500


def test_a_note_is_refused_for_what_no_screen_shows_alone() -> None:
    for text in ("é\u00a0!", "\u202fa", "a\tb\nc", "\u200b", "\u2028", "", "x" * MOST_NOTE):
        assert checked_note(text) == text


def story(uids: Sequence[str], summary: str) -> list[list[tuple[str, tuple[str, ...]]]]:
    """The shapes of the pages of homes whose calendars hold events called so, and sold on Booking.com besides."""
    nights = [StayDates.of_nights(JULY.check_in + n * 3 * ONE_DAY, 2) for n in range(IN_ONE)]
    homes = [Home(f"h{n:03}", PLAIN, "owner") for n in range(-(-len(uids) // IN_ONE))]
    built = Hamlet(homes, {home.id: GREENGO for home in homes})
    for number, home in enumerate(homes):
        mine = uids[IN_ONE * number : IN_ONE * (number + 1)]
        escaped = [(f"@{n}@", dates) for n, (_, dates) in enumerate(zip(mine, nights, strict=False))]
        body = calendar(*escaped, summary="@summary@")
        for n, uid in enumerate(mine):
            body = body.replace(f"@{n}@".encode(), ical(uid).encode())
        built.web.answers[link(home.id)] = body.replace(b"@summary@", ical(summary).encode())
        room = SeenRoom(home.id, "1", nights[0])
        built.booking.tell(SeenStay(home.id, Status.CONFIRMED, (room,)))
    built.run(built.first_answers())
    built.run(built.poll())
    built.run(built.engine.calendars.shard("0000", force=True))
    browser = Browser(built.engine, built.run)
    clashes = [
        entry.one("a").attributes["href"] for entry in browser.page("/conflicts").every(class_="is-open")
    ]
    assert len(clashes) == len(homes)
    pages = [
        browser.page(where)
        for where in ("/", "/conflicts", "/history", f"/why?home=h000&date={JULY.check_in}", *clashes)
    ]
    for page in pages:
        assert not [
            text for text in [*uids, summary] if len(text) > 8 and not text.isalnum() and text in page.text
        ]
    built.close()
    return [shape(page) for page in pages]


def ical(text: str) -> str:
    for old, new in (
        ("\\", "\\\\"),
        (";", "\\;"),
        (",", "\\,"),
        ("\r\n", "\\n"),
        ("\n", "\\n"),
        ("\r", "\\n"),
    ):
        text = text.replace(old, new)
    return text


def test_uids_and_summaries_are_on_no_page() -> None:
    """A calendar's own words may hold a guest's name: people are shown a short mark instead."""
    texts = [text for text in strings() if text.strip() and len(text) < 200]
    shapes = story(texts, "<script>alert(1)</script>")
    assert shapes == story([f"uid{n}" for n in range(len(texts))], "CLOSED")


def test_the_calendar_shows_them_back_and_keeps_its_shape(hamlet: Hamlet) -> None:
    browser = Browser(hamlet.engine, hamlet.run)
    pages = (
        "/calendar?start=2027-07-01",
        "/calendar?start=2027-07-01&view=list",
        "/calendar/h00?start=2027-07-01",
    )
    for home in range(HOMES):
        named(hamlet, f"h{home:02}", PLAIN)
    hamlet.run(hamlet.engine.calendar.stamps.note("named"))
    plain = {where: _all_but_names(browser.page(where)) for where in pages}
    for texts in rounds():
        for n, text in enumerate(texts):
            named(hamlet, f"h{n:02}", text)
        hamlet.run(hamlet.engine.calendar.stamps.note("named"))
        seen = {where: browser.page(where) for where in pages}
        assert {where: _all_but_names(page) for where, page in seen.items()} == plain
        table, listed, home = seen.values()
        rows = table.one("table", class_="frieze").every("tbody")
        assert sorted(row.one("th").one("bdi").text for row in rows) == sorted(texts)
        for row in rows:  # whoever is in a home is called as the home is
            assert set(bdis(row)) == {row.one("th").one("bdi").text}
        assert {one for line in listed.every(class_="line") for one in bdis(line)} <= set(texts)
        assert home.one("h1").one("bdi").text == texts[0]


def _but_names(page: Node) -> list[tuple[str, tuple[str, ...]]]:
    """What a page is made of, in order; homes of one name are named once where several are."""
    return [one for one in shape(page) if one[0] != "bdi"]


def _all_but_names(page: Node) -> list[tuple[str, tuple[str, ...]]]:
    """What a page is made of, in any order, since homes stand by name; a guest without a name has no place for one."""
    return sorted(one for one in shape(page) if one[0] not in ("bdi", "dt", "dd"))
