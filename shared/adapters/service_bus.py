"""The port ``Bus`` over Azure Service Bus. Making one costs nothing: the SDK is imported at the first call."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from shared.adapters.service_bus_link import L, Link, R
from shared.domain.errors import AuthFailed, BusUnavailable
from shared.messages import UNREADABLE, replayed, wire_id

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusMessage
    from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

    from shared.ports.bus import Message, Received

SDK = "shared.adapters.service_bus_sdk"

SEND_SECONDS = 1.0
"""A send has one second, the opening of its link included (rule 12)."""
FIRST_TRY = 0.3
"""Share of that second after which an open link counts as dead. A send takes milliseconds; the SDK takes up to a
second to admit that a connection is gone, and would leave no time to open another (VERIFIED with 7.15.0)."""
SETTLE_SECONDS = 5.0
PEEK_SECONDS = 10.0
REPLAY_SECONDS = 30.0
SLICE_SECONDS = 0.25
"""A receive waits in turns of this length, so that settling on the same link need not wait for it."""
MOST_IN_BATCH = 100
"""Messages in one send; ours are a few hundred bytes, the Standard tier takes 256 KiB."""


class ServiceBus:
    """Keeps one sender and one receiver per queue open for the life of the process.

    A link that died is replaced within the call that found it dead, once; then the call raises ``BusUnavailable``.
    Sending twice is harmless: the queues drop duplicates by id. Belongs to the event loop of its first call.
    """

    def __init__(
        self, *, connection_string: str = "", namespace: str = "", send_seconds: float = SEND_SECONDS
    ) -> None:
        """``connection_string``, or a fully qualified ``namespace`` reached with the identity of the process.
        Raises ``AuthFailed`` with neither."""
        if not connection_string and not namespace:
            raise AuthFailed("Service Bus: neither a connection string nor a namespace is set")
        self._connection_string, self._namespace = connection_string, namespace
        self._send_seconds = send_seconds
        self._client: ServiceBusClient | None = None
        self._close_client: Callable[[], Awaitable[None]] | None = None
        self._senders: dict[str, Link[ServiceBusSender]] = {}
        self._receivers: dict[tuple[str, bool], Link[ServiceBusReceiver]] = {}

    # -------------------------------------------------------------------------------------------- the port

    async def send(self, queue: str, messages: Sequence[Message]) -> None:
        """Hand over messages within the second, in batches. Raises ``BusUnavailable``; some may have been taken."""
        if SDK not in sys.modules:  # a third of a second: in a thread, so that nobody's answer waits for it
            await asyncio.to_thread(import_module, SDK)
        from shared.adapters import service_bus_sdk as sdk

        await self._send(queue, [sdk.outgoing(message) for message in messages])

    async def receive(self, queue: str, most: int, wait: float) -> list[Received]:
        """Up to ``most`` messages, locked for us, waiting at most ``wait`` seconds for the first."""
        from shared.adapters import service_bus_sdk as sdk

        until = time.monotonic() + wait
        while True:
            slice_ = max(0.01, min(SLICE_SECONDS, until - time.monotonic()))

            async def take(receiver: ServiceBusReceiver, seconds: float = slice_) -> list[Received]:
                found = await receiver.receive_messages(most, max_wait_time=seconds)
                return [sdk.incoming(message) for message in found]

            taken = await self._on(
                self._receiver(queue), take, SETTLE_SECONDS + slice_, f"receive from {queue}"
            )
            if taken or time.monotonic() >= until:
                return taken

    async def complete(self, queue: str, received: Received) -> None:
        """Remove a delivery. Raises ``BusUnavailable`` when the lock was lost."""
        await self._settle(queue, received, complete=True)

    async def abandon(self, queue: str, received: Received) -> None:
        """Give a delivery back at once. Raises ``BusUnavailable`` when the lock was lost."""
        await self._settle(queue, received, complete=False)

    async def dead_letters(self, queue: str, most: int) -> list[Received]:
        """The oldest dead letters, not taken."""
        return await self._peek(queue, 1, most)

    async def replay(self, queue: str, sequence: int) -> bool:
        """Send a dead letter again and remove it. Raises ``BusUnavailable`` also while somebody else holds it."""
        from shared.adapters import service_bus_sdk as sdk

        found = await self._peek(queue, sequence, 1)
        if not found or found[0].sequence != sequence:
            return False

        # A person waits for this: opening a link may take longer than a doorbell is given.
        await self.warm(queue)

        async def resend(dead: Received) -> None:
            fresh = replayed(dead.message, sequence)
            raw = dead.message.kind == UNREADABLE
            copy = sdk.outgoing_raw(dead.raw, wire_id(fresh)) if raw else sdk.outgoing(fresh)
            await self._send(queue, [copy])

        what = f"replay from {queue}"
        link = self._receiver(queue, dead=True)
        if not await self._on(
            link, lambda receiver: sdk.find(receiver, sequence, resend), REPLAY_SECONDS, what
        ):
            raise BusUnavailable(f"{what}: dead letter {sequence} is held by somebody else", retry_after=60)
        return True

    async def close(self) -> None:
        """Close the links, the client and the credential."""
        links: list[Link[ServiceBusSender] | Link[ServiceBusReceiver]] = [
            *self._senders.values(),
            *self._receivers.values(),
        ]
        self._senders, self._receivers = {}, {}
        await asyncio.gather(*(link.close() for link in links))
        close, self._client, self._close_client = self._close_client, None, None
        if close is not None:
            await close()

    async def warm(self, queue: str) -> None:
        """Open the sender of a queue ahead of its first message. Raises ``BusUnavailable``."""

        async def nothing(_sender: ServiceBusSender) -> None:
            """Being open is all that was wanted."""

        await self._on(self._sender(queue), nothing, PEEK_SECONDS, f"open {queue}")

    # -------------------------------------------------------------------------------------------- beneath

    async def _send(self, queue: str, messages: list[ServiceBusMessage]) -> None:
        async def hand_over(sender: ServiceBusSender) -> None:
            for start in range(0, len(messages), MOST_IN_BATCH):
                await sender.send_messages(messages[start : start + MOST_IN_BATCH])

        if messages:
            link = self._sender(queue)
            first = self._send_seconds * FIRST_TRY if link.is_open else None
            await self._on(link, hand_over, self._send_seconds, f"send to {queue}", first)

    async def _settle(self, queue: str, received: Received, *, complete: bool) -> None:
        from shared.adapters import service_bus_sdk as sdk

        what = f"settle on {queue}"

        async def settle(receiver: ServiceBusReceiver) -> bool:
            return await sdk.settle(receiver, received.token, complete=complete)

        if not await self._on(self._receiver(queue), settle, SETTLE_SECONDS, what):
            raise BusUnavailable(f"{what}: the lock on message {received.sequence} was lost")

    async def _peek(self, queue: str, start: int, most: int) -> list[Received]:
        from shared.adapters import service_bus_sdk as sdk

        async def look(receiver: ServiceBusReceiver) -> list[Received]:
            return await sdk.peek(receiver, start, most, PEEK_SECONDS)

        link = self._receiver(queue, dead=True)
        return await self._on(link, look, PEEK_SECONDS, f"look at dead letters of {queue}")

    async def _on(
        self,
        link: Link[L],
        operation: Callable[[L], Awaitable[R]],
        seconds: float,
        what: str,
        first: float | None = None,
    ) -> R:
        """Run an operation on a link within its time, once more on a fresh link if that one turns out dead."""
        from shared.adapters import service_bus_sdk as sdk

        try:
            async with asyncio.timeout(seconds):
                try:
                    async with asyncio.timeout(first):
                        return await link.use(operation, sdk.REFUSALS)
                except sdk.REFUSALS:
                    raise
                except sdk.FAILURES:
                    return await link.use(operation, sdk.REFUSALS)
        except TimeoutError as error:
            raise BusUnavailable(f"{what}: no answer within {seconds:g} s") from error
        except sdk.FAILURES as error:
            raise BusUnavailable(f"{what}: {type(error).__name__}") from error

    def _sender(self, queue: str) -> Link[ServiceBusSender]:
        from shared.adapters import service_bus_sdk as sdk

        if queue not in self._senders:
            self._senders[queue] = Link(lambda: sdk.open_sender(self._opened(), queue), sdk.FAILURES)
        return self._senders[queue]

    def _receiver(self, queue: str, *, dead: bool = False) -> Link[ServiceBusReceiver]:
        from shared.adapters import service_bus_sdk as sdk

        if (queue, dead) not in self._receivers:
            self._receivers[queue, dead] = Link(
                lambda: sdk.open_receiver(self._opened(), queue, dead), sdk.FAILURES
            )
        return self._receivers[queue, dead]

    def _opened(self) -> ServiceBusClient:
        """The client; it opens nothing itself. Raises ``ValueError`` for a malformed connection string."""
        if self._client is None:
            from shared.adapters import service_bus_sdk as sdk

            self._client, self._close_client = sdk.open_client(self._connection_string, self._namespace)
        return self._client
