"""An event loop on a virtual clock: what would wait moves the clock instead, so a timeout of 12 s costs nothing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from datetime import datetime, timedelta
from selectors import SelectorKey
from typing import Any, Protocol

TICK = timedelta(microseconds=1)


class Movable(Protocol):
    """A clock that can be looked at without touching it, and moved."""

    def peek(self) -> datetime: ...

    def advance(self, span: timedelta) -> None: ...


class VirtualLoop(asyncio.SelectorEventLoop):
    """Real sockets, virtual time: where nothing is ready, the clock jumps to the next timer."""

    def __init__(self, clock: Movable) -> None:
        self._clock, self._origin = clock, clock.peek()
        super().__init__(_Jumping(clock))

    def time(self) -> float:
        """Seconds since the beginning: small, or the loop's own tolerance would drown in their rounding."""
        return (self._clock.peek() - self._origin).total_seconds()


class _Jumping(selectors.BaseSelector):
    """Waits for sockets only where no timer is set."""

    def __init__(self, clock: Movable) -> None:
        self._clock = clock
        self._inner = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            return self._inner.select(None)
        ready = self._inner.select(0)
        if not ready and timeout > 0:
            self._clock.advance(max(timedelta(seconds=timeout), TICK))
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()
