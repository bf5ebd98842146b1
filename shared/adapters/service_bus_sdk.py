"""Everything that names a type of ``azure-servicebus``. Imported at the first call, not before: 0.3 s, 28 MB."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityDisabledError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusQuotaExceededError,
    ServiceBusServerBusyError,
)

from shared.domain.errors import PayloadRejected
from shared.messages import decode, encode, unreadable, wire_id
from shared.ports.bus import Message, Received

REFUSALS: tuple[type[Exception], ...] = (
    MessageSizeExceededError,
    MessagingEntityDisabledError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusQuotaExceededError,
    ServiceBusServerBusyError,
)
"""The service answered, and said no: asking again at once would not help, and the link is sound."""
LOCK_LOST: tuple[type[Exception], ...] = (MessageLockLostError, MessageNotFoundError, MessageAlreadySettled)
FAILURES: tuple[type[Exception], ...] = (
    AzureError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    AttributeError,
    TypeError,
)
"""What comes out of the SDK when a connection dies under it. It sets its handler to None while other calls still use
it and indexes answers that never came, hence the last two (seen with 7.15.0 when connections are cut)."""

MOST_PEEKED = 250
"""Messages the service gives in one answer to a peek."""
_MOST_SEARCHED = 1000
"""Dead letters locked while looking for one."""

Closing = Callable[[], Awaitable[None]]


def open_client(connection_string: str, namespace: str) -> tuple[ServiceBusClient, Closing]:
    """A client without retries of its own (they hide a dead bus for 11 s), and how to close it.

    A connection string wins; with a namespace the identity of the process is used.
    """
    if connection_string:
        client = ServiceBusClient.from_connection_string(connection_string, retry_total=0)
        return client, client.close
    from azure.identity.aio import DefaultAzureCredential

    credential = DefaultAzureCredential()
    client = ServiceBusClient(namespace, credential, retry_total=0)

    async def close() -> None:
        await client.close()
        await credential.close()

    return client, close


async def open_sender(client: ServiceBusClient, queue: str) -> ServiceBusSender:
    """A sender whose link is up."""
    return await client.get_queue_sender(queue).__aenter__()


async def open_receiver(client: ServiceBusClient, queue: str, dead: bool) -> ServiceBusReceiver:
    """A receiver whose link is up: of the queue, or of its dead letters."""
    side = ServiceBusSubQueue.DEAD_LETTER if dead else None
    return await client.get_queue_receiver(queue, sub_queue=side).__aenter__()


def outgoing(message: Message) -> ServiceBusMessage:
    """A message of ours as the SDK sends it."""
    return ServiceBusMessage(
        encode(message),
        message_id=wire_id(message),
        correlation_id=message.correlation or None,
        content_type="application/json",
        scheduled_enqueue_time_utc=message.due,
    )


def outgoing_raw(body: bytes, message_id: str) -> ServiceBusMessage:
    """Somebody else's bytes, sent again."""
    return ServiceBusMessage(body, message_id=message_id)


def incoming(message: ServiceBusReceivedMessage, *, peeked: bool = False) -> Received:
    """A delivery as the port tells it. The SDK's count says how often it came to nothing before."""
    raw = _body(message)
    sequence = message.sequence_number or 0
    failed = message.delivery_count or 0
    try:
        read = decode(raw)
    except PayloadRejected:
        read = unreadable(sequence)
    deliveries = max(1, failed) if peeked else failed + 1
    return Received(
        read, deliveries, sequence, None if peeked else message, message.dead_letter_reason or "", raw
    )


def _body(message: ServiceBusReceivedMessage) -> bytes:
    """The bytes of a data body; a stranger may also send a value or a sequence, which are none of ours."""
    try:
        return b"".join(message.body)
    except TypeError:
        return b""


async def settle(receiver: ServiceBusReceiver, token: object, *, complete: bool) -> bool:
    """Complete or abandon a delivery; False when its lock is not held any more."""
    if not isinstance(token, ServiceBusReceivedMessage):
        return False
    try:
        await (receiver.complete_message(token) if complete else receiver.abandon_message(token))
    except LOCK_LOST:
        return False
    return True


async def peek(receiver: ServiceBusReceiver, start: int, most: int, seconds: float) -> list[Received]:
    """Up to ``most`` messages from a sequence number on, without taking them."""
    found: list[Received] = []
    while len(found) < most:
        wanted = min(most - len(found), MOST_PEEKED)
        page = await receiver.peek_messages(wanted, sequence_number=start, timeout=seconds)
        if not page:
            break
        found += [incoming(message, peeked=True) for message in page]
        start = found[-1].sequence + 1
    return found


async def find(
    receiver: ServiceBusReceiver, sequence: int, act: Callable[[Received], Awaitable[None]]
) -> bool:
    """Lock dead letters from the oldest on until the one with this number comes, act on it and complete it.

    The service cannot lock a chosen one. The others are given back; their counts do not matter there.
    """
    passed: list[ServiceBusReceivedMessage] = []
    try:
        while len(passed) < _MOST_SEARCHED:
            page = await receiver.receive_messages(50, max_wait_time=1)
            wanted = next((one for one in page if one.sequence_number == sequence), None)
            passed += [one for one in page if one is not wanted]
            if wanted is not None:
                await act(incoming(wanted))
                await receiver.complete_message(wanted)
            if wanted is not None or not page:
                return wanted is not None
        return False
    finally:
        for one in passed:
            await settle(receiver, one, complete=False)
