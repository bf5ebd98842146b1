"""A stored portfolio as the text a person would have written: what it says is what ``portfolio_reader`` reads back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from shared.domain.model import Account, Automatic, Property, Site
from shared.domain.platform import Link
from shared.domain.portfolio import Home, Owner, Portfolio, PortfolioListing, masked

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._@/-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_HEAD = (
    "# Le portefeuille tel qu’il est enregistré. Un lien de calendrier est un secret\u202f: qui l’a lit le calendrier.",
    "# The portfolio as it is stored. A calendar link is a secret: whoever has it reads the calendar.",
)
_WITHOUT = (
    "# Les liens de calendrier sont laissés de côté\u202f: ce texte est à lire, pas à importer.",
    "# Calendar links are left out: this text is to be read, not to be imported.",
)
_ZONE = "Europe/Paris"


def write_portfolio(
    portfolio: Portfolio, *, links: bool, usual_hosts: Mapping[str, str] | None = None
) -> str:
    """The text. ``usual_hosts`` are the addresses of APIs that need not be named, by platform."""
    hosts = usual_hosts or {}
    lines = [*_HEAD, *(() if links else _WITHOUT), "owners:", *_owners(portfolio.owners)]
    accounts = [one for one in portfolio.accounts if one.secrets or not _is_made_up(one)]
    lines += ["accounts:"] * bool(accounts)
    lines += [line for one in accounts for line in _account(one, hosts)]
    lines += ["homes:"]
    named = [(home, site) for site in portfolio.sites for home in homes_of(site)]
    for home, site in named:
        listings = [one for one in portfolio.listings if one.property == home.id]
        lines += [*_home(home, site), *_listings(home, listings, links=links)]
    return "\n".join([*lines, ""])


def homes_of(site: Site) -> list[Home]:
    """The homes of a stored site as their owner would describe them. A home whose rooms are all among another's is
    inside it; a home inside one that is inside is not named again."""
    return [_home_of(site, one) for one in site.properties.values()]


def _home_of(site: Site, one: Property) -> Home:
    inside = [other for other in site.properties.values() if _is_inside(other, one)]
    outer = [a for a in inside if not any(_is_inside(a, b) for b in inside)]
    covered = frozenset[str]().union(*(other.rooms for other in outer))
    rooms = {room: site.rooms.get(room, 1) for room in sorted(one.rooms - covered)}
    units = max((site.rooms.get(room, 1) for room in one.rooms), default=1)
    if not outer and set(rooms) == {one.id}:
        rooms = {}
    first = min(site.properties)
    return Home(
        one.id,
        one.name,
        site.owner,
        one.zone,
        tuple(sorted(other.id for other in outer)),
        rooms,
        units,
        "" if site.id == first else site.id,
        one.group,
        one.automatic,
        (),
        one.turnover,
    )


def _is_inside(inner: Property, outer: Property) -> bool:
    """Whether all rooms of one are among another's. Of two with the very same rooms the one that gave a room its name
    is inside, so that no room stands for a home that has others besides."""
    if inner.rooms == outer.rooms:
        return (inner.id not in inner.rooms, inner.id) < (outer.id not in outer.rooms, outer.id)
    return inner.rooms < outer.rooms


def _owners(owners: Sequence[Owner]) -> Iterator[str]:
    ordered = sorted(owners, key=lambda one: one.id)
    for name, people in groupby(ordered, key=lambda one: one.id):
        yield f"  - id: {quoted(name)}"
        yield "    people:"
        for one in people:
            yield f"      - principal: {quoted(one.principal)}"
            yield f"        role: {one.role}"
            if one.email:
                yield f"        email: {quoted(one.email)}"
            yield f"        language: {one.language}"


def _is_made_up(one: Account) -> bool:
    """Whether the reader makes such an account by itself for an owner's calendars."""
    return one.id == f"{one.platform}-{one.owner}"


def _account(one: Account, usual_hosts: Mapping[str, str]) -> Iterator[str]:
    yield f"  - id: {quoted(one.id)}"
    yield f"    platform: {quoted(one.platform)}"
    yield f"    owner: {quoted(one.owner)}"
    if one.secrets:
        yield "    secrets:"
        yield from (f"      {role}: {name}" for role, name in sorted(one.secrets.items()))
    if one.base_url and one.base_url != usual_hosts.get(one.platform, ""):
        yield f"    base_url: {quoted(one.base_url)}"
    if one.key_ends is not None:
        yield f"    key_ends: {one.key_ends.isoformat()}"


def _home(home: Home, site: Site) -> Iterator[str]:
    yield f"  - id: {quoted(home.id)}"
    yield f"    name: {quoted(home.name)}"
    yield f"    owner: {quoted(home.owner)}"
    if home.zone != _ZONE:
        yield f"    zone: {quoted(home.zone)}"
    if home.contains:
        yield f"    contains: {_list(home.contains)}"
    if home.rooms:
        counts = ", ".join(f"{quoted(room)}: {count}" for room, count in home.rooms.items())
        yield f"    rooms: {{{counts}}}"
    if home.units > 1:
        yield f"    units: {home.units}"
    if home.site:
        yield f"    site: {quoted(home.site)}"
    if home.group:
        yield f"    group: {quoted(home.group)}"
    if home.automatic is not Automatic.OFF:
        yield f"    automatic: {home.automatic}"
    if home.turnover:
        yield f"    turnover: {home.turnover}"


def _listings(home: Home, listings: Sequence[PortfolioListing], *, links: bool) -> Iterator[str]:
    if listings:
        yield "    listings:"
    for one in listings:
        yield f"      - platform: {quoted(one.platform)}"
        if one.id != f"{home.id}-{one.platform}":
            yield f"        id: {quoted(one.id)}"
        if one.link is Link.API or one.account != f"{one.platform}-{home.owner}":
            yield f"        account: {quoted(one.account)}"
        if one.unit:
            yield f"        unit: {quoted(one.unit)}"
        if one.agent:
            yield f"        agent: {quoted(one.agent)}"
        if one.link is Link.ICAL and links and one.import_url:
            yield f"        link: {quoted(one.import_url)}"
        elif one.link is Link.ICAL:
            yield f"        # link: {masked(one.import_url) or '-'}"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(quoted(one) for one in names)}]"


def quoted(text: str) -> str:
    """A value as YAML reads it back letter by letter: bare where it is a plain word, in double quotes elsewhere."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
