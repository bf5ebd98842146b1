"""One long-lived link to a queue: opened once, replaced when it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

OPEN_SECONDS = 10.0
"""An opening that takes longer is given up; it is 0.5 s on loopback, the SDK's own naps included (VERIFIED)."""
IDLE_SECONDS = 240.0
"""A link unused for longer is replaced before its next use: the service detaches one after ten idle minutes and a
connection after five (Microsoft Learn, AMQP errors in Service Bus), and finding that out costs more than opening."""
CLOSE_SECONDS = 3.0
"""Closing waits for the SDK's keep-alive, which ticks once a second."""


class Closable(Protocol):
    """An SDK sender or receiver, as far as a link holds it."""

    async def close(self) -> None:
        """Free it."""
        ...


L = TypeVar("L", bound=Closable)
R = TypeVar("R")


class Link(Generic[L]):
    """Holds one sender or receiver. The SDK's objects serve one coroutine at a time, so calls take turns.

    Opening is a task of its own: it outlives a caller whose second is over, so that the next caller finds the link
    open instead of starting again, for ever too late.
    """

    def __init__(self, opener: Callable[[], Awaitable[L]], failures: tuple[type[BaseException], ...]) -> None:
        self._opener, self._failures = opener, failures
        self._turn = asyncio.Lock()
        self._opening: asyncio.Task[L] | None = None
        self._closings: set[asyncio.Task[None]] = set()
        self._used_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call would find it open, dead or alive."""
        opening = self._opening
        if opening is None or not opening.done() or opening.cancelled():
            return False
        return opening.exception() is None and self._now() - self._used_at <= IDLE_SECONDS

    async def use(self, operation: Callable[[L], Awaitable[R]], keep: tuple[type[BaseException], ...]) -> R:
        """Run one operation on the open link. After any error but those in ``keep`` the link is replaced: a call that
        was cut off leaves the SDK's buffers in doubt."""
        async with self._turn:
            opened = await self._open()
            self._used_at = self._now()
            try:
                return await operation(opened)
            except keep:
                raise
            except BaseException:
                self._drop()
                raise

    async def _open(self) -> L:
        if self._opening is not None and self._opening.done() and not self.is_open:
            self._drop()
        if self._opening is None:
            self._opening = asyncio.create_task(self._open_in_time())
            self._opening.add_done_callback(self._on_opened)
        return await asyncio.shield(self._opening)

    def _on_opened(self, opening: asyncio.Task[L]) -> None:
        """Fetch the outcome, so that a failure nobody waited for is not reported as forgotten."""
        self._used_at = self._now()
        if not opening.cancelled():
            opening.exception()

    @staticmethod
    def _now() -> float:
        """Seconds of the event loop's clock, which stands apart from the calendar."""
        return asyncio.get_running_loop().time()

    async def _open_in_time(self) -> L:
        async with asyncio.timeout(OPEN_SECONDS):
            return await self._opener()

    def _drop(self) -> None:
        """Forget the link and close it behind the caller's back: closing takes up to a second."""
        opening, self._opening = self._opening, None
        if opening is not None:
            closing = asyncio.create_task(self._close(opening))
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)

    async def _close(self, opening: asyncio.Task[L]) -> None:
        if not opening.done():
            opening.cancel()
        with suppress(*self._failures, asyncio.CancelledError):
            opened = await opening
            async with asyncio.timeout(CLOSE_SECONDS):
                await opened.close()

    async def close(self) -> None:
        """Close the link and wait for what was dropped before."""
        self._drop()
        await asyncio.gather(*self._closings)
