"""Removals: what vanished from calendars and is held until it is proven, with its reason, and let go by one click.

The click is a fact like any other: committed under the site's ETag with its actor, together with the openings that
follow from it. Twice is once; when the calendar changed since the person looked, nothing happens and the answer says
so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.access import Person
from shared.domain.dates import StayDates
from shared.domain.errors import Moved, NotFound, PayloadRejected, PermanentError, StaleWrite
from shared.domain.model import SiteState
from shared.domain.plan import may_open
from shared.domain.platform import Platform
from shared.domain.removals import Doubt, Removal, is_shown, released, removals
from shared.domain.removals_text import reason, what_confirms
from shared.domain.spoken import LANGUAGES, Said, names_of, ranges
from shared.domain.story import PERSON
from shared.engine.history import site_of
from shared.engine.opaque import sealed, unsealed
from shared.engine.reconcile import Reconciler
from shared.engine.scope import must_decide, owner_of, sites_seen
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.history import HistoryStore, Mark

TRIES = 8
"""How often a click is decided anew when others were first."""

_MISSING = "there is no such removal"


class RemovalChanged(PermanentError):
    """It is not as the person saw it; ``said`` says what became of it."""

    def __init__(self, said: Said) -> None:
        super().__init__(said["en"])
        self.said = said


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that vanished and is still held. ``id`` names it in addresses; ``of`` is the fact's key, ``stay`` its
    dates, ``nights`` those that are gone from its calendar ``since`` then. ``doubt`` is why it is held longer than
    usual, ``at_once`` how many vanished with it, ``by`` when it is let go of at the latest (None: by a person alone).
    """

    id: str
    site: str
    home: str
    home_name: str
    listing: str
    platform: Platform
    platform_name: str
    of: str
    stay: StayDates
    nights: tuple[StayDates, ...]
    since: datetime
    doubt: Doubt
    at_once: int
    reason: Said
    confirmed_by: Said
    by: datetime | None

    @property
    def nights_text(self) -> Said:
        """The nights in words."""
        return {language: ranges(self.nights, language) for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Released:
    """Nights that are free on somebody's word: whose, when (store time, as written), whether it was taken ``already``
    before this click, and what their opening still ``waits`` for."""

    nights: tuple[str, ...]
    by: str
    at: str
    already: bool
    waits: tuple[str, ...]


class Removals:
    """Shows what waits for proof, and takes a person's word for it."""

    def __init__(self, world: World, reconciler: Reconciler) -> None:
        self._world = world
        self._reconciler = reconciler
        self._record = HistoryStore(world.tables)

    async def found(self, person: Person, site: str = "", home: str = "") -> list[Waiting]:
        """Everything that vanished and is still held, the soonest arrival first, of a site, of a home, or of all.
        Raises ``NotFound`` for a name that is not there for this person, ``PayloadRejected``."""
        found: list[Waiting] = []
        for name in await self._sites(person, site, home):
            found += await self._of(name, home)
        return found

    async def waiting(self, state: SiteState) -> list[Waiting]:
        """What vanished of a loaded site and is still held, the soonest arrival first."""
        periods = await self._periods(state)
        return [self._shown(state, one) for one in removals(state, self._world.now(), periods)]

    async def _sites(self, person: Person, site: str, home: str) -> list[str]:
        if site or home:
            return [await site_of(self._world, person, site, home)]
        return await sites_seen(self._world, person)

    async def _of(self, site: str, home: str) -> list[Waiting]:
        try:
            state = await self._world.sites.load(site)
        except (NotFound, Moved):
            return []
        return [one for one in await self.waiting(state) if home in ("", one.home)]

    async def _periods(self, state: SiteState) -> dict[str, timedelta]:
        """How often the calendars are asked in which something fades."""
        feeds = {one.feed for one in state.reservations.values() if one.fading}
        found: dict[str, timedelta] = {}
        for name in feeds & state.listings.keys():
            feed = await self._world.shards.get(state.listings[name].shard, name)
            if feed is not None:
                found[name] = timedelta(seconds=feed.every)
        return found

    def _shown(self, state: SiteState, one: Removal) -> Waiting:
        names, listing = names_of(state, self._world.platform_names), state.listings[one.listing]
        return Waiting(
            id=_id(state, one),
            site=state.site.id,
            home=listing.property,
            home_name=names.homes[listing.property],
            listing=one.listing,
            platform=listing.platform,
            platform_name=names.listings[one.listing],
            of=one.key,
            stay=one.stay,
            nights=tuple(one.nights),
            since=one.since,
            doubt=one.doubt,
            at_once=one.at_once,
            reason=reason(one),
            confirmed_by=what_confirms(one, names),
            by=one.by,
        )

    async def let_go(self, person: Person, name: str) -> Released:
        """Take this person's word that what vanished is free. Raises ``NotFound`` for an id that no list of theirs
        named, ``NotAllowed``, ``RemovalChanged``, ``StaleWrite`` when others keep being first."""
        site, mark, since = await self._place(person, name)
        for _ in range(TRIES):
            try:
                state = await self._world.sites.load(site)
            except Moved:
                raise NotFound(_MISSING) from None
            one = next((o for o in removals(state, self._world.now()) if o.mark == mark), None)
            if one is None or _micros(one.since) != since:
                return await self._not_there(state, mark, since, one)
            try:
                return await self._commit(state, one, person.name)
            except StaleWrite:
                continue
        raise StaleWrite(f"site {site} kept changing")

    async def _place(self, person: Person, name: str) -> tuple[str, str, str]:
        """Site, removal and instant of an id. Raises ``NotFound``, ``NotAllowed``."""
        try:
            site, mark, since = unsealed(name, 3)
        except PayloadRejected:
            raise NotFound(_MISSING) from None
        owner = await owner_of(self._world, site)
        if owner is None:
            raise NotFound(_MISSING)
        must_decide(person, owner, _MISSING)
        return site, mark, since

    async def _commit(self, state: SiteState, one: Removal, who: str) -> Released:
        now, site = self._world.now(), state.site.id
        after = released(state, one.key, one.listing, one.stay)
        nights = " ".join(str(dates) for dates in one.nights)
        line = {"kind": "person", "what": "removal released", "of": one.key, "on": one.listing}
        line |= {"home": state.listings[one.listing].property, "before": nights, "doubt": one.doubt.value}
        words = {"by": who, "at": now.isoformat(), "nights": nights}
        mark = Mark(_mark(one.mark, _micros(one.since)), words)
        await self._reconciler.admit(state, after, f"{PERSON}{who}", lines=[line], marks=[mark])
        await self._world.ring(WORK, Message("site", site, f"released{one.mark}{_micros(one.since)}"))
        self._world.telemetry.event("removal_released", site=site, listing=one.listing, doubt=one.doubt.value)
        waits: list[str] = []
        may_open(after, waits)
        return _done(words, already=False, waits=waits)

    async def _not_there(self, state: SiteState, mark: str, since: str, now_on: Removal | None) -> Released:
        """What became of a removal that is not as the person saw it. Raises ``RemovalChanged``, unless the same click
        was made before."""
        if now_on is None and is_shown(state, mark):
            raise RemovalChanged(_BACK)
        done = await self._record.mark(state.site.id, _mark(mark, since))
        if done is not None:
            return _done(done, already=True, waits=[])
        raise RemovalChanged(_OVER if now_on is None else _AGAIN)


_BACK: Said = {
    "fr": "Les faits ont changé\u202f: le séjour est de nouveau dans son calendrier. Rien n’a été libéré.",
    "en": "The facts have changed: the stay is back in its calendar; nothing was released.",
}
_AGAIN: Said = {
    "fr": "Les faits ont changé\u202f: le séjour est revenu, puis a disparu de nouveau. Relisez la liste.",
    "en": "The facts have changed: the stay came back and vanished again; look at the list once more.",
}
_OVER: Said = {
    "fr": "Les faits ont changé\u202f: plus rien n’attend, son calendrier l’a confirmé entre-temps, ou les nuits sont "
    "passées.",
    "en": "The facts have changed: it waits no longer, its calendar confirmed it meanwhile, or its nights have passed.",
}


def _done(words: Mapping[str, str], *, already: bool, waits: list[str]) -> Released:
    return Released(
        tuple(words.get("nights", "").split()),
        words.get("by", ""),
        words.get("at", ""),
        already,
        tuple(waits),
    )


def _id(state: SiteState, one: Removal) -> str:
    return sealed(state.site.id, one.mark, _micros(one.since))


def _mark(mark: str, since: str) -> str:
    return f"removal|{mark}|{since}"


def _micros(at: datetime) -> str:
    return str((at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
