"""One contract, two buses: the twin in memory, and the SDK's client on the Service Bus stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from local.servicebus.amqp.message import Parcel
from local.servicebus.amqp.values import Described, ULong
from local.servicebus.amqp.writer import encode as amqp
from local.servicebus.config import load_config
from local.servicebus.standin import StandIn
from shared.adapters.service_bus import ServiceBus
from shared.domain.errors import BusUnavailable
from shared.memory.bus import MemoryBus
from shared.messages import UNREADABLE, decode
from shared.ports.bus import Bus, Message, Received

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = Path(__file__).parents[2] / "local" / "servicebus" / "Config.json"
START = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOTE = Message("site", "home-1", "42", "corr-7")


class World(Protocol):
    """A bus and the hands that move its surroundings."""

    bus: Bus
    patient: bool

    def now(self) -> datetime: ...

    def advance(self, seconds: float) -> None: ...

    def inject(self, body: bytes, message_id: str) -> None: ...


class TwinWorld:
    """Its clock moves when somebody sleeps, or only by hand while ``patient``."""

    def __init__(self) -> None:
        self.moment = START
        self.patient = False
        self.twin = MemoryBus(self.now, self.sleep)
        self.bus: Bus = self.twin

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        if self.patient:
            await asyncio.Event().wait()
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def inject(self, body: bytes, message_id: str) -> None:
        self.twin.put("work", body, message_id)


class StandInWorld:
    """The real client; the stand-in's clock is set forward instead of waiting."""

    patient = False

    def __init__(self, standin: StandIn, bus: Bus) -> None:
        self.standin, self.bus = standin, bus

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.standin.clock(), UTC)

    def advance(self, seconds: float) -> None:
        self.standin.advance(seconds)

    def inject(self, body: bytes, message_id: str) -> None:
        sealed = amqp(Described(ULong(0x75), body))
        self.standin.broker.find("work").send(Parcel(properties=[message_id], sealed_body=sealed))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[StandInWorld]:
    async with StandIn(load_config(CONFIG)) as standin:
        bus = ServiceBus(connection_string=standin.connection_string, send_seconds=20)
        # A busy machine may need more than the product's second to open the first link.
        await asyncio.gather(bus.warm("work"), bus.warm("conflicts"))
        yield StandInWorld(standin, bus)
        await bus.close()


