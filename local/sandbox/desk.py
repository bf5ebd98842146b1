"""The front desk: what guests and hosts do on a platform, with everything the platform does about it.

The truth changes first; then Airbnb calls our webhooks, Booking.com queues a message and Channex does both. The other
platforms tell nobody: their calendar export is all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from local.sandbox import airbnb_payloads as words
from local.sandbox.config import COUNTING, Platform
from local.sandbox.errors import BadAsk, Closed, Unknown
from local.sandbox.stays import Guest, Part, Stay
from local.sandbox.truth import Rooms
from local.sandbox.world import World
from shared.domain.dates import StayDates

_VOIDED = frozenset({"deny", "timeout", "pending_voided"})


class Desk:
    """Books, moves and cancels on the world's platforms. One at a time: a platform sells each night by a lock."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def book(
        self, platform: Platform, rooms: Rooms, *, guest: Guest | None = None, status: str = "accept"
    ) -> Stay:
        """A guest books. Raises ``Closed`` when nights are not for sale or our side refused Airbnb's question."""
        if platform not in COUNTING and len(rooms) != 1:
            raise BadAsk(f"{platform} sells one listing at a time")
        async with self.world.desk_lock:
            truth = self.world.truth
            truth.check(platform, rooms)
            stay_id = truth.new_id(platform)
            if platform is Platform.AIRBNB and truth.calendar(platform, rooms[0][0]).listing.api:
                await self._ask_us(stay_id, *rooms[0])
            stay = truth.book(platform, rooms, guest=guest, status=status, stay_id=stay_id)
        self._tell(stay, words.ACCEPTED if status == "accept" else words.REQUESTED, "new")
        if self._queued(stay):
            self.world.queue.booked(stay.id, self.world.clock.now())
        return stay

    async def modify(self, platform: Platform, stay_id: str, parts: Sequence[Part]) -> Stay:
        """A guest moves, prolongs or shortens: the complete new rooms. Raises ``Closed`` with nothing changed."""
        async with self.world.desk_lock:
            before = self.world.truth.stay(stay_id, platform)
            if platform is Platform.AIRBNB and self._asks and self._by_api(before):
                part = parts[0]
                if not await self.world.webhooks.may_alter(stay_id, _listing_id(part), part.dates):
                    raise Closed(part.listing, part.dates.nights(), "the partner refused")
            if before.parts == tuple(parts):
                raise BadAsk("nothing would change")
            stay = self.world.truth.modify(stay_id, parts)
        self._tell(stay, words.ALTERED, "modified")
        if self._queued(stay):
            self.world.queue.modified(stay.id, self.world.clock.now())
        return stay

    async def cancel(self, platform: Platform, stay_id: str, by: str = "guest") -> Stay:
        """A reservation is cancelled by the guest, the host or the platform's own people ("admin")."""
        self.world.truth.stay(stay_id, platform)
        stay = self.world.truth.cancel(stay_id, by)
        self._tell(stay, words.CANCELLED, "cancelled")
        if self._queued(stay):
            self.world.queue.cancelled(stay.id, self.world.clock.now())
        return stay

    async def answer_request(self, stay_id: str, status: str) -> Stay:
        """A pending Airbnb request is accepted, or ends with one of the words that free its nights."""
        stay = self.world.truth.stay(stay_id, Platform.AIRBNB)
        if not stay.live or stay.status == "accept":
            raise BadAsk(f"reservation {stay_id} does not wait for an answer")
        if status not in _VOIDED | {"accept"}:
            raise BadAsk(f"a request cannot become {status!r}")
        stay = self.world.truth.set_status(stay_id, status)
        self._tell(stay, words.ACCEPTED if status == "accept" else words.VOIDED, "")
        return stay

    async def reword(self, platform: Platform, stay_id: str, status: str) -> Stay:
        """A reservation gets another status word; one that the sandbox does not count as live frees its nights."""
        self.world.truth.stay(stay_id, platform)
        stay = self.world.truth.set_status(stay_id, status)
        self._tell(stay, words.ALTERED, "modified")
        if self._queued(stay):
            self.world.queue.modified(stay.id, self.world.clock.now())
        return stay

    def moved(
        self, stay: Stay, dates: StayDates, part_id: str = "", listing_id: str = ""
    ) -> tuple[Part, ...]:
        """The parts of a reservation with one room (the only one when unnamed) on other dates or another listing."""
        part = self.part(stay, part_id)
        listing = part.listing
        if listing_id:
            listing = self.world.truth.calendar(stay.platform, listing_id).listing.key
        changed = replace(part, dates=dates, listing=listing)
        return tuple(changed if other.id == part.id else other for other in stay.parts)

    def part(self, stay: Stay, part_id: str = "") -> Part:
        """A room of a reservation. Raises ``Unknown``, or ``BadAsk`` when several rooms are there and none is named."""
        if not part_id and len(stay.parts) > 1:
            raise BadAsk("the reservation has several rooms: name the part")
        for part in stay.parts:
            if part_id in ("", part.id):
                return part
        raise Unknown(f"no room {part_id} in reservation {stay.id}")

    @property
    def _asks(self) -> bool:
        return self.world.webhooks.sync_check and bool(self.world.webhooks.base)

    async def _ask_us(self, stay_id: str, listing_id: str, dates: StayDates) -> None:
        if not self._asks:
            return
        hooks = self.world.webhooks
        if not await hooks.may_book(listing_id, dates):
            raise Closed(listing_id, dates.nights(), "the partner says they are taken")
        if not await hooks.may_make(stay_id, listing_id, dates):
            raise Closed(listing_id, dates.nights(), "the partner refused the reservation")

    def _tell(self, stay: Stay, action: str, revision: str) -> None:
        """Call us: Airbnb with its word for what happened, Channex once the revision waits in its feed."""
        if stay.platform is Platform.AIRBNB and self._by_api(stay):
            self.world.webhooks.notify(action, stay)
        if stay.platform is Platform.CHANNEX and self._by_api(stay):
            house = self.world.truth.calendars[stay.parts[0].listing].listing.property_id
            added = self.world.revisions.add(stay, revision, house, self.world.clock.now())
            self.world.subscriptions.tell(added)

    def _queued(self, stay: Stay) -> bool:
        return stay.platform is Platform.BOOKING and self._by_api(stay)

    def _by_api(self, stay: Stay) -> bool:
        return self.world.truth.calendars[stay.parts[0].listing].listing.api


def _listing_id(part: Part) -> str:
    return part.listing.partition("/")[2]
