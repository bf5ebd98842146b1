"""The broker alone: no network, its clock in the test's hand."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from local.servicebus.amqp.message import SCHEDULED_TIME, Parcel, timestamp
from local.servicebus.amqp.values import UInt
from local.servicebus.broker import Broker
from local.servicebus.config import QueueConfig
from local.servicebus.queues import Queue
from local.servicebus.stored import Refused, State, Stored

CONFIG = QueueConfig(
    "Work", lock_duration=60, max_delivery_count=3, duplicate_detection=True, duplicate_window=300
)


class Bench:
    """A broker with one queue, a clock and tokens in order."""

    def __init__(self, config: QueueConfig = CONFIG) -> None:
        self.now = 1_000_000.0
        self.tokens = 0
        self.broker = Broker([config], lambda: self.now, self.token)
        self.queue = self.broker.find("work")
        assert self.queue.dead is not None
        self.dead = self.queue.dead

    def token(self) -> UUID:
        self.tokens += 1
        return UUID(int=self.tokens)

    def take(self, queue: Queue | None = None) -> tuple[Stored, UUID]:
        message = (queue or self.queue).take()
        assert message is not None
        assert message.token is not None
        return message, message.token


@pytest.fixture
def bench() -> Bench:
    return Bench()


def parcel(message_id: str = "", *, due: float | None = None, ttl: float | None = None) -> Parcel:
    return Parcel(
        header=[] if ttl is None else [None, None, UInt(round(ttl * 1000))],
        annotations={} if due is None else {SCHEDULED_TIME: timestamp(due)},
        properties=[message_id],
    )


def ids(queue: Queue) -> list[str]:
    return [message.parcel.message_id for message in queue.peek(0, 100)]


def test_names_ignore_case_and_unknown_ones_are_refused(bench: Bench) -> None:
    assert bench.broker.find("WORK") is bench.queue
    assert bench.broker.find("/work/$DeadLetterQueue") is bench.dead
    with pytest.raises(Refused, match="nowhere") as caught:
        bench.broker.find("nowhere")
    assert caught.value.condition == "amqp:not-found"


def test_a_lock_ends_exactly_at_its_time(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    _, token = bench.take()
    assert bench.broker.next_deadline() == bench.now + 60
    bench.now += 59.999
    assert bench.queue.take() is None
    bench.now += 0.001
    message, _ = bench.take()
    assert message.failures == 1
    with pytest.raises(Refused) as caught:
        bench.queue.complete(token)
    assert caught.value.condition == "com.microsoft:message-lock-lost"


def test_renewing_moves_the_end_of_the_lock(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    _, token = bench.take()
    bench.now += 50
    assert bench.queue.renew(token) == bench.now + 60
    bench.now += 50
    assert bench.queue.take() is None
    assert bench.broker.next_deadline() == bench.now + 10
    bench.queue.complete(token)
    with pytest.raises(Refused):
        bench.queue.renew(token)


def test_abandoned_released_and_expired_differ_in_what_they_count(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    bench.queue.release(bench.take()[1])
    assert bench.take()[0].failures == 0
    bench.now += 60
    message, token = bench.take()
    assert message.failures == 1
    bench.queue.abandon(token)
    assert bench.take()[0].failures == 2


def test_the_last_allowed_failure_buries(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    for _ in range(2):
        bench.queue.abandon(bench.take()[1])
    sequence = bench.take()[0].sequence
    bench.now += 60
    bench.broker.tick()
    [dead] = bench.dead.peek(0, 5)
    assert dead.parcel.text("DeadLetterReason") == "MaxDeliveryCountExceeded"
    assert (dead.sequence, dead.failures) == (sequence, 3)
    assert bench.queue.take() is None


def test_a_dead_letter_can_be_given_back_for_ever_but_not_buried_again(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    bench.queue.dead_letter(bench.take()[1], "bad", "very")
    for _ in range(20):
        bench.dead.abandon(bench.take(bench.dead)[1])
    message, token = bench.take(bench.dead)
    assert message.parcel.text("DeadLetterErrorDescription") == "very"
    with pytest.raises(Refused):
        bench.dead.dead_letter(token, "again", "")
    bench.dead.complete(token)
    assert ids(bench.dead) == []
    with pytest.raises(Refused):
        bench.dead.send(parcel("b"))


def test_a_scheduled_message_is_renumbered_when_it_comes_due(bench: Bench) -> None:
    sequence = bench.queue.send(parcel("later", due=bench.now + 100))
    bench.queue.send(parcel("now"))
    assert [message.state for message in bench.queue.peek(0, 5)] == [State.SCHEDULED, State.ACTIVE]
    assert bench.broker.next_deadline() == bench.now + 100
    bench.now += 100
    assert ids(bench.queue) == ["now", "later"]
    with pytest.raises(Refused):
        bench.queue.cancel(sequence)


def test_a_cancelled_message_never_comes(bench: Bench) -> None:
    sequence = bench.queue.send(parcel("later", due=bench.now + 100))
    bench.queue.cancel(sequence)
    bench.now += 100
    assert bench.queue.take() is None
    assert bench.broker.next_deadline() is None


def test_duplicates_are_dropped_inside_the_window_only(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    bench.queue.complete(bench.take()[1])
    bench.now += 299
    bench.queue.send(parcel("a"))
    assert ids(bench.queue) == []
    bench.now += 1
    bench.queue.send(parcel("a"))
    assert ids(bench.queue) == ["a"]


def test_messages_without_an_id_are_never_duplicates(bench: Bench) -> None:
    bench.queue.send(parcel())
    bench.queue.send(parcel())
    assert ids(bench.queue) == ["", ""]


def test_without_detection_the_same_id_comes_twice() -> None:
    bench = Bench(QueueConfig("work"))
    bench.queue.send(parcel("a"))
    bench.queue.send(parcel("a"))
    assert ids(bench.queue) == ["a", "a"]


def test_an_id_longer_than_the_service_takes_is_refused(bench: Bench) -> None:
    bench.queue.send(parcel("x" * 128))
    with pytest.raises(Refused, match="128"):
        bench.queue.send(parcel("x" * 129))


@pytest.mark.parametrize("keep", [True, False])
def test_an_expired_message_is_dropped_or_buried_as_configured(keep: bool) -> None:
    bench = Bench(QueueConfig("work", lock_duration=60, time_to_live=3600, dead_letter_expired=keep))
    bench.queue.send(parcel("short", ttl=10))
    bench.queue.send(parcel("long", ttl=10**6))
    bench.now += 10
    assert ids(bench.queue) == ["long"]
    assert ids(bench.dead) == (["short"] if keep else [])
    bench.now += 3590
    assert ids(bench.queue) == []


def test_a_message_that_expires_while_locked_goes_when_it_is_given_back(bench: Bench) -> None:
    bench.queue.send(parcel("a", ttl=10))
    _, token = bench.take()
    bench.now += 20
    bench.queue.abandon(token)
    assert bench.queue.take() is None
    assert ids(bench.queue) == []


def test_ready_is_told_for_every_way_a_message_becomes_free(bench: Bench) -> None:
    told: list[str] = []
    bench.queue.on_ready = lambda queue: told.append(queue.address)
    bench.queue.send(parcel("a"))
    bench.queue.abandon(bench.take()[1])
    bench.take()
    bench.now += 60
    bench.broker.tick()
    bench.queue.send(parcel("b", due=bench.now + 5))
    assert len(told) == 3
    bench.now += 5
    bench.broker.tick()
    assert told == ["work"] * 4


def test_clearing_forgets_messages_and_ids(bench: Bench) -> None:
    bench.queue.send(parcel("a"))
    _, token = bench.take()
    bench.broker.clear()
    assert bench.queue.counts() == {"active": 0, "locked": 0, "scheduled": 0}
    with pytest.raises(Refused):
        bench.queue.complete(token)
    bench.queue.send(parcel("a"))
    assert ids(bench.queue) == ["a"]


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order, a message is in exactly one place until somebody completes it."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(QueueConfig("work", lock_duration=60, max_delivery_count=3, time_to_live=10**9))
        self.alive: set[str] = set()
        self.held: dict[str, tuple[UUID, float]] = {}
        self.count = 0

    @rule(delay=st.sampled_from([0, 0, 30, 90]))
    def send(self, delay: int) -> None:
        self.count += 1
        self.alive.add(str(self.count))
        due = self.bench.now + delay if delay else None
        self.bench.queue.send(parcel(str(self.count), due=due))

    @rule()
    def take(self) -> None:
        message = self.bench.queue.take()
        if message is not None and message.token is not None:
            self.held[message.parcel.message_id] = (message.token, self.bench.now + 60)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["complete", "abandon", "release"]))
    def settle(self, data: st.DataObject, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.held)))
        token, until = self.held.pop(name)
        try:
            getattr(self.bench.queue, how)(token)
        except Refused:
            assert self.bench.now >= until
            return
        assert self.bench.now < until
        if how == "complete":
            self.alive.discard(name)

    @rule(seconds=st.sampled_from([1, 29, 60]))
    def wait(self, seconds: int) -> None:
        self.bench.now += seconds
        self.bench.broker.tick()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        here = ids(self.bench.queue) + ids(self.bench.dead)
        assert sorted(here) == sorted(self.alive)

    @invariant()
    def a_deadline_is_never_missed(self) -> None:
        self.bench.broker.tick()
        deadline = self.bench.broker.next_deadline()
        assert deadline is None or deadline > self.bench.now

    @invariant()
    def only_locks_that_hold_are_locked(self) -> None:
        holding = sum(self.bench.now < until for _, until in self.held.values())
        assert self.bench.queue.counts()["locked"] == holding


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=40, stateful_step_count=30)
