"""Merge: what a source said now, into what is known of it. Late, doubled and reordered reports do no harm.

Two kinds of source. An API reports whole states with an order of its own; its cancellations are proof. A feed
shows what is taken at the moment; what it no longer shows fades until the release guard lets it go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain, count

from shared.domain.dates import StayDates, without
from shared.domain.facts import FeedAnswer, FeedEvent, SeenStay
from shared.domain.model import Busy, Fading, Listing, Part, Reservation, Status
from shared.domain.release import is_mass, is_proven

IsEcho = Callable[[Reservation, Part], bool]

MayBeOurs = Callable[[FeedEvent], bool]
"""Whether a closure of ours on that very listing could be what an event shows."""

HORIZON = timedelta(days=270)
"""Airbnb's booking window ends at least this far ahead; a block that slides there day by day is its rule."""

NOWHERE = timedelta(days=3660)
"""Nobody sells a night ten years ahead: dates out there (9999) stand for a date that is missing."""

SLIDES_FAR, SLIDES_NEAR = 2, 3
"""Days in step after which a block is taken for a rule of the platform: fewer far ahead, where an error costs less."""


def is_older(stored: Reservation, version: int, observed: int) -> bool:
    """Whether a report is older than what is stored: by the platform's own version where both have one and they
    differ, else by the counter taken before asking (rule 6). An equal report is not older: it is repeated."""
    if version and stored.version and version != stored.version:
        return version < stored.version
    return observed < stored.observed


def merge_stay(
    stored: Reservation | None,
    seen: SeenStay,
    placed: Iterable[Part],
    *,
    account: str,
    observed: int,
) -> Reservation | None:
    """The reservation after a report by API, or None when the report is older than what is known.

    ``placed`` are its rooms on this site: the complete new state, which replaces the old one. What a doorbell
    had hinted is settled by it. A cancellation needs no rooms: it leaves a tombstone on the last known ones.
    """
    if stored is not None and (is_older(stored, seen.version, observed) or _is_buried(stored, seen)):
        return None
    known = {(part.key, part.listing, part.dates): part for part in stored.parts} if stored else {}
    cancelled = seen.status is Status.CANCELLED
    forgotten = stored is not None and stored.forgotten
    last = stored.parts if stored else ()
    parts = last if cancelled else tuple(known.get((p.key, p.listing, p.dates), p) for p in placed)
    return Reservation(
        account=account,
        id=seen.id,
        kind=Busy.STAY,
        status=seen.status,
        parts=parts,
        version=max(seen.version, stored.version if stored else 0),
        observed=max(observed, stored.observed if stored else 0),
        guest="" if cancelled or forgotten else seen.guest,
        forgotten=forgotten,
    )


def not_moved(
    stored: Reservation | None,
    placed: Iterable[Part],
    unplaced: Iterable[StayDates],
    listings: Collection[str],
    begun: datetime,
) -> tuple[Part, ...]:
    """The rooms of a report with those nobody can place (their nights are ``unplaced``, the ``listings`` all they may
    be of): each is taken to be where the stay was known, on the nights it has now. That a room cannot be told any more
    is no proof that the guest left it; that its nights are others is."""
    known = [part for part in (stored.parts if stored else ()) if part.listing in listings]
    kept = (Part(part.key, part.listing, dates, begun) for dates in unplaced for part in known)
    return tuple({(part.key, part.listing, part.dates): part for part in (*kept, *placed)}.values())


def _is_buried(stored: Reservation, seen: SeenStay) -> bool:
    """Where a platform gives no version, a cancellation is final: its ids are never used again, and a late "new"
    would bring a dead stay back. (Rule 7: in a feed, presence beats absence; that is another function.)"""
    return stored.status is Status.CANCELLED and seen.status is not Status.CANCELLED and not seen.version


def hint_stay(
    stored: Reservation | None,
    seen: SeenStay,
    placed: Iterable[Part],
    *,
    account: str,
    observed: int | None = None,
) -> Reservation:
    """The reservation with the rooms a doorbell claims closed provisionally; a hint never frees anything, also not what
    an earlier one claimed (calls come late and in any order), and never changes what a re-read said. ``observed`` is
    the counter taken after the doorbell and before asking: who asked later knows the claim already, and nobody would
    come to settle it."""
    claimed = {(part.key, part.listing, part.dates): part for part in stored.hinted} if stored else {}
    parts = tuple(({(part.key, part.listing, part.dates): part for part in placed} | claimed).values())
    if stored is None:
        return Reservation(account, seen.id, Busy.STAY, Status.PENDING, hinted=parts, guest=seen.guest)
    if observed is not None and observed < stored.observed:
        return stored
    if stored.status is Status.CANCELLED and seen.version and seen.version <= stored.version:
        return stored
    return replace(stored, hinted=parts)


