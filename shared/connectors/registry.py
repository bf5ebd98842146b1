"""The platforms we know: the only list of them in the code. ``docs/adding-a-platform.md`` tells how to add one.

Connectors are imported when they are asked for: pydantic and an XML parser cost a tenth of a second, which a cold
start of a function that needs neither should not pay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.connectors.ical_links import GITES, ICAL, VRBO
from shared.domain.errors import PayloadRejected
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform

if TYPE_CHECKING:
    from shared.connectors.base import Clock, RetryAfter
    from shared.domain.dates import StayDates
    from shared.ports.http import Http
    from shared.ports.people import Secrets
    from shared.ports.platforms import ApiConnector, CheckWire

BOTH = frozenset({Link.API, Link.ICAL})
FEED = frozenset({Link.ICAL})


@dataclass(frozen=True, slots=True)
class CallLimit:
    """A platform bears at most ``calls`` in any ``seconds``, of an "account" or of each "property" (``scope``), those
    of these ``operations`` counted together."""

    calls: int
    seconds: float
    scope: str = "account"
    operations: frozenset[str] = frozenset({"read", "acknowledge", "write"})


WRITES = frozenset({"write"})


@dataclass(frozen=True, slots=True)
class PlatformEntry:
    """What the rest of the engine has to know of a platform.

    ``links`` are the ways a listing can be connected. ``agents`` are what the User-Agent of its calendar importer
    contains, in lower case: all INFERRED, since nobody published one, and ``Listing.agent`` overrides them.
    ``console`` is where a host edits the calendar by hand, with {unit}, {start} and {end} (the day of departure)
    where the page takes them.

    For an API: ``connector`` is "module:class", ``secrets`` the roles an account must map to settings, ``unit`` how a
    listing's unit is written, ``webhook`` whether it calls us, ``signature`` how it then proves itself (a scheme of
    ``webhook_signature``; empty where no public source shows one: the path's secret is all there is), ``check``
    ("module:class") how it asks before it sells, ``poll_every`` the seconds between polls (0: it has no queue; with
    ``webhook`` they find what a lost call would have told) and ``pause`` those between an acknowledgement and the next
    poll.

    ``limits`` are kept by all hosts together before each call; none are kept where none are published.

    ``sells_on`` are the platforms a channel manager can sell a home on by itself: connected here besides, they show
    each of its stays a second time.

    ``mail`` are words that its confirmations carry in their sender or subject, in lower case.
    """

    platform: Platform
    name: str
    links: frozenset[Link]
    agents: tuple[str, ...] = ()
    connector: str = ""
    secrets: tuple[str, ...] = ()
    unit: str = ""
    webhook: bool = False
    signature: str = ""
    check: str = ""
    poll_every: float = 0.0
    pause: float = 0.0
    limits: tuple[CallLimit, ...] = ()
    sells_on: frozenset[Platform] = frozenset()
    console: str = ""
    mail: tuple[str, ...] = ()


_ENTRIES = (
    PlatformEntry(
        AIRBNB,
        "Airbnb",
        BOTH,
        agents=("airbnb",),
        connector="shared.connectors.airbnb:AirbnbConnector",
        secrets=("api_key", "oauth_token"),
        unit="listing id",
        webhook=True,
        check="shared.connectors.airbnb_check:AirbnbCheck",
        # VERIFIED in a partner's code of 2019-20: calendar operations, and all calls for one host. Today's are unknown.
        limits=(CallLimit(160, 60, operations=WRITES), CallLimit(2000, 3600)),
        console="https://www.airbnb.com/multicalendar/{unit}",  # INFERRED
        mail=("airbnb",),
    ),
    PlatformEntry(
        BOOKING,
        "Booking.com",
        BOTH,
        agents=("booking",),
        connector="shared.connectors.booking:BookingConnector",
        secrets=("client_id", "client_secret"),
        unit="hotel:room",
        # VERIFIED, developers.booking.com: one call every 20 s, and 5 s between an acknowledgement and the next.
        poll_every=20.0,
        pause=5.0,
        console="https://admin.booking.com/",  # INFERRED
        mail=("booking.com",),
    ),
    PlatformEntry(
        GREENGO,
        "Greengo",
        FEED,
        agents=("greengo",),
        # REPORTED by a host: the page opens at that range.
        console="https://www.greengo.voyage/service-provider-portal/calendar/host-calendar/{unit}"
        "?startDate={start}&endDate={end}",
        mail=("greengo",),
    ),
    PlatformEntry(
        Platform("channex"),
        "Channex",
        frozenset({Link.API}),
        connector="shared.connectors.channex:ChannexConnector",
        secrets=("api_key",),
        unit="property:room_type",
        webhook=True,
        signature="header",
        poll_every=60.0,  # for webhooks that were lost; no limit is published for reading the feed
        # VERIFIED, docs.channex.io: 10 availability calls a minute and property.
        limits=(CallLimit(10, 60, "property", WRITES),),
        sells_on=frozenset({AIRBNB, BOOKING, VRBO}),  # VERIFIED, its channel mapping guides
        console="https://app.channex.io/inventory",  # INFERRED
    ),
    PlatformEntry(
        VRBO,
        "Abritel (Vrbo)",
        FEED,
        agents=("vrbo", "homeaway", "abritel", "expedia"),
        mail=("abritel", "vrbo", "homeaway"),
    ),
    PlatformEntry(
        GITES, "Gîtes de France", FEED, agents=("gites", "itea"), mail=("gites-de-france", "gîtes de france")
    ),
    PlatformEntry(ICAL, "Calendar link", FEED),
)

PLATFORMS: Mapping[Platform, PlatformEntry] = {entry.platform: entry for entry in _ENTRIES}
"""Every platform, in the order in which screens list them."""


def find(name: str) -> PlatformEntry:
    """The platform of that name ("airbnb"). Raises ``PayloadRejected`` naming those there are."""
    entry = PLATFORMS.get(Platform(name))
    if entry is None:
        raise PayloadRejected(f"no such platform; there are {', '.join(PLATFORMS)}")
    return entry


def connect(
    platform: Platform, http: Http, secrets: Secrets, *, clock: Clock, retry_after: RetryAfter
) -> ApiConnector:
    """Import and build the platform's API connector. Raises ``PayloadRejected`` where the platform has no API."""
    entry = find(platform)
    if not entry.connector:
        raise PayloadRejected(f"{entry.name} has no API: it is connected by calendar links")
    module, _, name = entry.connector.partition(":")
    make: Callable[..., ApiConnector] = getattr(import_module(module), name)
    return make(http, secrets, clock=clock, retry_after=retry_after)


def console_link(platform: Platform, unit: str, dates: StayDates) -> str:
    """Where the host edits these nights by hand; empty where no page is known, or it needs a unit and there is none."""
    template = find(platform).console
    if "{unit}" in template and not unit:
        return ""
    return template.format(unit=quote(unit, safe=""), start=dates.check_in, end=dates.check_out)


def checks() -> dict[Platform, CheckWire]:
    """How each platform asks whether nights are free, of those that ask."""
    found: dict[Platform, CheckWire] = {}
    for entry in PLATFORMS.values():
        if entry.check:
            module, _, name = entry.check.partition(":")
            make: Callable[[], CheckWire] = getattr(import_module(module), name)
            found[entry.platform] = make()
    return found
