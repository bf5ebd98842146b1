"""One note of granted calls, as one process sees it: what it leased, what it used, and how it gives back the rest.

The note's ETag is remembered, so a lease is one write and no read until another host was there. How much is leased
follows what is used: a lone call takes one, a stream takes more at a time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import RateLimited, StaleWrite, Unreadable
from shared.ports.stores import Notes
from shared.resilience import rate_limit
from shared.resilience.rate_limit import PROPERTY, VALID, Grants, Limit, Want
from shared.resilience.rate_limit_text import decode, encode

TRIES = 8
"""How often a lease is decided anew when other hosts were first."""

TRUSTED = 1_000
"""Milliseconds for which what was last seen of the note is believed when it has nothing to give."""

_SHARE = 8
"""A block leased ahead of its calls is at most one part in so many of a limit."""

_HEALING = 60_000
"""Milliseconds nothing is granted after a note nobody can read: as long as most windows platforms count in."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose calls are counted, in which note and by which limits; who asks; what is added to every window."""

    account: str
    note: str
    limits: tuple[Limit, ...]
    host: str
    margin: int


@dataclass(slots=True)
class _Block:
    """Leased calls of one operation. Usable from ``start`` to ``end``: before it, the clock has jumped back."""

    number: int
    start: int
    end: int
    calls: int
    used: int = 0
    last: int = 0

    def usable(self, now: int) -> bool:
        return self.used < self.calls and self.start <= now <= self.end


class Budget:
    """The calls of one note. What goes to the store may raise ``StoreUnavailable``."""

    def __init__(
        self,
        notes: Notes,
        clock: Callable[[], datetime],
        place: Place,
        told: Callable[[Mapping[str, int]], None],
    ) -> None:
        """``told`` hears what is left of each limit whenever calls were leased."""
        self._notes, self._clock, self._place, self._told = notes, clock, place, told
        self._lock = asyncio.Lock()
        self._known = Grants()
        self._etag: str | None = None
        self._seen: int | None = None
        self._numbers = 0
        self._blocks: dict[str, _Block] = {}
        self._spent: list[_Block] = []
        self._ahead: dict[str, int] = {}

    @property
    def counts_property(self) -> bool:
        """Whether the calls of one property are counted here, not the account's."""
        return any(limit.scope == PROPERTY for limit in self._place.limits)

    def now(self) -> int:
        """The store's time in milliseconds."""
        return math.floor(self._clock().timestamp() * 1000)

    def has(self, operation: str) -> bool:
        """Whether a leased call is at hand."""
        now, block = self.now(), self._blocks.get(operation)
        return block is not None and block.usable(now) and now >= self._known.refused_until

    def use(self, operation: str) -> None:
        """Take the call that is at hand."""
        block = self._blocks[operation]
        block.used, block.last = block.used + 1, self.now() + 1

    async def lease(self, operation: str, calls: int, urgent: bool) -> int:
        """Have a call at hand, and as many more as wait: 0, or the milliseconds to wait for the next one. Raises
        ``RateLimited`` when other hosts keep being first."""
        async with self._lock:
            self._retire(operation)
            for _ in range(TRIES):
                await self._look()
                now = self.now()
                self._numbers += 1
                want = self._want(operation, calls, urgent, now)
                before = self._settled(self._spent)
                taken = rate_limit.take(before, self._place.limits, now, want, self._place.margin)
                if taken.grants is not before:
                    if not await self._swap(taken.grants):
                        continue
                    self._blocks[operation] = _Block(want.block, now, want.until, taken.granted, last=now)
                    self._told(self.last_left())
                elif self._old(now):
                    self._seen = None  # another host may have given calls back
                    continue
                return taken.wait
            raise RateLimited(f"other hosts were first {TRIES} times at {self._place.account}'s calls", 1.0)

    async def refuse(self, wait: int) -> None:
        """Tell all hosts that the platform wants to hear nothing for so many milliseconds."""
        async with self._lock:
            for _ in range(TRIES):
                await self._look()
                refused = rate_limit.refuse(self._known, self.now(), wait)
                if refused == self._known or await self._swap(refused):
                    return

    def wait_for(self, operation: str, place: int, urgent: bool) -> int:
        """Milliseconds until the ``place``-th call from now can be made, as far as this process knows."""
        now = self.now()
        want = Want(1, operation, self._place.host, urgent=urgent)
        over = [block for block in self._blocks.values() if not block.usable(now)]
        grants = self._settled([*self._spent, *over])
        return rate_limit.wait_for(grants, self._place.limits, now, want, place, self._place.margin)

    async def left(self) -> Mapping[str, int]:
        """What is left of each limit, by its name, as of at most a second ago."""
        async with self._lock:
            if self._old(self.now()):
                self._seen = None
            await self._look()
        return self.last_left()

    def last_left(self) -> Mapping[str, int]:
        """The same as this process last saw it."""
        now, place = self.now(), self._place
        return {limit.name: rate_limit.left(self._known, limit, now, place.margin) for limit in place.limits}

    # ------------------------------------------------------------------------------------ the note

    async def _look(self) -> None:
        """Read the note unless it is remembered. One nobody can read grants nothing for a while and is replaced."""
        if self._seen is not None:
            return
        note = await self._notes.read(self._place.account, self._place.note)
        self._etag, self._seen = note.etag, self.now()
        try:
            self._known = decode(note.text)
        except Unreadable:
            self._known = Grants(refused_until=self.now() + _HEALING)
            await self._swap(self._known)

    async def _swap(self, grants: Grants) -> bool:
        """Write the note; False when another host was first. What was used up is given back with it."""
        place, etag, settled = self._place, self._etag, len(self._spent)
        self._seen = None  # until the answer is there, nothing is known
        try:
            note = await self._notes.swap(place.account, place.note, encode(grants), etag)
        except StaleWrite:
            return False
        self._known, self._etag, self._seen = grants, note.etag, self.now()
        del self._spent[:settled]
        return True

    def _old(self, now: int) -> bool:
        return self._seen is None or not 0 <= now - self._seen <= TRUSTED

    # ----------------------------------------------------------------------------------- the blocks

    def _retire(self, operation: str) -> None:
        """No call of the operation's block is used from here on, also when the answer to its return gets lost; nor of
        those that are over: a clock that jumps back would make them usable again."""
        now = self.now()
        for name, block in list(self._blocks.items()):
            if name == operation or not block.usable(now):
                used_up = block.used == block.calls and now <= block.end
                self._ahead[name] = 2 * block.calls if used_up else max(1, block.used)
                self._spent.append(self._blocks.pop(name))

    def _settled(self, blocks: Iterable[_Block]) -> Grants:
        """The note as it is once these are given back."""
        grants = self._known
        for block in blocks:
            grants = rate_limit.settle(grants, self._place.host, block.number, block.used, block.last)
        return grants

    def _want(self, operation: str, calls: int, urgent: bool, now: int) -> Want:
        mine = [limit for limit in self._place.limits if operation in limit.operations]
        most = max(1, min(limit.calls for limit in mine) // _SHARE)
        calls = max(calls, min(self._ahead.get(operation, 1), most))
        return Want(calls, operation, self._place.host, self._numbers, now + VALID, urgent)
