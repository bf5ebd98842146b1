"""The stand-in as the unmodified SDK sees it: what the engine uses, and a little around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from azure.servicebus import (
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceivedMessage,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessagingEntityNotFoundError,
    ServiceBusError,
    ServiceBusServerBusyError,
)

from local.servicebus.config import QueueConfig
from local.servicebus.faults import Fault
from local.servicebus.standin import StandIn

pytestmark = [pytest.mark.bus, pytest.mark.asyncio(loop_scope="module")]

QUEUES = [
    QueueConfig(
        "work", max_delivery_count=3, duplicate_detection=True, duplicate_window=300, dead_letter_expired=True
    )
]


class Kit:
    """One client with its links open: opening costs half a second each."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.client = ServiceBusClient.from_connection_string(standin.connection_string, retry_total=0)
        self.sender: ServiceBusSender = self.client.get_queue_sender("work")
        self.receiver: ServiceBusReceiver = self.client.get_queue_receiver("work")
        self.dead: ServiceBusReceiver = self.client.get_queue_receiver(
            "work", sub_queue=ServiceBusSubQueue.DEAD_LETTER
        )

    async def take(self) -> ServiceBusReceivedMessage:
        [message] = await self.receiver.receive_messages(1, max_wait_time=2)
        return message

    async def nothing(self) -> bool:
        return await self.receiver.receive_messages(1, max_wait_time=0.05) == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Kit]:
    async with StandIn(QUEUES) as standin:
        kit = Kit(standin)
        links = (kit.sender, kit.receiver, kit.dead)
        async with kit.client:
            await asyncio.gather(*(link.__aenter__() for link in links))
            yield kit
            await asyncio.gather(*(link.close() for link in links))


@pytest_asyncio.fixture(loop_scope="module")
async def kit(opened: Kit) -> Kit:
    opened.standin.reset()
    opened.standin.hub.forget_credit()
    return opened


def text(message: ServiceBusReceivedMessage) -> bytes:
    return b"".join(message.body)


def soon(kit: Kit, seconds: float) -> datetime:
    return datetime.fromtimestamp(kit.standin.clock(), UTC) + timedelta(seconds=seconds)


async def test_everything_a_sender_sets_arrives(kit: Kit) -> None:
    sent = ServiceBusMessage(
        b"body", message_id="id", correlation_id="c", subject="s", application_properties={"n": 1, "t": "x"}
    )
    await kit.sender.send_messages(sent)
    message = await kit.take()
    assert (text(message), message.message_id, message.correlation_id) == (b"body", "id", "c")
    assert message.application_properties == {b"n": 1, b"t": b"x"}
    assert (message.delivery_count, message.state) == (0, ServiceBusMessageState.ACTIVE)
    assert message.locked_until_utc is not None
    assert abs(message.locked_until_utc - soon(kit, 60)) < timedelta(seconds=5)
    await kit.receiver.complete_message(message)
    assert await kit.nothing()


async def test_a_message_of_many_frames_passes_both_ways(kit: Kit) -> None:
    body = bytes(range(256)) * 1000
    await kit.sender.send_messages(ServiceBusMessage(body, message_id="big"))
    assert text(await kit.take()) == body


async def test_a_batch_is_single_messages(kit: Kit) -> None:
    await kit.sender.send_messages([ServiceBusMessage(f"{n}", message_id=f"{n}") for n in range(20)])
    received = await kit.receiver.receive_messages(20, max_wait_time=2)
    assert [text(message) for message in received] == [f"{n}".encode() for n in range(20)]


async def test_abandoned_three_times_it_is_a_dead_letter_that_can_be_received(kit: Kit) -> None:
    await kit.sender.send_messages(ServiceBusMessage(b"x", message_id="x"))
    counts = []
    for _ in range(3):
        message = await kit.take()
        counts.append(message.delivery_count)
        await kit.receiver.abandon_message(message)
    assert counts == [0, 1, 2]
    [dead] = await kit.dead.receive_messages(1, max_wait_time=2)
    assert (dead.dead_letter_reason, dead.dead_letter_source) == ("MaxDeliveryCountExceeded", "work")
    await kit.dead.complete_message(dead)
    assert await kit.dead.peek_messages(5, sequence_number=1) == []


async def test_dead_lettered_with_a_reason(kit: Kit) -> None:
    sent = ServiceBusMessage(b"x", message_id="x", application_properties={"mine": 1})
    await kit.sender.send_messages(sent)
    await kit.receiver.dead_letter_message(await kit.take(), reason="bad", error_description="very")
    [dead] = await kit.dead.peek_messages(5, sequence_number=1)
    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("bad", "very")
    assert (dead.application_properties or {})[b"mine"] == 1


