"""In turn: the chores of a timer, of which one that fails holds up none of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shared.domain.errors import StoreUnavailable

Chore = Callable[[], Awaitable[object]]


async def in_turn(*chores: Chore) -> None:
    """Do one after the other; then raise what the first that failed raised."""
    wrong = await tried_in_turn(*chores)
    if wrong:
        raise wrong[0]


async def tried_in_turn(*chores: Chore) -> list[Exception]:
    """Do one after the other, and return what went wrong, a fault of ours among it. While the tables are away the rest
    is left for another time: each would wait as long as the first."""
    wrong: list[Exception] = []
    for chore in chores:
        (end,) = await asyncio.gather(chore(), return_exceptions=True)
        if isinstance(end, Exception):
            wrong.append(end)
        elif isinstance(end, BaseException):  # we are being stopped
            raise end
        if isinstance(end, StoreUnavailable):
            break
    return wrong
