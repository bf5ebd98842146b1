"""Deciding about a conflict: one commit under the site's head for whoever is first, a clear answer for everybody else.

What we can do ourselves is in that very commit, or a bell after it. What only a person can do on a platform stays a
task until the platform shows it: a decision is no resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.conflict_policy import POLICY
from shared.domain.errors import Moved, NotFound, PermanentError, StaleWrite
from shared.domain.estate import Step, StepKind, testified
from shared.domain.model import Acknowledgement, BookingConflict, Decision, SiteState
from shared.domain.proposals import Proposal
from shared.domain.spoken import Said, names_of
from shared.domain.story import PERSON
from shared.engine.conflict_options import Options
from shared.engine.conflict_version import Seen, seen, what_changed
from shared.engine.reconcile import Reconciler
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.sites import Changes

TRIES = 8
"""How often a decision is made anew when others wrote to the site first."""


class AlreadyDecided(PermanentError):
    """Somebody was first."""

    def __init__(self, decision: Decision) -> None:
        super().__init__("already decided")
        self.decision = decision


class FactsChanged(PermanentError):
    """The conflict is not what the decision rests on; ``what`` says in words how it differs."""

    def __init__(self, what: Sequence[Said]) -> None:
        super().__init__("the facts have changed")
        self.what = tuple(what)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done: a proposal's id, in whose name, with a note of theirs, and what they had seen."""

    proposal: str
    by: str
    note: str = ""
    seen: Seen | None = None


class Decisions:
    """Takes decisions, and carries out what can be carried out."""

    def __init__(self, world: World, reconciler: Reconciler, options: Options) -> None:
        self._world = world
        self._reconciler = reconciler
        self._options = options

    async def decide(self, site: str, name: str, wish: Wish) -> tuple[SiteState, BookingConflict]:
        """Decide, and return site and conflict as they are stored then. Raises ``NotFound``, ``AlreadyDecided``,
        ``FactsChanged`` (also where the proposal is no longer one), ``StaleWrite`` when others keep being first,
        ``StoreUnavailable``."""
        for _ in range(TRIES):
            state, clash = await self.load(site, name)
            chosen = await self._chosen(state, clash, wish)
            decided = self._decided(clash, chosen, wish)
            after = _with_steps(replace(state, conflicts={**state.conflicts, name: decided}), chosen.steps)
            line = {"kind": "person", "what": "decided", "of": name, "home": clash.property_id}
            reason = POLICY if wish.by == POLICY else f"{PERSON}{wish.by}"
            try:
                await self._reconciler.admit(
                    state, after, reason, lines=[line | {"choice": chosen.kind.value}]
                )
            except StaleWrite:
                continue
            self._world.telemetry.event(
                "conflict_decided", site=site, conflict=name, choice=chosen.kind.value
            )
            await self._ring(after, chosen.steps)
            return await self.load(site, name)
        raise StaleWrite(f"site {site}: others were first {TRIES} times")

    async def acknowledge(self, site: str, name: str, by: str) -> tuple[SiteState, BookingConflict]:
        """Note that somebody takes care of it; who did first stays. Raises ``NotFound``, ``FactsChanged`` for one that
        is over, ``StaleWrite``, ``StoreUnavailable``."""
        for _ in range(TRIES):
            state, clash = await self.load(site, name)
            if clash.ended_at is not None:
                raise FactsChanged([_OVER])
            if clash.acknowledged is not None:
                return state, clash
            now = self._world.now()
            seen_by = replace(clash, acknowledged=Acknowledgement(by, now))
            line = {"at": now.isoformat(), "by": f"{PERSON}{by}", "kind": "person", "what": "acknowledged"}
            line |= {"of": name, "home": clash.property_id}
            try:
                await self._world.sites.commit(state, Changes(conflicts=[seen_by], history=[line]))
            except StaleWrite:
                continue
            return await self.load(site, name)
        raise StaleWrite(f"site {site}: others were first {TRIES} times")

    async def load(self, site: str, name: str) -> tuple[SiteState, BookingConflict]:
        """A site and one of its conflicts. Raises ``NotFound``."""
        try:
            state = await self._world.sites.load(site)
        except (Moved, NotFound):
            raise NotFound("there is no such conflict") from None
        clash = state.conflicts.get(name)
        if clash is None:
            raise NotFound("there is no such conflict")
        return state, clash

    async def _chosen(self, state: SiteState, clash: BookingConflict, wish: Wish) -> Proposal:
        """The proposal, if it may be decided by who has seen the facts, and the decision that stands, as they are."""
        before = wish.seen
        if clash.decision is not None and (before is None or before.decided != seen(clash).decided):
            raise AlreadyDecided(clash.decision)
        if clash.ended_at is not None:
            raise FactsChanged([_OVER])
        if before is not None:
            changed = what_changed(before, seen(clash), names_of(state, self._world.platform_names))
            if changed:
                raise FactsChanged(changed)
        found = next((one for one in await self._options.of(state, clash) if one.id == wish.proposal), None)
        if found is None:
            raise FactsChanged([_NO_PROPOSAL])
        return found

    def _decided(self, clash: BookingConflict, chosen: Proposal, wish: Wish) -> BookingConflict:
        now = self._world.now()
        seen_by = clash.acknowledged
        if seen_by is None and wish.by != POLICY:
            seen_by = Acknowledgement(wish.by, now)
        return replace(clash, decision=Decision(chosen.id, wish.by, now, wish.note), acknowledged=seen_by)

    async def _ring(self, state: SiteState, steps: Sequence[Step]) -> None:
        """The bells of a decision; the site's due row stands already, so they may be lost."""
        version = f"decided{state.head.version}"
        for step in steps:
            if step.kind is StepKind.REREAD:
                await self._world.ring(WORK, _reread(state, step, version))
        await self._world.ring(WORK, Message("site", state.site.id, version))


_OVER: Said = {
    "fr": "les deux séjours ne se chevauchent plus",
    "en": "the two stays overlap no longer",
}
_NO_PROPOSAL: Said = {
    "fr": "cette proposition n’est plus possible\u202f; relisez le conflit",
    "en": "this proposal is no longer possible; read the conflict again",
}


def _with_steps(state: SiteState, steps: Sequence[Step]) -> SiteState:
    """The site with what we do ourselves: the ledger learns that an event was our own closure. Closures follow from the
    facts in every plan; all else happens on the platforms."""
    rows = [
        row
        for step in steps
        if step.kind is StepKind.TESTIFY and step.listing in state.listings
        for row in testified(state, step)
    ]
    return replace(state, blocks={**state.blocks, **{row.key: row for row in rows}}) if rows else state


def _reread(state: SiteState, step: Step, version: str) -> Message:
    """Have a fact's source asked again: its calendar, or its platform for this one reservation."""
    fact, listing = state.reservations.get(step.fact), state.listings.get(step.listing)
    if fact is not None and fact.feed and listing is not None:
        return Message("feed", f"{listing.shard}/{listing.id}", version)
    return Message("reread", step.fact, version)