async def test_renewing_keeps_the_lock_and_losing_it_is_told(kit: Kit) -> None:
    await kit.sender.send_messages(ServiceBusMessage(b"x", message_id="x"))
    message = await kit.take()
    kit.standin.advance(50)
    assert await kit.receiver.renew_message_lock(message) > soon(kit, 55)
    kit.standin.advance(50)
    assert await kit.nothing()
    kit.standin.advance(11)
    with pytest.raises(MessageLockLostError):
        await kit.receiver.complete_message(message)
    with pytest.raises(MessageLockLostError):
        await kit.receiver.renew_message_lock(message)
    assert (await kit.take()).delivery_count == 1


async def test_scheduled_both_ways_and_cancelled(kit: Kit) -> None:
    by_annotation = ServiceBusMessage(b"a", message_id="a", scheduled_enqueue_time_utc=soon(kit, 100))
    await kit.sender.send_messages(by_annotation)
    numbers = await kit.sender.schedule_messages(
        [ServiceBusMessage(one, message_id=one) for one in ("b", "c")], soon(kit, 100)
    )
    waiting = await kit.receiver.peek_messages(5, sequence_number=1)
    assert [(one.message_id, one.state) for one in waiting] == [
        (name, ServiceBusMessageState.SCHEDULED) for name in ("a", "b", "c")
    ]
    await kit.sender.cancel_scheduled_messages(numbers[0])
    with pytest.raises(ServiceBusError):
        await kit.sender.cancel_scheduled_messages(numbers[0])
    assert await kit.nothing()
    kit.standin.advance(101)
    received = await kit.receiver.receive_messages(5, max_wait_time=2)
    assert [message.message_id for message in received] == ["a", "c"]


async def test_duplicates_are_dropped_also_inside_a_batch(kit: Kit) -> None:
    await kit.sender.send_messages(
        [ServiceBusMessage(b"1", message_id="x"), ServiceBusMessage(b"2", message_id="x")]
    )
    await kit.sender.send_messages(ServiceBusMessage(b"3", message_id="x"))
    received = await kit.receiver.receive_messages(5, max_wait_time=2)
    assert [text(message) for message in received] == [b"1"]


async def test_peeking_pages_by_sequence_and_takes_nothing(kit: Kit) -> None:
    await kit.sender.send_messages([ServiceBusMessage(b"x", message_id=f"{n}") for n in range(5)])
    first = await kit.receiver.peek_messages(3, sequence_number=1)
    rest = await kit.receiver.peek_messages(3)
    assert [message.message_id for message in (*first, *rest)] == ["0", "1", "2", "3", "4"]
    assert len(await kit.receiver.receive_messages(5, max_wait_time=2)) == 5


async def test_what_was_prefetched_and_not_used_is_given_back_uncounted(kit: Kit) -> None:
    await kit.sender.send_messages([ServiceBusMessage(b"x", message_id=f"{n}") for n in range(5)])
    async with kit.client.get_queue_receiver("work", prefetch_count=5) as eager:
        [message] = await eager.receive_messages(1, max_wait_time=2)
        await eager.complete_message(message)
    received = await kit.receiver.receive_messages(5, max_wait_time=2)
    assert [(one.message_id, one.delivery_count) for one in received] == [(f"{n}", 0) for n in range(1, 5)]


async def test_an_unknown_queue_is_told_to_senders_and_receivers(kit: Kit) -> None:
    links = (kit.client.get_queue_sender("nowhere"), kit.client.get_queue_receiver("nowhere"))
    told = await asyncio.gather(*(link.__aenter__() for link in links), return_exceptions=True)
    assert [type(error) for error in told] == [MessagingEntityNotFoundError] * 2


async def test_a_message_that_expires_is_dead_lettered_where_configured(kit: Kit) -> None:
    sent = ServiceBusMessage(b"x", message_id="x", time_to_live=timedelta(seconds=10))
    await kit.sender.send_messages(sent)
    kit.standin.advance(11)
    [dead] = await kit.dead.peek_messages(5, sequence_number=1)
    assert dead.dead_letter_reason == "TTLExpiredException"


async def test_faults_fail_or_delay_one_operation(kit: Kit) -> None:
    kit.standin.faults.add(Fault("send", "fail"))
    with pytest.raises(ServiceBusServerBusyError):
        await kit.sender.send_messages(ServiceBusMessage(b"x", message_id="x"))
    kit.standin.faults.add(Fault("send", "delay", seconds=0.1))
    kit.standin.faults.add(Fault("receive", "delay", seconds=0.1))
    await kit.sender.send_messages(ServiceBusMessage(b"x", message_id="x"))
    assert text(await kit.take()) == b"x"
    assert len(kit.standin.faults) == 0
