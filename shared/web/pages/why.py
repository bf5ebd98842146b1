"""Why a night is as it is: a home and a date in, the chain of causes out."""

from __future__ import annotations

from shared.domain.errors import NotFound
from shared.engine.homes_seen import homes_by_name, states_seen
from shared.use_cases import Ask, HttpAnswer
from shared.web.days import read_day
from shared.web.desk import Desk
from shared.web.refusals import no_such_thing


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """The form, and the answer where a home and a date are named."""
    states = await states_seen(desk.operations.world, ask.person)
    homes = homes_by_name(states)
    home, written = ask.query.get("home", ""), ask.query.get("date", "")
    now = desk.operations.world.now()
    zones = {name: one.zone for state in states for name, one in state.site.properties.items()}
    if home and home not in zones:
        return no_such_thing(desk.pages, ask)
    night = read_day(written)
    wrong = bool(written) and night is None
    answer = None
    if home and night is not None:
        try:
            answer = await desk.operations.explain.reasons(ask.person, home, night)
        except NotFound:
            return no_such_thing(desk.pages, ask)
    today = next(
        (state.site.properties[one].today(now) for state in states for one in state.site.properties),
        now.date(),
    )
    return desk.pages.page(
        ask,
        "why.html",
        400 if wrong else 200,
        homes=homes,
        channels={name: one.platform for state in states for name, one in state.listings.items()},
        home=home,
        date=written or today.isoformat(),
        wrong=wrong,
        answer=answer,
        zone=zones.get(home, ""),
    )
