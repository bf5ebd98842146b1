"""The bus's client when the network is not kind: cut connections, lost answers, a bus that is away."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.ports import free_port
from local.servicebus.config import QueueConfig
from local.servicebus.faults import Fault
from local.servicebus.standin import StandIn
from shared.adapters import service_bus_link
from shared.adapters.service_bus import ServiceBus
from shared.adapters.service_bus_link import IDLE_SECONDS, Link
from shared.domain.errors import AuthFailed, BusUnavailable
from shared.ports.bus import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUEUES = [QueueConfig("work", max_delivery_count=10, duplicate_detection=True, duplicate_window=300.0)]
PATIENT = 20.0
"""Seconds a send gets here: what is tested is the recovery, not this machine's speed."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[tuple[StandIn, ServiceBus]]:
    async with StandIn(QUEUES) as standin:
        bus = ServiceBus(connection_string=standin.connection_string, send_seconds=PATIENT)
        yield standin, bus
        await bus.close()


@pytest_asyncio.fixture(loop_scope="module")
async def standin(running: tuple[StandIn, ServiceBus]) -> StandIn:
    running[0].reset()
    running[0].hub.forget_credit()
    return running[0]


@pytest_asyncio.fixture(loop_scope="module")
async def bus(running: tuple[StandIn, ServiceBus]) -> ServiceBus:
    await running[1].warm("work")
    return running[1]


def note(version: str) -> Message:
    return Message("site", "home-1", version)


# ----------------------------------------------------------------------------------------- cut connections


@pytest.mark.bus
async def test_a_cut_connection_is_replaced_within_the_call(standin: StandIn, bus: ServiceBus) -> None:
    await bus.send("work", [note("1")])
    assert standin.hub.drop_peers() > 0
    await bus.send("work", [note("2")])
    received = await bus.receive("work", 5, 2)
    assert [item.message.version for item in received] == ["1", "2"]


@pytest.mark.bus
async def test_a_delivery_can_be_settled_after_its_connection_was_cut(
    standin: StandIn, bus: ServiceBus
) -> None:
    await bus.send("work", [note("1"), note("2")])
    first, second = await bus.receive("work", 2, 2)
    standin.hub.drop_peers()
    await bus.complete("work", first)
    await bus.abandon("work", second)
    [again] = await bus.receive("work", 2, 2)
    assert (again.message.version, again.deliveries) == ("2", 2)


@pytest.mark.bus
async def test_a_send_whose_answer_was_lost_arrives_once(standin: StandIn, bus: ServiceBus) -> None:
    await bus.send("work", [note("1")])
    standin.faults.add(Fault("send", "lose"))
    await bus.send("work", [note("2")])
    assert len(standin.faults) == 0
    received = await bus.receive("work", 5, 2)
    assert [item.message.version for item in received] == ["1", "2"]


@pytest.mark.bus
async def test_a_delivery_lost_on_its_way_comes_back_after_its_lock(
    standin: StandIn, bus: ServiceBus
) -> None:
    standin.faults.add(Fault("receive", "lose"))
    await bus.send("work", [note("1")])
    assert await bus.receive("work", 1, 0.1) == []
    standin.advance(61)
    [received] = await bus.receive("work", 1, 2)
    assert received.deliveries == 2


# ------------------------------------------------------------------------------------------ a bus that refuses


@pytest.mark.bus
async def test_a_refusal_is_told_and_not_repeated_at_once(standin: StandIn, bus: ServiceBus) -> None:
    standin.faults.add(Fault("send", "fail"))
    with pytest.raises(BusUnavailable, match="ServerBusy"):
        await bus.send("work", [note("1")])
    assert standin.broker.find("work").counts()["active"] == 0
    await bus.send("work", [note("1")])
    assert standin.broker.find("work").counts()["active"] == 1


@pytest.mark.bus
async def test_a_refused_completion_leaves_the_message_to_its_lock(standin: StandIn, bus: ServiceBus) -> None:
    await bus.send("work", [note("1")])
    [received] = await bus.receive("work", 1, 2)
    standin.faults.add(Fault("settle", "fail"))
    with pytest.raises(BusUnavailable, match="ServerBusy"):
        await bus.complete("work", received)
    standin.advance(61)
    assert standin.broker.find("work").counts() == {"active": 1, "locked": 0, "scheduled": 0}


