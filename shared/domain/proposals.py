"""Proposals: what can be done about a double booking, ranked, each with its reason, its price and what follows.

Who keeps the nights is decided once for all conflicts that hang together (``resolution``). Nothing here is done by
being proposed; only what can be taken back and what no guest notices may ever be done without a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain import proposal_words as words
from shared.domain.estate import Equivalent, Step, StepKind, estate_of
from shared.domain.model import Automatic, BookingConflict, Busy, SiteState, Source, Status
from shared.domain.occupancy import Occupancy
from shared.domain.proposal_words import Scene
from shared.domain.resolution import Resolution, is_in_house, resolve


class ProposalKind(StrEnum):
    """In the order in which they are preferred: what costs nobody anything comes first."""

    DROP_STALE = (
        "drop_stale"  # ask again for what is only claimed, or no longer shown: it goes if it is not there
    )
    DROP_ECHO = "drop_echo"  # say that an event is our own closure, come back
    DECLINE = "decline"
    MOVE = "move"
    MOVE_TWO = "move_two"
    ASK_GUEST = "ask_guest"
    CANCEL = "cancel"
    ASK_PERSON = "ask_person"


REVERSIBLE = frozenset({ProposalKind.DROP_STALE, ProposalKind.DROP_ECHO, ProposalKind.ASK_PERSON})
"""What can be taken back: the source's next answer, or withdrawing one's word, brings the conflict back."""

AUTOMATIC = frozenset({ProposalKind.DROP_STALE})
"""What a home's policy may allow without a person. Dropping an echo can be taken back too, but if it was a sale after
all, its conflict would be silent: that takes a person's word (rule 3)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way out. ``id`` is its kind and a mark of the conflict and the steps with their nights: the same facts
    propose the same, and a proposal that is no longer among those of now was made of facts that have changed.

    ``reason``, ``cost`` and ``outcome`` are sentences in "fr" and "en"; ``message`` is a text for the guest, without a
    name, or empty. ``automatic``: the home's policy lets the engine do it by itself. ``concerns`` is the fact that
    gives way, empty where that is open.
    """

    id: str
    kind: ProposalKind
    steps: tuple[Step, ...]
    concerns: str
    reason: Mapping[str, str]
    cost: Mapping[str, str]
    outcome: Mapping[str, str]
    message: Mapping[str, str] = field(default_factory=dict)
    reversible: bool = False
    automatic: bool = False


def propose(
    state: SiteState,
    conflict: BookingConflict,
    equivalents: Iterable[Equivalent],
    policy: Automatic,
    now: datetime,
    platforms: Mapping[str, str] | None = None,
) -> tuple[Proposal, ...]:
    """What can be done about an open conflict, best first; to ask a person is always among it. Nothing for one that is
    over, or whose facts are no longer there.

    ``equivalents`` are the homes that could take a guest over, each with its site; ``policy`` is what the conflict's
    home allows; ``now`` is store time; ``platforms`` are the platforms' proper names by id.
    """
    if conflict.ended_at is not None or not state.reservations.keys() >= set(conflict.conflicting_bookings):
        return ()
    estate = estate_of(state, equivalents)
    found = resolve(estate, state.site.id, conflict, now)
    if not set(conflict.conflicting_bookings) <= found.claims.keys():
        return ()
    made = _Made(conflict, words.scene_of(estate, conflict, platforms or {}), policy, state, found, now)
    sides = [one for key in conflict.conflicting_bookings for one in found.claims[key]]
    order = _DOUBTFUL if any(one.kind is Busy.CLOSED for one in sides) else tuple(ProposalKind)
    return tuple(sorted(_all(made, sides), key=lambda one: order.index(one.kind)))


_DOUBTFUL = (
    ProposalKind.DROP_STALE,
    ProposalKind.DROP_ECHO,
    ProposalKind.ASK_PERSON,
    *(kind for kind in ProposalKind if kind not in (*REVERSIBLE, ProposalKind.ASK_PERSON)),
)
"""The order where a calendar cannot tell a sale from a closure: a person looks before any guest is bothered."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What every proposal of one conflict is made of."""

    conflict: BookingConflict
    scene: Scene
    policy: Automatic
    state: SiteState
    found: Resolution
    now: datetime

    def proposal(self, kind: ProposalKind, steps: tuple[Step, ...], concerns: str = "") -> Proposal:
        said = words.SAID[kind.value](self.scene, steps)
        return Proposal(
            id=_id(self.conflict.id, kind, steps),
            kind=kind,
            steps=steps,
            concerns=concerns,
            reason=said.reason,
            cost=said.cost,
            outcome=said.outcome,
            message=said.message,
            reversible=kind in REVERSIBLE,
            automatic=kind in AUTOMATIC and self.policy is Automatic.SAFE,
        )