# ------------------------------------------------------------------------------------------- feeds


@dataclass(frozen=True, slots=True)
class _Answer:
    """What every step below needs of one answer."""

    listing: str
    begun: datetime
    observed: int
    today: date
    partial: bool
    first: bool = False  # nobody read this calendar before, or not since its owner wished so


def merge_feed(
    listing: Listing,
    stored: Sequence[Reservation],
    answer: FeedAnswer,
    today: date,
    is_echo: IsEcho,
    may_be_ours: MayBeOurs = lambda event: False,
) -> tuple[Reservation, ...] | None:
    """Everything known of one feed after a complete answer, or None when a newer one was merged already.

    New nights count at once. Nights that are gone fade (an echo's do not: they were ours) and are let go when
    the guard finds the proof sufficient. A partial answer adds, and restarts every clock of absence; so does the first
    one, since time in which nobody looked proves nothing. What has passed takes no night, and some calendars hold years
    of it: it is left out.
    """
    if answer.observed <= listing.observed:
        return None
    frame = _Answer(
        listing.id, answer.begun, answer.observed, today, answer.partial, first=not listing.complete
    )
    ahead = [event for event in answer.events if any(dates.check_out > today for dates in event.dates)]
    pairs, unmatched, vanished = _match(stored, ahead, today, is_echo, may_be_ours)
    kept = [_refresh(known, event, frame, listing, is_echo) for known, event in pairs]
    ids = {one.id for one in stored}
    kept += [_first_seen(event, frame, listing, ids) for event in unmatched]
    lost = [_vanish(known, frame, is_echo) for known in vanished]
    if _in_doubt((*kept, *lost), stored, today, is_echo, empty=not says_something(ahead, today)):
        kept, lost = [_doubt(one) for one in kept], [_doubt(one) for one in lost]
    settled = (_settle(one, frame) for one in (*kept, *lost))
    before = {one.key: one for one in stored}
    return tuple(_news(before.get(one.key), one) for one in settled if one.parts or one.fading)


def _news(known: Reservation | None, now_on: Reservation) -> Reservation:
    """The stored row itself where an answer told nothing new of it: which answer was the last stands in the listing,
    and a row written for a counter's sake is paid for at every look."""
    if known is not None and replace(now_on, observed=known.observed) == known:
        return known
    return now_on


def _match(
    stored: Sequence[Reservation],
    events: Sequence[FeedEvent],
    today: date,
    is_echo: IsEcho,
    may_be_ours: MayBeOurs,
) -> tuple[list[tuple[Reservation, FeedEvent]], list[FeedEvent], list[Reservation]]:
    """Pair events with what is known: by name, then (UIDs are reissued) by equal nights, by overlap with one bound in
    common, by a step of both bounds, each within one class. An echo is no stay whose trace could be lost: a new UID
    on its nights is a new event, and may be a sale. Nor is an event that may be our own closure what became of a stay
    whose nights were others: the stay would be gone at once, without any proof."""
    left = {one.key: one for one in stored}
    pairs, unmatched = _named(left, events)
    stays = {key for key, one in left.items() if not all(is_echo(one, part) for part in one.parts)}
    for alike in (_same_nights, _share_a_bound, partial(_is_step, today=today)):
        still = []
        for event in unmatched:
            same = alike is _same_nights or not may_be_ours(event)
            heirs = (one for one in left.values() if same and one.key in stays and alike(one, event))
            twin = next(heirs, None)
            if twin is None:
                still.append(event)
            else:
                pairs.append((left.pop(twin.key), event))
        unmatched = still
    return pairs, unmatched, list(left.values())


def _named(
    left: dict[str, Reservation], events: Sequence[FeedEvent]
) -> tuple[list[tuple[Reservation, FeedEvent]], list[FeedEvent]]:
    """Take out of ``left`` whatever an event names: by the reservation's code where the calendar shows one, since it
    outlives a new UID and new nights at once; then by UID."""
    by_code = {one.code: one.key for one in left.values() if one.code}
    by_uid = {uid: one.key for one in left.values() for uid in one.aliases}
    # A present name beats a former one.
    by_uid |= {one.aliases[-1]: one.key for one in left.values() if one.aliases}
    pairs: list[tuple[Reservation, FeedEvent]] = []
    unmatched = list(events)
    names: tuple[tuple[dict[str, str], Callable[[FeedEvent], str]], ...]
    names = ((by_code, lambda event: event.code), (by_uid, lambda event: event.uid))
    for keys, name_of in names:
        waiting, unmatched = unmatched, []
        for event in waiting:
            known = left.pop(keys.get(name_of(event), ""), None)
            if known is None:
                unmatched.append(event)
            else:
                pairs.append((known, event))
    return pairs, unmatched


