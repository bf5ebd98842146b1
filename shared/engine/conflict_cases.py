"""The double bookings of a person's homes as values: look, take care of one, decide. Pages and the JSON API show these.

Whoever does not see a conflict's owner is told that there is no such conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from unicodedata import category

from shared.domain.access import Person
from shared.domain.conflict_alerts import home_of
from shared.domain.errors import NotFound, PayloadRejected
from shared.domain.model import BookingConflict, ConflictSeverity, SiteState
from shared.domain.proposals import Proposal
from shared.engine.conflict_decide import Decisions, Wish
from shared.engine.conflict_options import Options
from shared.engine.conflict_version import read_tag, seen
from shared.engine.conflict_view import Json, View
from shared.engine.homes_seen import states_seen
from shared.engine.opaque import sealed, unsealed
from shared.engine.scope import must_decide, must_see
from shared.engine.world import World

KEPT = timedelta(days=30)
"""How long what is over stays in the list."""

MOST_NOTE = 500
"""Characters of a person's note."""


@dataclass(frozen=True, slots=True)
class Case:
    """A conflict with the site it stands in, as one load gave both, and what can be done about it."""

    state: SiteState
    clash: BookingConflict
    proposals: tuple[Proposal, ...] = ()

    @property
    def name(self) -> str:
        """How addresses call it."""
        return sealed(self.state.site.id, self.clash.id)

    @property
    def tag(self) -> str:
        """The ETag of what a decision rests on."""
        return seen(self.clash).tag

    @property
    def zone(self) -> str:
        """The zone in which its times are told."""
        return home_of(self.state, self.clash).zone


class Cases:
    """Finds conflicts, and takes people's words about them."""

    def __init__(self, world: World, options: Options, decisions: Decisions) -> None:
        self._world = world
        self._options = options
        self._decisions = decisions

    async def listed(self, person: Person) -> list[Case]:
        """Every conflict this person sees, open ones on top, the worst and soonest first; what is over for 30 days.
        Without proposals. Raises ``StoreUnavailable``."""
        now = self._world.now()
        found = [
            Case(state, one)
            for state in await states_seen(self._world, person)
            for one in state.conflicts.values()
            if one.ended_at is None or now - one.ended_at <= KEPT
        ]
        return sorted(found, key=order)

    async def bare(self, person: Person, name: str) -> Case:
        """One conflict without what can be done: for one read of the tables. Raises ``NotFound``,
        ``StoreUnavailable``."""
        site, conflict = place(name)
        return Case(*await self._load(person, site, conflict))

    async def shown(self, person: Person, name: str) -> Case:
        """One conflict with what can be done. Raises ``NotFound``, ``StoreUnavailable``."""
        site, conflict = place(name)
        return await self._case(*await self._load(person, site, conflict))

    async def acknowledge(self, person: Person, name: str) -> Case:
        """Note that this person takes care of it; who did first stays. Raises ``NotFound``, ``NotAllowed``,
        ``FactsChanged`` for one that is over, ``StaleWrite``, ``StoreUnavailable``."""
        site, conflict = place(name)
        must_decide(person, (await self._load(person, site, conflict))[0].site.owner, _NONE)
        return await self._case(*await self._decisions.acknowledge(site, conflict, person.name))

    async def decide(self, person: Person, name: str, proposal: str, note: str, tag: str) -> Case:
        """Decide on a proposal that was read under the ETag ``tag``. Raises ``PayloadRejected`` naming the field,
        ``NotFound``, ``NotAllowed``, ``AlreadyDecided``, ``FactsChanged``, ``StaleWrite``, ``StoreUnavailable``."""
        site, conflict = place(name)
        before = read_tag(tag)
        if before is None:
            raise PayloadRejected("If-Match is no ETag of this conflict: send the one you got with it")
        wish = Wish(proposal, person.name, checked_note(note), before)
        must_decide(person, (await self._load(person, site, conflict))[0].site.owner, _NONE)
        return await self._case(*await self._decisions.decide(site, conflict, wish))

    def short(self, case: Case) -> Json:
        """A conflict in a list."""
        return View(self._world, case.state).short(case.clash)

    def whole(self, case: Case) -> Json:
        """A conflict by itself."""
        return View(self._world, case.state).whole(case.clash, case.proposals)

    async def _load(self, person: Person, site: str, conflict: str) -> tuple[SiteState, BookingConflict]:
        state, clash = await self._decisions.load(site, conflict)
        must_see(person, state.site.owner, _NONE)
        return state, clash

    async def _case(self, state: SiteState, clash: BookingConflict) -> Case:
        return Case(state, clash, await self._options.of(state, clash))


_NONE = "there is no such conflict"


def place(name: str) -> tuple[str, str]:
    """Site and conflict. Raises ``NotFound`` for a word that is none of ours."""
    try:
        site, conflict = unsealed(name, 2)
    except PayloadRejected:
        raise NotFound(_NONE) from None
    return site, conflict


def checked_note(note: str) -> str:
    """A person's note, with plain line ends. Raises ``PayloadRejected`` for one that is too long or that holds what no
    screen shows; any blank a keyboard writes is welcome."""
    plain = note.replace("\r\n", "\n")
    if len(plain) > MOST_NOTE or any(category(sign) == "Cc" and sign not in "\n\t" for sign in plain):
        raise PayloadRejected(f"note is longer than {MOST_NOTE} characters, or holds control characters")
    return plain


def order(case: Case) -> tuple[object, ...]:
    """Open ones first, the worst and soonest of them; then what is over, the latest first."""
    clash = case.clash
    if clash.ended_at is None:
        return (0, list(ConflictSeverity).index(clash.severity), clash.conflict_dates, clash.id)
    return (1, -clash.ended_at.timestamp(), clash.conflict_dates, clash.id)