def _all(made: _Made, sides: Sequence[Occupancy]) -> Iterator[Proposal]:
    doubts = [one for one in sides if one.source is Source.HINT or one.fading]
    if doubts:
        steps = tuple(_step(StepKind.REREAD, one) for one in doubts)
        yield made.proposal(ProposalKind.DROP_STALE, steps, doubts[0].cause)
    goes = _who_goes(made)
    claims = made.found.claims.get(goes, ())
    if claims and not is_in_house(claims, made.now):
        yield from _of_goer(made, goes, claims)
    yield made.proposal(ProposalKind.ASK_PERSON, tuple(_step(StepKind.LOOK, one) for one in sides))


def _who_goes(made: _Made) -> str:
    """The fact whose going ends this conflict: one of its two, or, where both keep a unit of a counted room, whoever
    else has to make room that night; empty where nobody has to."""
    goes = made.found.goes
    mine = [key for key in goes if key in made.conflict.conflicting_bookings]
    beside = [
        key
        for key in goes
        if any(one.dates.overlaps(n) for one in made.found.claims[key] for n in made.conflict.exact)
    ]
    return next(reversed(mine or beside), "")


def _of_goer(made: _Made, key: str, claims: Sequence[Occupancy]) -> Iterator[Proposal]:
    """The ways in which one fact can give way."""
    if all(is_own_closure(made.state, one, made.conflict) for one in claims):
        yield made.proposal(ProposalKind.DROP_ECHO, _steps(StepKind.TESTIFY, claims), key)
    if all(one.status is Status.PENDING for one in claims):
        if not all(one.source is Source.HINT for one in claims):
            yield made.proposal(ProposalKind.DECLINE, _steps(StepKind.DECLINE, claims), key)
        return
    if all(one.fading for one in claims):
        return
    moves = made.found.moves.get(key, ())
    if moves:
        kind = ProposalKind.MOVE if len(moves) == 1 else ProposalKind.MOVE_TWO
        yield made.proposal(kind, moves, key)
    yield made.proposal(ProposalKind.ASK_GUEST, _steps(StepKind.MESSAGE, claims), key)
    yield made.proposal(ProposalKind.CANCEL, _steps(StepKind.CANCEL, claims), key)


def is_own_closure(state: SiteState, one: Occupancy, conflict: BookingConflict) -> bool:
    """Whether it may be our closure of the other fact's nights, come back: a calendar shows, without telling a sale
    from a closure, the very nights we had published there before. Nothing proves that its platform had read them by
    then, or it would not be a conflict."""
    if one.kind is not Busy.CLOSED or one.source is not Source.FEED:
        return False
    others = set(conflict.conflicting_bookings) - {one.cause}
    return any(
        row.wanted
        and row.listing == one.listing
        and row.cause.partition("#")[0] in others
        and row.dates == one.dates
        and row.created_at is not None
        and row.created_at < one.since
        for row in state.blocks.values()
    )


def _steps(kind: StepKind, claims: Iterable[Occupancy]) -> tuple[Step, ...]:
    return tuple(_step(kind, one) for one in claims)


def _step(kind: StepKind, one: Occupancy) -> Step:
    return Step(kind, one.cause, one.listing, one.dates)


def _id(conflict: str, kind: ProposalKind, steps: Iterable[Step]) -> str:
    told = [f"{s.kind}|{s.fact}|{s.listing}|{s.dates}|{s.to}" for s in steps]
    return f"{kind}-{hashlib.sha256(chr(10).join((conflict, kind, *told)).encode()).hexdigest()[:16]}"


def kind_of(proposal: str) -> ProposalKind | None:
    """The kind of a proposal by its id, also once the facts it was made of have changed; None for no id of ours."""
    name = proposal.rpartition("-")[0]
    return ProposalKind(name) if name in set(ProposalKind) else None
