"""The sites a person sees, loaded side by side, and the names of the homes in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from shared.domain.access import Person
from shared.domain.errors import Moved, NotFound
from shared.domain.model import SiteState
from shared.engine.scope import sites_seen
from shared.engine.world import World

AT_ONCE = 16
"""Sites that are read side by side."""


async def states_seen(world: World, person: Person) -> list[SiteState]:
    """Every site of the owners this person sees, by id. Raises ``StoreUnavailable``."""
    found = await load_all(world, sorted(await sites_seen(world, person)))
    return [state for state in found if person.sees(state.site.owner)]


async def load_all(world: World, sites: Iterable[str]) -> list[SiteState]:
    """Sites by their ids; one that is no more is left out. Raises ``StoreUnavailable``."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def load(site: str) -> SiteState | None:
        async with gate:
            try:
                return await world.sites.load(site)
            except (NotFound, Moved):
                return None

    found = await asyncio.gather(*(load(site) for site in sites))
    return [state for state in found if state is not None]


def homes_by_name(states: Iterable[SiteState]) -> list[tuple[str, str]]:
    """Ids and names of their homes, by name."""
    homes = [(home.id, home.name) for state in states for home in state.site.properties.values()]
    return sorted(homes, key=lambda home: (home[1].casefold(), home[0]))