# --------------------------------------------------------------------------------------- a bus that is away


@pytest.mark.bus
async def test_rule_12_a_send_to_a_bus_that_does_not_answer_has_a_second(standin: StandIn) -> None:
    bus = ServiceBus(connection_string=standin.connection_string)
    await bus.warm("work")
    standin.faults.add(Fault("send", "delay", seconds=3600), count=2)
    began = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.send("work", [note("1")])
    assert time.monotonic() - began < 2.5  # the SDK alone would take over ten
    await bus.close()


@pytest.mark.bus
async def test_a_bus_that_was_away_is_found_again() -> None:
    port = free_port()  # nobody's connection is lent it in between
    async with StandIn(QUEUES, port=port) as standin:
        bus = ServiceBus(connection_string=standin.connection_string, send_seconds=PATIENT)
        await bus.send("work", [note("1")])
    with pytest.raises(BusUnavailable, match="work"):
        await bus.send("work", [note("2")])
    async with StandIn(QUEUES, port=port) as standin:
        await bus.send("work", [note("2")])
        assert standin.broker.find("work").counts()["active"] == 1
        await bus.close()


async def test_without_an_address_it_says_what_is_missing() -> None:
    with pytest.raises(AuthFailed, match="connection string"):
        ServiceBus()


@pytest.mark.bus
async def test_no_error_tells_the_key() -> None:
    string = (
        "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=hush;UseDevelopmentEmulator=true;"
    )
    for given in (string, "SharedAccessKey=hush;nonsense"):
        bus = ServiceBus(connection_string=given)
        with pytest.raises(BusUnavailable) as caught:
            await bus.send("work", [note("1")])
        assert "hush" not in str(caught.value) + repr(bus)
        await bus.close()


async def test_making_a_bus_does_not_import_the_sdk() -> None:
    code = (
        "import sys; from shared.adapters.service_bus import ServiceBus; import shared.messages;"
        "ServiceBus(connection_string='x'); sys.exit(any(name.startswith('azure') for name in sys.modules))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


# ---------------------------------------------------------------------------------------------- the link


class Door:
    """What a link opens, and how often."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.unlocked = asyncio.Event()

    async def open(self) -> Door:
        self.opened += 1
        await self.unlocked.wait()
        return self

    async def close(self) -> None:
        self.closed += 1


async def knock(_door: Door) -> str:
    return "in"


async def test_an_opening_outlives_the_caller_whose_time_is_over() -> None:
    door = Door()
    link = Link(door.open, (OSError,))
    caller = asyncio.create_task(link.use(knock, ()))
    while not door.opened:
        await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    door.unlocked.set()
    assert await link.use(knock, ()) == "in"
    assert door.opened == 1


async def test_a_failed_opening_is_tried_again_by_the_next_caller() -> None:
    door = Door()
    answers = [OSError("refused"), None]

    async def opener() -> Door:
        if (error := answers.pop(0)) is not None:
            raise error
        return door

    link = Link(opener, (OSError,))
    with pytest.raises(OSError, match="refused"):
        await link.use(knock, ())
    assert await link.use(knock, ()) == "in"


@pytest.mark.parametrize(("error", "closed"), [(ValueError, 0), (OSError, 1), (asyncio.CancelledError, 1)])
async def test_a_link_is_kept_after_a_refusal_and_replaced_after_anything_else(
    error: type[BaseException], closed: int
) -> None:
    door = Door()
    door.unlocked.set()
    link = Link(door.open, (OSError,))

    async def fail(_door: Door) -> None:
        raise error

    with pytest.raises(error):
        await link.use(fail, (ValueError,))
    await link.use(knock, ())
    assert door.opened == 1 + closed
    await link.close()
    assert door.closed == door.opened


async def test_a_link_long_idle_is_replaced_before_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1000.0
    monkeypatch.setattr(service_bus_link.Link, "_now", staticmethod(lambda: moment))
    door = Door()
    door.unlocked.set()
    link = Link(door.open, (OSError,))
    await link.use(knock, ())
    moment += IDLE_SECONDS
    await link.use(knock, ())
    assert door.opened == 1
    moment += IDLE_SECONDS + 1
    assert not link.is_open
    await link.use(knock, ())
    assert door.opened == 2
