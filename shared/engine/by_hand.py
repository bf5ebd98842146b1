"""By hand: the closures a person should make, because we cannot or may not make them now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.exposure import exposure
from shared.domain.model import Block, Listing, Phase, SiteState
from shared.domain.modes import Standing
from shared.domain.platform import Link, Platform
from shared.state.fetches import Fetches

TRIES = 3
"""Failed tries after which a closure is shown to a person, whatever the mode."""

KEPT_BACK = timedelta(minutes=10)
"""How long a closure may be kept from being tried (an open circuit, a spent budget) before it is shown as well."""

UNREACHED = "no platform can read our calendar on this machine"
"""Why a person closes what a calendar of ours would close, were there an address to read it at."""

Page = Callable[[Platform, str, StayDates], str]
"""Where a person edits nights of a platform's unit; empty where no page is known."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Nights of one listing to be closed by hand, with the page that does it (empty where none is known)."""

    site: str
    home: str
    listing: str
    platform: Platform
    dates: StayDates
    why: str
    page: str


@dataclass(frozen=True, slots=True)
class FailedPush:
    """A closure or an opening that did not arrive: its age begins at ``since``, ``next_try`` is None while nothing is
    tried by itself."""

    site: str
    listing: str
    platform: Platform
    dates: StayDates
    closes: bool
    since: datetime | None
    attempts: int
    reason: str
    next_try: datetime | None


def is_overdue(row: Block, now: datetime) -> bool:
    """Whether a closure is a person's business by now: tried in vain several times, or never taken and kept from being
    tried for long."""
    if row.attempts >= TRIES:
        return True
    since = row.created_at if row.error and row.taken_at is None else None
    return row.phase is Phase.INTENDED and since is not None and now - since >= KEPT_BACK


def to_close(
    state: SiteState,
    now: datetime,
    standings: Mapping[str, Standing],
    page: Page,
    fetches: Mapping[str, Fetches] | None = None,
) -> list[Closure]:
    """What a person should close on the site's listings that we write to: everything not yet taken where the account
    stands in MANUAL, and what is overdue elsewhere. Nights of several causes are one entry.

    ``fetches`` is given where our address leads to this machine: to it, what could still be sold on the listings whose
    channel never came for our calendar, since none will."""
    found: list[Closure] = []
    for listing in state.listings.values():
        if listing.link is not Link.API:
            continue
        standing = standings.get(listing.account)
        manual = standing is not None and not standing.sends
        today = state.today(listing.id, now)
        rows = [row for row in _waiting(state, listing) if manual or is_overdue(row, now)]
        reason = standing.reason if standing is not None and manual else ""
        for dates in ranges_of(night for night in nights_of(row.dates for row in rows) if night >= today):
            why = reason or next(row.error for row in rows if row.dates.overlaps(dates))
            home = state.site.properties[listing.property].name
            link = page(listing.platform, listing.unit, dates)
            found.append(Closure(state.site.id, home, listing.id, listing.platform, dates, why, link))
    return [*found, *(_unreached(state, now, fetches, page) if fetches is not None else ())]


def is_unreached(listing: Listing, fetches: Mapping[str, Fetches]) -> bool:
    """Whether a calendar link's channel never came. The simulated ones live on this machine, and do."""
    return listing.link is Link.ICAL and fetches.get(listing.id, Fetches()).peer is None


def _unreached(
    state: SiteState, now: datetime, fetches: Mapping[str, Fetches], page: Page
) -> Iterable[Closure]:
    for one in exposure(state, now):
        listing = state.listings[one.listing]
        if is_unreached(listing, fetches):
            home, link = state.site.properties[one.home].name, page(one.platform, listing.unit, one.dates)
            yield Closure(state.site.id, home, one.listing, one.platform, one.dates, UNREACHED, link)


def failed_pushes(state: SiteState) -> list[FailedPush]:
    """Every row of the ledger whose last call failed, or could not be made (an open circuit, a spent budget), oldest
    first."""
    rows = [row for row in state.blocks.values() if row.error]
    return [
        FailedPush(
            state.site.id,
            row.listing,
            state.listings[row.listing].platform,
            row.dates,
            row.wanted,
            row.created_at if row.wanted else row.released_at,
            row.attempts,
            row.error,
            row.next_try,
        )
        for row in sorted(rows, key=_age)
        if row.listing in state.listings
    ]


def _waiting(state: SiteState, listing: Listing) -> Iterable[Block]:
    return (
        row
        for row in state.blocks.values()
        if row.listing == listing.id and row.wanted and row.phase in (Phase.INTENDED, Phase.SENT)
    )


def _age(row: Block) -> str:
    since = row.created_at if row.wanted else row.released_at
    return since.isoformat() if since else ""
