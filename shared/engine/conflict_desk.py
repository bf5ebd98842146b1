"""The conflict desk: tells the owner of a double booking, does what the homes' policy allows, and notes both.

What is due is read off the conflict itself, so a message that comes twice, late or again tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.conflict_alerts import Occasion, due_alert, home_of
from shared.domain.conflict_policy import POLICY
from shared.domain.errors import NotFound, PayloadRejected, StaleWrite, SyncError
from shared.domain.model import BookingConflict, SiteState
from shared.domain.proposals import Proposal
from shared.engine.conflict_decide import AlreadyDecided, Decisions, FactsChanged, Wish
from shared.engine.conflict_notice import notice
from shared.engine.conflict_options import Options
from shared.engine.conflict_version import seen
from shared.engine.world import World
from shared.state.sites import Changes

TRIES = 8


class ConflictDesk:
    """Works off the queue of conflicts."""

    def __init__(self, world: World, options: Options, decisions: Decisions) -> None:
        self._world = world
        self._options = options
        self._decisions = decisions

    async def handle(self, key: str) -> None:
        """See to one conflict (``site/id``): tell what is due under the site's head, then do what may be done without a
        person. A message doubled at the same moment tells once more at worst. Raises ``PayloadRejected`` for a key that
        names nothing, ``NotFound`` for a site that is none, ``StaleWrite``, ``StoreUnavailable``."""
        site, _, name = key.rpartition("/")
        if not site:
            raise PayloadRejected(f"{key!r} names no conflict")
        await self._tell(site, name)
        await self._act(site, name)

    async def _tell(self, site: str, name: str) -> None:
        told = False
        for _ in range(TRIES):
            state = await self._world.sites.load(site)
            clash, now = state.conflicts.get(name), self._world.now()
            occasion = due_alert(clash, home_of(state, clash), now) if clash is not None else None
            if clash is None or occasion is None:
                return
            if not told:
                proposals = await self._proposals(state, clash)
                await self._world.notify.tell(notice(self._world, state, clash, occasion, proposals))
                told = True
            try:
                await self._note(state, clash, occasion)
            except StaleWrite:
                continue
            return
        raise StaleWrite(f"site {site} kept changing")

    async def _proposals(self, state: SiteState, clash: BookingConflict) -> Sequence[Proposal]:
        """What can be done, for the alert; it goes out without where other homes cannot be read now."""
        try:
            return await self._options.of(state, clash)
        except SyncError as wrong:
            self._world.telemetry.event("no_proposals", conflict=clash.id, why=str(wrong))
            return ()

    async def _note(self, state: SiteState, clash: BookingConflict, occasion: Occasion) -> None:
        now, over = self._world.now(), occasion is Occasion.OVER
        noted = replace(clash, told=True, alerted_at=clash.alerted_at if over else now)
        line = {"at": now.isoformat(), "by": "conflict desk", "what": "told", "of": clash.id}
        line |= {"kind": "conflict", "home": clash.property_id, "why": occasion.value}
        await self._world.sites.commit(state, Changes(conflicts=[noted], history=[line]))
        self._world.telemetry.event("conflict_told", site=state.site.id, conflict=clash.id, ended=over)

    async def _act(self, site: str, name: str) -> None:
        """What a home's policy allows without a person: steps that can be taken back and that no guest notices."""
        try:
            state, clash = await self._decisions.load(site, name)
            if clash.decision is not None:
                await self._withdraw(state, clash)
                return
            allowed = [one for one in await self._options.of(state, clash) if one.automatic]
            if allowed:
                await self._decisions.decide(site, name, Wish(allowed[0].id, POLICY, "", seen(clash)))
        except (AlreadyDecided, FactsChanged, NotFound):
            return  # a person was quicker, or it is over

    async def _withdraw(self, state: SiteState, clash: BookingConflict) -> None:
        """What the policy decided and what came to nothing (the doubt is gone, the clash is not) must not look as if
        somebody took care of it."""
        chosen = clash.decision
        if chosen is None or chosen.by != POLICY or clash.ended_at is not None:
            return
        if chosen.proposal in {one.id for one in await self._options.of(state, clash)}:
            return
        line = {"at": self._world.now().isoformat(), "by": POLICY, "kind": "conflict", "what": "undecided"}
        line |= {"of": clash.id, "home": clash.property_id}
        changed = Changes(conflicts=[replace(clash, decision=None)], history=[line])
        await self._world.sites.commit(state, changed)
