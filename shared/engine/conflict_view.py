"""A conflict as people read it over HTTP: both sides, what could still be sold, what can be done, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.conflict_alerts import Stage, stage
from shared.domain.dates import StayDates
from shared.domain.estate import Step
from shared.domain.exposure import exposure, of_conflict
from shared.domain.model import BookingConflict, Side, SiteState
from shared.domain.proposals import Proposal, ProposalKind, kind_of
from shared.domain.spoken import LANGUAGES, Names, Said, names_of, ranges
from shared.engine import conflict_text
from shared.engine.opaque import sealed
from shared.engine.world import World

Json = dict[str, object]

TASKS = frozenset(
    {
        ProposalKind.DECLINE,
        ProposalKind.MOVE,
        ProposalKind.MOVE_TWO,
        ProposalKind.ASK_GUEST,
        ProposalKind.CANCEL,
        ProposalKind.ASK_PERSON,
    }
)
"""What only a person can do, on the platform itself."""


class View:
    """Shows the conflicts of one site as it stands."""

    def __init__(self, world: World, state: SiteState) -> None:
        self._world = world
        self._state = state
        self._names: Names = names_of(state, world.platform_names)

    def short(self, clash: BookingConflict) -> Json:
        """A conflict in a list, without proposals."""
        home = self._state.site.properties.get(clash.property_id)
        name = sealed(self._state.site.id, clash.id)
        return {
            "id": name,
            "href": f"/api/conflicts/{name}",
            "site": self._state.site.id,
            "home": clash.property_id,
            "home_name": home.name if home else clash.property_id,
            "nights": [str(dates) for dates in clash.exact],
            "nights_text": _nights(clash.exact),
            "severity": clash.severity.value,
            "severity_text": conflict_text.SEVERITIES[clash.severity],
            "state": stage(clash).value,
            "state_text": conflict_text.STAGES[stage(clash)],
            "detected_at": _at(clash.detected_at),
            "told_at": _at(clash.alerted_at),
            "acknowledged": self._acknowledged(clash),
            "decision": self._decision(clash),
            "ended_at": _at(clash.ended_at),
            "verified_at": _at(clash.verified_at),
            "who_was_first": clash.certainty.value,
            "sides": [self._side(clash, side) for side in clash.sides],
            "exposure": self._exposure(clash),
        }

    def whole(self, clash: BookingConflict, proposals: Sequence[Proposal]) -> Json:
        """A conflict by itself: also what can be done, best first, and the task that a decision left to a person."""
        chosen = clash.decision.proposal if clash.decision else ""
        task = next((one for one in proposals if one.id == chosen and one.kind in TASKS), None)
        return {
            **self.short(clash),
            "proposals": [self._proposal(one, rank) for rank, one in enumerate(proposals, 1)],
            "task": self._task(task) if task and stage(clash) is Stage.DECIDED else None,
        }

    def page(self, listing: str, dates: StayDates) -> str | None:
        """Where these nights of a listing are edited by hand, or None where no page is known."""
        one = self._state.listings.get(listing)
        return (self._world.console_link(one.platform, one.unit, dates) or None) if one else None

    def _side(self, clash: BookingConflict, side: Side) -> Json:
        return {
            "platform": str(side.platform),
            "platform_name": self._names.listings.get(side.listing, side.platform),
            "listing": side.listing,
            "home": side.home,
            "booking": self._names.cause(side.key),
            "nights": str(side.dates),
            "nights_text": _nights([side.dates]),
            "class": side.kind.value,
            "status": side.status.value,
            "what": conflict_text.kind(side),
            "known_since": _at(side.since),
            "first": side.key == clash.conflicting_bookings[0],
            "how_sure": conflict_text.how_sure(side),
            "page": self.page(side.listing, side.dates),
        }

    def _exposure(self, clash: BookingConflict) -> list[Json]:
        if clash.ended_at is not None:
            return []
        found = of_conflict(exposure(self._state, self._world.now()), clash)
        return [
            {
                "platform": str(one.platform),
                "platform_name": self._names.listings.get(one.listing, one.platform),
                "listing": one.listing,
                "nights": str(one.dates),
                "since": _at(one.since),
                "seconds": _seconds(one.since, self._world.now()),
                "on_its_way": one.sent,
                "page": self.page(one.listing, one.dates),
            }
            for one in found
        ]

    def _proposal(self, one: Proposal, rank: int) -> Json:
        return {
            "id": one.id,
            "rank": rank,
            "kind": one.kind.value,
            "what": conflict_text.LABELS[one.kind],
            "reason": dict(one.reason),
            "cost": dict(one.cost),
            "what_will_happen": dict(one.outcome),
            "message": dict(one.message) or None,
            "can_be_taken_back": one.reversible,
            "automatic": one.automatic,
            "by_hand": one.kind in TASKS,
            "steps": [self._step(step) for step in one.steps],
        }

    def _task(self, one: Proposal) -> Json:
        return {
            "what": conflict_text.LABELS[one.kind],
            "steps": [self._step(step) for step in one.steps],
            "message": dict(one.message) or None,
        }

    def _step(self, step: Step) -> Json:
        listing = self._state.listings.get(step.listing)
        return {
            "do": step.kind.value,
            "booking": self._names.cause(step.fact) if step.fact else None,
            "listing": step.listing,
            "platform": str(listing.platform) if listing else None,
            "nights": str(step.dates),
            "to": step.to or None,
            "page": self.page(step.listing, step.dates),
        }

    def _acknowledged(self, clash: BookingConflict) -> Json | None:
        one = clash.acknowledged
        return {"by": one.by, "at": _at(one.at)} if one else None

    def _decision(self, clash: BookingConflict) -> Json | None:
        one = clash.decision
        if one is None:
            return None
        kind = kind_of(one.proposal)
        what = conflict_text.LABELS[kind] if kind else None
        found: Json = {"proposal": one.proposal, "what": what, "by": one.by, "at": _at(one.at)}
        return {**found, "note": one.note or None}


def _nights(dates: Sequence[StayDates]) -> Said:
    return {language: ranges(dates, language) for language in LANGUAGES}


def _at(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _seconds(since: datetime | None, now: datetime) -> int | None:
    return round((now - since).total_seconds()) if since else None
