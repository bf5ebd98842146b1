"""The calendar exports, each in its platform's dialect.

Shapes: real exports seen in public code and issues (VERIFIED there unless a comment says otherwise). What all have
in common: the end is exclusive, ended events vanish, and closures that are under way begin "today".
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from local.sandbox import ics
from local.sandbox.calendar import Calendar
from local.sandbox.config import Platform
from local.sandbox.ics import Event
from local.sandbox.stays import Part, Stay
from local.sandbox.truth import Truth
from shared.domain.dates import ONE_DAY, StayDates, ranges_of

_HORIZON_SHOWN = 91
"""Days of the block that Airbnb shows beyond its booking window (REPORTED: three months in one host's feed)."""


@dataclass(frozen=True, slots=True)
class Source:
    """What an export is made from. ``salt`` changes every UID when it changes."""

    truth: Truth
    calendar: Calendar
    salt: str = ""

    @property
    def today(self) -> date:
        """The day at the home."""
        return self.truth.clock.today()

    def stays(self) -> list[tuple[Stay, Part]]:
        """Live stays that have not ended."""
        return [
            (stay, part)
            for stay, part in self.truth.stays_on(self.calendar.listing.key)
            if part.dates.check_out > self.today
        ]

    def closures(self) -> list[StayDates]:
        """Nights closed without being sold, joined to ranges, from today on: the host's and the partner's, and what
        was imported where this listing echoes it."""
        own = [*self.calendar.host.values()]
        if self.calendar.listing.echoes:
            own += [event.dates for event in self.calendar.all_imported()]
        nights = {night for dates in own for night in dates.nights()} | self.calendar.partner
        nights |= {night for night, rooms in self.calendar.to_sell.items() if rooms == 0}
        unsold = (night for night in nights if night >= self.today and not self.calendar.sold_on(night))
        return list(ranges_of(unsold))

    def digest(self, *words: object) -> str:
        """32 hex digits that stay the same for the same words."""
        seed = "|".join([self.calendar.listing.key, *map(str, words), self.salt])
        return hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()


def export(source: Source) -> bytes:
    """The calendar text of one listing."""
    return _DIALECTS[source.calendar.listing.platform](source)


def _airbnb(source: Source) -> bytes:
    head = [
        # Malformed on purpose: so was the real one.
        "PRODID;X-RICAL-TZSOURCE=TZINFO:-//Airbnb Inc//Hosting Calendar 1.0//EN",
        "CALSCALE:GREGORIAN",
        "VERSION:2.0",
    ]
    # DTEND stands before DTSTART in Airbnb's text; there is no DTSTAMP in the samples this follows.
    return ics.calendar(
        head,
        (
            [
                ics.day("DTEND", event.dates.check_out),
                ics.day("DTSTART", event.dates.check_in),
                f"UID:{event.uid}",
                *([ics.text("DESCRIPTION", event.description)] if event.description else []),
                f"SUMMARY:{event.summary}",
            ]
            for event in _airbnb_events(source)
        ),
    )


def _airbnb_events(source: Source) -> Iterator[Event]:
    for stay, part in source.truth.stays_on(source.calendar.listing.key):
        # Seen until the day after departure; the UID hangs on the reservation, so it survives changed dates.
        if part.dates.check_out + ONE_DAY < source.today:
            continue
        if stay.status == "accept":
            yield Event(
                uid=f"1418fb94e984-{source.digest(stay.id)}@airbnb.com",
                dates=part.dates,
                summary="Reserved",
                description="Reservation URL: https://www.airbnb.com/hosting/reservations/details/"
                f"{stay.id}\nPhone Number (Last 4 Digits): 0000",
            )
        else:
            # A request that waits for the host holds its nights; that it shows as a block is INFERRED.
            yield _airbnb_block(source, part.dates)
    for dates in source.closures():
        yield _airbnb_block(source, dates)
    for dates in _rolling(source):
        yield _airbnb_block(source, dates, prefix="6fec1092d3fa")


def _airbnb_block(source: Source, dates: StayDates, prefix: str = "7f662ec65913") -> Event:
    return Event(
        uid=f"{prefix}-{source.digest(dates.check_in, prefix)}@airbnb.com",
        dates=dates,
        summary="Airbnb (Not available)",
    )


def _rolling(source: Source) -> Iterator[StayDates]:
    """Advance notice and booking horizon, which slide by a day every day and which nobody booked."""
    listing = source.calendar.listing
    if listing.notice_days:
        yield StayDates.of_nights(source.today, listing.notice_days)
    if listing.horizon_days:
        yield StayDates.of_nights(source.today + timedelta(days=listing.horizon_days), _HORIZON_SHOWN)


def _booking(source: Source) -> bytes:
    now = source.truth.clock.now()
    head = [
        "VERSION:2.0",
        "PRODID:-//admin.booking.com//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    # One UID per room and DTSTART, whatever the event is: a changed departure keeps it, a stay under way loses it.
    return ics.calendar(
        head,
        (
            [
                f"UID:{source.digest(dates.check_in)}@booking.com",
                ics.stamp(now),
                ics.day("DTSTART", dates.check_in),
                ics.day("DTEND", dates.check_out),
                "SUMMARY:CLOSED - Not available",
            ]
            for dates in _booking_ranges(source)
        ),
        eol="\n",
    )


def _booking_ranges(source: Source) -> Iterable[StayDates]:
    stays = [part.dates.from_day(source.today) for _, part in source.stays()]
    ranges = sorted({*(dates for dates in stays if dates is not None), *source.closures()})
    if not source.calendar.listing.merge_adjacent:
        return ranges
    return ranges_of(night for dates in ranges for night in dates.nights())


def _greengo(source: Source) -> bytes:
    now = source.truth.clock.now()
    events = [
        # The summary and UID of a booking were seen nowhere: a neutral word here (INFERRED), nothing to rely on.
        Event(str(uuid.UUID(source.digest(stay.id))), part.dates, "GreenGo", stamp=now)
        for stay, part in source.stays()
    ]
    events += [
        Event(str(uuid.UUID(source.digest(dates.check_in))), dates, "GreenGo (Not Available)", stamp=now)
        for dates in source.closures()
    ]
    # Dates as midnight UTC, not VALUE=DATE (REPORTED by an owner who compared the feed before and after a block).
    return ics.calendar(
        ["VERSION:2.0", "PRODID:-//INFERRED//greengo//FR"],
        (
            [
                f"UID:{event.uid}",
                ics.stamp(now),
                ics.midnight("DTSTART", event.dates.check_in),
                ics.midnight("DTEND", event.dates.check_out),
                f"SUMMARY:{event.summary}",
            ]
            for event in events
        ),
    )


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the platforms that only speak iCal. ``names`` says whether a guest's first name follows."""

    prodid: str
    reserved: str
    pending: str
    blocked: str
    names: bool


_WORDS = {
    Platform.VRBO: Words("-//HomeAway.com, Inc.//EN", "Reserved", "Tentative", "Blocked", True),
    Platform.ABRITEL: Words("-//HomeAway.com, Inc.//EN", "Réservée", "Provisoire", "Indisponible", True),
    # No sample of Gîtes de France was found: its words are INFERRED.
    Platform.GITES: Words("-//INFERRED//ITEA//FR", "Réservée", "Option", "Indisponible", False),
}


def _worded(source: Source) -> bytes:
    words = _WORDS[source.calendar.listing.platform]
    head = ["VERSION:2.0", "CALSCALE:GREGORIAN", f"PRODID:{words.prodid}"]
    return ics.calendar(
        head,
        (
            [
                f"UID:{event.uid}",
                # The time of the fetch: the text differs on every read of an unchanged calendar.
                ics.stamp(source.truth.clock.now()),
                ics.day("DTSTART", event.dates.check_in),
                f"DURATION:P{len(event.dates)}D"
                if source.calendar.listing.use_duration
                else ics.day("DTEND", event.dates.check_out),
                ics.text("SUMMARY", event.summary),
            ]
            for event in _worded_events(source, words)
        ),
    )


def _worded_events(source: Source, words: Words) -> Iterator[Event]:
    for stay, part in source.stays():
        word = words.reserved if stay.status == "accept" else words.pending
        summary = f"{word} - {stay.guest.first}" if words.names else word
        yield Event(str(uuid.UUID(source.digest(stay.id, part.id))), part.dates, summary)
    for dates in source.closures():
        yield Event(_dates_uid(dates) + source.salt, dates, words.blocked)


def _dates_uid(dates: StayDates) -> str:
    """The UID of an Abritel block, computed from its dates alone (VERIFIED in a masked real feed)."""
    start, end = dates.check_in, dates.check_out
    return f"{start:%m%d%Y}-{start:%m%d}-{start:%Y}-{end:%m%d}-{end:%Y%m%d%Y}"


_DIALECTS: dict[Platform, Callable[[Source], bytes]] = {
    Platform.AIRBNB: _airbnb,
    Platform.BOOKING: _booking,
    Platform.GREENGO: _greengo,
    Platform.VRBO: _worded,
    Platform.ABRITEL: _worded,
    Platform.GITES: _worded,
}
