"""What each section of the portfolio file means: owners, accounts, homes and their listings.

The checks here are those between one place of the file and another; what homes do to each other is judged by
the domain (``shared/domain/site_groups.py``) and only given its lines here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.adapters.portfolio_values import (
    ANY_CALENDAR,
    PortfolioRules,
    address,
    base_url,
    day,
    settings,
    zone,
)
from shared.adapters.yaml_fields import Section, did_you_mean
from shared.adapters.yaml_tree import Spot
from shared.domain.access import Role
from shared.domain.addresses import FeedAddress
from shared.domain.model import Account, Automatic, Site
from shared.domain.platform import Link, Platform
from shared.domain.portfolio import (
    LANGUAGES,
    Home,
    Owner,
    Portfolio,
    PortfolioListing,
    PortfolioRefused,
)
from shared.domain.site_groups import resolve

TOP = ("owners", "accounts", "homes")
_OWNER = ("id", "people")
_PERSON = ("principal", "role", "email", "language")
_ACCOUNT = ("id", "platform", "owner", "secrets", "base_url", "key_ends")
_HOME = (
    "id",
    "name",
    "owner",
    "zone",
    "contains",
    "rooms",
    "units",
    "site",
    "group",
    "automatic",
    "turnover",
    "shares",
    "listings",
)
_LISTING = ("id", "platform", "account", "unit", "link", "agent")


class PortfolioReader:
    """One pass over a file. Problems go to the report of its sections; the result counts only when there are none."""

    def __init__(self, rules: PortfolioRules) -> None:
        self._rules = rules
        self._first: dict[object, Spot] = {}
        self._owner_ids: list[str] = []
        self._accounts: dict[str, Account] = {}
        self._made_up: set[str] = set()

    def read(self, top: Section) -> Portfolio:
        """The portfolio of the whole file."""
        people = top.sections("owners", "an owner", _OWNER, needed=True)
        owners = tuple(owner for section in people for owner in self._owner(section))
        for section in top.sections("accounts", "an account", _ACCOUNT):
            self._account(section)
        sections = top.sections("homes", "a home", _HOME, needed=True)
        homes = [self._home(section) for section in sections]
        sites = _sites(homes, sections)
        site_of = {name: site.id for site in sites for name in site.properties}
        listings = [
            self._listing(home, site_of.get(home.id, home.id), inner)
            for home, section in zip(homes, sections, strict=True)
            for inner in section.sections("listings", "a listing", _LISTING)
        ]
        return Portfolio(
            owners, tuple(self._accounts.values()), sites, tuple(listings), _groups(homes, sections)
        )

    def _once(self, section: Section, name: str, what: str, *key: str) -> None:
        """Report what may stand only once, with the line of the first. What is missing is told elsewhere."""
        if not all(key):
            return
        spot = section.at(name)
        first = self._first.setdefault((what, *key), spot)
        if first != spot:
            section.problem(name, f"{what} stands already on line {first.line}")

    # ------------------------------------------------------------------------------ owners and accounts

    def _owner(self, section: Section) -> list[Owner]:
        name = section.identifier("id", needed=True)
        if name:
            self._once(section, "id", "this owner", name)
            self._owner_ids.append(name)
        return [
            self._person(name, inner)
            for inner in section.sections("people", "a person", _PERSON, needed=True)
        ]

    def _person(self, owner: str, section: Section) -> Owner:
        principal = section.text("principal", needed=True)
        self._once(section, "principal", "this person of the same owner", owner, principal)
        email = section.text("email")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            section.problem("email", "not an e-mail address")
        role = section.choice("role", [str(role) for role in Role]) or Role.VIEWER
        return Owner(owner, principal, Role(role), email, section.choice("language", LANGUAGES, LANGUAGES[0]))

    def _whose(self, section: Section) -> str:
        """The owner named; the only one of the file may be left out."""
        if len(self._owner_ids) == 1 and not section.has("owner"):
            return self._owner_ids[0]
        found = section.identifier("owner", needed=True)
        if found and self._owner_ids and found not in self._owner_ids:
            section.problem("owner", f"no such owner in this file, {did_you_mean(found, self._owner_ids)}")
        return found

    def _platform(self, section: Section) -> Platform:
        return Platform(section.choice("platform", self._rules.platforms))

    def _account(self, section: Section) -> None:
        name = section.identifier("id", needed=True)
        self._once(section, "id", "this account", name)
        platform = self._platform(section)
        account = Account(
            id=name,
            platform=platform,
            owner=self._whose(section),
            secrets=settings(section, platform, self._rules),
            base_url=base_url(section, self._rules),
            key_ends=day(section, "key_ends"),
        )
        self._accounts.setdefault(name, account)

    # ------------------------------------------------------------------------------- homes and listings

    def _home(self, section: Section) -> Home:
        units = section.number("units", 1)
        rooms = section.counts("rooms")
        if rooms is None:
            rooms = dict.fromkeys(section.identifiers("rooms"), units)
        return Home(
            id=section.identifier("id", needed=True),
            name=section.text("name", needed=True, most=100),
            owner=self._whose(section),
            zone=zone(section),
            contains=section.identifiers("contains"),
            rooms=rooms,
            units=units,
            site=section.identifier("site"),
            group=section.identifier("group"),
            shares=section.identifiers("shares"),
            automatic=Automatic(section.choice("automatic", [str(one) for one in Automatic], Automatic.OFF)),
            turnover=section.number("turnover", 0),
        )

    def _listing(self, home: Home, site: str, section: Section) -> PortfolioListing:
        platform = self._platform(section)
        name = section.identifier("id") or f"{home.id}-{platform}"
        self._listing_once(section, name, home)
        calendar = address(section, "link", self._rules)
        link = Link.ICAL if section.has("link") else Link.API
        if calendar is not None:
            self._own_calendar(section, platform, calendar)
        if link is Link.API and platform:
            self._check_api(section, platform)
        return PortfolioListing(
            id=name,
            property=home.id,
            site=site,
            platform=platform,
            account=self._listing_account(section, home, platform, link),
            link=link,
            unit=section.text("unit", most=100),
            import_url=calendar.url if calendar is not None else "",
            agent=section.text("agent", most=100),
        )

    def _listing_once(self, section: Section, name: str, home: Home) -> None:
        field = "id" if section.has("id") else "platform"
        spot = section.at(field)
        first = self._first.setdefault(("listing", name), spot)
        if first != spot and field == "id":
            section.problem("id", f"listing {name} stands already on line {first.line}")
        elif first != spot:
            text = f"{home.id} has a listing on this platform on line {first.line} already"
            section.problem("platform", f"{text}: give this one an id of its own (id: ...)")

    def _own_calendar(self, section: Section, platform: Platform, calendar: FeedAddress) -> None:
        """A link stands once, and under the platform whose calendar it is."""
        self._once(section, "link", "this calendar link", calendar.url)
        if platform in self._rules.api_only:
            text = (
                f'{platform} has no calendars: give "account" and "unit", or the platform whose link this is'
            )
            section.problem("link", text)
            return
        recognised = self._rules.recognise(calendar.url) if self._rules.recognise else ANY_CALENDAR
        if platform and recognised not in (platform, ANY_CALENDAR):
            section.problem("link", f"this is a calendar of {recognised}, and the listing says {platform}")

    def _check_api(self, section: Section, platform: Platform) -> None:
        if platform not in self._rules.with_api:
            section.problem("link", f"{platform} is connected by its calendar: give the link of it")
        elif not (section.has("account") and section.has("unit")):
            text = (
                'give "link" (the address of its calendar), or "account" and "unit" for a connection by API'
            )
            section.problem("platform", text)
        else:
            self._check_unit(section, platform)

    def _check_unit(self, section: Section, platform: Platform) -> None:
        account, unit = section.text("account"), section.text("unit", most=100)
        form = self._rules.units.get(platform, "")
        if form.count(":") != unit.count(":") and form:
            section.problem("unit", f"a unit of {platform} is written {form}")
        self._once(section, "unit", "this unit of the same account", account, unit)
        if account in self._accounts and not self._accounts[account].secrets:
            section.problem("account", f"account {account} has no secrets: a connection by API needs them")

    def _listing_account(self, section: Section, home: Home, platform: Platform, link: Link) -> str:
        """The account named; a calendar needs none, so one is made for all of an owner's on the platform."""
        given = section.identifier("account")
        name = given or f"{platform}-{home.owner}"
        if given and given not in self._accounts:
            known = [item for item in self._accounts if item not in self._made_up]
            hint = did_you_mean(given, known) if known else 'there is no "accounts" list yet'
            section.problem("account", f"no such account in this file, {hint}")
        elif link is Link.ICAL and name not in self._accounts:
            self._made_up.add(name)
            self._accounts[name] = Account(name, platform, home.owner)
        elif name in self._accounts and self._accounts[name].platform != platform:
            text = (
                f"account {name} is one of {self._accounts[name].platform}, and the listing says {platform}"
            )
            section.problem("account", text)
        return name


