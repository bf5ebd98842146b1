"""The front desk: answers webhooks before there is an engine, which takes three times as long to import.

What only needs a row and a bell is taken in here; questions before a sale and e-mails go to the engine, built for the
first of them whose secret is right: no stranger makes us pay for a start, or hears that it failed. Once there is an
engine, webhooks go to it (``shared.bootstrap.receiver``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.platform import Platform
from shared.engine.reception import Reception
from shared.engine.ringing import ring_all
from shared.engine.webhooks import MAIL, NOTIFICATION, Senders, Webhooks, not_found
from shared.state.deliveries import DeliveryStore
from shared.state.inbox import InboxStore

if TYPE_CHECKING:
    from shared.ports.bus import Bus, Message
    from shared.ports.people import NewId, Telemetry
    from shared.ports.stores import Tables
    from shared.use_cases import HttpAnswer, Receiver, WebhookCall


@dataclass(frozen=True, slots=True)
class Porch:
    """What webhooks need of the world (``shared.engine.webhooks.Around``)."""

    apis: Collection[Platform]
    telemetry: Telemetry
    deliveries: DeliveryStore
    tables: Tables

    def now(self) -> datetime:
        """Store time."""
        return self.tables.now()


class Front:
    """Takes in what is for the inbox, and hands on the rest."""

    def __init__(
        self,
        tables: Tables,
        bus: Bus,
        telemetry: Telemetry,
        new_id: NewId,
        queue: str,
        apis: Collection[Platform],
        asking: Collection[Platform],
        secrets: Mapping[str, tuple[str, ...]],
        senders: Senders,
        whole: Callable[[], Receiver],
    ) -> None:
        """``queue`` is the configured name of the queue of work; ``asking`` are the platforms that ask before they
        sell; ``whole`` builds the engine."""

        async def ring(message: Message) -> bool:
            return await ring_all(bus, telemetry, queue, [message], "work")

        self.reception = Reception(InboxStore(tables, new_id), telemetry, ring)
        porch = Porch(apis, telemetry, DeliveryStore(tables), tables)
        self._webhooks = Webhooks(porch, self.reception, secrets, senders, {})
        self._asking = frozenset(asking)
        self._whole = whole

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        """As ``shared.use_cases.Engine`` says."""
        asks = Platform(call.platform) in self._asking and call.path != NOTIFICATION
        if call.platform != MAIL and not asks:
            return await self._webhooks.receive(call)
        if not self._webhooks.admits(call):
            return not_found()
        return await self._whole().receive_webhook(call)
