"""How whoever asks wants to be told."""

from __future__ import annotations

from collections.abc import Awaitable

from shared.engine.notice_desk import ChoiceRefused, NoticesView, Sent
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import json_answer, problem_more
from shared.web.api.models import NotificationsWish, WayWish
from shared.web.desk import Desk


async def shown(desk: Desk, ask: Ask) -> HttpAnswer:
    """As things stand."""
    return json_answer(200, _json(await desk.operations.notices.show(ask.person)))


async def choose(desk: Desk, ask: Ask) -> HttpAnswer:
    """When one is told of what."""
    wish = NotificationsWish.model_validate_json(ask.body)
    return await _after(desk, ask, desk.operations.notices.choose(ask.person, wish.model_dump()))


async def add(desk: Desk, ask: Ask) -> HttpAnswer:
    """One way more; its address stands in the body alone."""
    wish = WayWish.model_validate_json(ask.body)
    return await _after(desk, ask, desk.operations.notices.add(ask.person, wish.way, wish.address))


async def remove(desk: Desk, ask: Ask) -> HttpAnswer:
    """One way less."""
    return await _after(desk, ask, desk.operations.notices.remove(ask.person, ask.params["mark"]))


async def test(desk: Desk, ask: Ask) -> HttpAnswer:
    """A trial to every way."""
    return await _after(desk, ask, desk.operations.notices.test(ask.person))


async def _after(desk: Desk, ask: Ask, doing: Awaitable[None]) -> HttpAnswer:
    try:
        await doing
    except ChoiceRefused as wrong:
        return problem_more(400, str(wrong), reason=wrong.why)
    return await shown(desk, ask)


def _json(view: NoticesView) -> dict[str, object]:
    hours = view.hours
    return {
        "topics": {topic.value: timing.value for topic, timing in view.timing.items()},
        "always_at_once": sorted(topic.value for topic in view.must),
        "zone": hours.zone,
        "begins": f"{hours.begins:%H:%M}",
        "ends": f"{hours.ends:%H:%M}",
        "digest": f"{hours.digest:%H:%M}",
        "language": view.language,
        "ways": [
            {"mark": one.mark, "way": one.way, "address": one.masked, "usable": one.usable}
            for one in view.targets
        ],
        "possible_ways": list(view.ways),
        "chosen": view.saved,
        "portfolio_address": view.portfolio or None,
        "waiting_for_digest": view.waiting,
        "sent": [_sent(one) for one in view.sent],
    }


def _sent(one: Sent) -> dict[str, object]:
    return {
        "at": one.at.isoformat(),
        "kind": one.kind,
        "severity": one.severity,
        "text": dict(one.text),
        "ways": [{"way": way, "state": state} for way, state in one.ways],
        "why": one.why or None,
    }
