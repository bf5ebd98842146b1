"""A turn: one change of the portfolio by hand at a time, on all hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from shared.domain.errors import TransientError
from shared.engine.world import World

_LASTS = timedelta(seconds=30)
_TRIES, _PAUSE = 16, 0.25


class Taken(TransientError):
    """Somebody else changes the portfolio right now."""


@asynccontextmanager
async def turn(world: World) -> AsyncIterator[None]:
    """Alone while the block runs: names are given once, and a button pressed twice finds what its first press made.
    Raises ``Taken`` after 4 s of waiting."""
    for _ in range(_TRIES):
        fence = await world.accounts.lease("~portfolio", "by hand", _LASTS)
        if fence is not None:
            break
        await world.sleep(_PAUSE)
    else:
        raise Taken("somebody else changes the portfolio right now: try again")
    try:
        yield
    finally:
        await world.accounts.release("~portfolio", "by hand", fence)