def _same_nights(known: Reservation, event: FeedEvent) -> bool:
    return _same_class(known, event) and {part.dates for part in known.parts} == set(event.dates)


def _share_a_bound(known: Reservation, event: FeedEvent) -> bool:
    return _same_class(known, event) and any(
        part.dates.overlaps(dates)
        and (part.dates.check_out == dates.check_out or part.dates.check_in == dates.check_in)
        for part in known.parts
        for dates in event.dates
    )


def _same_class(known: Reservation, event: FeedEvent) -> bool:
    return event.kind is (Busy.BLOCK if known.kind is Busy.LIMIT else known.kind)


def _first_seen(event: FeedEvent, frame: _Answer, listing: Listing, ids: set[str]) -> Reservation:
    """A new fact under an id of its own: another may still go by this UID, which its heir was known by once."""
    first = f"{listing.id}:{event.uid}"
    name = next(one for one in chain([first], (f"{first}#{n}" for n in count(2))) if one not in ids)
    ids.add(name)
    return Reservation(
        account=listing.account,
        id=name,
        kind=event.kind,
        status=Status.CONFIRMED,
        parts=tuple(Part("", listing.id, dates, frame.begun) for dates in event.dates),
        observed=frame.observed,
        feed=listing.id,
        aliases=(event.uid,),
        guest=event.guest,
        slid_on=frame.today,
        code=event.code,
    )


def _refresh(
    known: Reservation, event: FeedEvent, frame: _Answer, listing: Listing, is_echo: IsEcho
) -> Reservation:
    parts = tuple(Part("", listing.id, dates, _since(known, dates, frame)) for dates in event.dates)
    aliases = (*(uid for uid in known.aliases if uid != event.uid), event.uid)[-4:]
    moved = _slide(known, event, frame)
    seen_again = tuple(
        replace(fading, part=replace(fading.part, dates=rest))
        for fading in known.fading
        for rest in without(fading.part.dates, event.dates)
    )
    return replace(
        moved,
        parts=parts,
        fading=seen_again + _fade(known, event.dates, frame, is_echo),
        observed=frame.observed,
        aliases=aliases,
        guest="" if known.forgotten else event.guest,
        code=event.code or known.code,
    )


def _since(known: Reservation, dates: StayDates, frame: _Answer) -> datetime:
    """When these nights first appeared. One in progress that merely lost its past nights is the same one, and so is
    one that vanished for a while."""
    for part in known.parts:
        if part.dates == dates:
            return part.since
        if (
            part.dates.covers(dates)
            and part.dates.check_out == dates.check_out
            and dates.check_in <= frame.today
        ):
            return part.since
    return next((gone.part.since for gone in known.fading if gone.stay == dates), frame.begun)


def _slide(known: Reservation, event: FeedEvent, frame: _Answer) -> Reservation:
    """Count the steps of an owner's block that moves with the calendar. One that does so day after day is a rule of
    the platform (notice, booking window), and one that stands still for more than a day is a block again: the
    platform's day may begin at another hour than the home's. A second change on one day is no step of a calendar:
    somebody closed nights beside the rule, and the platform shows both as one."""
    if event.kind is not Busy.BLOCK or len(event.dates) != 1 or len(known.parts) != 1:
        return replace(known, kind=event.kind)
    if known.kind not in (Busy.BLOCK, Busy.LIMIT):
        return replace(known, kind=Busy.BLOCK, slid=0, slid_on=frame.today)
    days = (frame.today - (known.slid_on or frame.today)).days
    old, new = known.parts[0].dates, event.dates[0]
    if days <= 0 and new != old:
        return replace(known, kind=Busy.BLOCK, slid=0)
    if days <= 0 or (days == 1 and new == old):
        return known
    at_horizon = new.check_out >= frame.today + HORIZON
    placed = at_horizon is (new.check_in > frame.today)
    slid = known.slid + 1 if placed and _is_step(known, event, frame.today) else 0
    limit = slid >= (SLIDES_FAR if at_horizon else SLIDES_NEAR)
    return replace(known, kind=Busy.LIMIT if limit else Busy.BLOCK, slid=slid, slid_on=frame.today)


