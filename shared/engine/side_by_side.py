"""Side by side: the same done for many, some of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

AT_ONCE = 16
"""Sites, accounts or days that are looked at side by side: reads of the tables, which wait more than they work."""

A = TypeVar("A")
T = TypeVar("T")


async def side_by_side(
    doing: Callable[[A], Awaitable[T]], items: Iterable[A], *, at_once: int = AT_ONCE, go_on: bool = False
) -> list[T]:
    """What comes of each item, in their order, ``at_once`` at a time. Raises what the first that failed raised, once
    all that had begun are over: nothing goes on behind the caller's back. Those that wait for their turn then are not
    begun (each would wait as long for tables that are away), unless ``go_on`` says that none may be left out."""
    gate, failed = asyncio.Semaphore(at_once), False

    async def one(item: A) -> list[T]:
        nonlocal failed
        async with gate:
            if failed and not go_on:
                return []
            over = False
            try:
                found = await doing(item)
                over = True
            finally:
                failed = failed or not over
            return [found]

    done = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
    for end in done:
        if isinstance(end, BaseException):
            raise end
    return [found for end in done if not isinstance(end, BaseException) for found in end]
