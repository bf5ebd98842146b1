"""The portfolio as a text: what is stored is what is read back, who gets which part of it, and what a text may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.portfolio_write import homes_of, quoted, write_portfolio
from shared.adapters.portfolio_yaml import read_portfolio, read_portfolio_file
from shared.bootstrap.portfolio import YamlPortfolio, portfolio_rules
from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.errors import StoreUnavailable
from shared.domain.model import Automatic
from shared.domain.portfolio import Home, Owner, Portfolio, PortfolioRefused
from shared.domain.site_groups import resolve
from shared.engine.turn import Taken
from shared.ports.portfolio import PortfolioText
from tests.engine.hamlet import Hamlet, calendar

EXAMPLE = Path(__file__).parents[2] / "portfolio.example.yaml"
RULES = portfolio_rules({"SANDBOX_PORT": "8099"}, frozenset({8099}))
LOCAL = Person("local", {ALL_OWNERS: Role.OPERATOR})
CLAIRE = Person("claire@example.org", {"claire": Role.OPERATOR})
COMPTA = Person("compta@example.org", {"claire": Role.VIEWER})


def texts() -> PortfolioText:
    return YamlPortfolio(frozenset({8099}))


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    found = Hamlet([])
    object.__setattr__(found.engine.world, "portfolio_text", texts)
    yield found
    found.close()


@pytest.fixture
def example(hamlet: Hamlet) -> Portfolio:
    portfolio = read_portfolio_file(EXAMPLE, RULES)
    hamlet.run(hamlet.engine.portfolio.run(portfolio))
    return portfolio


def in_order(portfolio: Portfolio) -> tuple[object, ...]:
    """What a portfolio says, whatever the order it says it in."""
    by_id = [
        sorted(items, key=lambda one: (one.id, getattr(one, "principal", "")))
        for items in (portfolio.owners, portfolio.accounts, portfolio.sites, portfolio.listings)
    ]
    return (*by_id, {name: sorted(homes) for name, homes in portfolio.groups.items()})


def test_what_is_stored_is_read_back_letter_by_letter(hamlet: Hamlet, example: Portfolio) -> None:
    text = hamlet.run(hamlet.engine.library.text(LOCAL, links=True))
    back = read_portfolio(text.encode(), RULES)
    assert in_order(back) == in_order(example)
    again = hamlet.run(hamlet.engine.library.take(LOCAL, text.encode()))
    assert again is not None
    assert (again.problems, again.created, again.changed) == ((), (), ())


def test_links_are_given_out_on_demand_only_and_the_text_without_them_is_not_taken_in(
    hamlet: Hamlet, example: Portfolio
) -> None:
    text = hamlet.run(hamlet.engine.library.text(LOCAL))
    secrets = [one.import_url.partition("8099/")[2] for one in example.listings if one.import_url]
    assert secrets
    assert not [one for one in secrets if one in text]
    refused = hamlet.run(hamlet.engine.library.take(LOCAL, text.encode()))
    assert refused is not None
    assert {one.field for one in refused.problems} == {"link", "platform"}
    assert all(one.line > 0 for one in refused.problems)


def test_each_sees_the_homes_of_their_owners_and_who_only_looks_no_links_people_or_keys(
    hamlet: Hamlet, example: Portfolio
) -> None:
    library = hamlet.engine.library
    mine = hamlet.run(library.stored(CLAIRE, links=True))
    assert {site.owner for site in mine.sites} == {one.owner for one in mine.accounts} == {"claire"}
    assert {one.id for one in mine.owners} == {"claire"}
    assert any(one.import_url for one in mine.listings)
    seen = hamlet.run(library.stored(COMPTA, links=True))
    assert {site.owner for site in seen.sites} == {"claire"}
    assert not any(one.import_url for one in seen.listings)
    assert not any(one.secrets for one in seen.accounts)
    assert seen.owners == ()
    assert hamlet.run(library.stored(Person("nobody"))) == Portfolio((), (), (), ())


@pytest.mark.parametrize("person", [CLAIRE, COMPTA, Person("nobody")])
def test_only_who_decides_for_all_may_take_a_text_in(hamlet: Hamlet, person: Person) -> None:
    assert hamlet.run(hamlet.engine.library.take(person, EXAMPLE.read_bytes())) is None
    assert hamlet.run(hamlet.engine.link_views.listed(LOCAL)) == []


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        (b"owners: [", 1, ""),
        (b"\xff\xfe", 1, ""),
        (b"owners:\n  - id: me\n    people: [{principal: me, role: king}]\nhomes: []", 3, "role"),
        (b"owners: []\nhomes:\n\t- id: x", 3, ""),
    ],
)
def test_what_is_wrong_with_a_text_is_told_with_its_line_and_field(
    hamlet: Hamlet, text: bytes, line: int, field: str
) -> None:
    report = hamlet.run(hamlet.engine.library.take(LOCAL, text))
    assert report is not None
    assert (line, field) in {(one.line, one.field) for one in report.problems}
    assert report.created == ()


@pytest.mark.parametrize("error", [Taken("somebody else"), StoreUnavailable("no answer")])
def test_what_passes_in_the_midst_is_no_problem_of_the_text(
    hamlet: Hamlet, example: Portfolio, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It used to be shown as a mistake in the text, which there is none to mend."""

    async def stops(*_: object, **__: object) -> None:
        raise error

    text = hamlet.run(hamlet.engine.library.text(LOCAL, links=True))
    monkeypatch.setattr(hamlet.engine.portfolio, "run", stops)
    with pytest.raises(type(error)):
        hamlet.run(hamlet.engine.library.take(LOCAL, text.encode()))


