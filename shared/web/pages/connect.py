"""Connecting a calendar: paste a link, see at once what is in it, name the home, confirm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.model import Busy
from shared.domain.platform import Platform
from shared.domain.spoken import PARIS, Said
from shared.engine.connect import Connected, NewLink, NotConnected
from shared.engine.look import Looked, Refusal
from shared.engine.look_text import odd
from shared.engine.turn import Taken
from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk
from shared.web.forms import form
from shared.web.render import see
from shared.web.words import words

MOST_SHOWN = 12
"""Stretches of a calendar that are listed; the rest are counted."""

ZONES = (
    PARIS,
    "Indian/Reunion",
    "Indian/Mayotte",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Pacific/Noumea",
    "Pacific/Tahiti",
    "Europe/Brussels",
    "Europe/Zurich",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Madrid",
    "Europe/Rome",
    "Africa/Casablanca",
)
"""Time zones to choose from: those of France, and of hosts nearby. Any other stands in the portfolio's text."""


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """Where a link is pasted."""
    return await _paste(desk, ask)


async def look(desk: Desk, ask: Ask) -> HttpAnswer:
    """What is in a link. It travels in the form alone, never in an address; nothing is stored."""
    given = form(ask.body)
    looked = await desk.operations.link_desk.look(given.get("link", ""), given.get("platform", ""))
    if isinstance(looked, Refusal):
        return await _paste(desk, ask, looked.said, given.get("link", ""), 422)
    return await _found(desk, ask, looked, given)


async def add(desk: Desk, ask: Ask) -> HttpAnswer:
    """Connect it, and go on to the address that is to be given to its platform."""
    given = form(ask.body)
    wanted = NewLink(
        given.get("link", ""),
        given.get("platform", ""),
        given.get("home", ""),
        given.get("name", ""),
        given.get("owner", ""),
        given.get("zone", "") or PARIS,
    )
    try:
        done = await desk.operations.connect.connect(ask.person, wanted, ask.language)
    except Taken:
        busy = {language: words(language)["connect.busy"] for language in ("fr", "en")}
        return await _paste(desk, ask, busy, wanted.link, 409)
    if isinstance(done, Connected):
        return see(f"/links/{done.link_id}?done={'connected' if done.anew else 'known'}")
    if isinstance(done, Refusal) or done.field == "link":
        return await _paste(desk, ask, done.said, wanted.link, 422)
    looked = await desk.operations.link_desk.look(wanted.link, wanted.platform)
    if isinstance(looked, Refusal):
        return await _paste(desk, ask, looked.said, wanted.link, 422)
    return await _found(desk, ask, looked, given, done)


async def _paste(
    desk: Desk, ask: Ask, wrong: Said | None = None, link: str = "", status: int = 200
) -> HttpAnswer:
    world = desk.operations.world
    first = not await desk.operations.connect.any_home(ask.person)
    names = [(one, world.platform_names.get(one, one)) for one in world.calendars if one != "ical"]
    where = [
        (name, words(ask.language)[f"get.{one}"])
        for one, name in names
        if f"get.{one}" in words(ask.language)
    ]
    return desk.pages.page(ask, "connect.html", status, wrong=wrong, link=link, first=first, where=where)


async def _found(
    desk: Desk, ask: Ask, looked: Looked, given: dict[str, str], wrong: NotConnected | None = None
) -> HttpAnswer:
    operations = desk.operations
    names = {Platform(key): name for key, name in operations.world.platform_names.items()}
    names[Platform("ical")] = words(ask.language)["connect.any"]
    homes = await operations.connect.homes(ask.person)
    said = words(ask.language)
    return desk.pages.page(
        ask,
        "connect_found.html",
        422 if wrong else 200,
        looked=looked,
        platform_name=_called(looked.platform, names),
        choices=[(one, _called(one, names)) for one in operations.world.calendars],
        counted=[(key, looked.counted(kind)) for key, kind in _KINDS if looked.counted(kind)],
        rows=[(one.dates, said[f"connect.is_{_NAMED[one.kind]}"]) for one in looked.ahead[:MOST_SHOWN]],
        more=max(0, len(looked.ahead) - MOST_SHOWN),
        oddities=[odd(text, ask.language) for text in looked.oddities],
        homes=[(one, ", ".join(_called(name, names) for name in one.platforms)) for one in homes],
        owners=await _owners(desk, ask),
        zones=ZONES,
        given={key: given.get(key, "") for key in ("name", "owner")},
        zone=given.get("zone", PARIS),
        home=given.get("home", homes[0].id if len(homes) == 1 else ""),
        wrong=wrong,
    )


_KINDS: Sequence[tuple[str, Busy]] = (
    ("connect.stay", Busy.STAY),
    ("connect.block", Busy.BLOCK),
    ("connect.closed", Busy.CLOSED),
)
_NAMED = {Busy.STAY: "stay", Busy.BLOCK: "block", Busy.LIMIT: "block", Busy.CLOSED: "closed"}


async def _owners(desk: Desk, ask: Ask) -> list[str]:
    """Owners to choose from; none where there is nothing to choose."""
    found = await desk.operations.connect.owners(ask.person)
    return found if len(found) > 1 else []


def _called(platform: Platform, names: Mapping[Platform, str]) -> str:
    return names.get(platform, platform)
