"""The queues of one namespace, found by address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from local.servicebus.config import QueueConfig
from local.servicebus.queues import Clock, Queue
from local.servicebus.stored import Refused


class Broker:
    """The queues of one namespace."""

    def __init__(self, configs: Iterable[QueueConfig], clock: Clock, new_token: Callable[[], UUID]) -> None:
        self._queues: dict[str, Queue] = {}
        for config in configs:
            queue = Queue(config, clock, new_token)
            self._queues[queue.address] = queue
            if queue.dead is not None:
                self._queues[queue.dead.address] = queue.dead

    def __iter__(self) -> Iterator[Queue]:
        """Every queue, each followed by its dead-letter queue."""
        return iter(self._queues.values())

    def find(self, address: str) -> Queue:
        """The queue of an address; names ignore case. Raises ``Refused`` for one that was not configured."""
        queue = self._queues.get(address.strip("/").lower())
        if queue is None:
            raise Refused("amqp:not-found", f"the messaging entity {address!r} could not be found")
        return queue

    def next_deadline(self) -> float | None:
        """The earliest deadline of all queues, seconds since 1970."""
        deadlines = [when for queue in self for when in [queue.next_deadline()] if when is not None]
        return min(deadlines, default=None)

    def tick(self) -> None:
        """Let every queue do what time asks for."""
        for queue in self:
            queue.tick()

    def clear(self) -> None:
        """Empty every queue."""
        for queue in self:
            queue.clear()
