"""The guard round a connector: what is tried again, what never, what counts, and what its caller is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from shared.connectors.guard.breakers import Breakers
from shared.connectors.guard.guarded import Guard, GuardedConnector, Limiter
from shared.domain.dates import StayDates
from shared.domain.errors import (
    AuthFailed,
    CircuitOpen,
    PayloadRejected,
    PlatformDown,
    RateLimited,
    SyncError,
    TransientError,
)
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import AIRBNB, Link, Platform
from shared.ports.platforms import ApiConnector, Notification
from tests.connectors.guard.hosts import ACCOUNT, Hosts
from tests.engine.virtual_loop import VirtualLoop

OWNER = Account(ACCOUNT, AIRBNB, "owner")
LISTING = Listing("gite-airbnb", "gite", AIRBNB, ACCOUNT, Link.API, "unit-7")
NIGHT = date(2027, 4, 1)
DOWN = PlatformDown("airbnb: no answer")
NIGHTS = StayDates(NIGHT, NIGHT + timedelta(days=1))


@dataclass
class Scripted:
    """A platform that answers as told, each answer after so many seconds; the last one goes on for ever."""

    hosts: Hosts
    ends: Sequence[SyncError | None] = (None,)
    takes: float = 0.2
    hangs: bool = False
    asked: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    platform: Platform = AIRBNB

    async def _answer(self, name: str) -> None:
        end = self.ends[min(len(self.asked), len(self.ends) - 1)]
        self.asked.append(name)
        self.times.append(self.hosts.seconds)
        if self.hangs:
            await asyncio.Event().wait()
        self.hosts.seconds += self.takes
        await asyncio.sleep(0)
        if end is not None:
            raise end

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        await self._answer("write")
        return WriteOutcome(accepted=frozenset(write.levels))

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        await self._answer("read_levels")
        return {NIGHT: 0}

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        await self._answer("reread")
        return None

    async def poll(self, account: Account) -> Polled:
        await self._answer("poll")
        return Polled()

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        await self._answer("acknowledge")
        return tuple(receipts)

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        await self._answer("stays")
        return ()

    def read_notification(self, body: bytes) -> Notification:
        return Notification(body.decode())


@dataclass
class Budget:
    """A limiter that lets through what it is told to."""

    refusal: RateLimited | None = None
    takes: Callable[[], None] = lambda: None
    asked: list[tuple[str, str, str, bool]] = field(default_factory=list)
    rests: list[tuple[str, str, float | None]] = field(default_factory=list)

    async def acquire(self, account: str, unit: str, operation: str, urgent: bool) -> None:
        self.asked.append((account, unit, operation, urgent))
        self.takes()
        if self.refusal is not None:
            raise self.refusal

    async def refused(self, account: str, unit: str, wait: float | None) -> None:
        self.rests.append((account, unit, wait))


class World:
    """One guarded connector over a scripted platform."""

    def __init__(self) -> None:
        self.hosts = Hosts()
        self.platform = Scripted(self.hosts)
        self.breakers: Breakers = self.hosts.host()
        self.connector = self.guarded()

    def guarded(self, limiter: Limiter | None = None, chance: float = 0.5) -> ApiConnector:
        async def sleep(seconds: float) -> None:
            self.hosts.seconds += seconds
            await asyncio.sleep(0)

        guard = Guard(
            self.breakers,
            now=self.hosts.now,
            monotonic=lambda: self.hosts.seconds,
            sleep=sleep,
            chance=lambda: chance,
        )
        return GuardedConnector(self.platform, guard, limiter)

    def a_write(self, level: int = 0, seconds: float = 12.0) -> Write:
        return Write(1, self.hosts.now() + timedelta(seconds=seconds), {NIGHT: level})

    async def close(self) -> WriteOutcome:
        return await self.connector.write(OWNER, LISTING, self.a_write())

    async def open(self) -> WriteOutcome:
        return await self.connector.write(OWNER, LISTING, self.a_write(level=1))

    async def failures(self, operation: str) -> tuple[int, int]:
        view = next(view for view in await self.breakers.views(ACCOUNT) if view.operation == operation)
        return view.failures, view.calls


@pytest.fixture
def world() -> World:
    return World()


# ------------------------------------------------------------------------------------- what passes through


async def test_answers_come_back_as_they_are(world: World) -> None:
    connector = world.connector
    assert connector.platform == AIRBNB
    assert (await world.close()).accepted == {NIGHT}
    assert await connector.read_levels(OWNER, LISTING, NIGHTS) == {NIGHT: 0}
    assert await connector.reread(OWNER, "HM1") is None
    assert await connector.poll(OWNER) == Polled()
    assert await connector.acknowledge(OWNER, ["1"]) == ("1",)
    assert await connector.stays(OWNER, "unit-7") == ()
    assert connector.read_notification(b"test").action == "test"


# --------------------------------------------------------------------------------------------------- reads


@pytest.mark.parametrize("name", ["poll", "reread", "read_levels", "stays", "acknowledge"])
async def test_reads_and_acknowledgements_are_tried_again_in_place(world: World, name: str) -> None:
    world.platform.ends = (DOWN, DOWN, None)
    calls = {
        "poll": lambda: world.connector.poll(OWNER),
        "reread": lambda: world.connector.reread(OWNER, "HM1"),
        "read_levels": lambda: world.connector.read_levels(OWNER, LISTING, NIGHTS),
        "stays": lambda: world.connector.stays(OWNER, "unit-7"),
        "acknowledge": lambda: world.connector.acknowledge(OWNER, ["1"]),
    }
    await calls[name]()
    assert world.platform.asked == [name] * 3
    assert world.platform.times == pytest.approx([0, 0.7, 1.9])


@pytest.mark.parametrize(("takes", "tries"), [(4.9, 2), (9.4, 2), (9.6, 1)])
async def test_a_read_is_not_begun_again_after_its_budget(world: World, takes: float, tries: int) -> None:
    world.platform.ends, world.platform.takes = (DOWN,), takes
    with pytest.raises(PlatformDown):
        await world.connector.poll(OWNER)
    assert len(world.platform.asked) == tries
    assert world.platform.times[-1] < 10


async def test_what_the_platform_refuses_is_not_asked_again(world: World) -> None:
    for wrong in (AuthFailed("no"), PayloadRejected("no")):
        world.platform.ends, world.platform.asked = (wrong,), []
        with pytest.raises(type(wrong)):
            await world.connector.poll(OWNER)
        assert len(world.platform.asked) == 1


# -------------------------------------------------------------------------------------------------- writes


async def test_rule_16_a_closure_has_two_tries_and_no_third(world: World) -> None:
    world.platform.ends = (DOWN, DOWN, None)
    with pytest.raises(PlatformDown):
        await world.close()
    assert len(world.platform.asked) == 2
    another = World()
    another.platform.ends = (DOWN, None)
    assert (await another.close()).accepted == {NIGHT}


async def test_rule_16_a_second_try_ends_within_the_deadline(world: World) -> None:
    world.platform.ends, world.platform.takes = (DOWN,), 10.0
    with pytest.raises(PlatformDown):
        await world.close()
    assert len(world.platform.asked) == 1
    assert world.hosts.seconds <= 12


@pytest.mark.parametrize(("takes", "tries"), [(9.2, 2), (9.3, 1)])
async def test_rule_16_a_second_try_has_two_seconds_left(world: World, takes: float, tries: int) -> None:
    world.platform.ends, world.platform.takes = (DOWN,), takes
    with pytest.raises(PlatformDown):
        await world.close()
    assert len(world.platform.asked) == tries


@pytest.mark.parametrize("wrong", [DOWN, RateLimited("slower", 1.0), TransientError("later")])
async def test_rule_2_an_opening_is_one_attempt(world: World, wrong: TransientError) -> None:
    world.platform.ends = (wrong, None)
    with pytest.raises(type(wrong)):
        await world.open()
    assert len(world.platform.asked) == 1


@pytest.mark.parametrize(
    "then", [RateLimited("slower", 60.0), AuthFailed("no"), PayloadRejected("no"), TransientError("later", 7)]
)
async def test_rule_2_once_an_attempt_got_no_answer_the_outcome_is_unknown(
    world: World, then: SyncError
) -> None:
    world.platform.ends = (DOWN, then)
    with pytest.raises(PlatformDown, match=r"no answer; then"):
        await world.close()
    assert len(world.platform.asked) == 2


async def test_rule_2_it_stays_unknown_when_the_circuit_opens_between_two_attempts(world: World) -> None:
    world.platform.ends = (DOWN,)
    with pytest.raises(PlatformDown):
        await world.close()
    with pytest.raises(PlatformDown, match=r"no answer; then .* open"):
        await world.close()
    assert len(world.platform.asked) == 3


async def test_rule_2_what_was_never_sent_is_not_unknown(world: World) -> None:
    for wrong in (RateLimited("slower", 60.0), AuthFailed("no")):
        world.platform.ends = (wrong,)
        with pytest.raises(type(wrong)):
            await world.close()
    world.platform.asked = []
    with pytest.raises(TransientError) as caught:
        await world.connector.write(OWNER, LISTING, world.a_write(seconds=0.2))
    assert not isinstance(caught.value, PlatformDown)
    assert world.platform.asked == []


# ------------------------------------------------------------------------------------------------ circuits


async def break_writes(world: World) -> None:
    world.platform.ends = (DOWN,)
    for _ in range(2):
        with pytest.raises(PlatformDown):
            await world.close()
    world.platform.asked, world.platform.ends = [], (None,)


async def test_an_open_circuit_says_when_to_come_again_and_sends_nothing(world: World) -> None:
    await break_writes(world)
    with pytest.raises(CircuitOpen) as caught:
        await world.close()
    assert world.platform.asked == []
    assert caught.value.retry_after == pytest.approx(30, abs=2)
    await world.connector.poll(OWNER)  # reads have a circuit of their own
    world.hosts.seconds += 30
    await world.close()
    await world.close()


async def test_rule_18_the_trial_is_a_closure_unless_none_comes(world: World) -> None:
    await break_writes(world)
    world.hosts.seconds += 31
    with pytest.raises(CircuitOpen):
        await world.open()
    assert world.platform.asked == []
    world.hosts.seconds += 30
    assert (await world.open()).accepted == {NIGHT}


@pytest.mark.parametrize(
    ("wrong", "counted"),
    [
        (DOWN, (1, 1)),
        (RateLimited("slower", 60.0), (0, 0)),
        (AuthFailed("no"), (0, 0)),
        (PayloadRejected("no"), (0, 0)),
        (None, (0, 1)),
    ],
    ids=["down", "429", "401", "400", "200"],
)
async def test_what_counts(world: World, wrong: SyncError | None, counted: tuple[int, int]) -> None:
    world.platform.ends = (wrong,)
    with contextlib.suppress(SyncError):
        await world.open()
    assert await world.failures("write") == counted


async def test_a_fault_of_our_own_counts_for_nothing_and_gives_the_trial_back(world: World) -> None:
    await break_writes(world)
    world.hosts.seconds += 30
    world.platform.ends = (ZeroDivisionError(),)  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        await world.close()
    world.platform.ends = (None,)
    assert (await world.close()).accepted == {NIGHT}


async def test_a_whole_state_of_many_pages_is_not_slow(world: World) -> None:
    for _ in range(60):
        await world.connector.poll(OWNER)  # quick, however late it is by now
    assert world.hosts.seconds > 9
    assert await world.failures("read") == (0, 10)
    world = World()
    world.platform.takes = 9.0
    for _ in range(5):
        await world.connector.stays(OWNER, "unit-7")
    assert await world.failures("read") == (0, 5)
    for _ in range(8):
        await world.connector.poll(OWNER)
    with pytest.raises(CircuitOpen):
        await world.connector.poll(OWNER)


# ------------------------------------------------------------------------------------------------ deadlines


BEGUN = 50.0


class Movable:
    """The hosts' clock as the loop on virtual time moves it."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def peek(self) -> object:
        return self._hosts.now()

    def advance(self, span: timedelta) -> None:
        self._hosts.seconds += span.total_seconds()


