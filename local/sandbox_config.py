"""The sandbox's listings made from a portfolio, so that the two can never disagree.

``make run`` reads ``portfolio.example.yaml`` once and gives the result to the engine and, through here, to the
sandbox: the same homes, rooms and units, and the calendar links that stand in the file.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

from local.sandbox.config import Airbnb, Booking, Channex, Client, Link, Listing, Platform, SandboxConfig
from shared.domain import model
from shared.domain import platform as words
from shared.domain.portfolio import Portfolio, PortfolioListing

_PLAYED = ", ".join(Platform)
_CHANNEX = words.Platform("channex")


class NotPlayable(ValueError):
    """The sandbox cannot play a listing of the portfolio; the text says what to change in the file."""


def sandbox_config(
    portfolio: Portfolio, exports: Mapping[str, str] | None = None, *, every: float = 10.0, seed: int = 1
) -> SandboxConfig:
    """What the sandbox plays for this portfolio. Raises ``NotPlayable``.

    ``exports`` are the addresses of our own calendars by listing: the platform reads each every ``every`` seconds.
    Two runs with the same portfolio and seed play the same.
    """
    listings = tuple(_listing(portfolio, item, exports or {}, every) for item in portfolio.listings)
    for ours, theirs in zip(portfolio.listings, listings, strict=True):
        _check_link(ours, theirs)
    return SandboxConfig(
        listings=listings,
        seed=seed,
        airbnb=Airbnb(tokens={account.id: _token(account) for account in _with_api(portfolio, words.AIRBNB)}),
        booking=Booking(clients=tuple(_client(account) for account in _with_api(portfolio, words.BOOKING))),
        channex=Channex(keys={account.id: _token(account) for account in _with_api(portfolio, _CHANNEX)}),
    )


def sandbox_settings(portfolio: Portfolio) -> dict[str, str]:
    """The settings that the accounts name, filled with the sandbox's invented keys. Raises ``NotPlayable``."""
    settings: dict[str, str] = {}
    for account in portfolio.accounts:
        keys = _keys(account)
        for role, setting in account.secrets.items():
            if role not in keys:
                raise NotPlayable(f"account {account.id}: {account.platform} in the sandbox has no {role}")
            settings[setting] = keys[role]
    return settings


def _keys(account: model.Account) -> dict[str, str]:
    if account.platform == words.AIRBNB:
        return {"api_key": Airbnb().api_key, "oauth_token": _token(account)}
    if account.platform == words.BOOKING:
        client = _client(account)
        return {"client_id": client.client_id, "client_secret": client.client_secret}
    return {"api_key": _token(account)} if account.platform == _CHANNEX else {}


def _with_api(portfolio: Portfolio, platform: words.Platform) -> list[model.Account]:
    return [account for account in portfolio.accounts if account.platform == platform and account.secrets]


def _token(account: model.Account) -> str:
    return f"sandbox-token-{account.id}"


def _client(account: model.Account) -> Client:
    client_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox:{account.id}"))
    return Client(client_id, f"sandbox-secret-{account.id}", account.id)


def _listing(
    portfolio: Portfolio, listing: PortfolioListing, exports: Mapping[str, str], every: float
) -> Listing:
    if str(listing.platform) not in [str(platform) for platform in Platform]:
        raise NotPlayable(f"listing {listing.id}: the sandbox plays {_PLAYED}, not {listing.platform}")
    site = next(site for site in portfolio.sites if site.id == listing.site)
    rooms = site.properties[listing.property].rooms
    hotel, name = _names(listing)
    return Listing(
        platform=Platform(listing.platform),
        id=name,
        home=listing.property,
        account=listing.account,
        property_id=hotel,
        units=min(site.rooms[room] for room in rooms),
        api=listing.link is words.Link.API,
        occupies=tuple(sorted(rooms)),
        pulls=(Link(exports[listing.id], every),) if listing.id in exports else (),
        restocks=listing.platform == _CHANNEX,  # with its three switches on, as docs/channex.md asks
    )


def _names(listing: PortfolioListing) -> tuple[str, str]:
    """The property (where the platform has one) and the listing's id, as the platform calls them."""
    if listing.link is words.Link.API:
        hotel, colon, room = listing.unit.partition(":")
        return (hotel, room) if colon else ("", listing.unit)
    if listing.platform == words.AIRBNB:  # its link holds the id
        return "", urlsplit(listing.import_url).path.rpartition("/")[2].removesuffix(".ics")
    return "", listing.id


def _check_link(ours: PortfolioListing, theirs: Listing) -> None:
    if not ours.import_url:
        return
    parts = urlsplit(ours.import_url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if path != theirs.feed:
        raise NotPlayable(f"listing {ours.id}: the sandbox serves this calendar at {theirs.feed}")
