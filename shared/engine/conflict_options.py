"""What can be done about a conflict, with what the domain needs to know for it: the homes that could take a guest over
stand in other sites, and how old their sources are stands in other rows."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.conflict_policy import policy
from shared.domain.errors import Moved, NotFound
from shared.domain.estate import Equivalent
from shared.domain.model import BookingConflict, SiteState
from shared.domain.platform import Platform
from shared.domain.proposals import Proposal, propose
from shared.engine.freshness import Freshness
from shared.engine.modes import Modes
from shared.engine.world import World

MOST_SITES = 30
"""Other sites looked at for a free home: each is a read while a person waits."""


class Options:
    """Finds what can be done."""

    def __init__(self, world: World, modes: Modes, rhythms: Mapping[Platform, float]) -> None:
        self._world = world
        self._fresh = Freshness(world, modes, rhythms)

    async def of(self, state: SiteState, clash: BookingConflict) -> tuple[Proposal, ...]:
        """The proposals for a conflict of a loaded site, best first; nothing where it is over. Raises
        ``StoreUnavailable``."""
        if clash.ended_at is not None:
            return ()
        others = await self._equivalents(state, clash)
        names = self._world.platform_names
        return propose(state, clash, others, policy(state, clash), self._world.now(), names)

    async def _equivalents(self, state: SiteState, clash: BookingConflict) -> list[Equivalent]:
        """The homes of other sites in the groups of those concerned, with what their sources are worth."""
        homes = [
            state.site.properties[side.home] for side in clash.sides if side.home in state.site.properties
        ]
        groups = {home.group for home in homes if home.group}
        if not groups:
            return []
        known = await self._world.accounts.directory("home")
        listed = [(name, row["site"]) for name, row in known.items() if row.get("group") in groups]
        away = sorted({site for _, site in listed if site != state.site.id})[:MOST_SITES]
        found = [one for site in away for one in await self._of_site(site, listed)]
        here = [name for name, site in listed if site == state.site.id]
        stale = await self._fresh.stale(state.listings.values())
        return [*found, *(Equivalent(name, state, stale) for name in here if name in state.site.properties)]

    async def _of_site(self, site: str, listed: list[tuple[str, str]]) -> list[Equivalent]:
        try:
            state = await self._world.sites.load(site)
        except (NotFound, Moved):
            return []
        stale = await self._fresh.stale(state.listings.values())
        return [
            Equivalent(name, state, stale)
            for name, place in listed
            if place == site and name in state.site.properties
        ]
