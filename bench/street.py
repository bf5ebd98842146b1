"""A street to measure in: so many homes, each on Airbnb and Booking.com by API and on Greengo by our calendar."""

from __future__ import annotations

from local.sandbox.config import Listing as Played
from local.sandbox.config import Platform as PlayedBy
from shared.domain.model import Account, Property, Site
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.portfolio import Portfolio, PortfolioListing

APIS = (AIRBNB, BOOKING)
FEED = GREENGO
"""Who fetches our calendar."""

_SECRETS = {
    AIRBNB: {"api_key": "BENCH_AIRBNB_KEY", "oauth_token": "BENCH_AIRBNB_TOKEN"},
    BOOKING: {"client_id": "BENCH_BOOKING_CLIENT", "client_secret": "BENCH_BOOKING_SECRET"},
}


def site(home: int) -> str:
    """The home's site: one of its own."""
    return f"home{home:05d}"


def unit(home: int, platform: Platform) -> str:
    """What the platform calls it: a number on Airbnb, property and room on Booking.com."""
    return str(9_000_000 + home) if platform == AIRBNB else f"{2_000_000 + home}:{5_000_000 + home}"


def played(home: int, platform: Platform) -> str:
    """The listing's id in the sandbox."""
    return f"{site(home)}-{platform}" if platform == FEED else unit(home, platform).rpartition(":")[2]


def home_of(listing: str) -> int:
    """The home by one of the sandbox's listing ids."""
    return int(listing[4:9]) if listing.startswith("home") else int(listing) % 1_000_000


def street(homes: int, base: str, *, feeds: bool) -> Portfolio:
    """The portfolio; ``base`` is where the platforms are. With ``feeds`` Greengo's own calendars are read too."""
    accounts = tuple(Account(name, name, "owner", roles, base) for name, roles in _SECRETS.items())
    sites = tuple(_site(site(home)) for home in range(homes))
    listings = [one for home in range(homes) for one in _listings(home, base if feeds else "")]
    return Portfolio((), accounts, sites, tuple(listings))


def _site(name: str) -> Site:
    return Site(name, "owner", {name: Property(name, name, frozenset({name}))}, {name: 1})


def _listings(home: int, feeds: str) -> list[PortfolioListing]:
    name = site(home)
    found = [
        PortfolioListing(f"{name}-{one}", name, name, one, one, Link.API, unit(home, one)) for one in APIS
    ]
    theirs = Played(PlayedBy(FEED), played(home, FEED), name)
    link = f"{feeds}{theirs.feed}" if feeds else ""
    return [*found, PortfolioListing(f"{name}-{FEED}", name, name, FEED, FEED, Link.ICAL, import_url=link)]
