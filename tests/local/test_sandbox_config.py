"""The example portfolio and the sandbox agree: every listing exists there, every link and key works."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from local.portfolio_rules import portfolio_rules, sold_twice
from local.sandbox.config import Listing, SandboxConfig
from local.sandbox.server import running
from local.sandbox_config import NotPlayable, sandbox_config, sandbox_settings
from shared.adapters.portfolio_yaml import read_portfolio_file
from shared.domain.model import Account
from shared.domain.platform import AIRBNB, Link, Platform
from shared.domain.portfolio import Portfolio

EXAMPLE = Path(__file__).resolve().parents[2] / "portfolio.example.yaml"
PORT = 8765


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    rules = portfolio_rules({"SANDBOX_PORT": str(PORT)}, frozenset({PORT}))
    return read_portfolio_file(EXAMPLE, rules)


@pytest.fixture(scope="module")
def config(portfolio: Portfolio) -> SandboxConfig:
    return sandbox_config(portfolio, {"grange-airbnb": "http://127.0.0.1:9/export.ics"})


def test_the_example_has_what_a_reader_looks_for(portfolio: Portfolio) -> None:
    homes = {name: site for site in portfolio.sites for name in site.properties}
    links = {name: {item.link for item in portfolio.listings if item.property == name} for name in homes}
    assert len(homes) == 13
    assert {owner.id for owner in portfolio.owners} == {"claire", "marc"}
    assert [name for name in homes if links[name] == {Link.ICAL}] == [
        "cabane",
        "case-lagon",
        "grange",
        "ker-lann",
        "longere",
        "phare",
    ]
    assert homes["tilleuls"].id == "les-tilleuls"
    assert homes["tilleuls"].properties["tilleuls"].rooms == {
        "chambre-bleue",
        "chambre-verte",
        "chambre-rose",
    }
    assert homes["studio-gare"].rooms == {"studio-gare": 3}
    assert portfolio.groups == {"chambres-jardin": ("chambre-bleue", "chambre-verte")}


def test_a_home_that_a_channel_manager_may_sell_twice_is_named(portfolio: Portfolio) -> None:
    [line] = sold_twice(portfolio)
    assert line.startswith("mas\u202f: si Channex le vend déjà sur Booking.com")
    without = tuple(one for one in portfolio.listings if one.id != "mas-booking")
    assert sold_twice(replace(portfolio, listings=without)) == []


def test_every_listing_of_the_portfolio_stands_in_the_sandbox(
    portfolio: Portfolio, config: SandboxConfig
) -> None:
    played = {listing.key: listing for listing in config.listings}
    assert len(played) == len(portfolio.listings)
    assert played["airbnb/9876545"].occupies == ("chambre-bleue", "chambre-rose", "chambre-verte")
    assert (played["booking/123456901"].units, played["booking/123456901"].property_id) == (3, "1234569")
    assert [key for key, listing in played.items() if listing.pulls] == ["airbnb/9876544"]


async def test_every_calendar_link_of_the_example_answers_with_a_calendar(
    portfolio: Portfolio, config: SandboxConfig
) -> None:
    async with (
        running(config) as sandbox,
        httpx.AsyncClient(base_url=sandbox.base, trust_env=False) as client,
    ):
        for listing in portfolio.listings:
            if listing.import_url:
                parts = urlsplit(listing.import_url)
                answer = await client.get(
                    f"{parts.path}?{parts.query}", headers={"User-Agent": "Mozilla/5.0 (tests)"}
                )
                assert (listing.id, answer.status_code) == (listing.id, 200)
                assert answer.text.startswith("BEGIN:VCALENDAR")


async def test_the_keys_of_the_example_open_the_sandbox(portfolio: Portfolio, config: SandboxConfig) -> None:
    settings = sandbox_settings(portfolio)
    assert sorted(settings) == [
        "AIRBNB_API_KEY",
        "AIRBNB_CLAIRE_TOKEN",
        "BOOKING_CLIENT_ID",
        "BOOKING_CLIENT_SECRET",
        "CHANNEX_API_KEY",
    ]
    day = date(2027, 5, 1)
    async with (
        running(config) as sandbox,
        httpx.AsyncClient(base_url=sandbox.base, trust_env=False) as client,
    ):
        airbnb = await client.get(
            f"/v2/calendars/9876543/{day}/{day}",
            headers={
                "X-Airbnb-API-Key": settings["AIRBNB_API_KEY"],
                "X-Airbnb-OAuth-Token": settings["AIRBNB_CLAIRE_TOKEN"],
            },
        )
        assert airbnb.status_code == 200
        booking = await client.post(
            "/token-based-authentication/exchange",
            json={
                "client_id": settings["BOOKING_CLIENT_ID"],
                "client_secret": settings["BOOKING_CLIENT_SECRET"],
            },
        )
        assert booking.status_code == 200
        channex = await client.get(
            "/api/v1/booking_revisions/feed", headers={"user-api-key": settings["CHANNEX_API_KEY"]}
        )
        assert channex.status_code == 200


def test_a_listing_the_sandbox_cannot_play_is_named(portfolio: Portfolio) -> None:
    first = portfolio.listings[0]
    with pytest.raises(NotPlayable, match=r"^listing moulin-airbnb: the sandbox plays .*, not lodgify$"):
        sandbox_config(replace(portfolio, listings=(replace(first, platform=Platform("lodgify")),)))


def test_a_link_the_sandbox_would_not_serve_is_refused_with_the_right_one(portfolio: Portfolio) -> None:
    listing = next(item for item in portfolio.listings if item.id == "phare-vrbo")
    right = Listing(platform="vrbo", id="phare-vrbo", home="phare").feed  # type: ignore[arg-type]
    changed = replace(listing, import_url=listing.import_url.replace("/icalendar/", "/icalendar/0"))
    with pytest.raises(NotPlayable) as refused:
        sandbox_config(replace(portfolio, listings=(changed,)))
    assert str(refused.value) == f"listing phare-vrbo: the sandbox serves this calendar at {right}"


def test_a_key_the_sandbox_does_not_have_is_named(portfolio: Portfolio) -> None:
    account = Account("airbnb-claire", AIRBNB, "claire", {"password": "AIRBNB_PASSWORD"})
    with pytest.raises(NotPlayable, match="account airbnb-claire: airbnb in the sandbox has no password"):
        sandbox_settings(replace(portfolio, accounts=(account,)))