@pytest.fixture
def hanging() -> Iterator[tuple[World, asyncio.AbstractEventLoop]]:
    """A platform that takes the call and never answers, on a loop whose waits cost nothing."""
    world = World()
    world.platform.hangs = True
    world.hosts.seconds = BEGUN
    loop = VirtualLoop(Movable(world.hosts))  # type: ignore[arg-type]
    yield world, loop
    loop.close()


def test_a_write_that_hangs_is_cut_off_before_its_deadline_and_counted(
    hanging: tuple[World, asyncio.AbstractEventLoop],
) -> None:
    world, loop = hanging
    with pytest.raises(PlatformDown, match=r"no answer within 11\.8 s"):
        loop.run_until_complete(world.close())
    assert 11 < world.hosts.seconds - BEGUN < 12
    assert world.platform.asked == ["write"]
    assert loop.run_until_complete(world.failures("write")) == (1, 1)


@pytest.mark.parametrize(("name", "seconds"), [("poll", 12), ("stays", 60)])
def test_a_read_that_hangs_is_cut_off(
    hanging: tuple[World, asyncio.AbstractEventLoop], name: str, seconds: float
) -> None:
    world, loop = hanging
    asking = world.connector.poll(OWNER) if name == "poll" else world.connector.stays(OWNER, "unit-7")
    with pytest.raises(PlatformDown):
        loop.run_until_complete(asking)
    assert world.hosts.seconds - BEGUN == pytest.approx(seconds, abs=0.1)
    assert world.platform.asked == [name]


