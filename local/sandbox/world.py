"""Everything the sandbox holds while it runs: the truth, the queues, the faults, what goes out and comes in."""

from __future__ import annotations

import asyncio
import functools
import itertools
import ssl
from dataclasses import dataclass, field

import httpx

from local.sandbox.booking_queue import ReservationQueue
from local.sandbox.calls import CallLog
from local.sandbox.channex_feed import RevisionFeed, Subscriptions
from local.sandbox.clock import Clock
from local.sandbox.config import SandboxConfig
from local.sandbox.faults import Faults
from local.sandbox.imports import Importer
from local.sandbox.tokens import Tokens
from local.sandbox.truth import Truth
from local.sandbox.webhooks import Webhooks
from shared.ports.people import Sleep


@dataclass(slots=True)
class Replay:
    """Bytes served as a calendar at a path of their own."""

    body: bytes = field(repr=False)
    status: int = 200
    kind: str = "text/calendar; charset=utf-8"


class World:
    """The state of one sandbox. ``reset`` makes it as it was when it began; the clock alone goes on."""

    def __init__(self, config: SandboxConfig, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self.config = config
        self.clock = clock
        self.sleep = sleep
        self.client = httpx.AsyncClient(verify=_certificates(), follow_redirects=False, trust_env=False)
        self.faults = Faults()
        self.serial = itertools.count(1)
        self._begin()

    def _begin(self) -> None:
        config = self.config
        self.truth = Truth(config.listings, self.clock, config.seed)
        self.calls = CallLog()
        self.replays: dict[str, Replay] = {}
        self.queue = ReservationQueue(config.booking.early_cancel, config.booking.email_after)
        self.tokens = Tokens(config.booking, self.clock, config.seed)
        self.webhooks = Webhooks(config.airbnb, self.faults, self.client, self.sleep)
        self.revisions = RevisionFeed(config.seed)
        self.subscriptions = Subscriptions(self.webhooks, config.seed)
        self.importer = Importer(self.clock, self.faults, self.client)
        self.desk_lock = asyncio.Lock()
        self.calendar_writes: list[float] = []
        self.property_writes: dict[str, list[float]] = {}
        for calendar in self.truth.calendars.values():
            for link in calendar.listing.pulls:
                self.importer.subscribe(calendar, link)

    async def reset(self) -> None:
        """Forget every stay, block, fault, call, token and replay; links and webhooks as configured."""
        await self.webhooks.stop()
        self.faults.clear()
        self._begin()

    async def run(self) -> None:
        """Let the platforms read our calendars on their own rhythm, until cancelled. A reset is taken up."""
        while True:
            await self.importer.read_due(self.truth.calendars)
            await self.sleep(0.5)

    async def close(self) -> None:
        """Drop what is under way and free the connections."""
        await self.webhooks.stop()
        await self.client.aclose()


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The trusted certificates, read once a process: reading them costs more than starting the rest."""
    return ssl.create_default_context()
