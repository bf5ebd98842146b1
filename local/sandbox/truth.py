"""What is really sold and closed on every listing: the sandbox's own books, pure but for the clock it is given.

Nothing here knows of HTTP. The same seed and the same calls give the same ids.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from local.sandbox.calendar import Calendar
from local.sandbox.clock import Clock
from local.sandbox.config import Listing, Platform
from local.sandbox.errors import BadAsk, Closed, Unknown
from local.sandbox.stays import Contradiction, Guest, Night, Nights, NightState, Part, Stay, invented_guest
from shared.domain.dates import StayDates

Rooms = Sequence[tuple[str, StayDates]]
"""What a guest books: (listing id, nights), one pair per room."""

_CODE = "ABCDEFGHJKMNPQRSTWXYZ23456789"


class Truth:
    """The books. Every change is checked whole before any of it is written."""

    def __init__(self, listings: Iterable[Listing], clock: Clock, seed: int = 1) -> None:
        self.clock = clock
        self.calendars: dict[str, Calendar] = {listing.key: Calendar(listing) for listing in listings}
        self.stays: dict[str, Stay] = {}
        self.contradictions: list[Contradiction] = []
        self._chance = random.Random(seed)  # noqa: S311 - invented ids, no secret
        self._numbers = {"stay": 4000000000, "part": 646000000, "block": 0}

    # ------------------------------------------------------------------------------------------ reading

    def calendar(self, platform: Platform, listing_id: str) -> Calendar:
        """The calendar of a listing. Raises ``Unknown``."""
        calendar = self.calendars.get(f"{platform}/{listing_id}")
        if calendar is None:
            raise Unknown(f"no listing {listing_id} on {platform}")
        return calendar

    def stay(self, stay_id: str, platform: Platform | None = None) -> Stay:
        """A reservation, cancelled or not. Raises ``Unknown``."""
        stay = self.stays.get(stay_id)
        if stay is None or (platform is not None and stay.platform is not platform):
            raise Unknown(f"no reservation {stay_id}")
        return stay

    def stays_on(self, listing: str) -> list[tuple[Stay, Part]]:
        """Live stays of one listing (by key), with the part that is there, by arrival."""
        found = [
            (stay, part)
            for stay in self.stays.values()
            if stay.live
            for part in stay.parts
            if part.listing == listing
        ]
        return sorted(found, key=lambda item: (item[1].dates, item[0].id))

    def night(self, listing: str, night: date) -> Night:
        """What a night of a listing (by key) is for a guest who asks now."""
        return self.calendars[listing].night(night, self.clock.today())

    def bookable(self, platform: Platform, listing_id: str, dates: StayDates) -> bool:
        """Whether a guest could book these nights now."""
        listing = self.calendar(platform, listing_id).listing.key
        return all(self.night(listing, night).state is NightState.OPEN for night in dates.nights())

    def double_sold(self) -> Mapping[str, Mapping[date, tuple[str, ...]]]:
        """Physical units with nights sold to more than one stay, whatever the listings: what must never happen
        unless two guests were truly faster than any sync. A unit with several rooms counts per room."""
        held: dict[str, dict[date, Counter[str]]] = {}
        for calendar in self.calendars.values():
            for room in calendar.listing.rooms:
                for night, stays in calendar.sold.items():
                    held.setdefault(room, {}).setdefault(night, Counter()).update(stays)
        room_units = self._units()
        return {
            room: clashes
            for room, nights in held.items()
            if (
                clashes := {
                    night: tuple(sorted(stays))
                    for night, stays in nights.items()
                    if stays.total() > room_units[room]
                }
            )
        }

    def _units(self) -> Mapping[str, int]:
        units: dict[str, int] = {}
        for calendar in self.calendars.values():
            for room in calendar.listing.rooms:
                units[room] = max(units.get(room, 1), calendar.listing.units)
        return units

    # ----------------------------------------------------------------------------------------- guests

    def new_id(self, platform: Platform) -> str:
        """The next reservation id in the platform's shape."""
        if platform is Platform.AIRBNB:
            return "HM" + "".join(self._chance.choice(_CODE) for _ in range(8))
        if platform is Platform.BOOKING:
            return str(self._next("stay"))
        if platform is Platform.CHANNEX:
            return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return f"{platform.upper()}-{self._chance.getrandbits(40):010x}"

    def new_guest(self) -> Guest:
        """An invented guest."""
        return invented_guest(self._chance)

    def check(self, platform: Platform, rooms: Rooms) -> None:
        """Raise ``Closed`` if a guest could not book these rooms now."""
        self._check(self._wanted(self._parts(platform, rooms, ids=False)))

    def book(
        self,
        platform: Platform,
        rooms: Rooms,
        *,
        guest: Guest | None = None,
        status: str = "accept",
        stay_id: str | None = None,
    ) -> Stay:
        """Sell the rooms to a guest. Raises ``Closed`` with nothing sold, ``Unknown`` for a listing."""
        parts = self._parts(platform, rooms)
        if not parts:
            raise BadAsk("a booking needs at least one room")
        now = self.clock.now().replace(microsecond=0)
        stay = Stay(
            id=stay_id or self.new_id(platform),
            platform=platform,
            parts=parts,
            status=status,
            guest=guest or self.new_guest(),
            created_at=now,
            updated_at=now,
        )
        self._settle(stay.id, Counter(), stay.nights)
        self.stays[stay.id] = stay
        return stay

    def modify(self, stay_id: str, parts: Sequence[Part]) -> Stay:
        """Replace the whole reservation by these parts; nights it keeps stay its own. Raises ``Closed``."""
        stay = self.stay(stay_id)
        if not stay.live:
            raise BadAsk(f"reservation {stay_id} is over")
        if not parts:
            raise BadAsk("a reservation keeps at least one room: cancel it instead")
        return self._become(replace(stay, parts=tuple(parts)))

    def set_status(self, stay_id: str, status: str) -> Stay:
        """Give a reservation a new status word; one that is not live frees its nights."""
        stay = self.stay(stay_id)
        if not stay.live:
            raise BadAsk(f"reservation {stay_id} is over")
        return self._become(replace(stay, status=status))

    def cancel(self, stay_id: str, by: str = "guest") -> Stay:
        """Cancel a reservation and free its nights. ``by`` is guest, host or admin."""
        if by not in {"guest", "host", "admin"}:
            raise BadAsk(f"nobody cancels as {by!r}")
        return self.set_status(stay_id, f"cancelled_by_{by}")

    def new_part(self, platform: Platform, listing_id: str, dates: StayDates) -> Part:
        """A room to add to a reservation, with a fresh key."""
        return Part(str(self._next("part")), self.calendar(platform, listing_id).listing.key, dates)

    # ------------------------------------------------------------------------------ hosts and partners

    def block(self, platform: Platform, listing_id: str, dates: StayDates) -> str:
        """Close nights as the host would in the platform's own calendar; returns the block's id."""
        block = f"block-{self._next('block')}"
        self.calendar(platform, listing_id).host[block] = dates
        return block

    def unblock(self, platform: Platform, listing_id: str, block: str) -> None:
        """Take a host's own block away. Raises ``Unknown``."""
        if self.calendar(platform, listing_id).host.pop(block, None) is None:
            raise Unknown(f"no block {block}")

    def partner_sets(self, listing: str, night: date, is_open: bool) -> None:
        """The partner opens or closes a night (Airbnb). A night sold there stays sold."""
        calendar = self.calendars[listing]
        if calendar.sold_on(night):
            self._note(listing, night, is_open)
        elif is_open:
            calendar.partner.discard(night)
        else:
            calendar.partner.add(night)

    def partner_counts(self, listing: str, night: date, rooms: int) -> None:
        """The partner says how many rooms are left to sell (Booking.com), as an absolute number."""
        calendar = self.calendars[listing]
        self._note(listing, night, rooms > calendar.listing.units - calendar.sold_on(night))
        calendar.to_sell[night] = rooms

    def partner_closes_room(self, listing: str, night: date, closed: bool) -> None:
        """The partner closes or reopens the room type for a night, whatever its number (Booking.com)."""
        partner = self.calendars[listing].partner
        (partner.add if closed else partner.discard)(night)

    def partner_opens(self, platform: Platform, listing_id: str, dates: StayDates) -> None:
        """Some partner opens all it may of these nights: what is sold there stays sold."""
        calendar = self.calendar(platform, listing_id)
        for night in dates.nights():
            if not calendar.sold_on(night):
                calendar.partner.discard(night)
                calendar.to_sell.pop(night, None)

    # ------------------------------------------------------------------------------------------ inside

    def _note(self, listing: str, night: date, opened: bool) -> None:
        if opened and self.calendars[listing].sold_on(night):
            self.contradictions.append(Contradiction(self.clock.now(), listing, night))

    def _next(self, what: str) -> int:
        self._numbers[what] += 1
        return self._numbers[what]

    def _parts(self, platform: Platform, rooms: Rooms, ids: bool = True) -> tuple[Part, ...]:
        if ids:
            return tuple(self.new_part(platform, listing_id, dates) for listing_id, dates in rooms)
        return tuple(
            Part("", self.calendar(platform, listing_id).listing.key, dates) for listing_id, dates in rooms
        )

    def _wanted(self, parts: Iterable[Part]) -> Nights:
        return Counter((part.listing, night) for part in parts for night in part.dates.nights())

    def _check(self, wanted: Nights) -> None:
        refused = [
            (listing, night)
            for (listing, night), rooms in wanted.items()
            if self.night(listing, night).state is not NightState.OPEN
            or self.calendars[listing].left(night) < rooms
        ]
        if refused:
            raise Closed(refused[0][0], [night for listing, night in refused if listing == refused[0][0]])

    def _become(self, stay: Stay) -> Stay:
        before = self.stays[stay.id]
        stay = replace(stay, updated_at=self._later(before.updated_at))
        self._settle(stay.id, before.nights, stay.nights)
        self.stays[stay.id] = stay
        return stay

    def _later(self, than: datetime) -> datetime:
        # Two changes within a second must not look like one version to whoever orders by updated_at.
        return max(self.clock.now().replace(microsecond=0), than + timedelta(seconds=1))

    def _settle(self, stay_id: str, before: Nights, after: Nights) -> None:
        taken, freed = after - before, before - after
        self._check(taken)
        for (listing, night), rooms in freed.items():
            self.calendars[listing].free(night, stay_id, rooms)
        for (listing, night), rooms in taken.items():
            self.calendars[listing].sell(night, stay_id, rooms)
