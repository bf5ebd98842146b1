"""One site whose row nobody can read: every page is there, and it is said that a site is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shared.domain.platform import GREENGO
from shared.ports.stores import Row
from shared.state import names, site_codec
from tests.engine.stories import JULY
from tests.engine.village import HOME, Village
from tests.web.support import Browser


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    built.book(GREENGO, JULY)
    built.run(built.tables.upsert(names.SITES, Row(HOME, site_codec.SITE, {"homes": "["})))
    built.restart()
    yield built
    built.close()


def test_it_hides_no_page_and_is_told_of(village: Village) -> None:
    browser = Browser(village.engine, village.run)
    for page in ("/", "/calendar", "/channels", "/history", "/conflicts", "/sync", "/links", "/messages"):
        assert browser.get(page).status == 200, page
    assert "ne peut pas être lu" in browser.get("/").body.decode()
    status = json.loads(browser.get("/api/status").body)
    assert status["sites"] == []
    assert [one["about"] for one in status["health"]["findings"] if one["code"] == "unread"] == [HOME]
    today = json.loads(browser.get("/api/today").body)
    assert [one["kind"] for one in today["needs"] if HOME in one["said"]["en"]] == ["engine"]


def test_no_portfolio_without_it_passes_for_the_whole_one(village: Village) -> None:
    browser = Browser(village.engine, village.run)
    answer = browser.get("/api/portfolio")
    assert (answer.status, HOME in answer.body.decode()) == (409, True)
    page = browser.post("/portfolio/export")
    assert page.status == 409
    assert "passerait pour complète" in page.body.decode()
