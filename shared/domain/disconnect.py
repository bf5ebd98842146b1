"""Disconnecting: what a site is once a calendar of it is not read any more, because its owner said so.

The listing stays, as one that only takes our calendar: nothing is asked of it, and nothing waits for its answer. What
it sold stays sold. Nobody will tell of a cancellation there, so each stay it showed is held until it has passed, or
until a person says that it is over (rule 21); no night opens by the disconnection itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.merge import let_fade
from shared.domain.model import Listing, Part, Reservation, SiteState
from shared.domain.occupancy import echoes_in


def disconnected(state: SiteState, listing_id: str, now: datetime) -> SiteState:
    """The site without that listing's calendar; the listing is connected by a calendar link. ``now`` is store time."""
    listing = state.listings[listing_id]
    ledger = [row for row in state.blocks.values() if row.listing == listing_id]
    known = [one for one in state.reservations.values() if one.feed == listing_id]
    explained = echoes_in(state, listing_id, ledger)

    def ours(one: Reservation, part: Part) -> bool:
        return (one.key, part.dates) in explained

    kept = let_fade(listing, known, now, state.today(listing_id, now), ours)
    # Another shard, later, counts its observations from the beginning.
    alone = replace(
        listing,
        shard="",
        complete=True,
        observed=0,
        watched=False,
        bare_since=None,
        unread_since=listing.unread_since or now,
    )
    others = {key: one for key, one in state.reservations.items() if one.feed != listing_id}
    return replace(
        state,
        listings={**state.listings, listing_id: alone},
        reservations={**others, **{one.key: one for one in kept}},
    )


def is_disconnected(state: SiteState, fact: Reservation) -> bool:
    """Whether a fact comes from a calendar that is not read any more."""
    source = state.listings.get(fact.feed)
    return source is not None and is_cut(source)


def is_cut(listing: Listing) -> bool:
    """Whether its owner wished that its calendar be read no more, and gave no link since."""
    return listing.unread_since is not None and not listing.shard
