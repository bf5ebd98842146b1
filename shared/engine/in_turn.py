"""In turn: the chores of a timer, of which one that fails holds up none of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.domain.errors import StoreUnavailable

Chore = Callable[[], Awaitable[object]]


async def in_turn(*chores: Chore) -> None:
    """Do one after the other; then raise what failed (``all_of``)."""
    wrong = await tried_in_turn(*chores)
    if wrong:
        raise all_of(wrong)


def all_of(wrong: Sequence[Exception]) -> Exception:
    """What to raise for several failures: the only one, or a group of them, each of which the trigger's edge tells."""
    return wrong[0] if len(wrong) == 1 else ExceptionGroup(f"{len(wrong)} chores failed", wrong)


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
