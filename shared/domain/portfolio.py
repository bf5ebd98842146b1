"""The portfolio: who owns which homes, on which platforms they are listed, and how they share rooms.

Values as a person describes them, checked, before anything is stored. ``shared/domain/site_groups.py`` makes sites
of the homes; a file or the console fills these values in and the importer writes them to the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.domain.access import Role
from shared.domain.errors import PermanentError
from shared.domain.model import Account, Automatic, Site
from shared.domain.platform import Link, Platform

MOST_TURNOVER = 30
"""Nights an owner may keep free beside each stay."""

LANGUAGES = ("fr", "en")
"""The languages in which notices and pages are written."""

MOST_HOMES = 50
"""Homes in one site: they are read and committed together (rule 15)."""

MOST_UNITS = 254
"""Identical units one home may stand for: Booking.com takes counts up to 254, and 255 means without limit there."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One person with a role on one owner's homes; several persons may share an ``id``.

    ``principal`` is the name by which the sign-in knows them. ``email`` takes the notices, empty for none.
    """

    id: str
    principal: str = field(repr=False)
    role: Role
    email: str = field(default="", repr=False)
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class Home:
    """One home as its owner describes it.

    ``contains`` names homes that are inside it (a house sold whole and by the room). ``rooms`` are further rooms
    it occupies, each with how many identical ones exist; a home with neither is one room, named like itself. Two homes
    that name one room exclude each other. ``shares`` names what both may use on the same night (a garden): it closes
    nothing.
    ``units`` is how many guests at once may have it: above 1 for a room type that is sold by count. ``site``
    names the group of homes that share rooms, so that a later neighbour does not rename it. ``group`` names homes
    that can stand in for each other; ``automatic`` is what the engine may do by itself about a double booking.
    ``turnover`` is how many nights must stay free between two stays (0 to ``MOST_TURNOVER``).
    """

    id: str
    name: str
    owner: str
    zone: str = "Europe/Paris"
    contains: tuple[str, ...] = ()
    rooms: Mapping[str, int] = field(default_factory=dict)
    units: int = 1
    site: str = ""
    group: str = ""
    automatic: Automatic = Automatic.OFF
    shares: tuple[str, ...] = ()
    turnover: int = 0

    @property
    def own_rooms(self) -> Mapping[str, int]:
        """The rooms it occupies beside those of the homes inside it."""
        if self.rooms or self.contains:
            return self.rooms
        return {self.id: self.units}


@dataclass(frozen=True, slots=True)
class PortfolioListing:
    """A home's face on one platform. ``import_url`` is the platform's calendar of it: whoever has the link reads
    the calendar, so it is shown only through ``masked``; empty for a listing by API. ``agent`` is the start of the
    User-Agent with which the platform fetches our export, empty for the platform's usual one."""

    id: str
    property: str
    site: str
    platform: Platform
    account: str
    link: Link
    unit: str = ""
    import_url: str = field(default="", repr=False)
    agent: str = ""


def masked(url: str) -> str:
    """A calendar link as screens and logs may show it: its host alone, or "…" where it has none; empty for no link."""
    try:
        host = urlsplit(url).hostname
    except ValueError:  # a broken IPv6 host
        host = None
    return f"{host}/…" if host else "…" * bool(url)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything one file names. ``groups`` are homes of one owner that can stand in for each other."""

    owners: tuple[Owner, ...]
    accounts: tuple[Account, ...]
    sites: tuple[Site, ...]
    listings: tuple[PortfolioListing, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one home: ``home`` is its place in the list that was given, ``field`` the field to mend."""

    home: int
    field: str
    text: str


class PortfolioRefused(PermanentError):
    """The homes contradict each other; ``problems`` has all that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = problems
