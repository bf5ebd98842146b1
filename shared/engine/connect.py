"""Connecting a calendar: a link that a person pasted becomes a listing of a home that is there, or of a new one.

It goes through the portfolio's own import, so that what a page adds is what a file would have added.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.errors import Moved, NotFound, StaleWrite
from shared.domain.model import Account, Property, Site, SiteState
from shared.domain.platform import Link, Platform
from shared.domain.portfolio import LANGUAGES, Owner, Portfolio, PortfolioListing
from shared.domain.record import Kind
from shared.domain.spoken import PARIS, Said
from shared.domain.story import PERSON, by_hand
from shared.domain.zones import is_zone
from shared.engine.homes_seen import states_seen
from shared.engine.look import LinkDesk, Looked, Refusal
from shared.engine.look_text import Why, said_of
from shared.engine.opaque import sealed
from shared.engine.portfolio import PortfolioImport
from shared.engine.turn import Taken, turn
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.sites import Changes

MOST_NAME = 100
"""Characters of a home's name."""

_TRIES = 8

FIRST_OWNER = "me"
"""The owner who is made for the first person who connects a calendar where there is none."""


@dataclass(frozen=True, slots=True)
class HomeChoice:
    """A home a calendar can be added to, with the platforms it is connected to already."""

    id: str
    name: str
    site: str
    owner: str
    platforms: tuple[Platform, ...] = ()


@dataclass(frozen=True, slots=True)
class NewLink:
    """What a person confirmed. ``link`` is a secret. ``home`` names a home that is there; empty for a new one, which
    then has a ``name``, and an ``owner`` where there are several. ``platform`` is whose calendar it is where its
    address does not say so."""

    link: str = field(repr=False)
    platform: str = ""
    home: str = ""
    name: str = ""
    owner: str = ""
    zone: str = PARIS


@dataclass(frozen=True, slots=True)
class Connected:
    """What was made: ``link_id`` names the listing in addresses of pages. ``anew`` is False where the very same was
    connected before (a button pressed twice)."""

    link_id: str
    listing: str
    home: str
    anew: bool = True


@dataclass(frozen=True, slots=True)
class NotConnected:
    """What has to be mended first: the field of the form, and a sentence."""

    field: str
    said: Said
    why: str = ""


