"""The queue's twin in memory: the same rules, no network, time from outside.

It keeps bodies as bytes, as the service does, so that what cannot be encoded or read shows here too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.errors import BusUnavailable, PayloadRejected
from shared.messages import decode, encode, replayed, unreadable, wire_id
from shared.ports.bus import Message, Received
from shared.ports.people import Sleep

QUEUES = ("work", "conflicts")


@dataclass(frozen=True, slots=True)
class BusRules:
    """How every queue of the twin behaves; the defaults are those of ``local/servicebus/Config.json``."""

    lock: timedelta = timedelta(minutes=1)
    duplicate_window: timedelta = timedelta(minutes=5)
    max_deliveries: int = 10


@dataclass(slots=True)
class _Stored:
    """A message in a queue; it can be taken from ``free_at`` on, which serves schedules and locks alike.

    ``enqueued`` is its place in the line: given back, it returns there.
    """

    sequence: int
    body: bytes
    enqueued: datetime
    free_at: datetime
    deliveries: int = 0
    lock: object = None
    reason: str = ""


@dataclass(slots=True)
class _Queue:
    waiting: dict[int, _Stored] = field(default_factory=dict)
    dead: dict[int, _Stored] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    last: int = 0


class MemoryBus:
    """The port ``Bus`` in one process. Set ``down`` and every call raises ``BusUnavailable`` until it is cleared."""

    def __init__(
        self,
        now: Callable[[], datetime],
        sleep: Sleep,
        queues: Sequence[str] = QUEUES,
        rules: BusRules = BusRules(),
    ) -> None:
        self.down = False
        self._now, self._sleep, self._rules = now, sleep, rules
        self._queues = {name: _Queue() for name in queues}

    async def send(self, queue: str, messages: Sequence[Message]) -> None:
        """Enqueue or schedule; a duplicate is accepted and dropped. Raises ``BusUnavailable``."""
        self._queue(queue)
        for message in messages:
            self.put(queue, encode(message), wire_id(message), message.due)

    def put(self, queue: str, body: bytes, message_id: str, due: datetime | None = None) -> None:
        """Enqueue any bytes, as a stranger with the connection string could."""
        store, now = self._queue(queue), self._now()
        store.seen = {known: until for known, until in store.seen.items() if until > now}
        if message_id in store.seen:
            return
        store.seen[message_id] = now + self._rules.duplicate_window
        store.last += 1
        enqueued = max(now, due or now)
        store.waiting[store.last] = _Stored(store.last, body, enqueued, enqueued)
        store.arrived.set()

    async def receive(self, queue: str, most: int, wait: float) -> list[Received]:
        """Lock up to ``most`` messages, waiting up to ``wait`` seconds for the first."""
        store = self._queue(queue)
        until = self._now() + timedelta(seconds=wait)
        while True:
            store.arrived.clear()
            taken = self._take(store, most)
            left = (until - self._now()).total_seconds()
            if taken or left <= 0:
                return taken
            await self._pause(store, left)

    async def _pause(self, store: _Queue, left: float) -> None:
        """Until something arrives, something falls due, or the time is over, whichever is first."""
        now = self._now()
        falls_due = [(one.free_at - now).total_seconds() for one in store.waiting.values()]
        nap = asyncio.ensure_future(self._sleep(max(0.0, min([left, *falls_due]))))
        news = asyncio.ensure_future(store.arrived.wait())
        try:
            await asyncio.wait({nap, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            news.cancel()

    def _take(self, store: _Queue, most: int) -> list[Received]:
        now = self._now()
        self._free_expired(store, now)
        free = [one for one in store.waiting.values() if one.free_at <= now]
        taken = sorted(free, key=lambda one: (one.enqueued, one.sequence))[:most]
        for stored in taken:
            stored.lock, stored.free_at = object(), now + self._rules.lock
            stored.deliveries += 1
        return [_received(stored) for stored in taken]

    def _free_expired(self, store: _Queue, now: datetime) -> None:
        """A lock that ran out counts as a failed delivery, like an abandoned one."""
        for stored in list(store.waiting.values()):
            if stored.lock is not None and stored.free_at <= now:
                self._give_back(store, stored, stored.free_at)

    def _give_back(self, store: _Queue, stored: _Stored, free_at: datetime) -> None:
        stored.lock, stored.free_at = None, free_at
        if stored.deliveries >= self._rules.max_deliveries:
            stored.reason = "MaxDeliveryCountExceeded"
            store.dead[stored.sequence] = store.waiting.pop(stored.sequence)
        store.arrived.set()

    async def complete(self, queue: str, received: Received) -> None:
        """Remove it. Raises ``BusUnavailable`` when the lock was lost."""
        store = self._queue(queue)
        del store.waiting[self._locked(store, queue, received).sequence]

    async def abandon(self, queue: str, received: Received) -> None:
        """Free it at once. Raises ``BusUnavailable`` when the lock was lost."""
        store = self._queue(queue)
        self._give_back(store, self._locked(store, queue, received), self._now())

    def _locked(self, store: _Queue, queue: str, received: Received) -> _Stored:
        self._free_expired(store, self._now())
        stored = store.waiting.get(received.sequence)
        if stored is None or stored.lock is None or stored.lock is not received.token:
            raise BusUnavailable(f"queue {queue}: the lock on message {received.sequence} was lost")
        return stored

    async def dead_letters(self, queue: str, most: int) -> list[Received]:
        """The oldest dead letters, by sequence."""
        store = self._queue(queue)
        self._free_expired(store, self._now())
        return [_received(stored) for _, stored in sorted(store.dead.items())[:most]]

    async def replay(self, queue: str, sequence: int) -> bool:
        """Send it again under a new id; an unreadable body goes as it is."""
        store = self._queue(queue)
        stored = store.dead.get(sequence)
        if stored is None:
            return False
        try:
            fresh = replayed(decode(stored.body), sequence)
            self.put(queue, encode(fresh), wire_id(fresh))
        except PayloadRejected:
            self.put(queue, stored.body, wire_id(replayed(unreadable(sequence), sequence)))
        del store.dead[sequence]
        return True

    async def close(self) -> None:
        """Nothing to free."""

    def _queue(self, name: str) -> _Queue:
        if self.down:
            raise BusUnavailable(f"queue {name}: the bus is down")
        if name not in self._queues:
            raise BusUnavailable(f"queue {name}: there is no such queue")
        return self._queues[name]


def _received(stored: _Stored) -> Received:
    try:
        message = decode(stored.body)
    except PayloadRejected:
        message = unreadable(stored.sequence)
    return Received(message, stored.deliveries, stored.sequence, stored.lock, stored.reason, stored.body)
