"""Ringing: how every doorbell goes out, for whoever has a bus and a voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.correlation import current
from shared.domain.errors import BusUnavailable

if TYPE_CHECKING:
    from shared.ports.bus import Bus, Message
    from shared.ports.people import Telemetry


async def ring_all(
    bus: Bus, telemetry: Telemetry, queue: str, messages: Sequence[Message], name: str
) -> bool:
    """Send many at once: all of them, or as far as False is told none that can be relied upon. ``queue`` is the
    configured name, ``name`` the engine's. Whoever answers a bell does so under the same correlation id as who rang."""
    id_now = current()
    carried = [one if one.correlation else replace(one, correlation=id_now) for one in messages]
    try:
        await bus.send(queue, carried)
    except BusUnavailable:
        telemetry.count("bus_unavailable", queue=name)
        return False
    return True
