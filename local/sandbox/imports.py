"""The platforms reading our calendars: on their own rhythm, or when told to."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import httpx

from local.sandbox.calendar import Calendar, Imported
from local.sandbox.clock import Clock
from local.sandbox.config import Link, Platform
from local.sandbox.faults import FaultKind, Faults
from shared.domain.dates import ONE_DAY, StayDates

AGENTS: Mapping[Platform, str] = {
    Platform.AIRBNB: "Airbnb-Calendar-Sync/1.0",
    Platform.BOOKING: "Booking.com-iCal-Import/1.0",
    Platform.GREENGO: "GreenGo-Calendar/1.0",
    Platform.VRBO: "HomeAway-Calendar/1.0",
    Platform.ABRITEL: "HomeAway-Calendar/1.0",
    Platform.GITES: "ITEA-Calendar/1.0",
}
"""The User-Agent of each platform's importer (all INFERRED: none was found written)."""


MOST_TAKEN = 10_000
"""Reads that are remembered, for those who ask what happened when."""


class Unreadable(ValueError):
    """The answer is no calendar that can be read whole; the platform keeps what it had."""


@dataclass(slots=True)
class Pulled:
    """The last read of one link: when, the HTTP status (0: no answer), the events taken, what went wrong."""

    at: datetime
    status: int
    events: int = 0
    changed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A read that changed what a listing holds: between these instants the platform asked for our calendar and took it.
    A sale in between is older than what it took, and nobody outside can tell."""

    listing: str
    begun: datetime
    done: datetime


@dataclass(slots=True)
class Subscription:
    """One link of one listing and what the platform remembers of it."""

    link: Link
    due: datetime
    etag: str = field(default="", repr=False)
    modified: str = ""
    last: Pulled | None = None


class Importer:
    """All links of all listings. A valid calendar replaces what the same link gave before; anything else keeps it."""

    def __init__(self, clock: Clock, faults: Faults, client: httpx.AsyncClient) -> None:
        self._clock = clock
        self._faults = faults
        self._client = client
        self.links: dict[str, list[Subscription]] = {}
        self.taken: deque[Taken] = deque(maxlen=MOST_TAKEN)

    def subscribe(self, calendar: Calendar, link: Link) -> None:
        """Give a listing one more link, due at once; the same address again only changes its rhythm."""
        known = self.links.setdefault(calendar.listing.key, [])
        for subscription in known:
            if subscription.link.url == link.url:
                subscription.link = link
                return
        known.append(Subscription(link, self._clock.now()))

    async def pull(self, calendar: Calendar) -> list[Pulled]:
        """Read every link of the listing now."""
        return [
            await self._pull(calendar, subscription)
            for subscription in self.links.get(calendar.listing.key, [])
        ]

    async def read_due(self, calendars: Mapping[str, Calendar]) -> None:
        """Read each link whose time has come."""
        for key, subscriptions in list(self.links.items()):
            for subscription in subscriptions:
                if subscription.due <= self._clock.now():
                    await self._pull(calendars[key], subscription)

    async def _pull(self, calendar: Calendar, subscription: Subscription) -> Pulled:
        subscription.due = self._clock.now() + timedelta(seconds=subscription.link.every)
        if self._faults.take(calendar.listing.platform, "pull").keys() & {FaultKind.DOWN, FaultKind.LOST}:
            result = Pulled(self._clock.now(), 0, error="fault")
        else:
            result = await self._fetch(calendar, subscription)
        subscription.last = result
        return result

    async def _fetch(self, calendar: Calendar, subscription: Subscription) -> Pulled:
        headers, begun = {"User-Agent": AGENTS[calendar.listing.platform]}, self._clock.now()
        if subscription.etag:
            headers["If-None-Match"] = subscription.etag
        if subscription.modified:
            headers["If-Modified-Since"] = subscription.modified
        try:
            answer = await self._client.get(subscription.link.url, headers=headers, timeout=10.0)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Pulled(self._clock.now(), 0, error=type(error).__name__)
        if answer.status_code != 200:
            return Pulled(self._clock.now(), answer.status_code)
        try:
            events = read_events(answer.content)
        except Unreadable as error:
            return Pulled(self._clock.now(), 200, error=str(error))
        subscription.etag = answer.headers.get("etag", "")
        subscription.modified = answer.headers.get("last-modified", "")
        changed = calendar.imported.get(subscription.link.url) != events
        calendar.imported[subscription.link.url] = events
        if changed:
            self.taken.append(Taken(calendar.listing.key, begun, self._clock.now()))
        return Pulled(self._clock.now(), 200, len(events), changed)


def read_events(body: bytes) -> tuple[Imported, ...]:
    """The busy nights of a calendar, end exclusive, at least one night each. Raises ``Unreadable``."""
    from icalendar import Calendar as Ics
    from icalendar import Event

    if not body.lstrip().startswith(b"BEGIN:VCALENDAR"):
        raise Unreadable("not a calendar")
    try:
        events = Ics.from_ical(body).walk("VEVENT")
        return tuple(
            Imported(str(event.get("UID", "")), _dates(event.start, event.end))
            for event in events
            if isinstance(event, Event) and event.get("STATUS") != "CANCELLED"
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Unreadable(f"calendar cannot be read: {type(error).__name__}") from error


def _dates(start: date, end: date) -> StayDates:
    first, last = _day(start), _day(end)
    return StayDates(first, max(last, first + ONE_DAY))


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