def test_a_store_that_hangs_holds_up_no_closure(hanging: tuple[World, asyncio.AbstractEventLoop]) -> None:
    world, loop = hanging
    world.platform.hangs, world.hosts.stuck = False, True
    begun = world.hosts.seconds
    assert loop.run_until_complete(world.close()).accepted == {NIGHT}
    assert world.hosts.seconds - begun < 1.5
    world.platform.ends = (DOWN,)
    with pytest.raises(PlatformDown):
        loop.run_until_complete(world.open())
    assert world.hosts.seconds - begun < 2.7
    assert world.hosts.telemetry.counts["circuit_store_unavailable"] == 2


# --------------------------------------------------------------------------------------------------- limits


async def test_the_budget_is_asked_before_each_call_and_told_what_it_is_about(world: World) -> None:
    budget = Budget()
    world.connector = world.guarded(budget)
    await world.close()
    await world.open()
    await world.connector.poll(OWNER)
    await world.connector.reread(OWNER, "HM1")
    await world.connector.read_levels(OWNER, LISTING, NIGHTS)
    await world.connector.stays(OWNER, "unit-7")
    await world.connector.acknowledge(OWNER, ["1"])
    assert budget.asked == [
        (ACCOUNT, "unit-7", "write", True),
        (ACCOUNT, "unit-7", "write", False),
        (ACCOUNT, "", "read", True),
        (ACCOUNT, "", "read", True),
        (ACCOUNT, "unit-7", "read", False),
        (ACCOUNT, "unit-7", "read", False),
        (ACCOUNT, "", "acknowledge", True),
    ]
    world.platform.ends = (DOWN, None)
    world.platform.asked, budget.asked = [], []
    await world.connector.poll(OWNER)
    assert len(budget.asked) == len(world.platform.asked) == 2


