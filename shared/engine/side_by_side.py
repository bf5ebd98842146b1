"""Side by side: the same done for many, some of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

AT_ONCE = 16
"""Sites, accounts or days that are looked at side by side: reads of the tables, which wait more than they work."""

A = TypeVar("A")
T = TypeVar("T")


async def side_by_side(doing: Callable[[A], Awaitable[T]], items: Iterable[A]) -> list[T]:
    """What comes of each item, in their order, ``AT_ONCE`` at a time. Raises what the first failing one raises."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: A) -> T:
        async with gate:
            return await doing(item)

    return await asyncio.gather(*(one(item) for item in items))
