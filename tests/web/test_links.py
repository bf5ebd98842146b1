"""The pages of links and of the portfolio: masked for who only looks, changed by who decides, not there for others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from shared.domain.access import Person, Role
from shared.domain.platform import AIRBNB, GREENGO
from shared.domain.portfolio import Home
from shared.engine.opaque import sealed
from shared.state.sites import Changes
from shared.web.words import words
from tests.engine.hamlet import Hamlet, calendar, link
from tests.engine.test_connect import nights
from tests.security.test_strings import strings
from tests.web.html_tree import Node, read, shape
from tests.web.support import CLAIRE, EVERYWHERE, STRANGER, VIEWER, Browser

MOULIN, GRANGE = Home("moulin", "Le Moulin", "owner"), Home("grange", "La Grange", "marc")
ID = sealed("moulin", "moulin-greengo")
NEW = "https://calendars.example/new.ics"


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    found = Hamlet([MOULIN, GRANGE], {"moulin": GREENGO, "grange": AIRBNB})
    found.run(found.first_answers())
    yield found
    found.close()


@pytest.fixture
def browser(hamlet: Hamlet) -> Browser:
    return Browser(hamlet.engine, hamlet.run, CLAIRE)


def token(hamlet: Hamlet) -> str:
    (found,) = [
        one for one in hamlet.run(hamlet.engine.link_views.listed(CLAIRE)) if one.listing == "moulin-greengo"
    ]
    return found.token


@pytest.mark.parametrize("person", [CLAIRE, VIEWER, STRANGER, EVERYWHERE])
def test_the_list_shows_no_address_to_anybody(hamlet: Hamlet, browser: Browser, person: Person) -> None:
    body = browser(person).get("/links").body.decode()
    for secret in (*hamlet.tokens.values(), "moulin.ics", "grange.ics"):
        assert secret not in body
    assert ("Le Moulin" in body) is person.sees("owner")
    assert ("La Grange" in body) is person.sees("marc")
    assert ("/links/" in body) is (person in (CLAIRE, EVERYWHERE))


def test_one_opened_by_who_decides_has_its_address_and_where_to_paste_it(
    hamlet: Hamlet, browser: Browser
) -> None:
    page = browser.page(f"/links/{ID}")
    assert page.one("input", id="address").attributes["value"] == (
        f"https://console.example/export/{token(hamlet)}.ics"
    )
    assert "Espace hôte → Calendrier → import iCal" in page.said
    assert "Chemin supposé" in page.said
    assert "Inconnu" in page.said
    assert browser.get(f"/links/{ID}").headers["cache-control"] == "no-store"


CHANGES = ["renew", "revoke", "replace"]


BOTH = Person("both", {"owner": Role.VIEWER, "x": Role.OPERATOR})


@pytest.mark.parametrize("person", [STRANGER, BOTH])
@pytest.mark.parametrize("name", [ID, "nonsense", sealed("moulin", "moulin-booking"), sealed("x", "y")])
def test_what_one_does_not_see_is_not_there_and_what_one_only_sees_is_refused(
    hamlet: Hamlet, browser: Browser, person: Person, name: str
) -> None:
    no = 403 if (person, name) == (BOTH, ID) else 404
    hamlet.web.answers[NEW] = calendar()
    before = token(hamlet)
    other = browser(person)
    assert other.get(f"/links/{name}").status == other.get(f"/links/{name}/wait").status == no
    for change in CHANGES:
        assert other.post(f"/links/{name}/{change}", {"link": NEW}).status == no
    assert other.post("/homes/moulin/name", {"name": "Mine"}).status == (403 if person == BOTH else 404)
    assert token(hamlet) == before


def test_who_only_looks_is_told_so(browser: Browser) -> None:
    assert browser(VIEWER).get(f"/links/{ID}").status == 403
    assert [browser(VIEWER).post(f"/links/{ID}/{one}").status for one in CHANGES] == [403] * 3


def test_a_renewal_shows_the_new_address_and_until_when_the_old_one_works(
    hamlet: Hamlet, browser: Browser
) -> None:
    old = token(hamlet)
    form = browser.page(f"/links/{ID}").one("form", action=f"/links/{ID}/renew")
    answer = browser.press(form, grace="week")
    assert (answer.status, answer.headers["location"]) == (303, f"/links/{ID}?done=renewed")
    page = browser.page(answer.headers["location"])
    assert "Voici la nouvelle adresse" in page.said
    assert "l’ancienne adresse marche jusqu’au 8 mars 2027" in page.said
    assert token(hamlet) != old
    assert hamlet.run(hamlet.engine.export_calendar(old, {})).status == 200
    browser.press(form, grace="none")
    assert hamlet.run(hamlet.engine.export_calendar(old, {})).status == 404


def test_a_revocation_says_what_it_means_and_offers_a_new_address(hamlet: Hamlet, browser: Browser) -> None:
    old = token(hamlet)
    page = browser.page(f"/links/{ID}")
    assert "Vous devrez les fermer à la main" in page.said
    browser.press(page.one("form", action=f"/links/{ID}/revoke"))
    assert hamlet.run(hamlet.engine.export_calendar(old, {})).status == 404
    after = browser.page(f"/links/{ID}")
    assert "Révoquée" in after.said
    assert not after.every("input", id="address")
    browser.press(after.one("form", action=f"/links/{ID}/renew"))
    assert hamlet.run(hamlet.engine.export_calendar(token(hamlet), {})).status == 200


def test_a_link_that_looks_like_another_homes_is_asked_about_and_nothing_is_changed(
    hamlet: Hamlet, browser: Browser
) -> None:
    hamlet.web.answers[link("moulin")] = calendar(("a", nights(10, 4)))
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    hamlet.web.answers[NEW] = calendar(("z", nights(50, 4)))
    asked = browser.post(f"/links/{ID}/replace", {"link": NEW})
    assert asked.status == 409
    page = read(asked.body)
    assert "Est-ce bien le même logement" in page.said
    assert asked.body.index(b'role="alert"') < asked.body.index(b'id="give"')
    (sure,) = [one for one in page.every("form") if one.every("button", name="sure")]
    assert browser.press(sure, sure="yes").headers["location"] == f"/links/{ID}?done=replaced"
    feed = hamlet.run(hamlet.engine.world.shards.get("0000", "moulin-greengo"))
    assert feed is not None
    assert feed.url == NEW


def test_a_link_that_cannot_replace_another_is_told_at_the_head_and_beside_its_field(
    hamlet: Hamlet, browser: Browser
) -> None:
    """It was told beside the field alone, two screens down: the page looked as if nothing had happened."""
    answer = browser.post(f"/links/{ID}/replace", {"link": "ftp://x"})
    assert answer.status == 422
    page = read(answer.body)
    assert "commence par https://" in page.one("p", id="wrong").said
    (told,) = page.every(role="alert")
    assert "Rien n’a été changé." in told.said
    assert "commence par https://" in told.said
    assert answer.body.index(b'role="alert"') < answer.body.index(b'id="give"')


def test_a_home_is_renamed_and_an_empty_name_changes_nothing(browser: Browser) -> None:
    assert browser.post("/homes/moulin/name", {"name": "  Moulin <b>vert</b> "}).status == 303
    assert "Moulin <b>vert</b>" in browser.page("/links").said
    assert browser.post("/homes/moulin/name", {"name": " "}).status == 303
    assert "Moulin <b>vert</b>" in browser.page("/links").said


# ---------------------------------------------------------------------------------------- the portfolio


def test_the_portfolio_is_a_file_with_links_only_where_they_are_asked_for(browser: Browser) -> None:
    plain = browser.post("/portfolio/export")
    assert "attachment" in plain.headers["content-disposition"]
    assert plain.headers["cache-control"] == "no-store"
    assert b"moulin.ics" not in plain.body
    assert b"# link: calendars.example/" in plain.body
    assert b"grange" not in plain.body
    assert b"moulin.ics" in browser.post("/portfolio/export", {"links": "yes"}).body
    assert b"moulin.ics" not in browser(VIEWER).post("/portfolio/export", {"links": "yes"}).body


def test_the_portfolio_is_taken_in_from_who_decides_for_all_and_from_nobody_else(
    hamlet: Hamlet, browser: Browser
) -> None:
    text = browser(EVERYWHERE).post("/portfolio/export", {"links": "yes"}).body.decode()
    text = text.replace('"Le Moulin"', '"Le Moulin Vert"').replace("Le Moulin\n", "Le Moulin Vert\n")
    refused = browser.post("/portfolio", {"text": text})
    assert refused.status == 403
    answer = browser(EVERYWHERE).post(
        "/portfolio",
        {
            "text": f"owners:\n  - id: owner\n    people: [{{principal: me}}]\n{text.partition('owners:')[2].lstrip()}"
        },
    )
    assert answer.status in (200, 422)


def test_what_is_wrong_with_a_text_is_told_with_its_line_and_stays_in_the_field(browser: Browser) -> None:
    text = "owners:\n  - id: me\n    people: [{principal: me, role: king}]\nhomes: []\n"
    answer = browser(EVERYWHERE).post("/portfolio", {"text": text})
    page = read(answer.body)
    assert answer.status == 422
    assert "ligne 3, colonne" in page.said
    assert page.one("textarea").text.strip() == text.strip()


ODD = ["<script>alert(1)</script>", "{{ 7 * 7 }}", '"><img src=x onerror=alert(1)>', "Ω≈ç√ \u202e reversed"]


@pytest.mark.parametrize("name", ODD)
def test_a_homes_name_is_shown_as_it_is_and_runs_nothing(hamlet: Hamlet, browser: Browser, name: str) -> None:
    from shared.engine.connect import fit_name

    browser.post("/homes/moulin/name", {"name": name})
    for where in ("/links", f"/links/{ID}", "/connect"):
        page = browser.page(where)
        assert not [one for one in page.every("script") if "src" not in one.attributes]
        assert not page.every("img", src="x")
    assert fit_name(name) in " ".join(browser.page("/links").text.split())


def test_an_importers_own_name_is_shown_as_it_is_and_runs_nothing(hamlet: Hamlet, browser: Browser) -> None:
    hamlet.run(
        hamlet.engine.export_calendar(token(hamlet), {"user-agent": "greengo <script>x</script>\x00\n"})
    )
    page = browser.page(f"/links/{ID}")
    assert "greengo <script>x</script>" in page.said
    assert not [one for one in page.every("script") if "src" not in one.attributes]


def test_every_hostile_text_is_shown_exactly_and_changes_no_page(hamlet: Hamlet, browser: Browser) -> None:
    """As a home's name, as what an importer calls itself, and as what somebody pastes."""

    def show(text: str) -> tuple[Node, Node]:
        state = hamlet.run(hamlet.engine.world.sites.load("moulin"))
        named = replace(state.site.properties["moulin"], name=text)
        site = replace(state.site, properties={"moulin": named})
        hamlet.run(hamlet.engine.world.sites.commit(state, Changes(site=site)))
        hamlet.engine.world.fetches._written.clear()  # as if another host were asked
        hamlet.run(hamlet.engine.export_calendar(token(hamlet), {"user-agent": f"greengo {text}"}))
        return browser.page("/links"), browser.page(f"/links/{ID}")

    plain = [shape(page) for page in show("plain")]
    pasted = read(browser.post("/connect/look", {"link": "plain"}).body)
    for text in strings():
        listed, opened = show(text)
        assert [shape(listed), shape(opened)] == plain
        assert listed.one("h2").one("bdi").text == opened.one("h1").one("bdi").text == text
        agent = "".join(letter for letter in f"greengo {text}" if letter.isprintable())[:120]
        assert opened.one(class_="wait").one("bdi").text == agent
        again = read(browser.post("/connect/look", {"link": text}).body)
        assert shape(again) == shape(pasted)
        assert again.one("input", id="link").attributes["value"] == text.replace("\r\n", "\n")


def test_a_calendar_with_something_unreadable_is_marked_in_the_list(hamlet: Hamlet, browser: Browser) -> None:
    assert "à signaler" not in browser.page("/links").said
    hamlet.web.answers[link("moulin")] = calendar(("a", nights(3, 2))).replace(
        b"END:VCALENDAR", b"BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    assert "à signaler" in browser.page("/links").said
    assert "il n’a pas de début" in browser.page(f"/links/{ID}").said


def test_a_link_that_cannot_be_replaced_right_now_is_kept_on_the_page_with_a_word(
    hamlet: Hamlet, browser: Browser
) -> None:
    hamlet.web.answers[NEW] = calendar()
    accounts = hamlet.engine.world.accounts
    assert hamlet.run(accounts.lease("~portfolio", "by hand", timedelta(hours=1))) is not None
    answer = browser.post(f"/links/{ID}/replace", {"link": NEW})
    assert answer.status == 409
    assert words("fr")["connect.busy"] in unescape(answer.body.decode())
    assert NEW in answer.body.decode()
