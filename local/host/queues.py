"""Service Bus triggers over the bus port: receive, invoke, complete on return, give back on failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from local.host.inputs import service_bus_message
from local.host.invocations import Invocations, call_without_result, log_failure
from local.host.plan import QueuePlan
from shared.domain.errors import BusUnavailable
from shared.ports.bus import Bus, Received
from shared.ports.people import Sleep

_WAIT = 1.0
"""Seconds one receive waits for a first message: so long a stop may take when nothing happens."""

_ONE = 1
"""Messages asked for at a time. Asked for more, the SDK waits another 0.2 s for them once the first one is there
(VERIFIED with azure-servicebus 7.15.0): each message would come that much later."""

_LONGEST_PAUSE = 30.0

_log = logging.getLogger("host")

Settle = Callable[[str, Received], Awaitable[None]]
"""The bus port's ``complete`` or ``abandon``."""


class QueuePump:
    """Feeds one function from its queue, at most ``at_once`` messages at a time.

    Locks are not renewed: handlers end within 15 s, a lock lasts a minute. Dead letters are the queue's own affair,
    by its count of deliveries.
    """

    def __init__(self, plan: QueuePlan, bus: Bus, invocations: Invocations, sleep: Sleep) -> None:
        self._plan = plan
        self._bus = bus
        self._invocations = invocations
        self._sleep = sleep
        self._stopping = False
        self._handling: set[asyncio.Task[None]] = set()
        self._pausing: asyncio.Future[None] | None = None

    def stop(self) -> None:
        """Receive no more; ``run`` returns within a second. What was received is still handled."""
        self._stopping = True
        if self._pausing:
            self._pausing.cancel()

    async def run(self) -> None:
        """Until stopped. A bus that is away is asked again after growing pauses, up to 30 s."""
        pause = 1.0
        while not self._stopping:
            if len(self._handling) >= self._plan.at_once:
                await asyncio.wait(self._handling, return_when=asyncio.FIRST_COMPLETED)
                continue
            try:
                received = await self._bus.receive(self._plan.queue, _ONE, _WAIT)
            except BusUnavailable as error:
                _log.warning("%s: the bus is away (%s), again in %.0f s", self._plan.queue, error, pause)
                await self._pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = 1.0
            for one in received:
                self._start(one)

    async def _pause(self, seconds: float) -> None:
        self._pausing = asyncio.ensure_future(self._sleep(seconds))
        await asyncio.wait({self._pausing})
        self._pausing = None

    def _start(self, received: Received) -> None:
        name = self._plan.target.name
        task = asyncio.create_task(self._invocations.track(name, self._handle(received)))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def _handle(self, received: Received) -> None:
        try:
            await call_without_result(self._plan.target, service_bus_message(received))
        except Exception as error:  # noqa: BLE001 - whatever a function raises, its message goes back
            log_failure(self._plan.target.name, error)
            await self._settle(self._bus.abandon, received)
        else:
            await self._settle(self._bus.complete, received)

    async def _settle(self, how: Settle, received: Received) -> None:
        try:
            await how(self._plan.queue, received)
        except BusUnavailable as error:
            # The lock runs out and the message comes again: at least once is what a queue promises.
            _log.warning("%s: not settled: %s", self._plan.queue, error)
