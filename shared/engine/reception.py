"""Reception: a webhook's body is a row before its sender is answered (durable before polite), and a bell rings.

Imports little on purpose: it is all that a cold start needs to answer the first webhook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.ports.bus import Message

if TYPE_CHECKING:
    from shared.domain.platform import Platform
    from shared.ports.people import Telemetry
    from shared.state.inbox import Delivery, InboxStore

BELL_WAITS = 0.01
"""Seconds an answer waits for its bell, once a bell was heard. An open link takes less. One that is not open takes most
of a second, and no sender need wait for that: the row is there, and the sweep finds it should the bell be lost."""


class Reception:
    """Takes bodies in and rings for them. ``ring`` says False when the bus is down."""

    def __init__(
        self, inbox: InboxStore, telemetry: Telemetry, ring: Callable[[Message], Awaitable[bool]]
    ) -> None:
        self._inbox = inbox
        self._telemetry = telemetry
        self._ring = ring
        self._bells: set[asyncio.Future[bool]] = set()
        self._heard = False  # the last bell, by the bus: its link is open

    async def receive(self, platform: Platform, body: bytes) -> Delivery:
        """Store a body and ring; the sweep finds it when nobody heard the bell. Raises ``StoreUnavailable``."""
        delivery = await self._inbox.put(platform, body)
        self._telemetry.event("webhook_stored", platform=platform, delivery=delivery.key)
        bell = asyncio.ensure_future(self._ring(Message("inbox", delivery.key, "1")))
        self._bells.add(bell)
        bell.add_done_callback(self._rung)
        if self._heard:
            await asyncio.wait({bell}, timeout=BELL_WAITS)
        return delivery

    def _rung(self, bell: asyncio.Future[bool]) -> None:
        """Forget it. What went wrong is told: nobody else may be there any more to hear of it."""
        self._bells.discard(bell)
        wrong = None if bell.cancelled() else bell.exception()
        if wrong is not None:
            self._telemetry.event("bell_failed", kind=type(wrong).__name__)
        self._heard = not bell.cancelled() and wrong is None and bell.result()

    async def settle(self) -> None:
        """Wait for the bells that still ring: a second each at most."""
        await asyncio.gather(*self._bells, return_exceptions=True)
