"""A turn: one change of the portfolio by hand at a time, on all hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from shared.domain.errors import TransientError
from shared.engine.world import World

LASTS = timedelta(seconds=30)
"""How long others wait for whoever died in his turn. What takes longer keeps its turn as it goes on."""

_TRIES, _PAUSE = 16, 0.25
_WHOSE = "~portfolio", "by hand"


class Taken(TransientError):
    """Somebody else changes the portfolio right now."""


class Turn:
    """A turn that somebody has."""

    def __init__(self, world: World, fence: int, since: datetime) -> None:
        self._world = world
        self._fence = fence
        self._since = since

    async def keep(self) -> None:
        """Have it for ``LASTS`` from now on: asked between two steps, none of which may take 20 s. Costs nothing within
        10 s of the last time. Raises ``Taken`` where it was lost: whoever has it now must not meet us."""
        now = self._world.now()
        if now - self._since < LASTS / 3:
            return
        if not await self._world.accounts.renew(*_WHOSE, self._fence, LASTS):
            raise Taken("it took too long, and somebody else changes the portfolio now: try again")
        self._since = now


@asynccontextmanager
async def turn(world: World) -> AsyncIterator[Turn]:
    """Alone while the block runs, which keeps its turn if it takes long: names are given once, and a button pressed
    twice finds what its first press made. Raises ``Taken`` after 4 s of waiting."""
    for _ in range(_TRIES):
        begun = world.now()
        fence = await world.accounts.lease(*_WHOSE, LASTS)
        if fence is not None:
            break
        await world.sleep(_PAUSE)
    else:
        raise Taken("somebody else changes the portfolio right now: try again")
    try:
        yield Turn(world, fence, begun)
    finally:
        await world.accounts.release(*_WHOSE, fence)
