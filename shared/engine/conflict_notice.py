"""The notice of a conflict: what its owner reads, put together from the site as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.conflict_alerts import Occasion, home_of
from shared.domain.exposure import exposure, of_conflict
from shared.domain.model import BookingConflict, SiteState
from shared.domain.proposals import Proposal
from shared.domain.spoken import Names, Said, names_of
from shared.engine import conflict_text
from shared.engine.world import World
from shared.ports.people import Notice


def notice(
    world: World,
    state: SiteState,
    clash: BookingConflict,
    occasion: Occasion,
    proposals: Sequence[Proposal] = (),
) -> Notice:
    """Exact nights and channels, what is closed, what could still be sold, what to do; no guest's name, since a notice
    travels through strangers' hands."""
    names, now = names_of(state, world.platform_names), world.now()
    over = occasion is Occasion.OVER
    pages = pages_of(world, state, clash)
    if over:
        passed = clash.conflict_dates.check_out <= home_of(state, clash).today(now)
        text = conflict_text.over(clash, names, passed=passed)
    else:
        first = conflict_text.in_one_sentence(proposals[0]) if proposals else None
        text = conflict_text.alert(
            clash, names, occasion, standing=_standing(state, clash, names, now), proposal=first, pages=pages
        )
    kind = "conflict_over" if over else "conflict"
    key = f"{state.site.id}/{clash.id}/{kind}"
    link = "" if over else next((page for _, page in pages if page), "")
    return Notice(kind, key, "info" if over else clash.severity.value, text, state.site.owner, link)


def _standing(state: SiteState, clash: BookingConflict, names: Names, now: datetime) -> list[Said]:
    """What is closed by now besides the two sides, and what could still be sold."""
    sold = {side.listing for side in clash.sides}
    facts = set(clash.conflicting_bookings)
    closed = {
        names.listings[row.listing]
        for row in state.blocks.values()
        if row.wanted
        and row.taken_at is not None
        and row.listing in names.listings.keys() - sold
        and row.cause.partition("#")[0] in facts
        and any(row.dates.overlaps(dates) for dates in clash.exact)
    }
    exposed = [
        (names.listings[one.listing], one.dates, one.since)
        for one in of_conflict(exposure(state, now), clash)
    ]
    said = [conflict_text.closed(sorted(closed))] if closed else []
    return [*said, conflict_text.exposed(exposed, now)]


def pages_of(world: World, state: SiteState, clash: BookingConflict) -> list[tuple[str, str]]:
    """Where a person can act on each side by hand: the platform's name, and the page, empty where none is known."""
    names, found = names_of(state, world.platform_names), dict[str, tuple[str, str]]()
    for side in clash.sides:
        listing = state.listings.get(side.listing)
        if listing is not None:
            page = world.console_link(listing.platform, listing.unit, side.dates)
            found.setdefault(listing.id, (names.listings[listing.id], page))
    return list(found.values())
