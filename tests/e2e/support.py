"""Waiting for other processes: a condition is looked at again and again, up to a deadline that says what is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK = 0.05


async def until(look: Callable[[], Awaitable[T]], what: str, seconds: float = 45.0) -> T:
    """The first answer of ``look`` that is true; fails after ``seconds``, saying what was waited for."""
    end = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(_LOOK)
    return found
