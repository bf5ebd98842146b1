"""Links: the addresses calendars travel by, both ways. Whoever has one reads a calendar, so they are shown to those who
may decide, on demand, and nowhere else; an export address can be renewed or revoked, an import link replaced.

What a peer is known to have fetched is kept by listing, not by address: a renewal loses none of that evidence, and the
same nights stay closed under the new address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.access import Person
from shared.domain.changes import difference
from shared.domain.dates import StayDates
from shared.domain.disconnect import disconnected
from shared.domain.errors import Moved, NotFound, PayloadRejected, StaleWrite
from shared.domain.export import is_servable, token_hash
from shared.domain.model import Account, FormerLink, Link, Listing, Platform, SiteState
from shared.domain.portfolio import Portfolio, PortfolioListing, masked
from shared.domain.record import Kind
from shared.domain.story import PERSON, by_hand
from shared.engine.homes_seen import states_seen
from shared.engine.look import LinkDesk, Looked, Refusal, overlap
from shared.engine.look_text import Why, said_of
from shared.engine.opaque import sealed, unsealed
from shared.engine.portfolio import PortfolioImport
from shared.engine.turn import turn
from shared.engine.world import WORK, World
from shared.ports import Message
from shared.state.accounts import Place
from shared.state.feeds import Feed, Visit
from shared.state.fetches import Fetches
from shared.state.sites import Changes

GRACE = timedelta(days=7)
"""How long an address that was renewed still opens the calendar, when nothing else is said."""

LONGEST_GRACE = timedelta(days=30)

MOST_FORMER = 5
"""Former addresses of one listing that still open its calendar; the oldest is given up first."""

_TRIES = 8

_Change = Callable[[Listing, datetime], Listing]


@dataclass(frozen=True, slots=True)
class LinkView:
    """The two links of one listing. ``id`` names it in addresses of pages.

    ``token`` is the export's secret, empty where this person may not see it or there is none; ``revoked`` says the
    latter. ``former_until`` is when the last former address stops. ``servable``: the calendar is given to whoever asks;
    before, its peer is told to come back later, and ``silent`` are the platforms whose first answer is missing.

    ``host`` is all that is shown of the import link, empty for none; ``good`` its last good answer, ``error`` what is
    wrong with it now in the connector's words, ``dead`` that its host refuses it. ``stays`` counts what it holds ahead.
    """

    id: str
    listing: str
    home: str
    home_name: str
    zone: str
    owner: str
    platform: Platform
    platform_name: str
    token: str = field(default="", repr=False)
    revoked: bool = False
    former_until: datetime | None = None
    servable: bool = False
    silent: tuple[str, ...] = ()
    fetches: Fetches = field(default_factory=Fetches)
    host: str = ""
    good: datetime | None = None
    fresh: bool = False
    error: str = ""
    dead: bool = False
    decides: bool = False
    stays: int = 0


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a look into the link that is to replace another found. ``known`` counts the taken stretches this listing
    holds from today on, ``same`` those of them that the new calendar has night for night."""

    looked: Looked
    known: int
    same: int

    @property
    def doubtful(self) -> bool:
        """Whether it looks like another home's calendar: nothing of what is known is in it."""
        return self.known > 0 and self.same == 0


