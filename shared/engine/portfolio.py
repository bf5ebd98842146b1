"""The portfolio's way into the tables: adds or updates what it names, never deletes, and is harmless to repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.dates import StayDates
from shared.domain.errors import NotFound, PayloadRejected, StaleWrite
from shared.domain.model import Account, Listing, Site, SiteState
from shared.domain.platform import Link
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.domain.record import Kind
from shared.domain.remapped import remapped
from shared.engine.stored_places import where_stored
from shared.engine.turn import Turn
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.accounts import Place
from shared.state.feeds import SHARD_SIZE, Feed
from shared.state.people import PeopleStore
from shared.state.sites import Changes
from shared.state.units import list_unit

POLL_PERIOD = 120
"""Seconds between two requests of a calendar link, when nothing else is said: often enough for a sale to be closed
elsewhere within minutes, and seldom enough for its host."""


@dataclass(slots=True)
class Imported:
    """What an import did. ``tokens`` are the secrets of the export links by listing: never to be logged."""

    sites_created: list[str] = field(default_factory=list)
    sites_changed: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)


class PortfolioImport:
    """Writes a portfolio into the tables."""

    def __init__(self, world: World, period: int = POLL_PERIOD) -> None:
        self._world = world
        self._period = period

    async def run(self, portfolio: Portfolio, by: str = "portfolio", *, turn: Turn | None = None) -> Imported:
        """Import everything the portfolio names, and ring for what is new: a site that changed, and API accounts with a
        listing whose first answer is missing, whose unit is another or whose count may have risen. ``by`` is whose
        doing the record says it is. Raises ``PayloadRejected`` when it would move a home or a listing that is already
        stored into another site, or make another kind of listing of one that is stored: that needs a person, since its
        ledger lives there. What it costs grows with what is named. ``turn`` is kept between sites; raises ``Taken``
        where it was lost."""
        done = Imported()
        await self._world.owners.put(portfolio.owners)
        await PeopleStore(self._world.tables).put(portfolio.owners)
        for account in portfolio.accounts:
            await _keep(turn)
            await self._put(account)
        shards, stored, silent = await self._shards(), await where_stored(self._world.accounts), set[str]()
        by_site: dict[str, list[PortfolioListing]] = {}
        for one in portfolio.listings:
            by_site.setdefault(one.site, []).append(one)
        for site in portfolio.sites:
            await _keep(turn)
            named = by_site.get(site.id, [])
            stored.refuse_moves(site, named)
            listings = await self._site(site, named, shards, done, by)
            await self._index(site, named, listings)
            stored.add(site, named)
            done.tokens.update({one.id: listings[one.id].token for one in named if listings[one.id].token})
            await self._ring(site)
            silent |= {one.account for one in listings.values() if _is_unheard(one)}
        for name in sorted(silent):  # once: an answer is for all homes of an account
            await self._world.ring(WORK, Message("observe", name, self._world.new_id()))
        return done

    async def _put(self, account: Account) -> None:
        """Add or update an account. One that is named without keys (for its calendars alone) keeps those it has."""
        known = None if account.secrets else await self._world.accounts.load(account.id)
        if known is None or not known.account.secrets:
            await self._world.accounts.put(account)

    async def _ring(self, site: Site) -> None:
        """The bells may be lost: the due row stands for the site, and the nightly pass asks every account."""
        due = await self._world.due.get(site.id)
        if due is not None:
            await self._world.ring(WORK, Message("site", site.id, due.etag))

    async def _shards(self) -> dict[str, int]:
        """How many listings stand in each shard of links."""
        known = await self._world.accounts.directory("shard")
        return {name: len((await self._world.shards.load(name)).feeds) for name in known}

    async def _site(
        self, site: Site, named: list[PortfolioListing], shards: dict[str, int], done: Imported, by: str
    ) -> Mapping[str, Listing]:
        """Create the site, or commit what is new about it under its head."""
        for _ in range(8):
            try:
                state = await self._world.sites.load(site.id)
            except NotFound:
                listings = {one.id: self._listing(one, None, shards) for one in named}
                await self._world.sites.create(site, listings.values())
                done.sites_created.append(site.id)
                return listings
            known = state.listings
            _refuse_changes(named, known)
            listings = {one.id: self._listing(one, known.get(one.id), shards) for one in named}
            new = [one for key, one in listings.items() if known.get(key) != one]
            merged = _joined(state.site, site)
            if not new and merged == state.site:
                return {**known, **listings}
            now = self._world.now()
            await self._world.due.put(site.id, now, "portfolio")
            anew = remapped(state, {**known, **listings}, merged, now)
            asked = {one.id: await self._unasked(one) for one in anew.listings}
            changes = Changes(
                listings=tuple(({one.id: one for one in new} | asked).values()),
                blocks=anew.blocks,
                spent=anew.spent,
                site=merged,
                history=_lines(state, new, merged, anew.left, now, by),
            )
            try:
                await self._world.sites.commit(state, changes)
            except StaleWrite:
                continue
            done.sites_changed.append(site.id)
            return {**known, **listings, **asked}
        raise StaleWrite(f"site {site.id} kept changing during the import")

    def _listing(self, one: PortfolioListing, known: Listing | None, shards: dict[str, int]) -> Listing:
        """The stored listing with what the portfolio says of it; what traffic taught us stays."""
        base = known or Listing(
            one.id, one.property, one.platform, one.account, one.link, complete=_needs_no_answer(one)
        )
        # A listing that is known and has no token had its address revoked: it gets a new one when a person asks.
        token = base.token if known else self._world.new_id() if one.link is Link.ICAL else ""
        shard = base.shard or (_next_shard(shards) if one.import_url else "")
        return replace(
            base,
            property=one.property,
            account=one.account,
            unit=one.unit,
            agent=one.agent,
            token=token,
            shard=shard,
            complete=base.complete
            if known and (known.shard, known.unit) == (shard, one.unit)
            else _needs_no_answer(one),
        )

    async def _unasked(self, one: Listing) -> Listing:
        """A listing by API of which only an answer counts that was asked for from now on (rule 6)."""
        return replace(one, observed=await self._world.accounts.next_observation(one.account))

    async def _index(
        self, site: Site, named: list[PortfolioListing], listings: Mapping[str, Listing]
    ) -> None:
        """Make everything findable; last, so that nothing is found before it is there."""
        accounts = self._world.accounts
        for one in named:
            listing, place = listings[one.id], Place(site.id, one.id)
            await accounts.list_in_directory("listing", one.id, {"site": site.id})
            if one.unit:
                await accounts.put_unit(one.account, one.unit, place)
                await list_unit(accounts, one.platform, one.account, one.unit, place)
            if listing.token:
                await accounts.put_links([(listing.token, place)])
            if listing.shard and one.import_url:  # a link that is not named stays as it is
                zone = site.properties[one.property].zone
                feed = Feed(one.id, site.id, one.account, one.platform, one.import_url, zone, self._period)
                await self._world.shards.put(listing.shard, feed)
                await accounts.list_in_directory("shard", listing.shard, {"shard": listing.shard})
        for name, home in site.properties.items():
            await accounts.list_in_directory("home", name, {"site": site.id, "group": home.group})
        await accounts.list_in_directory("site", site.id, {"owner": site.owner})


def _is_unheard(one: Listing) -> bool:
    """Whether a listing by API has not told its whole state since it is what it is."""
    return one.link is Link.API and (not one.complete or one.answered is None)


async def _keep(turn: Turn | None) -> None:
    if turn is not None:
        await turn.keep()


def _lines(
    state: SiteState,
    listings: Iterable[Listing],
    site: Site,
    left: Mapping[str, Iterable[StayDates]],
    now: datetime,
    by: str,
) -> list[dict[str, str]]:
    """What an import changed, for the site's record; and the nights that it ``left`` closed under a listing's former
    id."""
    who = {"at": now.isoformat(), "by": by, "kind": Kind.LISTING.value}
    known = state.site.properties
    found = [
        who | {"what": f"home {'changed' if key in known else 'added'}", "of": key, "home": key}
        for key, home in site.properties.items()
        if known.get(key) != home
    ]
    found += [
        who
        | {"what": f"listing {'changed' if one.id in state.listings else 'added'}", "of": one.id}
        | {"on": one.id, "home": one.property}
        for one in listings
    ]
    return found + [
        who
        | {"what": "left closed", "of": state.listings[name].unit, "on": name}
        | {"home": state.listings[name].property, "nights": str(dates)}
        for name, ranges in left.items()
        for dates in ranges
    ]


def _refuse_changes(named: Iterable[PortfolioListing], known: Mapping[str, Listing]) -> None:
    """A listing stays on its platform, its account and its way of connection: what it holds there is written under
    them."""
    for one in named:
        old = known.get(one.id)
        kept = old is None or (old.platform, old.link) == (one.platform, one.link)
        if old is not None and (not kept or (one.link is Link.API and old.account != one.account)):
            raise PayloadRejected(
                f"listing {one.id} is stored as {old.platform} by {old.link} of account {old.account}, and the "
                f"portfolio says {one.platform} by {one.link} of {one.account}: give the new one an id of its own"
            )


def _needs_no_answer(one: PortfolioListing) -> bool:
    """A listing that only takes our export has nothing to tell, so nothing waits for it."""
    return one.link is Link.ICAL and not one.import_url


def _joined(stored: Site, named: Site) -> Site:
    """The stored site with what the portfolio names added or changed: an import never deletes."""
    properties = {**stored.properties, **named.properties}
    return replace(stored, owner=named.owner, properties=properties, rooms={**stored.rooms, **named.rooms})


def _next_shard(shards: dict[str, int]) -> str:
    """The first shard with room for one more."""
    for number in range(len(shards) + 1):
        name = f"{number:04d}"
        if shards.get(name, 0) < SHARD_SIZE:
            shards[name] = shards.get(name, 0) + 1
            return name
    raise AssertionError("one more shard than there are always has room")