@pytest.fixture(params=["memory", pytest.param("standin", marks=pytest.mark.bus)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return TwinWorld()
    served: StandInWorld = request.getfixturevalue("served")
    served.standin.reset()
    served.standin.hub.forget_credit()
    return served


async def one(world: World, queue: str = "work") -> Received:
    [received] = await world.bus.receive(queue, 1, 2)
    return received


async def nothing(world: World) -> bool:
    return await world.bus.receive("work", 1, 0.05) == []


async def kill(world: World) -> Received:
    """Abandon the only message until it is a dead letter."""
    for _ in range(10):
        await world.bus.abandon("work", await one(world))
    [dead] = await world.bus.dead_letters("work", 10)
    return dead


# --------------------------------------------------------------------------------- sending and receiving


async def test_a_message_arrives_as_it_was_sent(world: World) -> None:
    await world.bus.send("work", [NOTE])
    received = await one(world)
    assert received.message == NOTE
    assert received.deliveries == 1
    assert received.reason == ""
    assert decode(received.raw) == NOTE


async def test_text_of_any_language_survives(world: World) -> None:
    note = Message("site", "gîte/Âme «’» 🏡 \\ |", "1", "")
    await world.bus.send("work", [note])
    assert (await one(world)).message == note


async def test_an_empty_send_and_an_empty_queue_are_nothing(world: World) -> None:
    await world.bus.send("work", [])
    assert await nothing(world)
    assert await world.bus.dead_letters("work", 5) == []


async def test_queues_are_strangers(world: World) -> None:
    await world.bus.send("conflicts", [NOTE])
    assert await nothing(world)
    assert (await one(world, "conflicts")).message == NOTE


async def test_no_more_than_asked_for_and_the_oldest_first(world: World) -> None:
    notes = [Message("site", f"home-{number}", "1") for number in range(5)]
    await world.bus.send("work", notes)
    first = await world.bus.receive("work", 3, 1)
    rest = await world.bus.receive("work", 3, 1)
    assert [received.message for received in first + rest] == notes
    assert [len(first), len(rest)] == [3, 2]


async def test_more_than_a_batch_is_sent_whole(world: World) -> None:
    notes = [Message("site", f"home-{number}", "1") for number in range(230)]
    await world.bus.send("work", notes)
    seen: list[Message] = []
    while received := await world.bus.receive("work", 230, 0.3):
        seen += [item.message for item in received]
    assert seen == notes


async def test_a_receiver_that_waits_gets_the_message_at_once(world: World) -> None:
    world.patient = True  # the twin's clock stands still meanwhile
    waiting = asyncio.create_task(world.bus.receive("work", 1, 30))
    await asyncio.sleep(0)
    await world.bus.send("work", [NOTE])
    async with asyncio.timeout(20):
        [received] = await waiting
    assert received.message == NOTE


async def test_an_unknown_queue_is_unavailable(world: World) -> None:
    with pytest.raises(BusUnavailable, match="nowhere"):
        await world.bus.send("nowhere", [NOTE])


# ---------------------------------------------------------------------------------------------- settling


async def test_a_completed_message_is_gone(world: World) -> None:
    await world.bus.send("work", [NOTE])
    received = await one(world)
    await world.bus.complete("work", received)
    world.advance(120)
    assert await nothing(world)
    with pytest.raises(BusUnavailable, match="lost"):
        await world.bus.complete("work", received)


async def test_a_locked_message_is_nobody_elses(world: World) -> None:
    await world.bus.send("work", [NOTE])
    await one(world)
    world.advance(55)
    assert await nothing(world)


async def test_an_abandoned_message_returns_at_once_to_its_place(world: World) -> None:
    later = Message("site", "home-2", "1")
    await world.bus.send("work", [NOTE, later])
    received = await one(world)
    world.advance(1)
    await world.bus.abandon("work", received)
    again = await world.bus.receive("work", 2, 1)
    assert [(item.message, item.deliveries) for item in again] == [(NOTE, 2), (later, 1)]
    assert again[0].sequence == received.sequence
    with pytest.raises(BusUnavailable, match="lost"):
        await world.bus.abandon("work", received)


async def test_a_lock_that_ran_out_counts_and_its_holder_learns_of_it(world: World) -> None:
    await world.bus.send("work", [NOTE])
    slow = await one(world)
    world.advance(61)
    again = await one(world)
    assert (again.message, again.deliveries) == (NOTE, 2)
    with pytest.raises(BusUnavailable, match="lost"):
        await world.bus.complete("work", slow)
    await world.bus.complete("work", again)
    assert await nothing(world)


async def test_ten_locks_that_ran_out_make_a_dead_letter(world: World) -> None:
    await world.bus.send("work", [NOTE])
    for number in range(1, 11):
        assert (await one(world)).deliveries == number
        world.advance(61)
    assert await nothing(world)
    [dead] = await world.bus.dead_letters("work", 5)
    assert dead.message == NOTE


# ---------------------------------------------------------------------------------- duplicates, schedules


async def test_the_same_id_is_swallowed_inside_the_window_even_when_done(world: World) -> None:
    await world.bus.send("work", [NOTE, NOTE])
    await world.bus.complete("work", await one(world))
    await world.bus.send("work", [NOTE])
    assert await nothing(world)
    world.advance(301)
    await world.bus.send("work", [NOTE])
    assert (await one(world)).message == NOTE


async def test_rule_11_another_version_of_the_same_key_is_another_message(world: World) -> None:
    await world.bus.send("work", [NOTE])
    await world.bus.complete("work", await one(world))
    newer = Message(NOTE.kind, NOTE.key, "43")
    await world.bus.send("work", [newer])
    assert (await one(world)).message == newer


async def test_ids_too_long_for_the_service_still_tell_messages_apart(world: World) -> None:
    notes = [Message("inbox", "k" * 300, version) for version in ("1", "2")]
    await world.bus.send("work", [*notes, notes[0]])
    received = await world.bus.receive("work", 5, 1)
    assert [item.message for item in received] == notes


async def test_a_scheduled_message_waits_for_its_time(world: World) -> None:
    due = world.now() + timedelta(minutes=10)
    await world.bus.send("work", [Message("site", "home-1", "43", due=due)])
    world.advance(590)
    assert await nothing(world)
    world.advance(11)
    received = await one(world)
    assert (received.message.version, received.deliveries) == ("43", 1)


async def test_a_schedule_in_the_past_is_now(world: World) -> None:
    await world.bus.send("work", [Message("site", "home-1", "43", due=world.now() - timedelta(hours=1))])
    assert (await one(world)).message.version == "43"


async def test_a_waiting_receiver_is_woken_by_the_schedule(world: World) -> None:
    due = world.now() + timedelta(seconds=0.3)
    await world.bus.send("work", [Message("site", "home-1", "43", due=due)])
    assert (await one(world)).message.version == "43"


# ------------------------------------------------------------------------------------------ dead letters


async def test_the_tenth_failure_makes_a_dead_letter_that_looking_does_not_take(world: World) -> None:
    await world.bus.send("work", [NOTE])
    dead = await kill(world)
    assert (dead.message, dead.deliveries, dead.reason) == (NOTE, 10, "MaxDeliveryCountExceeded")
    assert dead.token is None
    assert await nothing(world)
    assert await world.bus.dead_letters("work", 10) == [dead]
    assert await world.bus.dead_letters("conflicts", 10) == []


async def test_a_replay_is_not_swallowed_and_happens_once(world: World) -> None:
    await world.bus.send("work", [NOTE])
    dead = await kill(world)
    assert await world.bus.replay("work", dead.sequence) is True
    received = await one(world)
    assert received.message.message_id != NOTE.message_id
    assert (received.message.kind, received.message.key) == (NOTE.kind, NOTE.key)
    assert received.message.correlation == NOTE.correlation
    assert await world.bus.dead_letters("work", 10) == []
    assert await world.bus.replay("work", dead.sequence) is False


async def test_a_message_that_dies_again_is_replayed_under_yet_another_id(world: World) -> None:
    await world.bus.send("work", [NOTE])
    first = await kill(world)
    await world.bus.replay("work", first.sequence)
    second = await kill(world)
    await world.bus.replay("work", second.sequence)
    received = await one(world)
    assert len({NOTE.version, second.message.version, received.message.version}) == 3
    assert received.message.version.startswith("42+r")
    assert received.message.version.count("+r") == 1


async def test_a_replay_takes_the_one_named_and_leaves_the_others(world: World) -> None:
    notes = [Message("site", f"home-{number}", "1") for number in range(3)]
    for note in notes:
        await world.bus.send("work", [note])
        for _ in range(10):
            await world.bus.abandon("work", await one(world))
    dead = await world.bus.dead_letters("work", 10)
    assert [item.message for item in dead] == notes
    assert await world.bus.replay("work", dead[1].sequence)
    left = await world.bus.dead_letters("work", 10)
    assert [item.message for item in left] == [notes[0], notes[2]]
    assert [item.message for item in await world.bus.dead_letters("work", 1)] == [notes[0]]


async def test_replaying_what_never_died_is_false(world: World) -> None:
    await world.bus.send("work", [NOTE])
    received = await one(world)
    assert await world.bus.replay("work", received.sequence) is False
    assert await world.bus.replay("work", 987_654) is False


# --------------------------------------------------------------------------------------- strangers' bodies


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[]", b'{"kind": 3}', b'{"kind": "site", "key": ""}', b"[" * 20_000]
)
async def test_a_body_nobody_can_read_is_delivered_as_such(world: World, body: bytes) -> None:
    world.inject(body, "strange")
    received = await one(world)
    assert received.message.kind == UNREADABLE
    assert received.raw == body
    await world.bus.complete("work", received)
    assert await nothing(world)


async def test_an_unreadable_dead_letter_is_replayed_byte_for_byte(world: World) -> None:
    world.inject(b"\x00 not ours", "strange")
    dead = await kill(world)
    assert dead.message.kind == UNREADABLE
    assert await world.bus.replay("work", dead.sequence) is True
    assert (await one(world)).raw == b"\x00 not ours"
