"""The sites a person sees, loaded side by side, and the names of the homes in them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.access import Person
from shared.domain.errors import Moved, NotFound, Unreadable
from shared.domain.model import SiteState
from shared.engine.side_by_side import side_by_side
from shared.engine.world import World


async def states_seen(world: World, person: Person) -> list[SiteState]:
    """Every site of the owners this person sees, by id, but for those that cannot be read. Raises
    ``StoreUnavailable``."""
    return (await seen_and_unread(world, person))[0]


async def seen_and_unread(world: World, person: Person) -> tuple[list[SiteState], dict[str, str]]:
    """The same, and the ids of those whose homes cannot be read, with whose they are: they hide no other, and are to be
    told of. Raises ``StoreUnavailable``."""
    known = await world.accounts.directory("site")
    seen = (name for name, what in known.items() if person.sees(what.get("owner", "")))
    states, unread = await loaded_and_unread(world, seen)
    mine = [state for state in states if person.sees(state.site.owner)]
    return mine, {site: known[site].get("owner", "") for site in unread}


async def loaded_and_unread(world: World, sites: Iterable[str]) -> tuple[list[SiteState], list[str]]:
    """These sites that are there, by id, and the ids of those that cannot be read. Raises ``StoreUnavailable``."""
    unread = list[str]()

    async def load(site: str) -> SiteState | None:
        try:
            return await world.sites.load(site)
        except (NotFound, Moved):
            return None
        except Unreadable:
            unread.append(site)
            return None

    found = await side_by_side(load, sorted(sites))
    return [state for state in found if state is not None], sorted(unread)


def homes_by_name(states: Iterable[SiteState]) -> list[tuple[str, str]]:
    """Ids and names of their homes, by name."""
    homes = [(home.id, home.name) for state in states for home in state.site.properties.values()]
    return sorted(homes, key=lambda home: (home[1].casefold(), home[0]))