class Links:
    """Shows links, and changes them for whoever may decide."""

    def __init__(self, world: World, desk: LinkDesk, portfolio: PortfolioImport) -> None:
        self._world = world
        self._desk = desk
        self._portfolio = portfolio

    # ----------------------------------------------------------------------------------------- to look at

    async def listed(self, person: Person) -> list[LinkView]:
        """Every listing with a calendar of the homes a person sees, by home and platform."""
        world = self._world
        shown = await states_seen(world, person)
        feeds, visits = await self._feeds(shown)
        fetches = await world.fetches.all()
        views = [
            self._view(person, state, one, feeds.get(one.id), visits.get(one.id), fetches.get(one.id))
            for state in shown
            for one in state.listings.values()
            if one.link is Link.ICAL
        ]
        return sorted(
            views, key=lambda view: (view.home_name.lower(), view.home, view.platform_name, view.id)
        )

    async def one(self, person: Person, name: str) -> LinkView | None:
        """One of them by its id; None where there is none for this person."""
        found = await self._find(person, name)
        if found is None:
            return None
        state, listing = found
        world = self._world
        feed = await world.shards.get(listing.shard, listing.id) if listing.shard else None
        visits = await world.shards.visits(listing.shard) if listing.shard else {}
        fetches = await world.fetches.of(listing.id)
        return self._view(person, state, listing, feed, visits.get(listing.id), fetches)

    async def beside(self, person: Person, view: LinkView) -> list[Platform]:
        """The platforms of the other listings of its home, however they are connected: a calendar alone protects from
        nothing, and one advertisement connected twice shows each of its stays as a double booking."""
        found = await self._find(person, view.id)
        others = found[0].listings.values() if found else ()
        return [one.platform for one in others if one.property == view.home and one.id != view.listing]

    def _view(
        self,
        person: Person,
        state: SiteState,
        one: Listing,
        feed: Feed | None,
        visit: Visit | None,
        fetches: Fetches | None,
    ) -> LinkView:
        now, home = self._world.now(), state.site.properties[one.property]
        decides = person.decides(state.site.owner)
        former = [old.until for old in one.former if old.until > now]
        good = visit.good if visit else None
        names = self._world.platform_names
        silent = [other for other in state.listings.values() if not other.complete]
        return LinkView(
            id=sealed(state.site.id, one.id),
            listing=one.id,
            home=home.id,
            home_name=home.name,
            zone=home.zone,
            owner=state.site.owner,
            platform=one.platform,
            platform_name=names.get(one.platform, one.platform),
            token=one.token if decides else "",
            revoked=not one.token,
            former_until=max(former, default=None),
            servable=is_servable(state),
            silent=tuple(sorted(names.get(other.platform, other.platform) for other in silent)),
            fetches=fetches or Fetches(),
            host=masked(feed.url) if feed else "",
            good=good,
            fresh=feed is not None and good is not None and now - good <= timedelta(seconds=3 * feed.every),
            error=feed.error if feed else "",
            dead=feed.dead if feed else False,
            decides=decides,
            stays=len(_held(state, one.id, now)),
        )

    async def _feeds(self, states: Sequence[SiteState]) -> tuple[dict[str, Feed], dict[str, Visit]]:
        feeds: dict[str, Feed] = {}
        visits: dict[str, Visit] = {}
        for name in sorted({one.shard for state in states for one in state.listings.values() if one.shard}):
            shard = await self._world.shards.load(name)
            feeds |= shard.feeds
            visits |= shard.visits
        return feeds, visits

    # -------------------------------------------------------------------------------------- export address

    async def renew(self, person: Person, name: str, grace: timedelta = GRACE) -> LinkView | None:
        """Give the calendar a new address; the old one still opens it during ``grace`` (zero: no longer, for one that
        got into wrong hands). None where there is none for this person to decide about. Raises ``PayloadRejected`` for
        a grace that is too long, ``StaleWrite`` when others keep being first.

        The new address can be found before the commit that makes it valid, and the old ones until after: a crash
        between leaves one of the two working, never neither.
        """
        if not timedelta() <= grace <= LONGEST_GRACE:
            raise PayloadRejected(f"days of grace: from 0 to {LONGEST_GRACE.days}")
        token = self._world.new_id()

        def changed(one: Listing, now: datetime) -> Listing:
            kept = [old for old in one.former if old.until > now] if grace else []
            if grace and one.token:
                kept.append(FormerLink(token_hash(one.token), now + grace))
            return replace(one, token=token, former=tuple(kept[-MOST_FORMER:]))

        place = await self._decided(person, name)
        if place is None:
            return None
        await self._world.accounts.put_links([(token, place)])
        return await self._change(person, name, "address renewed", changed)

    async def revoke(self, person: Person, name: str) -> LinkView | None:
        """Have no address open the calendar any more. What the peer has it keeps; it learns of nothing new."""

        def changed(one: Listing, now: datetime) -> Listing:
            return replace(one, token="", former=())

        return await self._change(person, name, "address revoked", changed)

    async def _change(self, person: Person, name: str, what: str, changed: _Change) -> LinkView | None:
        for _ in range(_TRIES):
            found = await self._find(person, name)
            if found is None or not person.decides(found[0].site.owner):
                return None
            state, old = found
            new = changed(old, self._world.now())
            try:
                line = self._line(person, what, old)
                await self._world.sites.commit(state, Changes(listings=[new], history=[line]))
            except StaleWrite:
                continue
            for hashed in _hashes(old) - _hashes(new):
                await self._world.accounts.drop_link(hashed)
            return await self.one(person, name)
        raise StaleWrite("others keep changing this home: try again")

    # ---------------------------------------------------------------------------------------- import link

    async def _preview(self, state: SiteState, listing: Listing, pasted: str) -> Replacement | Refusal:
        """What the link is that is to replace this listing's own; nothing is stored."""
        zone = state.site.properties[listing.property].zone
        looked = await self._desk.look(pasted, listing.platform, zone)
        if isinstance(looked, Refusal):
            return looked
        if looked.platform != listing.platform:
            platform = self._world.platform_names.get(looked.platform, looked.platform)
            return Refusal(Why.OTHER_PLATFORM, said_of(Why.OTHER_PLATFORM, platform=platform))
        known = _held(state, listing.id, self._world.now())
        return Replacement(looked, len(known), overlap(known, looked.ahead))

    async def replace(
        self, person: Person, name: str, pasted: str, *, sure: bool = False
    ) -> LinkView | Replacement | Refusal | None:
        """Read this listing from another link from now on. Where the new calendar has nothing of what is known, it
        comes back as a ``Replacement`` and nothing is done unless the person is ``sure``. What the old calendar showed
        and the new one does not is held until it is proven gone, as always. Raises ``Taken`` when others keep changing
        the portfolio."""
        found = await self._find(person, name)
        if found is None or not person.decides(found[0].site.owner):
            return None
        seen = await self._preview(*found, pasted)
        if isinstance(seen, Refusal) or (seen.doubtful and not sure):
            return seen
        async with turn(self._world):
            # The look took its time: what others changed meanwhile stands, and whose home it is is asked again.
            found = await self._find(person, name)
            if found is None or not person.decides(found[0].site.owner):
                return None
            await self._take(person, *found, seen.looked.link)
        return await self.one(person, name)

    async def disconnect(self, person: Person, name: str) -> LinkView | None:
        """Read this listing's calendar no more. What it showed is held until it has passed or a person lets it go; our
        own calendar is given to the platform as before. None where there is none for this person to decide about.
        Raises ``Taken`` when others keep changing the portfolio.

        The link goes first: a crash between leaves a calendar nobody reads, and the same click ends it."""
        async with turn(self._world):
            found = await self._find(person, name)
            if found is None or not person.decides(found[0].site.owner):
                return None
            state, listing = found
            if listing.unread_since is None and listing.shard:
                await self._world.shards.leave(listing.shard, listing.id)
                await self._leave(person, state.site.id, listing)
        return await self.one(person, name)

    async def _leave(self, person: Person, site: str, listing: Listing) -> None:
        """Commit what is left of the site. Its bell is written before: what the platform's own rules closed opens."""
        for _ in range(_TRIES):
            now = self._world.now()
            due = await self._world.due.put(site, now, "calendar disconnected")
            state = await self._world.sites.load(site)
            diff = difference(state, disconnected(state, listing.id, now), now)
            changes = Changes(
                listings=diff.listings,
                reservations=diff.reservations,
                dropped=diff.dropped,
                departed=diff.departed,
                history=[self._line(person, "calendar disconnected", listing)],
            )
            try:
                await self._world.sites.commit(state, changes)
                break
            except StaleWrite:
                continue
        else:
            raise StaleWrite("others keep changing this home: try again")
        await self._world.ring(WORK, Message("site", site, due))

    async def _take(self, person: Person, state: SiteState, listing: Listing, link: str) -> None:
        feed = await self._world.shards.get(listing.shard, listing.id) if listing.shard else None
        if feed is None:
            await self._begin(person, state, listing, link)
        elif feed.url == link:
            return
        else:  # nothing but where it points: what was known of the old address says nothing of the new one
            zone = state.site.properties[listing.property].zone
            new = Feed(listing.id, state.site.id, listing.account, listing.platform, link, zone, feed.period)
            await self._world.shards.put(listing.shard, new)
        await self._tell(person, state.site.id, listing)

    async def _begin(self, person: Person, state: SiteState, listing: Listing, link: str) -> None:
        """Give a listing that only took our calendar one of its own."""
        account = await self._world.accounts.load(listing.account)
        named = PortfolioListing(
            listing.id,
            listing.property,
            state.site.id,
            listing.platform,
            listing.account,
            Link.ICAL,
            listing.unit,
            link,
            listing.agent,
        )
        accounts: tuple[Account, ...] = ()
        if account is None:
            accounts = (Account(listing.account, listing.platform, state.site.owner),)
        by = f"{PERSON}{person.name}"
        await self._portfolio.run(Portfolio((), accounts, (state.site,), (named,)), by=by)

    async def _tell(self, person: Person, site: str, listing: Listing) -> None:
        """Put it into the record, and have the calendar read at once (the next tick would)."""
        for _ in range(_TRIES):
            state = await self._world.sites.load(site)
            try:
                line = self._line(person, "calendar link replaced", listing)
                await self._world.sites.commit(state, Changes(history=[line]))
                break
            except StaleWrite:
                continue
        shard = state.listings[listing.id].shard
        await self._world.ring(WORK, Message("feed", f"{shard}/{listing.id}", self._world.new_id()))

    # ------------------------------------------------------------------------------------------ home's name

    async def rename(self, person: Person, home: str, name: str) -> bool | None:
        """Call a home something else; False where it is called that already, None where there is no such home for this
        person to decide about. Raises ``PayloadRejected`` for a name without letters, ``Taken`` when others keep
        changing the portfolio."""
        if not name:
            raise PayloadRejected("a home needs a name")
        async with turn(self._world):
            return await self._rename(person, home, name)

    async def _rename(self, person: Person, home: str, name: str) -> bool | None:
        place = (await self._world.accounts.directory("home", home)).get(home)
        if place is None:
            return None
        for _ in range(_TRIES):
            state = await self._load(place["site"])
            if state is None or home not in state.site.properties or not person.decides(state.site.owner):
                return None
            old = state.site.properties[home]
            if old.name == name:
                return False
            site = replace(state.site, properties={**state.site.properties, home: replace(old, name=name)})
            line = {
                "at": self._world.now().isoformat(),
                "by": by_hand(person.name),
                "kind": Kind.LISTING.value,
                "what": "home changed",
                "of": home,
                "home": home,
            }
            try:
                await self._world.sites.commit(state, Changes(site=site, history=[line]))
            except StaleWrite:
                continue
            return True
        raise StaleWrite("others keep changing this home: try again")

    # ------------------------------------------------------------------------------------------------------

    def _line(self, person: Person, what: str, listing: Listing) -> Mapping[str, str]:
        return {
            "at": self._world.now().isoformat(),
            "by": by_hand(person.name),
            "kind": Kind.LISTING.value,
            "what": what,
            "of": listing.id,
            "on": listing.id,
            "home": listing.property,
        }

    async def _decided(self, person: Person, name: str) -> Place | None:
        found = await self._find(person, name)
        if found is None or not person.decides(found[0].site.owner):
            return None
        return Place(found[0].site.id, found[1].id)

    async def _find(self, person: Person, name: str) -> tuple[SiteState, Listing] | None:
        """A listing with a calendar by its id in addresses, for whoever sees its home."""
        try:
            site, listing = unsealed(name, 2)
        except PayloadRejected:
            return None
        state = await self._load(site)
        if state is None or not person.sees(state.site.owner) or listing not in state.listings:
            return None
        found = state.listings[listing]
        return (state, found) if found.link is Link.ICAL else None

    async def _load(self, site: str) -> SiteState | None:
        try:
            return await self._world.sites.load(site)
        except (NotFound, Moved):
            return None


def _hashes(one: Listing) -> set[str]:
    """The hashes of all tokens that open a listing's calendar."""
    return {old.token_hash for old in one.former} | ({token_hash(one.token)} if one.token else set())


def _held(state: SiteState, listing: str, now: datetime) -> list[StayDates]:
    """What a calendar told that is still ahead or under way."""
    today = state.today(listing, now)
    return [
        part.dates
        for fact in state.reservations.values()
        if fact.feed == listing
        for part in fact.held()
        if part.dates.check_out > today
    ]