async def test_a_spent_budget_sends_nothing_and_is_no_failure(world: World) -> None:
    world.connector = world.guarded(Budget(RateLimited("spent", 40.0)))
    with pytest.raises(RateLimited) as caught:
        await world.close()
    assert caught.value.retry_after == 40
    assert world.platform.asked == []
    assert await world.failures("write") == (0, 0)


async def test_what_the_platform_itself_refuses_is_told_to_all_who_share_the_budget(world: World) -> None:
    budget = Budget()
    world.connector = world.guarded(budget)
    world.platform.ends = (RateLimited("slower", 60.0),)
    with pytest.raises(RateLimited):
        await world.close()
    assert budget.rests == [(ACCOUNT, "unit-7", 60.0)]


async def test_what_waited_for_its_budget_until_it_was_too_late_is_not_sent(world: World) -> None:
    def wait() -> None:
        world.hosts.seconds += 12

    world.connector = world.guarded(Budget(takes=wait))
    with pytest.raises(TransientError, match="took all the time") as caught:
        await world.close()
    assert not isinstance(caught.value, PlatformDown)
    assert world.platform.asked == []
    assert await world.failures("write") == (0, 0)


async def test_an_open_circuit_costs_no_budget(world: World) -> None:
    await break_writes(world)
    budget = Budget()
    world.connector = world.guarded(budget)
    with pytest.raises(CircuitOpen):
        await world.close()
    assert budget.asked == []


async def test_a_spent_budget_takes_no_trial(world: World) -> None:
    await break_writes(world)
    world.hosts.seconds += 30
    world.connector = world.guarded(Budget(RateLimited("spent", 40.0)))
    with pytest.raises(RateLimited):
        await world.close()
    world.connector = world.guarded(Budget())
    assert (await world.close()).accepted == {NIGHT}
