"""Notices as the status shows them: what still waits for a channel, and what no channel took in the end."""

from __future__ import annotations

from shared.domain.access import Person
from shared.engine.world import World
from shared.state.told import Told

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


async def notices_status(world: World, person: Person) -> list[JsonValue]:
    """Those about homes the person sees, newest first, with the channel and the reason; neither an address nor the
    text. What is about nobody's homes is for those who decide for all."""
    left = [one for one in await world.told.all() if one.waiting or one.failed]
    left = [one for one in left if person.everywhere or (one.notice.owner and person.sees(one.notice.owner))]
    return [_entry(one) for one in sorted(left, key=lambda one: one.at, reverse=True)]


def _entry(one: Told) -> JsonValue:
    return {
        "kind": one.notice.kind,
        "severity": one.notice.severity,
        "at": one.at.isoformat(),
        "waiting": list(one.waiting),
        "failed": list(one.failed),
        "tries": one.tries,
        "next": one.next.isoformat() if one.next and one.waiting else None,
        "error": one.error or None,
    }
