"""The platforms' books against what the engine believes and did: what is missing, held open, or closed for nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from local.sandbox.calendar import Calendar
from local.sandbox.stays import NightState
from local.sandbox.truth import Truth
from shared.domain.model import Reservation, SiteState, Status
from shared.domain.occupancy import occupancies

Held = tuple[str, date]
"""A night of a listing of the sandbox."""

CLOSED = frozenset({NightState.PARTNER, NightState.IMPORTED})


@dataclass(frozen=True)
class Judge:
    """``keys`` says which of our listings is which of the sandbox's ("airbnb/9876543"), by our name.

    ``in_one_breath`` are sales, by listing and nights, that a platform made while it was taking a calendar of ours:
    when we closed those very nights there, nothing it shows can tell its sale from our closure (docs/limits.md). Their
    nights must be closed everywhere all the same.
    """

    truth: Truth
    keys: Mapping[str, str]
    in_one_breath: frozenset[tuple[str, str]] = frozenset()

    def faults(self, states: Iterable[SiteState]) -> list[str]:
        """Everything that is wrong now, in words; empty when every calendar is exactly right."""
        states = list(states)
        believed = Counter(stay for state in states for stay in self._believed(state))
        sold = Counter(self._sold())
        fading = Counter(night for state in states for night in self._fading(state))
        wrong = [f"lost: {stay}" for stay in (sold - believed) if stay not in self.in_one_breath]
        wrong += [f"invented: {stay}" for stay in (believed - sold)]
        wrong += [f"only hinted: {one.key}" for state in states for one in _hinted(state)]
        wrong += [f"held for nobody who was ever there: {night}" for night in fading if not self._was(*night)]
        for calendar in self.truth.calendars.values():
            wrong += self._nights(calendar, fading)
        return sorted(wrong)

    def _believed(self, state: SiteState) -> Iterable[tuple[str, str]]:
        for one in occupancies(state):
            if not one.fading:
                yield self.keys[one.listing], str(one.dates)

    def _sold(self) -> Iterable[tuple[str, str]]:
        for stay in self.truth.stays.values():
            if stay.live:
                for part in stay.parts:
                    yield part.listing, str(part.dates)

    def _fading(self, state: SiteState) -> Iterable[Held]:
        """Nights that vanished from a feed and wait for proof (rule 21): longer than any test."""
        for one in occupancies(state):
            if one.fading:
                for night in one.dates.nights():
                    yield self.keys[one.listing], night

    def _was(self, key: str, night: date) -> bool:
        calendar = self.truth.calendars[key]
        return calendar.cancelled[night] > 0 or calendar.sold_on(night) > 0

    def _nights(self, calendar: Calendar, fading: Counter[Held]) -> Iterable[str]:
        """One listing's calendar: closed exactly on the nights that are taken elsewhere (a listing with several units:
        when all of them are taken). A night that is sold on the very listing may be closed besides."""
        listing, taken = calendar.listing, self._taken_elsewhere(calendar, fading)
        for night in sorted(set(taken) | calendar.touched()):
            here = f"{listing.key} {night}"
            sold = taken[night] + calendar.sold_on(night)
            state = calendar.night(night, self.truth.clock.today()).state
            if sold >= listing.units and state is NightState.OPEN:
                yield f"held open: {here}"
            held = taken[night] and sold + fading[listing.key, night] >= listing.units
            if not held and state in CLOSED and not _sold_out_by_itself(calendar, night):
                yield f"closed for nobody: {here}"
            if listing.counts and calendar.left(night) > max(0, listing.units - sold):
                yield f"too many for sale: {here}"

    def _taken_elsewhere(self, calendar: Calendar, fading: Counter[Held]) -> Counter[date]:
        rooms, mine = set(calendar.listing.rooms), calendar.listing.key
        taken: Counter[date] = Counter()
        for key, other in self.truth.calendars.items():
            if key != mine and rooms & set(other.listing.rooms):
                for night in other.sold:
                    taken[night] += other.sold_on(night)
        for (key, night), times in fading.items():
            if key != mine and rooms & set(self.truth.calendars[key].listing.rooms):
                taken[night] += times
        return taken


def _sold_out_by_itself(calendar: Calendar, night: date) -> bool:
    """Booking.com lowers its number with each sale, and a cancellation raises it only where the property restocks."""
    return calendar.listing.counts and not calendar.listing.restocks and calendar.cancelled[night] > 0


def _hinted(state: SiteState) -> list[Reservation]:
    return [one for one in state.reservations.values() if one.hinted and one.status is not Status.CANCELLED]
