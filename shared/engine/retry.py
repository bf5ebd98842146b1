"""Trying again at once what did not arrive: the pause after a failure is taken back, then all is synchronised."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.access import Person
from shared.domain.errors import NotFound, StaleWrite
from shared.domain.model import SiteState, SyncMode
from shared.domain.story import PERSON
from shared.domain.wish import Wanted
from shared.engine.homes_seen import states_seen
from shared.engine.reconcile import Reconciler
from shared.engine.scope import must_decide
from shared.engine.sync_desk import SyncDesk
from shared.engine.world import World
from shared.state.jobs import Job

_MISSING = "there is no such home"

TRIES = 8
"""How often it is tried when others wrote to the site first."""


class Retry:
    """A person's "try again"."""

    def __init__(self, world: World, reconciler: Reconciler, desk: SyncDesk) -> None:
        self._world = world
        self._reconciler = reconciler
        self._desk = desk

    async def now(self, person: Person, home: str = "") -> Job:
        """Try again what failed for a home, or for all homes this person decides about; returns the synchronisation
        that does it. Raises ``NotFound`` for a home that is not theirs, ``NotAllowed``, ``StaleWrite`` when others keep
        being first, ``StoreUnavailable``."""
        states = [one for one in await states_seen(self._world, person) if home in ("", *one.site.properties)]
        if home and not states:
            raise NotFound(_MISSING)
        for state in states:
            if home:
                must_decide(person, state.site.owner, _MISSING)
            if person.decides(state.site.owner):
                await self._take_back(person, state)
        return await self._desk.start(person, Wanted(SyncMode.MANUAL, property=home))

    async def _take_back(self, person: Person, state: SiteState) -> None:
        for _ in range(TRIES):
            waiting = {key: row for key, row in state.blocks.items() if row.error and row.next_try}
            if not waiting:
                return
            rows = {key: replace(row, next_try=None) for key, row in waiting.items()}
            after = replace(state, blocks={**state.blocks, **rows})
            line = {"kind": "person", "what": "retry asked"}
            try:
                await self._reconciler.admit(state, after, f"{PERSON}{person.name}", lines=[line])
            except StaleWrite:
                state = await self._world.sites.load(state.site.id)
            else:
                return
        raise StaleWrite(f"site {state.site.id}: others were first {TRIES} times")
