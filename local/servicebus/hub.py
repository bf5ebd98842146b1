"""What all connections share: the broker, the receivers waiting for messages, one timer, the faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from local.servicebus.broker import Broker
from local.servicebus.faults import Faults, Kind
from local.servicebus.queues import Clock, Queue
from local.servicebus.stored import Refused, Stored


class Peer(Protocol):
    """A connection, as far as the hub ends it."""

    def abort(self) -> None:
        """Cut it without a word, as a network does."""
        ...


class Consumer(Protocol):
    """A receiver's link, as far as the hub feeds it."""

    queue: Queue
    peer: Peer

    @property
    def wants(self) -> bool:
        """Whether it has credit and is not held up."""
        ...

    def deliver(self, message: Stored) -> None:
        """Send a locked message."""
        ...

    def refuse(self, error: Refused) -> None:
        """End the link with an error."""
        ...

    def hold(self, seconds: float) -> None:
        """Take nothing for a while."""
        ...

    def forget_credit(self) -> None:
        """Take nothing until it asks again."""
        ...


class Hub:
    """Feeds consumers in turn and wakes the broker exactly when time has work for it."""

    def __init__(self, broker: Broker, faults: Faults, clock: Clock) -> None:
        self.broker, self.faults = broker, faults
        self.peers: set[Peer] = set()
        self._clock = clock
        self._consumers: dict[str, list[Consumer]] = {}
        self._dirty: set[str] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._later: set[asyncio.TimerHandle] = set()
        for queue in broker:
            queue.on_ready = self._mark

    # ---------------------------------------------------------------------------------------- consumers

    def join(self, consumer: Consumer) -> None:
        """A receiver attached or got credit again."""
        waiting = self._consumers.setdefault(consumer.queue.address, [])
        if consumer not in waiting:
            waiting.append(consumer)
        self._mark(consumer.queue)

    def leave(self, consumer: Consumer) -> None:
        """A receiver is gone. Its locks stay until they expire, as in the service."""
        waiting = self._consumers.get(consumer.queue.address, [])
        if consumer in waiting:
            waiting.remove(consumer)

    def _mark(self, queue: Queue) -> None:
        """Feed soon rather than now: the answer to the operation that freed a message goes out first."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._feed)
        self._dirty.add(queue.address)

    def _feed(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for address in dirty:
            while (consumer := self._next(address)) is not None and self._serve(consumer):
                pass
        self.rearm()

    def _next(self, address: str) -> Consumer | None:
        """The consumer that waited longest; it goes to the end of the line."""
        waiting = self._consumers.get(address, [])
        consumer = next((one for one in waiting if one.wants), None)
        if consumer is not None:
            waiting.remove(consumer)
            waiting.append(consumer)
        return consumer

    def _serve(self, consumer: Consumer) -> bool:
        """Give one message, or the fault that awaits it; False when the queue has none."""
        if not consumer.queue.has_ready():
            return False
        fault = self.faults.take("receive", consumer.queue.address)
        if fault is not None and fault.action == "fail":
            consumer.refuse(Refused(fault.condition, "asked for by a test"))
        elif fault is not None and fault.action == "delay":
            consumer.hold(fault.seconds)
        elif (message := consumer.queue.take()) is not None:
            if fault is None:
                consumer.deliver(message)
            else:
                consumer.peer.abort()
        return True

    # ------------------------------------------------------------------------------------- operations

    def perform(
        self,
        peer: Peer,
        kind: Kind,
        address: str,
        apply: Callable[[], Callable[[], None]],
        refuse: Callable[[Refused], None],
    ) -> None:
        """Run an operation under the faults that await it: ``apply`` does it and returns how to answer."""
        fault = self.faults.take(kind, address)

        def run() -> None:
            try:
                answer = apply()
            except Refused as error:
                refuse(error)
            else:
                peer.abort() if fault is not None and fault.action == "lose" else answer()
            self.rearm()

        if fault is not None and fault.action == "fail":
            refuse(Refused(fault.condition, "asked for by a test"))
        elif fault is not None and fault.action == "delay":
            self.later(fault.seconds, run)
        else:
            run()

    # --------------------------------------------------------------------------------------------- time

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back after so many real seconds, unless the hub stops first."""

        def fire() -> None:
            self._later.discard(handle)
            callback()

        handle = asyncio.get_running_loop().call_later(seconds, fire)
        self._later.add(handle)

    def rearm(self) -> None:
        """Set the one timer to the broker's next deadline."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        deadline = self.broker.next_deadline()
        if deadline is not None:
            wait = max(0.0, deadline - self._clock())
            self._alarm = asyncio.get_running_loop().call_later(wait, self.tick)

    def tick(self) -> None:
        """Let the broker catch up with its clock."""
        self.broker.tick()
        self.rearm()

    def forget_credit(self) -> None:
        """Push nothing until a receiver asks again. Between tests that share a receiver: what the SDK asked for and
        did not get stays as credit, and the next test's message would be locked before anybody receives it."""
        for consumers in self._consumers.values():
            for consumer in consumers:
                consumer.forget_credit()

    def drop_peers(self) -> int:
        """Cut every connection; returns how many there were."""
        peers = list(self.peers)
        for peer in peers:
            peer.abort()
        return len(peers)

    def stop(self) -> None:
        """Cancel what still waits for time and cut every connection."""
        for handle in (*self._later, *([self._alarm] if self._alarm else [])):
            handle.cancel()
        self._later.clear()
        self._alarm = None
        self.drop_peers()