def test_what_the_stored_homes_refuse_is_told_in_words(hamlet: Hamlet, example: Portfolio) -> None:
    text = hamlet.run(hamlet.engine.library.text(LOCAL, links=True)).replace(
        "site: les-tilleuls", "site: tilleuls-2"
    )
    report = hamlet.run(hamlet.engine.library.take(LOCAL, text.encode()))
    assert report is not None
    assert "stored in site les-tilleuls" in report.problems[0].text


def test_a_home_connected_on_the_page_is_in_the_text(hamlet: Hamlet) -> None:
    from shared.engine.connect import NewLink

    link = "https://www.airbnb.fr/calendar/ical/1.ics?s=abc"
    hamlet.web.answers[link] = calendar()
    hamlet.run(hamlet.engine.connect.connect(LOCAL, NewLink(link, name="Le « Moulin »: vert")))
    back = read_portfolio(hamlet.run(hamlet.engine.library.text(LOCAL, links=True)).encode(), RULES)
    assert [home.name for site in back.sites for home in site.properties.values()] == ["Le « Moulin »: vert"]
    assert [one.import_url for one in back.listings] == [link]
    assert [(one.id, one.principal) for one in back.owners] == [("me", "local")]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_read_back_as_it_was_written(text: str) -> None:
    import yaml

    assert yaml.safe_load(f"name: {quoted(text)}\n") == {"name": text}


NAMES = ("a", "b", "c", "d")


@st.composite
def houses(draw: st.DrawFn) -> list[Home]:
    homes = []
    for number, name in enumerate(NAMES):
        inner = draw(st.lists(st.sampled_from(NAMES[:number]), unique=True)) if number else []
        extra = draw(st.sampled_from([{}, {"attic": 1}, {name: 1, "kitchen": 1}]))
        homes.append(Home(name, name.upper(), "me", contains=tuple(inner), rooms=extra))
    return homes


@given(houses())
def test_homes_inside_homes_come_back_with_the_same_rooms(homes: list[Home]) -> None:
    try:
        sites = resolve(homes)
    except PortfolioRefused:
        return
    back = resolve([home for site in sites for home in homes_of(site)])
    assert back == sites


def test_three_of_a_kind_come_back_as_three() -> None:
    (site,) = resolve([Home("studio", "Studio", "me", units=3)])
    assert homes_of(site) == [Home("studio", "Studio", "me", units=3)]
    assert "units: 3" in write_portfolio(Portfolio((), (), (site,), ()), links=True)
    assert resolve([replace(home, site="") for home in homes_of(site)]) == (site,)


def test_an_account_named_without_keys_keeps_those_it_has(hamlet: Hamlet, example: Portfolio) -> None:
    text = b"""
owners: [{id: claire, people: [{principal: claire@example.org, role: operator}]}]
homes:
  - id: cave
    name: La Cave
    owner: claire
    listings: [{platform: airbnb, link: 'https://www.airbnb.fr/calendar/ical/9.ics?s=x'}]
"""
    report = hamlet.run(hamlet.engine.library.take(LOCAL, text))
    assert report is not None
    assert report.created == ("cave",)
    stored = hamlet.run(hamlet.engine.world.accounts.load("airbnb-claire"))
    assert stored is not None
    assert stored.account.secrets == {"api_key": "AIRBNB_API_KEY", "oauth_token": "AIRBNB_CLAIRE_TOKEN"}


def test_every_wish_of_an_owner_is_read_back() -> None:
    sites = resolve(
        [
            Home("a", "A", "me", "Indian/Reunion", automatic=Automatic.SAFE, turnover=2, group="twins"),
            Home("b", "B", "me", rooms={"b": 1, "attic": 1}, group="twins", site="loft"),
        ]
    )
    written = Portfolio((Owner("me", "me", Role.OPERATOR),), (), sites, ())
    text = write_portfolio(written, links=True)
    assert in_order(replace(read_portfolio(text.encode(), RULES), groups={})) == in_order(written)


def test_when_an_accounts_keys_end_is_stored_and_read_back(hamlet: Hamlet) -> None:
    text = EXAMPLE.read_text("utf-8").replace("    # key_ends:", "    key_ends:")
    hamlet.run(hamlet.engine.portfolio.run(read_portfolio(text.encode(), RULES)))
    stored = hamlet.run(hamlet.engine.world.accounts.load("booking-claire"))
    assert stored is not None
    assert stored.account.key_ends == date(2030, 3, 1)
    written = hamlet.run(hamlet.engine.library.text(LOCAL, links=True))
    assert "    key_ends: 2030-03-01\n" in written
    assert read_portfolio(written.encode(), RULES).accounts[1].key_ends == date(2030, 3, 1)
    hamlet.run(hamlet.engine.portfolio.run(read_portfolio(EXAMPLE.read_bytes(), RULES)))  # not named any more
    stored = hamlet.run(hamlet.engine.world.accounts.load("booking-claire"))
    assert stored is not None
    assert stored.account.key_ends is None
