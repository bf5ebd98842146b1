"""The bell of conflicts: whoever has just looked at a site rings for those somebody should be told of now.

When to look again for their sake stands in the due row of the site, so that no reminder is lost with a process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from shared.domain.conflict_alerts import due_alert, home_of, next_alert
from shared.domain.conflict_policy import is_unattended
from shared.domain.errors import SyncError
from shared.domain.model import SiteState
from shared.engine.conflict_count import ConflictCount
from shared.engine.world import CONFLICTS, World
from shared.ports.bus import Message

TELL_AGAIN = timedelta(seconds=30)
"""How soon a conflict nobody was told of is sent to its queue again."""

Handler = Callable[[str], Awaitable[None]]
"""Tells of the conflict a key (``site/id``) names."""


class ConflictBell:
    """Rings for conflicts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.inline: Handler | None = None
        self._count = ConflictCount(world)

    async def ring(self, state: SiteState) -> datetime | None:
        """Ring for all of the site's that are due; returns when to look at it again, None where none asks for it. While
        the bus is down they are told of here: that two guests have one bed must not wait for a queue."""
        await self._count.note(state)
        now = self._world.now()
        wakes: list[datetime] = []
        for clash in state.conflicts.values():
            home = home_of(state, clash)
            occasion = due_alert(clash, home, now) or ("unattended" if is_unattended(state, clash) else None)
            if occasion is not None:
                # Half a minute of one occasion is one message; later it is sent once more, should it have been lost.
                slot = int(now.timestamp() // TELL_AGAIN.total_seconds())
                version = f"{state.head.version}.{occasion}.{slot}"
                await self._one(Message("conflict", f"{state.site.id}/{clash.id}", version))
                wakes.append(now + TELL_AGAIN)
            elif (at := next_alert(clash, home, now)) is not None:
                wakes.append(at)
        return min(wakes, default=None)

    async def _one(self, message: Message) -> None:
        if await self._world.ring(CONFLICTS, message) or self.inline is None:
            return
        try:
            await self.inline(message.key)
        except SyncError as wrong:
            self._world.telemetry.event("conflict_waits", key=message.key, why=str(wrong))
