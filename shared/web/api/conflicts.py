"""Double bookings: look, take care of one, decide.

A decision names the ETag of what its maker read, so that of two people one decides and the other learns who did, and
nobody decides about facts that are no longer so.
"""

from __future__ import annotations

from shared.domain.spoken import Said
from shared.engine.conflict_cases import Case
from shared.engine.conflict_decide import AlreadyDecided, FactsChanged
from shared.engine.conflict_text import decided_by, said_together
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, problem_in_words, refused
from shared.web.api.models import Decision
from shared.web.desk import Desk


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """All of a person's homes: open ones on top, the worst and soonest first; what is over for 30 days."""
    operations = desk.operations
    found = [operations.cases.short(case) for case in await operations.cases.listed(ask.person)]
    return json_answer(200, {"at": operations.world.now().isoformat(), "conflicts": found})


async def shown(desk: Desk, ask: Ask) -> HttpAnswer:
    """One of them with its proposals, and the ETag that a decision must name."""
    try:
        return _answer(desk, await desk.operations.cases.shown(ask.person, ask.params["id"]))
    except REFUSALS as wrong:
        return refused(wrong)


async def acknowledge(desk: Desk, ask: Ask) -> HttpAnswer:
    """Take care of one: it is acknowledged by whoever was first; 409 for one that is over."""
    try:
        return _answer(desk, await desk.operations.cases.acknowledge(ask.person, ask.params["id"]))
    except REFUSALS as wrong:
        return refused(wrong)
    except FactsChanged as wrong:
        return problem_in_words(409, "over", said_together("", wrong.what))


async def resolve(desk: Desk, ask: Ask) -> HttpAnswer:
    """Decide about one: 409 when somebody was first, 412 when the facts have changed, 428 without If-Match."""
    cases, name = desk.operations.cases, ask.params["id"]
    wish, tag = Decision.model_validate_json(ask.body), ask.headers.get("if-match", "").strip()
    try:
        await cases.shown(ask.person, name)  # a name of nothing of theirs goes before a wrong tag
        if tag in ("", "*"):
            return problem_in_words(428, "unread", _UNREAD)
        return _answer(desk, await cases.decide(ask.person, name, wish.proposal, wish.note, tag))
    except REFUSALS as wrong:
        return refused(wrong)
    except AlreadyDecided as wrong:
        now_on = await cases.shown(ask.person, name)
        return problem_in_words(
            409, "already-decided", decided_by(wrong.decision, now_on.zone), etag=now_on.tag
        )
    except FactsChanged as wrong:
        return problem_in_words(412, "facts-changed", said_together("changed", wrong.what))


def _answer(desk: Desk, case: Case) -> HttpAnswer:
    return json_answer(200, desk.operations.cases.whole(case), etag=case.tag)


_UNREAD: Said = {
    "fr": "Lisez d’abord le conflit, puis renvoyez son ETag dans If-Match.",
    "en": "Read the conflict first, then send its ETag in If-Match.",
}
