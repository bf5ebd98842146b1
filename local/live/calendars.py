"""Each calendar link, asked twice: its form, what its host says of itself, and whether it knows "not modified"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from local.live.beliefs import Seen
from local.live.permit import ReadOnlyHttp
from local.live.words import Outcome, Step, Words
from shared.connectors.ical_links import VRBO, mask, platform_of
from shared.domain.dates import nights_of
from shared.domain.errors import RateLimited, SyncError
from shared.domain.platform import AIRBNB, GREENGO
from shared.domain.portfolio import PortfolioListing
from shared.ports.platforms import FeedBusy, FeedConnector, FeedFetch, Validators


@dataclass(frozen=True, slots=True)
class Read:
    """What one link showed. ``taken`` are its busy nights, empty when it could not be read."""

    step: Step
    seen: tuple[Seen, ...] = ()
    taken: frozenset[date] = frozenset()
    whole: bool = False


async def read_link(
    listing: PortfolioListing, zone: str, today: date, connector: FeedConnector, http: ReadOnlyHttp
) -> Read:
    """Ask, read, and ask again with what the first answer gave for it."""
    try:
        first = await connector.fetch(listing.import_url, Validators())
        server = (http.last.headers.get("server", "") if http.last else "")[:40]
        busy = connector.read(first.body, listing.platform, zone, today)
        second = await connector.fetch(listing.import_url, first.validators)
    except SyncError as wrong:
        return Read(
            Step(listing.id, Outcome.FAILED, Words(str(wrong), str(wrong))), tuple(_refused(listing, wrong))
        )
    nights = frozenset(nights_of(dates for event in busy.events for dates in event.dates))
    return Read(
        Step(listing.id, Outcome.DONE, _told(listing, first, second, busy, server)),
        tuple(_beliefs(listing, first.body)),
        nights,
        not busy.oddities,
    )


def _told(
    listing: PortfolioListing, first: FeedFetch, second: FeedFetch, busy: FeedBusy, server: str
) -> Words:
    kinds = Counter(str(event.kind) for event in busy.events)
    shape = str(platform_of(listing.import_url))
    offered = [
        name
        for name, value in (
            ("ETag", first.validators.etag),
            ("Last-Modified", first.validators.last_modified),
        )
        if value
    ]
    again = "304" if second.unchanged else "200"
    facts = (
        f"{mask(listing.import_url)}, {shape}, {len(first.body)} B, server {server or '-'}, "
        f"{dict(sorted(kinds.items()))}, {'+'.join(offered) or '-'} → {again}"
    )
    if not second.unchanged:
        facts += ", =" if second.digest == first.digest else ", ≠"
    if busy.oddities:
        facts += f", illisible / unreadable: {'; '.join(busy.oddities[:3])}"
    return Words(facts, facts)


def _beliefs(listing: PortfolioListing, body: bytes) -> Iterator[Seen]:
    host = mask(listing.import_url)
    if any(name in host for name in ("vrbo.", "homeaway.")):
        found = platform_of(listing.import_url) == VRBO
        yield Seen("vrbo-links", found, f"{host} is read as {platform_of(listing.import_url)}")
    if listing.platform == GREENGO and b"DTSTART" in body:
        midnight = b"T000000Z" in body
        yield Seen("greengo-midnight", midnight, f"{host}: {'T000000Z' if midnight else 'other dates'}")
    if listing.platform == AIRBNB:
        yield Seen("airbnb-403", True, f"{host} let our agent through")


def _refused(listing: PortfolioListing, wrong: SyncError) -> Iterator[Seen]:
    if listing.platform == AIRBNB and isinstance(wrong, RateLimited) and "403" in str(wrong):
        yield Seen("airbnb-403", False, f"{mask(listing.import_url)} answered 403 to our agent")