def _is_step(known: Reservation, event: FeedEvent, today: date) -> bool:
    """Whether both ends of a block moved as many days as have passed. Where only the last one did, the calendar's own
    horizon moved over something an owner closed."""
    passed = today - (known.slid_on or today)
    if not passed or not _same_class(known, event) or event.kind is not Busy.BLOCK:
        return False
    before, now = sorted(part.dates for part in known.parts), sorted(event.dates)
    return len(before) == len(now) and all(
        new.check_in - old.check_in == passed == new.check_out - old.check_out
        for old, new in zip(before, now, strict=True)
    )


def _vanish(known: Reservation, frame: _Answer, is_echo: IsEcho) -> Reservation:
    fading = known.fading + _fade(known, (), frame, is_echo)
    return replace(known, parts=(), fading=fading, observed=frame.observed)


def _fade(
    known: Reservation, shown: Iterable[StayDates], frame: _Answer, is_echo: IsEcho
) -> tuple[Fading, ...]:
    """The nights of it that the answer no longer shows, from today on."""
    if known.kind is Busy.LIMIT:
        return ()
    held = tuple(shown)
    return tuple(
        Fading(replace(part, dates=rest), part.dates, frame.begun)
        for part in known.parts
        if not is_echo(known, part)
        for gone in without(part.dates, held)
        if (rest := gone.from_day(frame.today)) is not None
    )


def _in_doubt(
    now_on: Sequence[Reservation],
    stored: Sequence[Reservation],
    today: date,
    is_echo: IsEcho,
    *,
    empty: bool,
) -> bool:
    """Whether so much of a feed lost nights that the feed is in doubt; what was moved or shortened lost nights too.
    Sales are counted by themselves as well: closures beside them that stay make their absence no likelier. A calendar
    that shows nothing from today on is empty, however much of the past it holds."""
    gone = [one.kind for one in now_on if one.fading]
    known = [one.kind for one in stored if _is_ahead(one, today, is_echo)]
    sold = is_mass(sum(map(_is_sale, gone)), sum(map(_is_sale, known)), empty)
    return sold or is_mass(len(gone), len(known), empty)


def says_something(events: Iterable[FeedEvent], today: date) -> bool:
    """Whether any of them takes a night from today on; a night that stands for a missing date is none."""
    shown = (dates for event in events for dates in event.dates)
    return any(dates.check_out > today and dates.check_in < today + NOWHERE for dates in shown)


def _is_sale(kind: Busy) -> bool:
    return kind in (Busy.STAY, Busy.CLOSED)


def _is_ahead(one: Reservation, today: date, is_echo: IsEcho) -> bool:
    return any(part.dates.check_out > today and not is_echo(one, part) for part in one.held())


def _doubt(one: Reservation) -> Reservation:
    return replace(one, fading=tuple(replace(fading, doubtful=True) for fading in one.fading))


def _settle(one: Reservation, frame: _Answer) -> Reservation:
    """Let go what is proven, and what has passed; an answer that proves nothing starts the clocks anew."""
    left = []
    for fading in one.fading:
        rest = fading.part.dates.from_day(frame.today)
        if rest is None:
            continue
        if frame.partial or frame.first:
            fading = replace(fading, since=frame.begun)
        elif is_proven(fading, one.kind, frame.begun, frame.today):
            continue
        left.append(replace(fading, part=replace(fading.part, dates=rest)))
    return replace(one, fading=tuple(left))


def let_fade(
    listing: Listing, stored: Sequence[Reservation], now: datetime, today: date, is_echo: IsEcho
) -> tuple[Reservation, ...]:
    """What is held of a calendar that is not read any more, as its owner wished: no answer will ever prove it gone, so
    each stay waits for a person's word, or passes. Our own closures in it, and rules of the platform, are not kept."""
    frame = _Answer(listing.id, now, listing.observed, today, partial=True)
    lost = (_doubt(_vanish(known, frame, is_echo)) for known in stored)
    return tuple(one for one in lost if one.fading)


def release_by_hand(one: Reservation, vanished: Iterable[Fading]) -> Reservation:
    """A person says that these nights, which vanished, are free: the one click of rule 21."""
    free = tuple(vanished)
    return replace(one, fading=tuple(fading for fading in one.fading if fading not in free))
