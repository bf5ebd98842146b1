"""What vanished and is still held."""

from __future__ import annotations

from shared.engine.removals import RemovalChanged, Waiting
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, problem_in_words, refused
from shared.web.desk import Desk

Json = dict[str, object]


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """All of a person's homes, or of one: the soonest arrival first."""
    site, home = ask.query.get("site", ""), ask.query.get("home", "")
    try:
        found = await desk.operations.vanished.found(ask.person, site, home)
    except REFUSALS as wrong:
        return refused(wrong)
    return json_answer(200, {"removals": [_shown(one) for one in found]})


async def release(desk: Desk, ask: Ask) -> HttpAnswer:
    """Let go of one: 200 also when the same click did it before, 409 in words when the facts have changed."""
    try:
        done = await desk.operations.vanished.let_go(ask.person, ask.params["id"])
    except REFUSALS as wrong:
        return refused(wrong)
    except RemovalChanged as wrong:
        return problem_in_words(409, "facts-changed", wrong.said)
    shown: Json = {"released": list(done.nights), "by": done.by, "at": done.at}
    return json_answer(200, {**shown, "already": done.already, "opening_waits_for": list(done.waits)})


def _shown(one: Waiting) -> Json:
    return {
        "id": one.id,
        "site": one.site,
        "home": one.home,
        "home_name": one.home_name,
        "listing": one.listing,
        "platform": one.platform_name,
        "of": one.of,
        "stay": str(one.stay),
        "nights": [str(dates) for dates in one.nights],
        "nights_text": one.nights_text,
        "since": one.since.isoformat(),
        "reason": one.doubt.value,
        "vanished_at_once": one.at_once,
        "reason_text": one.reason,
        "confirmed_by": one.confirmed_by,
        "at_the_latest": one.by.isoformat() if one.by else None,
    }
