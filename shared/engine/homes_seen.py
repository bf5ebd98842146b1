"""The sites a person sees, loaded side by side, and the names of the homes in them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.access import Person
from shared.domain.errors import Moved, NotFound
from shared.domain.model import SiteState
from shared.engine.scope import sites_seen
from shared.engine.side_by_side import side_by_side
from shared.engine.world import World


async def states_seen(world: World, person: Person) -> list[SiteState]:
    """Every site of the owners this person sees, by id. Raises ``StoreUnavailable``."""
    found = await load_all(world, sorted(await sites_seen(world, person)))
    return [state for state in found if person.sees(state.site.owner)]


async def load_all(world: World, sites: Iterable[str]) -> list[SiteState]:
    """Sites by their ids; one that is no more is left out. Raises ``StoreUnavailable``."""

    async def load(site: str) -> SiteState | None:
        try:
            return await world.sites.load(site)
        except (NotFound, Moved):
            return None

    found = await side_by_side(load, sites)
    return [state for state in found if state is not None]


def homes_by_name(states: Iterable[SiteState]) -> list[tuple[str, str]]:
    """Ids and names of their homes, by name."""
    homes = [(home.id, home.name) for state in states for home in state.site.properties.values()]
    return sorted(homes, key=lambda home: (home[1].casefold(), home[0]))
