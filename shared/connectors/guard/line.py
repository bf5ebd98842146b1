"""The line of calls that wait for an account's budget: urgent ones first, then home by home in turn, then as they came;
and those who were sent away, with when they were told to come back."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from shared.domain.errors import TransientError
from shared.ports.people import Sleep

LATE = 60_000
"""Milliseconds after its moment a call that was sent away may come back and keep its place."""

_Turn = tuple[str, str]  # home, operation: a home's poll does not wait behind its write


@dataclass(eq=False, slots=True)
class Waiter:
    """One call that waits; ``since`` in milliseconds of the store's time. ``home`` is the property it is about;
    ``back``: it was sent away before and now came when it was told to, so nobody still away is before it."""

    home: str
    operation: str
    urgent: bool
    since: int
    back: bool
    free: asyncio.Future[None] = field(repr=False)


class Line:
    """Who waits for one account's calls in this process."""

    def __init__(self) -> None:
        self._rows: dict[bool, dict[_Turn, deque[Waiter]]] = {True: {}, False: {}}
        self._news = asyncio.Event()
        self.gone = {True: Comebacks(), False: Comebacks()}
        self.pump: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        return any(self._rows.values())

    def join(self, waiter: Waiter) -> None:
        """Take the last place of its home."""
        self._rows[waiter.urgent].setdefault((waiter.home, waiter.operation), deque()).append(waiter)
        self._news.set()

    def leave(self, waiter: Waiter) -> None:
        """Out of the line: served, sent away, or nobody waits for the answer any more. Its home's next turn comes
        after all others'."""
        turns, turn = self._rows[waiter.urgent], (waiter.home, waiter.operation)
        row = turns.get(turn)
        if row is not None and waiter in row:
            row.remove(waiter)
            del turns[turn]
            if row:
                turns[turn] = row

    def heads(self) -> Iterator[Waiter]:
        """The next call of each home, in the order of their turns."""
        for turns in self._rows.values():
            for row in turns.values():
                yield row[0]

    def in_order(self) -> list[Waiter]:
        """All calls in the order in which they will be made."""
        found: list[Waiter] = []
        for turns in self._rows.values():
            longest = max(map(len, turns.values()), default=0)
            found += [row[n] for n in range(longest) for row in turns.values() if n < len(row)]
        return found

    def count(self, like: Waiter, *, each: int | None = None, same: bool = False) -> int:
        """How many calls of that operation wait, an urgent one's only the urgent. ``each``: at most so many of one
        home; ``same``: those of its own home."""
        rows = [
            len(row)
            for urgent, turns in self._rows.items()
            for (home, operation), row in turns.items()
            if operation == like.operation and (urgent or not like.urgent) and (home == like.home or not same)
        ]
        return sum(rows if each is None else (min(row, each) for row in rows))

    async def rest(self, sleep: Sleep, seconds: float) -> None:
        """Until the time is over or somebody joins."""
        self._news.clear()
        nap, news = asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({nap, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            news.cancel()

    def fail(self, why: Callable[[], TransientError]) -> None:
        """Let everybody go with that error."""
        for waiter in self.in_order():
            self.leave(waiter)
            if not waiter.free.done():
                waiter.free.set_exception(why())


class Comebacks:
    """Calls that were sent away until a moment that was reckoned for them. Whoever is sent away next is told a later
    one, or all of them would be back at once; but a home's hundredth call stands behind every other home's first."""

    def __init__(self) -> None:
        self._rounds: list[list[tuple[int, str]]] = []  # heaps by moment
        self._homes: Counter[str] = Counter()
        self._due: dict[str, deque[int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._rounds))

    def of(self, home: str) -> int:
        """How many calls of a home are away."""
        return self._homes[home]

    def ahead(self, rank: int) -> int:
        """How many calls come before the one that ``rank`` calls of its own home come before."""
        return sum(len(row) for row in self._rounds[: rank + 1])

    def add(self, home: str, rank: int, at: int) -> None:
        """One more, to come back at ``at``."""
        while len(self._rounds) <= rank:
            self._rounds.append([])
        heappush(self._rounds[rank], (at, home))
        self._homes[home] += 1

    def expire(self, now: int) -> None:
        """Whose moment has come is away no more, and looked for a while."""
        for row in self._rounds:
            while row and row[0][0] <= now:
                at, home = heappop(row)
                self._homes[home] -= 1
                if not self._homes[home]:
                    del self._homes[home]
                self._due.setdefault(home, deque()).append(at)
        while self._rounds and not self._rounds[-1]:
            self._rounds.pop()
        for home, moments in list(self._due.items()):
            while moments and not now - LATE < moments[0] <= now:
                moments.popleft()
            if not moments:
                del self._due[home]

    def back(self, home: str) -> bool:
        """Whether a call of that home was looked for; it is not any more."""
        moments = self._due.get(home)
        return bool(moments and moments.popleft())
