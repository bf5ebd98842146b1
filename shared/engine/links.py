"""Links: the addresses calendars travel by, both ways. Whoever has one reads a calendar, so they are shown to those who
may decide, on demand, and nowhere else; an export address can be renewed or revoked, an import link replaced or left.

What a peer is known to have fetched is kept by listing, not by address: a renewal loses none of that evidence, and the
same nights stay closed under the new address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.access import Person
from shared.domain.changes import difference
from shared.domain.disconnect import disconnected
from shared.domain.errors import PayloadRejected, StaleWrite
from shared.domain.export import token_hash
from shared.domain.model import Account, FormerLink, Listing, SiteState
from shared.domain.platform import Link
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.domain.record import Kind
from shared.domain.story import PERSON, by_hand
from shared.engine.link_view import LinkView, LinkViews, held
from shared.engine.look import LinkDesk, Looked, Refusal, overlap
from shared.engine.look_text import Why, said_of
from shared.engine.portfolio import PortfolioImport
from shared.engine.turn import turn
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.accounts import Place
from shared.state.feeds import Feed
from shared.state.sites import Changes

GRACE = timedelta(days=7)
"""How long an address that was renewed still opens the calendar, when nothing else is said."""

LONGEST_GRACE = timedelta(days=30)

MOST_FORMER = 5
"""Former addresses of one listing that still open its calendar; the oldest is given up first."""

_TRIES = 8

_Change = Callable[[Listing, datetime], Listing]


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
    """Changes links for whoever decides about them. Each raises ``NotFound`` where there is none for this person, and
    ``NotAllowed`` where they may only look."""

    def __init__(self, world: World, views: LinkViews, desk: LinkDesk, portfolio: PortfolioImport) -> None:
        self._world = world
        self._views = views
        self._desk = desk
        self._portfolio = portfolio

    # -------------------------------------------------------------------------------------- export address

    async def renew(self, person: Person, name: str, grace: timedelta = GRACE) -> LinkView:
        """Give the calendar a new address; the old one still opens it during ``grace`` (zero: no longer, for one that
        got into wrong hands). Raises ``PayloadRejected`` for a grace that is too long, ``StaleWrite`` when others keep
        being first.

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

        state, listing = await self._views.decided(person, name)
        await self._world.accounts.put_links([(token, Place(state.site.id, listing.id))])
        return await self._change(person, name, "address renewed", changed)

    async def revoke(self, person: Person, name: str) -> LinkView:
        """Have no address open the calendar any more. What the peer has it keeps; it learns of nothing new."""

        def changed(one: Listing, now: datetime) -> Listing:
            return replace(one, token="", former=())

        return await self._change(person, name, "address revoked", changed)

    async def _change(self, person: Person, name: str, what: str, changed: _Change) -> LinkView:
        for _ in range(_TRIES):
            state, old = await self._views.decided(person, name)
            new = changed(old, self._world.now())
            try:
                line = self._line(person, what, old)
                await self._world.sites.commit(state, Changes(listings=[new], history=[line]))
            except StaleWrite:
                continue
            for hashed in _hashes(old) - _hashes(new):
                await self._world.accounts.drop_link(hashed)
            return await self._views.one(person, name)
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
        known = held(state, listing.id, self._world.now())
        return Replacement(looked, len(known), overlap(known, looked.ahead))

    async def replace(
        self, person: Person, name: str, pasted: str, *, sure: bool = False
    ) -> LinkView | Replacement | Refusal:
        """Read this listing from another link from now on. Where the new calendar has nothing of what is known, it
        comes back as a ``Replacement`` and nothing is done unless the person is ``sure``. What the old calendar showed
        and the new one does not is held until it is proven gone, as always. Raises ``Taken`` when others keep changing
        the portfolio."""
        seen = await self._preview(*await self._views.decided(person, name), pasted)
        if isinstance(seen, Refusal) or (seen.doubtful and not sure):
            return seen
        async with turn(self._world):
            # The look took its time: what others changed meanwhile stands, and whose home it is is asked again.
            await self._take(person, *await self._views.decided(person, name), seen.looked.link)
        return await self._views.one(person, name)

    async def disconnect(self, person: Person, name: str) -> LinkView:
        """Read this listing's calendar no more. What it showed is held until it has passed or a person lets it go; our
        own calendar is given to the platform as before. Raises ``Taken`` when others keep changing the portfolio.

        The link goes first: a crash between leaves a calendar nobody reads, and the same click ends it."""
        async with turn(self._world):
            state, listing = await self._views.decided(person, name)
            if listing.shard:
                await self._world.shards.leave(listing.shard, listing.id)
                await self._leave(person, state.site.id, listing)
        return await self._views.one(person, name)

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


def _hashes(one: Listing) -> set[str]:
    """The hashes of all tokens that open a listing's calendar."""
    return {old.token_hash for old in one.former} | ({token_hash(one.token)} if one.token else set())
