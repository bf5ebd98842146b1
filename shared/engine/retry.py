"""Trying again at once what did not arrive: the pause after a failure is taken back, then all is synchronised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.access import Person
from shared.domain.errors import NotFound, StaleWrite
from shared.domain.model import Block, SiteState, SyncMode
from shared.domain.record import Line
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
        line = {"kind": "person", "what": "retry asked"}
        for state in states:
            if home:
                must_decide(person, state.site.owner, _MISSING)
            if person.decides(state.site.owner):
                await take_back(self._world, self._reconciler, state, f"{PERSON}{person.name}", lines=[line])
        return await self._desk.start(person, Wanted(SyncMode.MANUAL, property=home))


async def take_back(
    world: World,
    reconciler: Reconciler,
    state: SiteState,
    by: str,
    *,
    account: str = "",
    lines: Sequence[Line] = (),
) -> bool:
    """Let what failed on a site be tried now, on the listings of one account or (by default) on all; whether anything
    waited. Its due row brings whoever makes the calls. Raises ``StaleWrite`` when others keep being first,
    ``StoreUnavailable``."""
    for _ in range(TRIES):
        rows = {
            row.key: replace(row, next_try=None)
            for row in state.blocks.values()
            if row.error and row.next_try and account in ("", _account_of(state, row))
        }
        if not rows:
            return False
        after = replace(state, blocks={**state.blocks, **rows})
        try:
            await reconciler.admit(state, after, by, lines=lines)
        except StaleWrite:
            state = await world.sites.load(state.site.id)
        else:
            return True
    raise StaleWrite(f"site {state.site.id}: others were first {TRIES} times")


def _account_of(state: SiteState, row: Block) -> str:
    listing = state.listings.get(row.listing)  # None: its row cannot be read now
    return "?" if listing is None else listing.account
