"""The links calendars travel by: those we publish, and a look into those that others publish."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta

from shared.domain.model import Busy
from shared.domain.spoken import PARIS
from shared.engine.connect import Connected, NewLink, NotConnected
from shared.engine.link_view import LinkView
from shared.engine.look import Looked, Refusal, Stretch
from shared.state.fetches import Fetch
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, problem_in_words, refused
from shared.web.api.models import Connection, FeedCheck, Renewal
from shared.web.desk import Desk

Json = dict[str, object]


async def listed(desk: Desk, ask: Ask) -> HttpAnswer:
    """All of a person's homes; their addresses on demand, for whoever decides."""
    found = await desk.operations.link_views.listed(ask.person)
    whole = ask.query.get("addresses", "") == "true"
    return json_answer(200, {"links": [_link(desk, one, whole=whole) for one in found]})


async def shown(desk: Desk, ask: Ask) -> HttpAnswer:
    """One, with its address for whoever decides."""
    return await _answered(desk, desk.operations.link_views.one(ask.person, ask.params["id"]))


async def renew(desk: Desk, ask: Ask) -> HttpAnswer:
    """A new address; the old one opens the calendar some days more."""
    days = timedelta(days=Renewal.model_validate_json(ask.body or b"{}").days)
    return await _answered(desk, desk.operations.links.renew(ask.person, ask.params["id"], days))


async def revoke(desk: Desk, ask: Ask) -> HttpAnswer:
    """No address any more."""
    return await _answered(desk, desk.operations.links.revoke(ask.person, ask.params["id"]))


async def disconnect(desk: Desk, ask: Ask) -> HttpAnswer:
    """Its calendar is read no more."""
    return await _answered(desk, desk.operations.links.disconnect(ask.person, ask.params["id"]))


async def check(desk: Desk, ask: Ask) -> HttpAnswer:
    """What is in a calendar link; it stands in the body alone and nothing is stored."""
    given = FeedCheck.model_validate_json(ask.body)
    looked = await desk.operations.link_desk.look(given.url, given.platform or "", given.zone or PARIS)
    if isinstance(looked, Refusal):
        return problem_in_words(400, looked.why.value, looked.said)
    return json_answer(200, _looked(desk, looked))


async def connect(desk: Desk, ask: Ask) -> HttpAnswer:
    """Add a calendar to a home, or found a home with it: 201, 200 where it was connected before."""
    given = Connection.model_validate_json(ask.body)
    wanted = NewLink(
        given.url,
        given.platform or "",
        given.home or "",
        given.name or "",
        given.owner or "",
        given.zone or PARIS,
    )
    done = await desk.operations.connect.connect(ask.person, wanted, ask.language)
    if isinstance(done, Connected):
        where = f"/api/links/{done.link_id}"
        made = {"link": done.link_id, "href": where, "listing": done.listing, "home": done.home}
        return json_answer(201 if done.anew else 200, {**made, "anew": done.anew}, location=where)
    if isinstance(done, NotConnected):
        return problem_in_words(400, done.why or f"wrong_{done.field}", done.said)
    return problem_in_words(400, done.why.value, done.said)


async def _answered(desk: Desk, doing: Awaitable[LinkView]) -> HttpAnswer:
    try:
        return json_answer(200, _link(desk, await doing, whole=True))
    except REFUSALS as wrong:
        return refused(wrong)


def _link(desk: Desk, one: LinkView, *, whole: bool) -> Json:
    shown = one.token and whole
    return {
        "id": one.id,
        "href": f"/api/links/{one.id}",
        "listing": one.listing,
        "home": one.home,
        "home_name": one.home_name,
        "platform": str(one.platform),
        "platform_name": one.platform_name,
        "address": f"{desk.public}/export/{one.token}.ics" if shown else None,
        "revoked": one.revoked,
        "former_until": one.former_until.isoformat() if one.former_until else None,
        "served": one.servable,
        "waits_for": list(one.silent),
        "read_by_platform": _fetch(one.fetches.peer),
        "read_by_others": _fetch(one.fetches.other),
        "reads_from": one.host or None,
        "last_answer": one.good.isoformat() if one.good else None,
        "fresh": one.fresh,
        "error": one.error or None,
        "dead": one.dead,
        "stays": one.stays,
    }


def _fetch(one: Fetch | None) -> Json | None:
    return {"at": one.at.isoformat(), "agent": one.agent, "status": one.status} if one else None


def _looked(desk: Desk, looked: Looked) -> Json:
    names = desk.operations.world.platform_names
    return {
        "host": looked.host,
        "platform": str(looked.platform),
        "platform_name": names.get(looked.platform, looked.platform),
        "recognised": looked.recognised,
        "stays": looked.counted(Busy.STAY),
        "past": looked.past,
        "taken": [_taken(one) for one in looked.ahead],
        "oddities": list(looked.oddities),
    }


def _taken(one: Stretch) -> Json:
    return {"kind": one.kind.value, "nights": str(one.dates)}
