"""Ingest: place facts in the sites they concern, index first, then reconcile each of those sites.

The index is written before any partition, so that a cancellation which names nothing but an id always finds what it
cancels. A receipt counts as stored only when every site it names has committed (rules 13 and 14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.confirm import count_imports, say_again, taken_unread
from shared.domain.dates import StayDates
from shared.domain.disconnect import is_cut
from shared.domain.doubt import note_absence
from shared.domain.echo import may_be_shown
from shared.domain.errors import NotFound, SyncError, Unreadable
from shared.domain.facts import FeedAnswer, FeedEvent, SeenStay
from shared.domain.merge import hint_stay, merge_feed, merge_stay, not_moved
from shared.domain.model import Block, Busy, Part, Reservation, SiteState, Status
from shared.domain.occupancy import echoes_in, is_counted
from shared.domain.platform import Link
from shared.engine import tally
from shared.engine.reconcile import Merge, Reconciler, Report
from shared.engine.side_by_side import side_by_side
from shared.engine.words import Words
from shared.engine.world import World
from shared.state.accounts import AccountState
from shared.state.index import Indexed

AT_ONCE = 64
"""Stays placed, and sites brought up to date, side by side, of those that one answer names: a poll may bring fifty, and
one behind the other each would wait for the writes of all before it."""


@dataclass(slots=True)
class Ingested:
    """What became of a batch: receipts stored everywhere, stays with rooms nobody could place, errors by site; the ids
    of guests who are to be forgotten; and, by site and id, the stays whose nights it changed."""

    stored: list[str] = field(default_factory=list)
    unmapped: list[tuple[str, str]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    moved: set[tuple[str, str]] = field(default_factory=set)

    @property
    def news(self) -> bool:
        """Whether nights changed anywhere that was committed."""
        return any(site not in self.failed for site, _ in self.moved)


@dataclass(frozen=True, slots=True)
class Answered:
    """The frame of an observation: its counter, taken before the request began at ``begun``."""

    observed: int
    begun: datetime


class Ingest:
    """Facts into sites."""

    def __init__(self, world: World, reconciler: Reconciler) -> None:
        self._world = world
        self._reconciler = reconciler
        self._words = Words(world)

    async def stays(
        self,
        account: AccountState,
        stays: Iterable[tuple[str, SeenStay]],
        frame: Answered,
        reason: str,
        *,
        hint: bool = False,
        extra: Mapping[str, Sequence[Merge]] | None = None,
    ) -> Ingested:
        """Stays by API, each with the receipt that may be acknowledged once it is stored. With ``hint`` they are only
        what a doorbell claims. ``extra`` merges run in the same commit, by site."""
        done = Ingested()
        merges: dict[str, list[Merge]] = {site: list(more) for site, more in (extra or {}).items()}
        sites_of: dict[str, tuple[str, ...]] = {}
        strange: list[str] = []
        told = list(stays)
        places = await self._places(account, told, frame, done, hint=hint)
        for receipt, seen in told:
            sites_of[receipt] = sites = places[receipt]
            if seen.unknown and not hint:
                strange.append(seen.unknown)
            if seen.id in done.forgotten:
                seen = replace(seen, guest="")
            for site in sites:
                merges.setdefault(site, []).append(_stay_merge(account, seen, frame, done, hint=hint))
        await side_by_side(
            lambda one: self._reconcile(one[0], reason, one[1], done),
            merges.items(),
            at_once=AT_ONCE,
            go_on=True,
        )
        for word in strange:  # after the closures, which must not wait for it
            await self._words.tell(account.account.platform, "status", word)
        if not hint:
            tally.told(account.account.platform, len(sites_of), sum(one.merged for one in done.reports))
        done.stored = [r for r, sites in sites_of.items() if not any(site in done.failed for site in sites)]
        return done

    async def _places(
        self,
        account: AccountState,
        told: Sequence[tuple[str, SeenStay]],
        frame: Answered,
        done: Ingested,
        *,
        hint: bool,
    ) -> dict[str, tuple[str, ...]]:
        """The sites by receipt. What is told of one reservation is noted in the order in which it was told."""
        by_id: dict[str, list[tuple[str, SeenStay]]] = {}
        for receipt, seen in told:
            by_id.setdefault(seen.id, []).append((receipt, seen))

        async def place(some: Sequence[tuple[str, SeenStay]]) -> dict[str, tuple[str, ...]]:
            return {
                receipt: await self._place(account, seen, frame, done, hint=hint) for receipt, seen in some
            }

        found = await side_by_side(place, by_id.values(), at_once=AT_ONCE, go_on=True)
        return {receipt: sites for some in found for receipt, sites in some.items()}

    async def _place(
        self, account: AccountState, seen: SeenStay, frame: Answered, done: Ingested, *, hint: bool
    ) -> tuple[str, ...]:
        """The sites a stay concerns: where its rooms are, and where it was known before."""
        cancelled = seen.status is Status.CANCELLED
        missing = [room.unit for room in seen.rooms if room.unit not in account.units]
        done.unmapped += [] if cancelled else [(seen.id, unit) for unit in dict.fromkeys(missing)]
        mine = (account.place(room.unit) for room in seen.rooms)
        sites = tuple(dict.fromkeys(place.site for place in mine if place is not None))
        if hint:
            known = await self._world.index.note(account.account.id, seen.id, Indexed(sites, 0, 0, False))
            done.forgotten |= {seen.id} if known.forgotten else set()
            # Who asked later than this one knows the claim already, and has put what is true into its sites.
            return known.sites if known.observed <= frame.observed else ()
        cancelled = cancelled and not seen.question
        new = Indexed(sites, seen.version, frame.observed, cancelled)
        noted = await self._world.index.note(account.account.id, seen.id, new)
        done.forgotten |= {seen.id} if noted.forgotten else set()
        if noted.cancelled and not cancelled and _buried(noted, seen):
            return ()
        return noted.sites

    async def drop_hint(self, account: str, reservation: str) -> None:
        """End what a doorbell claimed and the platform never knew; what a re-read said stays."""
        key = f"{account}|{reservation}"

        def merge(state: SiteState) -> SiteState:
            stored = state.reservations.get(key)
            return state if stored is None else without_hint(state, stored)

        known = await self._world.index.get(account, reservation)
        for site in known.sites if known else ():
            await self._reconciler.reconcile(site, f"{reservation} was never there", [merge])

    async def feed(self, site: str, listing: str, answer: FeedAnswer, reason: str) -> bool | None:
        """A complete calendar answer: whether the listing's next answers matter even when unchanged; None when a newer
        one was merged before it."""
        taken = [True]

        def merge(state: SiteState) -> SiteState:
            merged = merge_feed_answer(state, listing, answer)
            taken[0] = merged is not None
            return state if merged is None else merged

        report = await self._reconciler.reconcile(site, reason, [merge])
        return listing in report.watched if taken[0] else None

    async def _reconcile(self, site: str, reason: str, merges: Sequence[Merge], done: Ingested) -> None:
        try:
            done.reports.append(await self._reconciler.reconcile(site, reason, merges))
        except NotFound:
            self._world.telemetry.count("index_names_no_site")
        except SyncError as wrong:
            done.failed[site] = str(wrong)
            self._world.telemetry.event("ingest_failed", site=site, why=str(wrong))


def without_hint(state: SiteState, stored: Reservation) -> SiteState:
    """The site without what a doorbell claimed of a reservation; what a re-read said of it stays."""
    if not stored.hinted:
        return state
    rest = replace(stored, hinted=())
    others = {name: one for name, one in state.reservations.items() if name != stored.key}
    kept = rest.parts or rest.status is Status.CANCELLED
    return replace(state, reservations={**others, stored.key: rest} if kept else others)


def _buried(noted: Indexed, seen: SeenStay) -> bool:
    """Whether the index holds a cancellation this report must not undo (the create came late)."""
    return not seen.version or seen.version <= noted.version


def _stay_merge(
    account: AccountState, seen: SeenStay, frame: Answered, done: Ingested, *, hint: bool
) -> Merge:
    some = [room for room in seen.rooms if len(account.may_mean(room.unit)) > 1]
    unplaced = [room.dates for room in some]
    maybe = {place.listing for room in some for place in account.may_mean(room.unit)}

    def merge(state: SiteState) -> SiteState:
        name = account.account.id
        done.moved.discard((state.site.id, seen.id))  # said anew at each try of the commit
        # A listing whose row cannot be read now keeps its rooms: they count again when it can.
        placed = [
            Part(room.part, place.listing, room.dates, frame.begun)
            for room in seen.rooms
            if (place := account.place(room.unit)) is not None and place.site == state.site.id
        ]
        stored = state.reservations.get(f"{name}|{seen.id}")
        merged: Reservation | None
        if hint:
            merged = hint_stay(stored, seen, placed, account=name, observed=frame.observed)
        elif seen.question and (stored is None or not stored.parts):
            # Never a stay: no tombstone, or its acceptance would be buried where the platform gives no version.
            return state if stored is None else without_hint(state, stored)
        else:
            rooms = not_moved(stored, placed, unplaced, maybe, frame.begun)
            merged = merge_stay(stored, seen, rooms, account=name, observed=frame.observed)
        if merged is None or merged == stored:
            return state
        changed = _nights(stored) ^ _nights(merged)
        if changed:
            done.moved.add((state.site.id, seen.id))
        if merged.status is Status.CANCELLED:
            # Perhaps nobody told us that it held them: a closure written over a sold night may have done nothing.
            changed |= {(part.listing, part.dates) for part in placed}
        again = {row.key: row for row in say_again(_written(state), changed)}
        return replace(
            state,
            reservations={**state.reservations, merged.key: merged},
            blocks={**state.blocks, **again},
        )

    return merge


def _nights(one: Reservation | None) -> frozenset[tuple[str, StayDates]]:
    return frozenset((part.listing, part.dates) for part in one.held()) if one else frozenset()


def _written(state: SiteState) -> list[Block]:
    """The rows that were written into a platform's calendar; an export is fetched anew anyway."""
    written = {key for key, one in state.listings.items() if one.link is Link.API}
    return [row for row in state.blocks.values() if row.listing in written]


