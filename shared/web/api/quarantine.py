"""What nobody could process."""

from __future__ import annotations

from datetime import datetime

from shared.domain import unprocessed
from shared.engine.quarantine import Aside, CannotHelp, DeadLetter
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, problem, refused
from shared.web.desk import Desk

Json = dict[str, object]


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """With its reasons, without what it held."""
    found = await desk.operations.poisoned.found(ask.person)
    dead = None if found.dead is None else [_letter(one) for one in found.dead]
    rows = [_aside(one, found.at) for one in found.rows]
    shown = {
        "quarantine": rows,
        "left_out": found.left_out,
        "dead_letters": dead,
        "bus": found.silent or None,
    }
    return json_answer(200, shown)


async def replay(desk: Desk, ask: Ask) -> HttpAnswer:
    """Try one again: 202 when it is on its way, 200 when it was before; 409 in a word when that cannot help."""
    try:
        done = await desk.operations.poisoned.replay(ask.person, ask.params["id"])
    except REFUSALS as wrong:
        return refused(wrong)
    except CannotHelp as wrong:
        return problem(409, str(wrong))
    shown: Json = {"replayed": True, "already": done.already, "by": done.by}
    if not done.already:
        return json_answer(202, shown)
    return json_answer(200, {**shown, "at": done.at and done.at.isoformat()})


def _aside(one: Aside, now: datetime) -> Json:
    return {
        "id": one.id,
        "what": one.what.value,
        "source": one.source,
        "reason": one.reason,
        "reason_text": unprocessed.said(one.reason),
        "at": one.at.isoformat() if one.at else None,
        "age_s": round((now - one.at).total_seconds()) if one.at else None,
        "size": one.size,
        "correlation": one.correlation or None,
    }


def _letter(one: DeadLetter) -> Json:
    return {
        "id": one.id,
        "queue": one.queue,
        "sequence": one.sequence,
        "kind": one.kind or None,
        "reason": one.reason or None,
        "reason_text": unprocessed.said(one.reason) if one.reason else None,
        "deliveries": one.deliveries,
        "size": one.size,
        "correlation": one.correlation or None,
    }