def _sites(homes: Sequence[Home], sections: Sequence[Section]) -> tuple[Site, ...]:
    """The homes' sites; what the domain refuses gets its line. Homes without an id are told already."""
    named = [(home, section) for home, section in zip(homes, sections, strict=True) if home.id]
    try:
        return resolve([home for home, _ in named])
    except PortfolioRefused as refused:
        for problem in refused.problems:
            named[problem.home][1].problem(problem.field, problem.text)
        return ()


def _groups(homes: Sequence[Home], sections: Sequence[Section]) -> dict[str, tuple[str, ...]]:
    """Equivalent homes by the group's name: at least two, of one owner."""
    members: dict[str, list[tuple[Home, Section]]] = {}
    for home, section in zip(homes, sections, strict=True):
        if home.group and home.id:
            members.setdefault(home.group, []).append((home, section))
    for name, found in members.items():
        first = found[0][0]
        if len(found) == 1:
            found[0][1].problem(
                "group", f"{first.id} is alone in the group {name}: name it on another home too"
            )
        for home, section in found[1:]:
            if home.owner != first.owner:
                section.problem(
                    "group", f"the group {name} has homes of two owners: {first.owner} and {home.owner}"
                )
    return {name: tuple(home.id for home, _ in found) for name, found in members.items()}
