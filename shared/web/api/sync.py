"""Synchronisations that people ask for."""

from __future__ import annotations

from shared.domain.model import SyncMode
from shared.domain.wish import Wanted
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, refused
from shared.web.api.job import as_json
from shared.web.api.models import SyncWish
from shared.web.desk import Desk


async def start(desk: Desk, ask: Ask) -> HttpAnswer:
    """Start one, or learn which one does it already. Somebody who does not decide for all owners asks for the homes of
    those he decides for."""
    wish = SyncWish.model_validate_json(ask.body or b"{}")
    wanted = Wanted(SyncMode(wish.mode), wish.platform or "", wish.property or "", wish.site or "")
    try:
        job = await desk.operations.sync_desk.start(ask.person, wanted)
    except REFUSALS as wrong:
        return refused(wrong)
    shown = as_json(job, desk.operations.world.now())
    href = f"/api/jobs/{job.head.id}"
    return json_answer(202, {**shown, "href": href, "steps": len(job.steps)}, location=href)


async def job(desk: Desk, ask: Ask) -> HttpAnswer:
    """How far it is, and what came of it."""
    try:
        found = await desk.operations.asked.job(ask.person, ask.params["id"])
    except REFUSALS as wrong:
        return refused(wrong)
    return json_answer(200, as_json(found, desk.operations.world.now()))
