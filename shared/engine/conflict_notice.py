"""The notice of a conflict: what its owner reads, put together from the site as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.conflict_alerts import Occasion, home_of
from shared.domain.model import BookingConflict, SiteState
from shared.domain.proposals import Proposal
from shared.domain.spoken import names_of
from shared.engine import conflict_text
from shared.engine.world import World
from shared.ports import Notice


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
        text = conflict_text.alert(clash, names, occasion, standing=[], proposal=first, pages=pages)
    kind = "conflict_over" if over else "conflict"
    key = f"{state.site.id}/{clash.id}/{kind}"
    link = "" if over else next((page for _, page in pages if page), "")
    return Notice(kind, key, "info" if over else clash.severity.value, text, state.site.owner, link)


def pages_of(world: World, state: SiteState, clash: BookingConflict) -> list[tuple[str, str]]:
    """Where a person can act on each side by hand: the platform's name, and the page, empty where none is known."""
    names, found = names_of(state, world.platform_names), dict[str, tuple[str, str]]()
    for side in clash.sides:
        listing = state.listings.get(side.listing)
        if listing is not None:
            page = world.console_link(listing.platform, listing.unit, side.dates)
            found.setdefault(listing.id, (names.listings[listing.id], page))
    return list(found.values())