def merge_feed_answer(state: SiteState, listing_id: str, answer: FeedAnswer) -> SiteState | None:
    """The site after a complete answer of one listing's calendar, or None when a newer one is in already. Raises
    ``Unreadable`` when the listing's row is not there to take it: an answer that went nowhere must be read again."""
    listing = state.listings.get(listing_id)
    if listing is None:
        raise Unreadable(f"listing {listing_id} of site {state.site.id} cannot be read")
    if is_cut(listing):  # since it was asked
        return None
    stored = {row.key: row for row in state.blocks.values() if row.listing == listing_id}
    anew = listing.unread_since is not None or listing.answered is None
    unread = taken_unread(stored.values(), listing.unread_since, answer.begun) if anew else []
    ledger = list((stored | {row.key: row for row in unread}).values())

    known = [one for one in state.reservations.values() if one.feed == listing_id]
    explained = echoes_in(state, listing_id, ledger)

    def ours(one: Reservation, part: Part) -> bool:
        return (one.key, part.dates) in explained

    def may_be_ours(event: FeedEvent) -> bool:
        shown = (Part("", listing_id, dates, answer.begun) for dates in event.dates)
        return event.kind is not Busy.STAY and any(may_be_shown(part, stored.values()) for part in shown)

    today = state.today(listing_id, answer.begun)
    merged = merge_feed(listing, known, answer, today, ours, may_be_ours)
    if merged is None:
        return None
    others = {key: one for key, one in state.reservations.items() if one.feed != listing_id}
    counted = count_imports(ledger, listing_id, answer)
    refreshed = replace(
        listing,
        observed=answer.observed,
        answered=answer.begun,
        complete=listing.complete or not answer.partial,
        unread_since=listing.unread_since if answer.partial else None,
    )
    version = state.head.version + 1
    refreshed = note_absence(refreshed, known, merged, ledger, answer, today, ours, version)
    return replace(
        state,
        listings={**state.listings, listing_id: refreshed},
        reservations={**others, **{one.key: one for one in merged}},
        blocks={**state.blocks, **{row.key: row for row in (*unread, *counted)}},
    )


def complete_listing(listing_id: str, frame: Answered) -> Merge:
    """Note that a listing has given its whole state: from now on its site may open nights (rule 5). One asked for
    before an import changed what the listing is says nothing. The first since then may raise counts: they are said
    again (rule 1)."""

    def merge(state: SiteState) -> SiteState:
        listing = state.listings.get(listing_id)
        if listing is None or frame.observed <= listing.observed:
            return state
        done = replace(listing, complete=True, answered=frame.begun)
        counts = listing.answered is None and is_counted(state.site, state.site.properties[listing.property])
        rows = [row for row in state.blocks.values() if row.listing == listing_id and counts]
        again = {row.key: row for row in say_again(rows, [(row.listing, row.dates) for row in rows])}
        return replace(state, listings={**state.listings, listing_id: done}, blocks={**state.blocks, **again})

    return merge
