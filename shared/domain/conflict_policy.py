"""What the engine may do about a conflict without a person, and when there is something of that kind to do."""

from __future__ import annotations

from shared.domain.model import Automatic, BookingConflict, SiteState, Source

POLICY = "policy"
"""Who decides where a home's policy does."""


def policy(state: SiteState, clash: BookingConflict) -> Automatic:
    """What the engine may do by itself: as much as every home concerned allows."""
    homes = {side.home for side in clash.sides} or {clash.property_id}
    found = {home.automatic for name in homes if (home := state.site.properties.get(name)) is not None}
    return Automatic.SAFE if found == {Automatic.SAFE} else Automatic.OFF


def is_unattended(state: SiteState, clash: BookingConflict) -> bool:
    """Whether somebody should look without being told: an automatic step has become possible, or the one that was taken
    has settled nothing, since there is no doubt left and the clash still is."""
    if clash.ended_at is not None:
        return False
    doubtful = any(side.source is Source.HINT or side.fading for side in clash.sides)
    if clash.decision is None:
        return doubtful and policy(state, clash) is Automatic.SAFE
    return clash.decision.by == POLICY and not doubtful
