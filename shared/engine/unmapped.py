"""A stay whose room is no listing's here, or cannot be told from others: kept in quarantine, and a person told once."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain import unprocessed
from shared.domain.facts import SOME_ROOM, SeenStay
from shared.engine.world import World
from shared.ports.people import Notice
from shared.state.inbox import MOST_REASON, SetAside


async def tell_unmapped(
    world: World, account: str, unmapped: Iterable[tuple[str, str]], stays: Iterable[SeenStay]
) -> None:
    """Tell of each stay and unit unless it stands in quarantine already: a queue tells of a stay once, and the list of
    all stays names it again at every look."""
    by_id = {seen.id: seen for seen in stays}
    for stay, unit in unmapped:
        name, reason = f"{stay}-{unit}", _reason(by_id[stay], unit)
        before = await world.inbox.set_aside(f"{account}~{name}")
        if before is None or before.reason != reason[:MOST_REASON]:
            await set_stay_aside(world, account, name, reason)


async def set_stay_aside(world: World, account: str, name: str, reason: str, raw: bytes = b"") -> None:
    """Keep what came of an account and could not be placed, and tell a person."""
    await world.inbox.quarantine(f"{account}~{name}", account, reason, raw, SetAside.STAY)
    why = unprocessed.said(reason)
    text = {
        "fr": f"Un message de {account} n’a pas pu être placé : {why['fr']}.",
        "en": f"A message of {account} could not be placed: {why['en']}.",
    }
    await world.notify.tell(Notice("unplaced", f"{account}~{name}", "high", text))


def _reason(seen: SeenStay, unit: str) -> str:
    nights = ", ".join(str(room.dates) for room in seen.rooms if room.unit == unit)
    if unit.endswith(f":{SOME_ROOM}"):
        house = unit.removesuffix(f":{SOME_ROOM}")
        return f"the platform names no room of {house} (reservation {seen.id}, nights {nights})"
    return f"the unit {unit} is not in the portfolio (reservation {seen.id}, nights {nights})"
