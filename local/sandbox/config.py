"""Which listings the sandbox has, on which platform, and how each platform behaves.

A file (YAML or JSON) or the dataclasses themselves; ``sample`` builds a sensible one for tests. Every secret in
it is invented: nothing here opens a door of a real platform.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Platform(StrEnum):
    """The platforms that are played. Airbnb, Booking.com and Channex have an API, all but Channex calendar links."""

    AIRBNB = "airbnb"
    BOOKING = "booking"
    GREENGO = "greengo"
    VRBO = "vrbo"
    ABRITEL = "abritel"
    GITES = "gites"
    CHANNEX = "channex"


WITH_CALENDARS = tuple(platform for platform in Platform if platform is not Platform.CHANNEX)
"""The platforms that publish and import calendars."""

COUNTING = frozenset({Platform.BOOKING, Platform.CHANNEX})
"""The platforms whose API keeps a number of rooms to sell per night."""


class EarlyCancel(StrEnum):
    """What Booking.com does with a stay cancelled before its "new" message was acknowledged (both INFERRED)."""

    TOLD = "told"
    """A message that was fetched once becomes a cancellation; one that nobody saw vanishes."""
    VANISHES = "vanishes"
    """The message vanishes in any case: only the reservations summary tells."""


@dataclass(frozen=True, slots=True)
class Link:
    """A calendar of ours that a listing imports: its address (a secret) and the seconds between two reads."""

    url: str = field(repr=False)
    every: float = 60.0


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing on one platform.

    ``home`` names the physical unit; ``occupies`` names several where the listing sells a house with rooms.
    ``api`` False makes an Airbnb or Booking.com listing reachable by calendar link alone. The other switches are
    the quirks that ``feeds`` and ``truth`` describe.
    """

    platform: Platform
    id: str
    home: str
    account: str = "main"
    property_id: str = "1234567"
    units: int = 1
    api: bool = True
    occupies: tuple[str, ...] = ()
    pulls: tuple[Link, ...] = ()
    echo: bool | None = None
    merge_adjacent: bool = False
    use_duration: bool = False
    validators: bool = False
    notice_days: int = 0
    horizon_days: int = 0
    restocks: bool = False
    oversells: bool = False

    @property
    def key(self) -> str:
        """The listing's name across platforms."""
        return f"{self.platform}/{self.id}"

    @property
    def rooms(self) -> tuple[str, ...]:
        """The physical units a stay on this listing fills."""
        return self.occupies or (self.home,)

    @property
    def counts(self) -> bool:
        """Whether the platform keeps a number of rooms to sell per night (Booking.com and Channex with their API)."""
        return self.platform in COUNTING and self.api

    @property
    def echoes(self) -> bool:
        """Whether its export repeats what it imported; where unset, Booking.com does (REPORTED) and others do not."""
        return self.platform is Platform.BOOKING if self.echo is None else self.echo

    @property
    def token(self) -> str:
        """The secret in its export link: a UUID made from its name, so that a restart keeps the link."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox:{self.key}"))

    @property
    def feed(self) -> str:
        """Path and query of its export, in the shape the platform uses (shapes: VERIFIED in public code); empty where
        the platform publishes none."""
        token, bare = self.token, self.token.replace("-", "")
        return {
            Platform.AIRBNB: f"/calendar/ical/{self.id}.ics?s={bare}",
            Platform.BOOKING: f"/v1/export/t/{token}.ics",
            Platform.GREENGO: f"/calendar/greengo-icalendar/{token}.ics",
            Platform.VRBO: f"/icalendar/{bare}.ics?nonTentative",
            Platform.ABRITEL: f"/icalendar/{bare}.ics?nonTentative",
            Platform.GITES: f"/iCal_{bare}.ics?aicc={bare[::-1]}",
            Platform.CHANNEX: "",
        }[self.platform]


@dataclass(frozen=True, slots=True)
class Airbnb:
    """Airbnb's side: the partner's key, one token per host account, where its webhooks go, and its limits.

    ``webhook_base`` is empty until somebody asks for webhooks. ``sync_check`` turns on the synchronous questions
    before a booking. ``writes_per_minute`` 0 means no limit.
    """

    api_key: str = field(default="sandbox-airbnb-key", repr=False)
    tokens: Mapping[str, str] = field(default_factory=lambda: {"main": "sandbox-airbnb-token"}, repr=False)
    webhook_base: str = field(default="", repr=False)
    webhook_tries: int = 4
    webhook_pause: float = 1.0
    sync_check: bool = False
    sync_timeout: float = 5.0
    writes_per_minute: int = 0
    refuses_library_agents: bool = True


@dataclass(frozen=True, slots=True)
class Client:
    """One machine account of Booking.com's Connectivity API."""

    client_id: str
    client_secret: str = field(repr=False)
    account: str = "main"


@dataclass(frozen=True, slots=True)
class Booking:
    """Booking.com's side: who may exchange tokens, how often, and when an unread message becomes an e-mail."""

    clients: tuple[Client, ...] = (Client("00000000-0000-11ef-0000-000000000000", "sandbox-booking-secret"),)
    tokens_per_hour: int = 30
    token_seconds: float = 3600.0
    email_after: float = 1800.0
    early_cancel: EarlyCancel = EarlyCancel.TOLD


@dataclass(frozen=True, slots=True)
class Channex:
    """Channex's side: one key per account, and how many availability calls a property takes in a minute."""

    keys: Mapping[str, str] = field(default_factory=lambda: {"main": "sandbox-channex-key"}, repr=False)
    writes_per_minute: int = 10


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Everything the sandbox plays. Raises ``ValueError`` when a listing stands in it twice."""

    listings: tuple[Listing, ...]
    seed: int = 1
    zone: str = "Europe/Paris"
    airbnb: Airbnb = Airbnb()
    booking: Booking = Booking()
    channex: Channex = Channex()

    def __post_init__(self) -> None:
        keys = [listing.key for listing in self.listings]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"listing {key} stands there twice")


def sample(
    homes: int = 1,
    platforms: tuple[Platform, ...] = (Platform.AIRBNB, Platform.BOOKING, Platform.GREENGO),
    *,
    airbnb: Airbnb | None = None,
    booking: Booking | None = None,
    channex: Channex | None = None,
    seed: int = 1,
) -> SandboxConfig:
    """So many homes ("home-1", ...), each with one listing on every platform named.

    Airbnb ids count up from 9876543, Booking.com room ids from 123456701, all in property 1234567; Channex's are UUIDs
    that count up, each in a property of its own.
    """
    listings = tuple(
        Listing(
            platform=platform,
            id=_sample_id(platform, number),
            home=f"home-{number + 1}",
            property_id=_sample_property(platform, number),
        )
        for number in range(homes)
        for platform in platforms
    )
    return SandboxConfig(
        listings=listings,
        seed=seed,
        airbnb=airbnb or Airbnb(),
        booking=booking or Booking(),
        channex=channex or Channex(),
    )


def _sample_property(platform: Platform, number: int) -> str:
    return f"00000000-0000-4000-8000-{101 + number:012}" if platform is Platform.CHANNEX else "1234567"


def _sample_id(platform: Platform, number: int) -> str:
    match platform:
        case Platform.AIRBNB:
            return str(9876543 + number)
        case Platform.BOOKING:
            return str(123456701 + number)
        case Platform.CHANNEX:
            return f"00000000-0000-4000-8000-{201 + number:012}"
        case _:
            return f"{platform}-{number + 1}"