class Connect:
    """Connects calendars."""

    def __init__(self, world: World, desk: LinkDesk, portfolio: PortfolioImport) -> None:
        self._world = world
        self._desk = desk
        self._portfolio = portfolio

    async def homes(self, person: Person) -> list[HomeChoice]:
        """The homes a person may add a calendar to, by name."""
        return sorted(
            (choice for state in await self._decided(person) for choice in _choices(state)),
            key=lambda one: (one.name.lower(), one.id),
        )

    async def any_home(self, person: Person) -> bool:
        """Whether there is a home to add to: one read."""
        places = await self._world.accounts.directory("site")
        return any(person.decides(one.get("owner", "")) for one in places.values())

    async def owners(self, person: Person) -> list[str]:
        """The owners a person may add a home for."""
        known = set(await self._world.accounts.directory("owner"))
        known |= {one.get("owner", "") for one in (await self._world.accounts.directory("site")).values()}
        known |= set(person.roles) - {ALL_OWNERS}
        return sorted(one for one in known if one and person.decides(one))

    async def connect(
        self, person: Person, wanted: NewLink, language: str = "fr"
    ) -> Connected | NotConnected | Refusal:
        """Look into the link once more, and add it. Raises ``Taken`` when others keep changing the portfolio."""
        if not is_zone(wanted.zone):
            return NotConnected("zone", _NO_ZONE)
        looked = await self._desk.look(wanted.link, wanted.platform, wanted.zone)
        if isinstance(looked, Refusal):
            return looked
        async with turn(self._world):
            again = await self._same(person, looked)
            if again is not None:
                return again
            if wanted.home:
                return await self._add(person, wanted.home, looked)
            return await self._found(person, wanted, looked, language)

    # ----------------------------------------------------------------------------------------- a home

    async def _add(self, person: Person, home: str, looked: Looked) -> Connected | NotConnected:
        """Another listing of a home that is there."""
        place = (await self._world.accounts.directory("home", home)).get(home)
        state = None if place is None else await self._load(place["site"])
        if state is None or home not in state.site.properties or not person.decides(state.site.owner):
            return NotConnected("home", _NO_HOME)
        return await self._import(person, state.site, home, looked, state, ())

    async def _found(
        self, person: Person, wanted: NewLink, looked: Looked, language: str
    ) -> Connected | NotConnected:
        """A new home with its first listing."""
        name = fit_name(wanted.name)
        if not name:
            return NotConnected("name", _NO_NAME)
        owners = await self.owners(person)
        owner = wanted.owner or (owners[0] if len(owners) == 1 else "")
        if not owners and person.everywhere and not wanted.owner:
            owner = FIRST_OWNER
        if not owner or not person.decides(owner) or (owners and owner not in owners):
            return NotConnected("owner", _NO_OWNER)
        people = () if owners else (_first(person, owner, language),)
        homes = await self._world.accounts.directory("home")
        sites = await self._world.accounts.directory("site")
        home = _free(slug(name), {*homes, *sites})
        site = Site(home, owner, {home: Property(home, name, frozenset({home}), wanted.zone)}, {home: 1})
        return await self._import(person, site, home, looked, None, people)

    async def _import(
        self,
        person: Person,
        site: Site,
        home: str,
        looked: Looked,
        state: SiteState | None,
        people: tuple[Owner, ...],
    ) -> Connected:
        listings = await self._world.accounts.directory("listing", f"{home}-")
        taken = {*listings, *(state.listings if state else ())}
        name = _free(f"{home}-{looked.platform}", taken)
        account, new = await self._account(looked.platform, site.owner)
        listing = PortfolioListing(
            name, home, site.id, looked.platform, account.id, Link.ICAL, "", looked.link
        )
        named = Portfolio(people, (account,) if new else (), (site,), (listing,))
        await self._portfolio.run(named, by=f"{PERSON}{person.name}")
        if state is None:
            await self._remember(person, listing)
        await self._ask_now(site.id, name)
        return Connected(sealed(site.id, name), name, home)

    async def _remember(self, person: Person, listing: PortfolioListing) -> None:
        """Put into the record of a home that begins whose doing it was."""
        who = {
            "at": self._world.now().isoformat(),
            "by": by_hand(person.name),
            "kind": Kind.LISTING.value,
            "home": listing.property,
        }
        lines = [
            who | {"what": "home added", "of": listing.property},
            who | {"what": "listing added", "of": listing.id, "on": listing.id},
        ]
        for _ in range(_TRIES):
            state = await self._world.sites.load(listing.site)
            try:
                await self._world.sites.commit(state, Changes(history=lines))
            except StaleWrite:
                continue
            return

    async def _account(self, platform: Platform, owner: str) -> tuple[Account, bool]:
        """The account that stands for all of an owner's calendars on a platform, and whether it is new. One of that
        name that is somebody else's, or another platform's, is left alone."""
        for number in range(1, 10):
            name = f"{platform}-{owner}" + (f"-{number}" if number > 1 else "")
            known = await self._world.accounts.load(name)
            if known is None:
                return Account(name, platform, owner), True
            if (known.account.platform, known.account.owner) == (platform, owner):
                return known.account, False
        raise Taken(f"no account of {platform} is free for {owner}")

    async def _ask_now(self, site: str, listing: str) -> None:
        """Have the calendar read at once. The bell may be lost: the next tick finds it due."""
        state = await self._load(site)
        shard = state.listings[listing].shard if state and listing in state.listings else ""
        if shard:
            await self._world.ring(WORK, Message("feed", f"{shard}/{listing}", self._world.new_id()))

    # ---------------------------------------------------------------------------------- what is there

    async def _same(self, person: Person, looked: Looked) -> Connected | NotConnected | None:
        """The listing of a home this person sees whose calendar this is already."""
        for shard in await self._world.accounts.directory("shard"):
            for name, feed in (await self._world.shards.load(shard)).feeds.items():
                if feed.url != looked.link:
                    continue
                state = await self._load(feed.site)
                if state is None or name not in state.listings or not person.sees(state.site.owner):
                    continue
                listing = state.listings[name]
                home = state.site.properties[listing.property]
                if person.decides(state.site.owner):
                    return Connected(sealed(feed.site, name), name, home.id, anew=False)
                platform = self._world.platform_names.get(listing.platform, listing.platform)
                return NotConnected("link", said_of(Why.KNOWN, home=home.name, platform=platform), Why.KNOWN)
        return None

    async def _decided(self, person: Person) -> list[SiteState]:
        return [one for one in await states_seen(self._world, person) if person.decides(one.site.owner)]

    async def _load(self, site: str) -> SiteState | None:
        try:
            return await self._world.sites.load(site)
        except (NotFound, Moved):
            return None


_NO_HOME: Said = {"fr": "Ce logement n’existe pas (plus).", "en": "There is no such home (any more)."}
_NO_NAME: Said = {"fr": "Donnez un nom au logement.", "en": "Give the home a name."}
_NO_ZONE: Said = {"fr": "Ce fuseau horaire n’existe pas.", "en": "There is no such time zone."}
_NO_OWNER: Said = {"fr": "Choisissez à qui est ce logement.", "en": "Choose whose home it is."}


def fit_name(name: str) -> str:
    """A home's name as it may be stored: one line of printable text, at most ``MOST_NAME`` characters."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(shown.split())[:MOST_NAME].strip()


def slug(name: str) -> str:
    """A home's id made of its name ("le-moulin-de-vezelay"); "home" where no letter of it is plain."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "home"


def _free(wanted: str, taken: Iterable[str]) -> str:
    """The name, or with a number behind it where it is taken."""
    known = {one.lower() for one in taken}
    number, name = 1, wanted
    while name.lower() in known:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _first(person: Person, owner: str, language: str) -> Owner:
    """Whoever connects the first calendar of all is its owner's operator, and takes the notices where the sign-in's
    name is an address."""
    email = person.name if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", person.name) else ""
    chosen = person.language or language
    language = chosen if chosen in LANGUAGES else LANGUAGES[0]
    return Owner(owner, person.principal or person.name, Role.OPERATOR, email, language)


def _choices(state: SiteState) -> Sequence[HomeChoice]:
    by_home: Mapping[str, list[Platform]] = {name: [] for name in state.site.properties}
    for one in state.listings.values():
        by_home[one.property].append(one.platform)
    return [
        HomeChoice(home.id, home.name, state.site.id, state.site.owner, tuple(sorted(set(by_home[home.id]))))
        for home in state.site.properties.values()
    ]
