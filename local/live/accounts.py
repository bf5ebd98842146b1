"""Each account by API, read whole: its queue (which keeps everything), each unit's stays, and what is for sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from local.live.beliefs import Seen
from local.live.words import Outcome, Step, Words
from shared.domain.dates import StayDates, nights_of
from shared.domain.errors import AuthFailed, SyncError
from shared.domain.facts import SeenStay
from shared.domain.model import Account, Listing, Status
from shared.domain.platform import AIRBNB, BOOKING
from shared.ports.platforms import ApiConnector

NEAR = 30
"""Nights from today that are read of each unit."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one unit showed; ``held`` are the nights of its stays, None when they could not be read."""

    step: Step
    seen: tuple[Seen, ...] = ()
    held: frozenset[date] | None = None


async def read_queue(account: Account, connector: ApiConnector) -> tuple[Step, tuple[Seen, ...]]:
    """Ask an account's queue once. Nothing is acknowledged: whoever works from it still gets everything."""
    try:
        polled = await connector.poll(account)
    except SyncError as wrong:
        seen = (Seen("booking-bearer", False, str(wrong)),) if _refused_token(account, wrong) else ()
        return Step(account.id, Outcome.FAILED, Words(str(wrong), str(wrong))), seen
    stays = [stay for _, stay in polled.stays]
    unread = len(polled.unplaced)
    said = Words(
        f"file\u202f: {len(stays)} message(s), {unread} illisible(s), rien n’est acquitté",
        f"queue: {len(stays)} message(s), {unread} unreadable, none acknowledged",
    )
    return Step(account.id, Outcome.DONE, said), tuple(_of_stays(account, stays, ok=True))


async def read_unit(account: Account, listing: Listing, connector: ApiConnector, today: date) -> Unit:
    """Its stays, and what is for sale on the next nights."""
    near = StayDates(today, today + timedelta(days=NEAR))
    try:
        stays = await connector.stays(account, listing.unit)
        levels = await connector.read_levels(account, listing, near)
    except SyncError as wrong:
        return Unit(
            Step(listing.id, Outcome.FAILED, Words(str(wrong), str(wrong))),
            (Seen("booking-bearer", False, str(wrong)),) if _refused_token(account, wrong) else (),
        )
    named = sum(night in levels for night in near.nights())
    kinds = dict(sorted(Counter(str(stay.status) for stay in stays).items()))
    open_nights = sum(level > 0 for level in levels.values())
    said = Words(
        f"séjours {kinds}\u202f; {named} nuits sur {NEAR} nommées, {open_nights} à vendre",
        f"stays {kinds}; {named} of {NEAR} nights named, {open_nights} for sale",
    )
    seen = [*_of_stays(account, stays, ok=True)]
    if account.platform == AIRBNB:
        seen.append(Seen("airbnb-days", named == NEAR, f"{named} of {NEAR} nights named"))
    return Unit(Step(listing.id, Outcome.DONE, said), tuple(seen), held_nights(stays, listing.unit))


def held_nights(stays: Sequence[SeenStay], unit: str) -> frozenset[date]:
    """The nights that stays hold of a unit. A room the platform could not name counts for every unit."""
    rooms = [room for stay in stays if stay.status is not Status.CANCELLED for room in stay.rooms]
    return frozenset(
        nights_of(room.dates for room in rooms if room.unit == unit or not room.unit or "*" in room.unit)
    )


def _of_stays(account: Account, stays: Sequence[SeenStay], *, ok: bool) -> Iterator[Seen]:
    if account.platform == BOOKING:
        yield Seen("booking-bearer", ok, "a call with the token was answered")
        strange = sorted({stay.unknown for stay in stays if stay.unknown})
        if stays:
            yield Seen(
                "booking-status", not strange, f"{len(stays)} stays, unknown words: {strange or 'none'}"
            )
    roomless = [stay for stay in stays if not stay.rooms and stay.status is not Status.CANCELLED]
    if account.platform == "channex" and roomless:
        yield Seen("channex-rooms", True, f"{len(roomless)} booking(s) without rooms: look at what they are")


def _refused_token(account: Account, wrong: SyncError) -> bool:
    return account.platform == BOOKING and isinstance(wrong, AuthFailed) and "exchange" not in str(wrong)
