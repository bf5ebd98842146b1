"""One listing's calendar: who holds each night, in layers that do not know of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from local.sandbox.config import Listing
from local.sandbox.stays import Night, NightState
from shared.domain.dates import StayDates


@dataclass(frozen=True, slots=True)
class Imported:
    """An event read from somebody else's calendar."""

    uid: str
    dates: StayDates


class Calendar:
    """The layers of one listing: sold here, closed by its host, closed by the partner's API, imported by link.

    ``to_sell`` is Booking.com's absolute number of rooms left for a night; a night that is not in it has all.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.sold: dict[date, Counter[str]] = {}
        self.host: dict[str, StayDates] = {}
        self.partner: set[date] = set()
        self.to_sell: dict[date, int] = {}
        self.imported: dict[str, tuple[Imported, ...]] = {}
        self.cancelled: Counter[date] = Counter()

    def sold_on(self, night: date) -> int:
        """Rooms sold for that night on this listing."""
        return self.sold.get(night, Counter()).total()

    def rooms_to_sell(self, night: date) -> int:
        """The number the platform believes it may still sell, closures apart."""
        if self.listing.counts:
            return self.to_sell.get(night, self.listing.units)
        return self.listing.units - self.sold_on(night)

    def left(self, night: date) -> int:
        """Rooms that are really left: the platform's number, but never more than exist unless it oversells."""
        if self.listing.oversells:
            return max(0, self.rooms_to_sell(night))
        return max(0, min(self.rooms_to_sell(night), self.listing.units - self.sold_on(night)))

    def night(self, night: date, today: date) -> Night:
        """What the night is for a guest who asks now."""
        sold = self.sold.get(night)
        if sold and self.left(night) == 0:
            return Night(NightState.SOLD, tuple(sorted(sold)))
        held = [block for block, dates in self.host.items() if dates.check_in <= night < dates.check_out]
        if held:
            return Night(NightState.HOST, tuple(sorted(held)))
        if night in self.partner or self.left(night) == 0:
            return Night(NightState.PARTNER, ("partner",))
        events = self._imported_on(night)
        if events:
            return Night(NightState.IMPORTED, events)
        if self._outside(night, today):
            return Night(NightState.OUTSIDE, ("booking window",))
        return Night(NightState.OPEN)

    def touched(self) -> set[date]:
        """Every night that some layer speaks of; all others are open (or outside the booking window)."""
        nights = set(self.sold) | self.partner | set(self.to_sell)
        for dates in [*self.host.values(), *(event.dates for event in self.all_imported())]:
            nights.update(dates.nights())
        return nights

    def all_imported(self) -> Iterable[Imported]:
        """Every imported event of every link."""
        return [event for events in self.imported.values() for event in events]

    def sell(self, night: date, stay: str, rooms: int) -> None:
        """Give so many rooms of the night to a stay; the caller has checked that they are left."""
        self.sold.setdefault(night, Counter())[stay] += rooms
        if self.listing.counts:
            self.to_sell[night] = max(0, self.rooms_to_sell(night) - rooms)

    def free(self, night: date, stay: str, rooms: int) -> None:
        """Take the rooms back from the stay. Booking.com raises its number only where the property restocks."""
        self.cancelled[night] += rooms
        held = self.sold[night]
        held[stay] -= rooms
        if held[stay] <= 0:
            del held[stay]
        if not held:
            del self.sold[night]
        if self.listing.counts and self.listing.restocks:
            self.to_sell[night] = self.rooms_to_sell(night) + rooms

    def _imported_on(self, night: date) -> tuple[str, ...]:
        return tuple(
            sorted(
                event.uid
                for event in self.all_imported()
                if event.dates.check_in <= night < event.dates.check_out
            )
        )

    def _outside(self, night: date, today: date) -> bool:
        """Advance notice and booking horizon: nobody closed these nights, yet nobody can book them."""
        soon = bool(self.listing.notice_days) and night < today + timedelta(days=self.listing.notice_days)
        horizon = self.listing.horizon_days
        return soon or (bool(horizon) and night >= today + timedelta(days=horizon))
