"""Loops: timers and workers in one process, for whoever runs the engine without a Functions host.

The rhythms are those of the schedules. As on the hosts, a timer never runs beside itself, and several processes may
loop at once: what must not be done twice is leased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from shared.correlation import correlated
from shared.domain.errors import BusUnavailable, SyncError
from shared.engine.world import CONFLICTS, WORK, World
from shared.messages import encode
from shared.ports.bus import Received
from shared.ports.people import Sleep

AT_ONCE = 16
"""Messages of one queue worked off side by side."""

PATIENCE = 5.0
"""Seconds a worker waits for the next message, and after a queue that was not there."""

Handler = Callable[[bytes, int, str], Awaitable[None]]


class Timers(Protocol):
    """What the timers and queues ask (``shared.use_cases.Engine`` without its HTTP side)."""

    async def on_timer_poll_feeds(self) -> None:
        """Calendars."""
        ...

    async def on_timer_poll_accounts(self) -> None:
        """Accounts."""
        ...

    async def on_timer_sweep(self) -> None:
        """What was left behind."""
        ...

    async def on_timer_walk(self) -> None:
        """A share of all sites."""
        ...

    async def on_timer_deep(self) -> None:
        """Whole states."""
        ...

    async def on_timer_health(self) -> None:
        """Whether all is well."""
        ...

    async def work(self, body: bytes, deliveries: int, message_id: str) -> None:
        """A message of ``work``."""
        ...

    async def conflict(self, body: bytes, deliveries: int, message_id: str) -> None:
        """A message of ``conflicts``."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythms:
    """Seconds between two runs of each timer: the defaults of the schedules."""

    feeds: float = 60
    accounts: float = 5
    sweep: float = 15
    walk: float = 3_600
    deep: float = 86_400
    health: float = 60


class Loops:
    """Runs them all until cancelled."""

    def __init__(self, world: World, timers: Timers, sleep: Sleep, rhythms: Rhythms) -> None:
        self._world = world
        self._timers = timers
        self._sleep = sleep
        self._rhythms = rhythms

    async def run(self) -> None:
        """Until cancelled. A failed run is logged and comes again; what is no ``SyncError`` is a fault of ours, ends
        all loops and is raised."""
        of, every = self._timers, self._rhythms
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._tick("feeds", every.feeds, of.on_timer_poll_feeds))
            loops.create_task(self._tick("accounts", every.accounts, of.on_timer_poll_accounts))
            loops.create_task(self._tick("sweep", every.sweep, of.on_timer_sweep))
            loops.create_task(self._tick("health", every.health, of.on_timer_health))
            loops.create_task(self._tick("walk", every.walk, of.on_timer_walk))
            loops.create_task(self._tick("deep", every.deep, of.on_timer_deep))
            loops.create_task(self._serve(WORK, of.work))
            loops.create_task(self._serve(CONFLICTS, of.conflict))

    async def _tick(self, name: str, seconds: float, doing: Callable[[], Awaitable[None]]) -> None:
        while True:
            with correlated():
                try:
                    await doing()
                except* SyncError as several:  # one, or each of the chores that failed
                    for wrong in several.exceptions:
                        self._world.telemetry.event("loop_failed", loop=name, why=str(wrong))
            await self._sleep(seconds)

    async def _serve(self, queue: str, handler: Handler) -> None:
        name = self._world.queue_names.get(queue, queue)
        while True:
            try:
                received = await self._world.bus.receive(name, AT_ONCE, PATIENCE)
            except BusUnavailable:
                await self._sleep(PATIENCE)
                continue
            await asyncio.gather(*(self._handle(name, one, handler) for one in received))

    async def _handle(self, queue: str, received: Received, handler: Handler) -> None:
        message = received.message
        with correlated(message.correlation):
            try:
                body = received.raw or encode(message)
                await handler(body, received.deliveries, message.message_id)
                await self._world.bus.complete(queue, received)
            except BusUnavailable:
                return  # the lock runs out, and the message comes again
            except SyncError as wrong:
                self._world.telemetry.event("message_failed", kind=message.kind, why=str(wrong))
                await self._give_back(queue, received)

    async def _give_back(self, queue: str, received: Received) -> None:
        try:
            await self._world.bus.abandon(queue, received)
        except BusUnavailable:
            return
