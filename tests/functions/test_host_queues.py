"""The local host's queue triggers: delivery count, completion, giving back, limits, outages."""

from __future__ import annotations

import asyncio
import json

import azure.functions as func
import pytest

from local.servicebus.config import QueueConfig
from local.servicebus.standin import StandIn
from shared.adapters.service_bus import ServiceBus
from shared.ports.bus import Message
from tests.functions.tiny import (
    plan_of,
    running,
    waiting,
    with_queue,
)


async def test_a_message_arrives_whole_counts_from_1_and_is_completed() -> None:
    seen: list[tuple[object, ...]] = []
    done = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        body = json.loads(message.get_body())
        seen.append((body["key"], message.delivery_count, message.message_id, message.correlation_id))
        done.set()

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa", "7", "correlation-1")])
        await done.wait()
    assert seen == [("villa", 1, "site|villa|7", "correlation-1")]
    assert waiting(at.bus) == []


async def test_a_failure_gives_the_message_back_and_counts() -> None:
    counts: list[int | None] = []
    done = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        counts.append(message.delivery_count)
        if len(counts) < 3:
            raise RuntimeError
        done.set()

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await done.wait()
    assert counts == [1, 2, 3]
    assert waiting(at.bus) == []


async def test_after_ten_failures_the_queue_itself_dead_letters() -> None:
    counts: list[int | None] = []
    tenth = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        counts.append(message.delivery_count)
        if len(counts) == 10:
            tenth.set()
        raise RuntimeError

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await tenth.wait()
    assert counts == list(range(1, 11))
    assert [dead.message.key for dead in await at.bus.dead_letters("work", 5)] == ["villa"]


async def test_no_more_run_at_once_than_host_json_says() -> None:
    running_now, most, total = 0, 0, 0
    release, all_done = asyncio.Event(), asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        nonlocal running_now, most, total
        running_now += 1
        most = max(most, running_now)
        if running_now == 3:
            for _ in range(100):  # time enough for a fourth to begin
                await asyncio.sleep(0)
            release.set()
        await release.wait()
        running_now -= 1
        total += 1
        if total == 9:
            all_done.set()

    async with running(plan_of(with_queue(work), at_once=3)) as at:
        await at.bus.send("work", [Message("site", str(n)) for n in range(9)])
        await all_done.wait()
    assert most == 3


async def test_a_bus_that_was_away_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        done.set()

    async with running(plan_of(with_queue(work))) as at:
        at.bus.put("work", b'{"kind": "site", "key": "villa"}', "1")
        at.bus.down = True
        while "the bus is away" not in caplog.text:
            await asyncio.sleep(0)
        at.bus.down = False
        at.release()
        await done.wait()


async def test_a_lost_lock_does_not_stop_the_pump(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()
    keys: list[str] = []

    async def work(message: func.ServiceBusMessage) -> None:
        keys.append(json.loads(message.get_body())["key"])
        if keys[-1] == "first":
            at.bus._queues["work"].waiting.clear()
            await at.bus.send("work", [Message("site", "second")])
        else:
            done.set()

    async with running(plan_of(with_queue(work), at_once=1)) as at:
        await at.bus.send("work", [Message("site", "first")])
        await done.wait()
    assert keys == ["first", "second"]
    assert "not settled" in caplog.text


@pytest.mark.bus
async def test_the_same_through_the_sdk() -> None:
    counts: list[tuple[int | None, str]] = []
    done = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        counts.append((message.delivery_count, message.message_id))
        if len(counts) == 1:
            raise RuntimeError
        done.set()

    async with StandIn([QueueConfig("work")]) as service:
        bus = ServiceBus(connection_string=service.connection_string, send_seconds=20)
        async with running(plan_of(with_queue(work)), other=bus):
            await bus.send("work", [Message("site", "villa", "7")])
            await done.wait()
        left = service.broker.find("work").counts()
        await bus.close()
    assert counts == [(1, "site|villa|7"), (2, "site|villa|7")]
    assert set(left.values()) == {0}
