"""Names that broke other people's programs, on the pages of channels and synchronisations: shown back exactly, and none
becomes an element or an attribute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.state.sites import Changes
from tests.engine.hamlet import Hamlet
from tests.security.test_strings import strings
from tests.web.html_tree import Node, shape
from tests.web.support import Browser

HOMES = 48
PLAIN = "Le Moulin"


@pytest.fixture(scope="module")
def hamlet() -> Iterator[Hamlet]:
    homes = [Home(f"h{number:02}", PLAIN, "owner") for number in range(HOMES)]
    built = Hamlet(homes, {home.id: GREENGO for home in homes})
    built.run(built.first_answers())
    yield built
    built.close()


def call(hamlet: Hamlet, home: str, text: str) -> None:
    state = hamlet.run(hamlet.engine.world.sites.load(home))
    called = {home: replace(state.site.properties[home], name=text)}
    hamlet.run(hamlet.engine.world.sites.commit(state, Changes(site=replace(state.site, properties=called))))


def homes_of(page: Node) -> list[str]:
    return sorted(one.one("bdi").text for one in page.every("th", scope="row"))


def listed(page: Node) -> list[str]:
    return sorted(one.text for one in page.one("select", id="home").every("option"))


def test_homes_of_any_name_keep_the_pages_shape_and_their_name(hamlet: Hamlet) -> None:
    browser = Browser(hamlet.engine, hamlet.run)
    plain = {where: shape(browser.page(where)) for where in ("/channels", "/sync")}
    every = strings()
    for start in range(0, len(every), HOMES):
        texts = [*every[start : start + HOMES], *[PLAIN] * HOMES][:HOMES]
        for number, text in enumerate(texts):
            call(hamlet, f"h{number:02}", text)
        channels, sync = browser.page("/channels"), browser.page("/sync")
        assert {"/channels": lines(shape(channels)), "/sync": shape(sync)} == {
            "/channels": lines(plain["/channels"]),
            "/sync": plain["/sync"],
        }
        assert homes_of(channels) == sorted(texts)
        assert listed(sync) == sorted(texts)


def lines(found: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    """Equal names of several homes are told once in a list of them: how many names there are is no shape."""
    return [one for one in found if one[0] != "bdi"]
