"""The links calendars travel by, as a person sees them: both ways, each with who read it and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.access import Person
from shared.domain.dates import StayDates
from shared.domain.errors import Moved, NotFound, PayloadRejected
from shared.domain.export import is_servable
from shared.domain.model import Listing, SiteState
from shared.domain.platform import Link, Platform
from shared.domain.portfolio import masked
from shared.engine.homes_seen import states_seen
from shared.engine.opaque import sealed, unsealed
from shared.engine.scope import must_decide, must_see
from shared.engine.world import World
from shared.state.feeds import Feed, Visit
from shared.state.fetches import Fetches

_MISSING = "there is no such link"


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


class LinkViews:
    """Shows links."""

    def __init__(self, world: World) -> None:
        self._world = world

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

    async def one(self, person: Person, name: str) -> LinkView:
        """One of them by its id. Raises ``NotFound`` where there is none for this person."""
        state, listing = await self.found(person, name)
        world = self._world
        feed = await world.shards.get(listing.shard, listing.id) if listing.shard else None
        visits = await world.shards.visits(listing.shard) if listing.shard else {}
        fetches = await world.fetches.of(listing.id)
        return self._view(person, state, listing, feed, visits.get(listing.id), fetches)

    async def beside(self, person: Person, view: LinkView) -> list[Platform]:
        """The platforms of the other listings of its home, however they are connected: a calendar alone protects from
        nothing, and one advertisement connected twice shows each of its stays as a double booking."""
        state, _ = await self.found(person, view.id)
        return [
            one.platform
            for one in state.listings.values()
            if one.property == view.home and one.id != view.listing
        ]

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
            stays=len(held(state, one.id, now)),
        )

    async def _feeds(self, states: Sequence[SiteState]) -> tuple[dict[str, Feed], dict[str, Visit]]:
        feeds: dict[str, Feed] = {}
        visits: dict[str, Visit] = {}
        for name in sorted({one.shard for state in states for one in state.listings.values() if one.shard}):
            shard = await self._world.shards.load(name)
            feeds |= shard.feeds
            visits |= shard.visits
        return feeds, visits

    async def found(self, person: Person, name: str) -> tuple[SiteState, Listing]:
        """A listing with a calendar by its id in addresses, for whoever sees its home. Raises ``NotFound``."""
        try:
            site, listing = unsealed(name, 2)
            state = await self._world.sites.load(site)
        except (PayloadRejected, NotFound, Moved):
            raise NotFound(_MISSING) from None
        must_see(person, state.site.owner, _MISSING)
        found = state.listings.get(listing)
        if found is None or found.link is not Link.ICAL:
            raise NotFound(_MISSING)
        return state, found

    async def decided(self, person: Person, name: str) -> tuple[SiteState, Listing]:
        """The same, for whoever decides about it. Raises ``NotFound``, ``NotAllowed``."""
        state, listing = await self.found(person, name)
        must_decide(person, state.site.owner, _MISSING)
        return state, listing


def held(state: SiteState, listing: str, now: datetime) -> list[StayDates]:
    """What a calendar told that is still ahead or under way."""
    today = state.today(listing, now)
    return [
        part.dates
        for fact in state.reservations.values()
        if fact.feed == listing
        for part in fact.held()
        if part.dates.check_out > today
    ]
