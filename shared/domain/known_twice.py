"""Known twice: one stay told by a platform's API and shown by its calendar as well is one stay, not two guests.

Like an echo it is a verdict of each plan, never stored: when the API takes the stay back, what the calendar still shows
counts by itself again and holds its nights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.domain.dates import StayDates
from shared.domain.model import Busy, Listing, Part, Reservation, SiteState, Status
from shared.domain.platform import Link


@dataclass(frozen=True, slots=True)
class Twins:
    """``stay`` gives, for a part of a calendar's fact (its key and dates), the key of the API's fact that it is;
    ``seen`` which calendars show which nights of that one."""

    stay: Mapping[tuple[str, StayDates], str] = field(default_factory=dict)
    seen: Mapping[str, frozenset[tuple[str, StayDates]]] = field(default_factory=dict)

    def shown(self, key: str, dates: StayDates) -> frozenset[str]:
        """The listings whose own calendars show all these nights of an API's fact."""
        return frozenset(listing for listing, nights in self.seen.get(key, ()) if nights.covers(dates))


_NONE = Twins()


def known_twice(state: SiteState) -> Twins:
    """The parts of calendars that an API tells of too. Only within one platform: equal nights on two platforms are two
    guests (rule 3)."""
    listings = state.listings.values()
    both = {one.platform for one in listings if one.link is Link.API}
    both &= {one.platform for one in listings if one.link is Link.ICAL}
    if not both:
        return _NONE
    facts = [one for one in state.reservations.values() if one.status is not Status.CANCELLED]
    told = [one for one in facts if not one.feed and one.kind is Busy.STAY]
    feeds = [one for one in facts if one.feed and one.kind in (Busy.STAY, Busy.CLOSED)]
    stay = _by_code(state, told, feeds)
    stay |= _by_nights(state, told, [one for one in feeds if not one.code], stay)
    seen: dict[str, set[tuple[str, StayDates]]] = {}
    for fact in feeds:
        for part in fact.parts:
            key = stay.get((fact.key, part.dates))
            if key is not None:
                seen.setdefault(key, set()).add((part.listing, part.dates))
    return Twins(stay, {key: frozenset(shown) for key, shown in seen.items()})


def _by_code(
    state: SiteState, told: Iterable[Reservation], feeds: Iterable[Reservation]
) -> dict[tuple[str, StayDates], str]:
    """The platform's own name of the stay is the same on both ways, whatever has become of its nights."""
    named = {(platform, one.id): one.key for one in told for platform in _platforms(state, one)}
    return {
        (one.key, part.dates): named[platform, one.code]
        for one in feeds
        if one.code
        for platform in _platforms(state, one)
        if (platform, one.code) in named
        for part in one.held()
    }


def _by_nights(
    state: SiteState,
    told: Iterable[Reservation],
    feeds: Iterable[Reservation],
    found: Mapping[tuple[str, StayDates], str],
) -> dict[tuple[str, StayDates], str]:
    """A calendar without codes: the very same nights of the same home on the same platform. Each room of a stay is
    shown at most once: what a calendar shows beyond that is another guest."""
    owner: dict[tuple[str, str, StayDates], list[tuple[str, str]]] = {}
    for one in told:
        for part in one.held():
            listing = state.listings.get(part.listing)
            if listing is not None:
                where = (listing.platform, listing.property, part.dates)
                owner.setdefault(where, []).append((one.key, listing.unit))
    stays: dict[tuple[str, StayDates], str] = {}
    for fact in feeds:
        for part in fact.held():
            listing = state.listings.get(part.listing)
            if listing is None or (fact.key, part.dates) in found:
                continue
            there = owner.get((listing.platform, listing.property, part.dates), [])
            match = next((item for item in there if _same_unit(item[1], listing)), None)
            if match is not None:
                there.remove(match)
                stays[fact.key, part.dates] = match[0]
    return stays


def _same_unit(unit: str, listing: Listing) -> bool:
    """Two advertisements of one home are two calendars; where one of the two is not named, they pass for one."""
    return not unit or not listing.unit or unit == listing.unit


def _platforms(state: SiteState, one: Reservation) -> set[str]:
    return {state.listings[part.listing].platform for part in _known(state, one.held())}


def _known(state: SiteState, parts: Iterable[Part]) -> Iterable[Part]:
    return (part for part in parts if part.listing in state.listings)
