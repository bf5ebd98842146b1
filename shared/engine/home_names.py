"""Homes' names, as their people change them."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.access import Person
from shared.domain.errors import Moved, NotFound, PayloadRejected, StaleWrite
from shared.domain.record import Kind
from shared.domain.story import by_hand
from shared.engine.scope import must_decide
from shared.engine.turn import turn
from shared.engine.world import World
from shared.state.sites import Changes

_MISSING = "there is no such home"
_TRIES = 8


class HomeNames:
    """Changes them."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def rename(self, person: Person, home: str, name: str) -> bool:
        """Call a home something else; False where it is called that already. Raises ``NotFound``, ``NotAllowed``,
        ``PayloadRejected`` for a name without letters, ``Taken`` when others keep changing the portfolio."""
        if not name:
            raise PayloadRejected("a home needs a name")
        async with turn(self._world):
            return await self._rename(person, home, name)

    async def _rename(self, person: Person, home: str, name: str) -> bool:
        place = (await self._world.accounts.directory("home", home)).get(home)
        if place is None:
            raise NotFound(_MISSING)
        for _ in range(_TRIES):
            try:
                state = await self._world.sites.load(place["site"])
            except Moved:
                raise NotFound(_MISSING) from None
            if home not in state.site.properties:
                raise NotFound(_MISSING)
            must_decide(person, state.site.owner, _MISSING)
            old = state.site.properties[home]
            if old.name == name:
                return False
            site = replace(state.site, properties={**state.site.properties, home: replace(old, name=name)})
            line = {
                "at": self._world.now().isoformat(),
                "by": by_hand(person.name),
                "kind": Kind.LISTING.value,
                "what": "home changed",
                "of": home,
                "home": home,
            }
            try:
                await self._world.sites.commit(state, Changes(site=site, history=[line]))
            except StaleWrite:
                continue
            return True
        raise StaleWrite("others keep changing this home: try again")
