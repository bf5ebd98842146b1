"""The conflict room: double bookings over HTTP. Look at them, say that somebody takes care, decide.

A decision names the ETag of what its maker read, so that of two people one decides and the other learns who did, and
nobody decides about facts that are no longer so.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.access import Person
from shared.domain.errors import PayloadRejected
from shared.domain.spoken import Said
from shared.engine.answers import REFUSALS, json_answer, problem_in_words, refused
from shared.engine.conflict_cases import Case, Cases, checked_note
from shared.engine.conflict_decide import AlreadyDecided, Decisions, FactsChanged
from shared.engine.conflict_options import Options
from shared.engine.conflict_text import decided_by, said_together
from shared.engine.conflict_version import read_tag
from shared.engine.work import parse_request
from shared.engine.world import World
from shared.use_cases import HttpAnswer

_FIELDS = ("proposal", "note")


class ConflictRoom:
    """Answers what people ask about conflicts."""

    def __init__(self, world: World, options: Options, decisions: Decisions) -> None:
        self._world = world
        self.cases = Cases(world, options, decisions)

    async def listed(self, person: Person) -> HttpAnswer:
        """200 with every conflict of a person's homes, open ones on top, the worst and soonest first; what is over for
        30 days."""
        now = self._world.now()
        found = [self.cases.short(case) for case in await self.cases.listed(person)]
        return json_answer(200, {"at": now.isoformat(), "conflicts": found})

    async def shown(self, person: Person, name: str) -> HttpAnswer:
        """200 with the conflict, its proposals, and the ETag that a decision must name; 404 for none of theirs."""
        try:
            return self._answer(await self.cases.shown(person, name))
        except REFUSALS as wrong:
            return refused(wrong)

    async def acknowledge(self, person: Person, name: str) -> HttpAnswer:
        """200 with the conflict, acknowledged by whoever was first; 404; 409 for one that is over."""
        try:
            return self._answer(await self.cases.acknowledge(person, name))
        except REFUSALS as wrong:
            return refused(wrong)
        except FactsChanged as wrong:
            return problem_in_words(409, "over", said_together("", wrong.what))

    async def resolve(self, person: Person, name: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Decide. 200 with the conflict as it is then; 400 naming a wrong field, 404, 409 when somebody was first, 412
        when the facts have changed, 428 without If-Match."""
        try:
            await self.cases.shown(person, name)  # a name of nothing of theirs goes before a wrong body
            proposal, note = _wish(body)
            tag = _tag(headers)
        except REFUSALS as wrong:
            return refused(wrong)
        if not tag:
            return problem_in_words(428, "unread", _UNREAD)
        try:
            return self._answer(await self.cases.decide(person, name, proposal, note, tag))
        except REFUSALS as wrong:
            return refused(wrong)
        except AlreadyDecided as wrong:
            now_on = await self.cases.shown(person, name)
            said = decided_by(wrong.decision, now_on.zone)
            return problem_in_words(409, "already-decided", said, etag=now_on.tag)
        except FactsChanged as wrong:
            return problem_in_words(412, "facts-changed", said_together("changed", wrong.what))

    def _answer(self, case: Case) -> HttpAnswer:
        return json_answer(200, self.cases.whole(case), etag=case.tag)


def _wish(body: bytes) -> tuple[str, str]:
    """The proposal and the note of a body. Raises ``PayloadRejected`` naming the field."""
    fields = parse_request(body)
    unknown = sorted(fields.keys() - set(_FIELDS))
    if unknown:
        raise PayloadRejected(f"unknown field {unknown[0][:40]!r}: there are {', '.join(_FIELDS)}")
    if not fields.get("proposal"):
        raise PayloadRejected("proposal is missing: the id of one of the conflict's proposals")
    return fields["proposal"], checked_note(fields.get("note", ""))


def _tag(headers: Mapping[str, str]) -> str:
    """What If-Match names; empty where it names nothing. Raises ``PayloadRejected`` for what is no ETag of ours."""
    tag = next((value for key, value in headers.items() if key.lower() == "if-match"), "").strip()
    if tag in ("", "*"):
        return ""
    if read_tag(tag) is None:
        raise PayloadRejected("If-Match is no ETag of this conflict: send the one you got with it")
    return tag


_UNREAD: Said = {
    "fr": "Lisez d'abord le conflit, puis renvoyez son ETag dans If-Match.",
    "en": "Read the conflict first, then send its ETag in If-Match.",
}
