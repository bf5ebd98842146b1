"""The limits of a platform, kept by several hosts over one store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.connectors.guard.limiter import MARGIN, SlidingLimiter, limiter_for
from shared.connectors.registry import PLATFORMS
from shared.domain.errors import RateLimited, StoreUnavailable
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryTelemetry
from shared.ports.stores import Row
from shared.resilience.rate_limit import PROPERTY, Limit
from shared.state.names import ACCOUNTS
from shared.state.notes import PREFIX, NoteStore
from tests.connectors.guard.counting_platform import Host, Town, outcome, units_of
from tests.engine.village import Clock
from tests.hypothesis_profiles import budget

TWO = (Limit(15, 1), Limit(120, 60))
WRITES = frozenset({"write"})

Build = Callable[..., Town]


@pytest.fixture
def town() -> Iterator[Build]:
    built: list[Town] = []

    def build(*limits: Limit, **more: object) -> Town:
        built.append(Town(*limits, **more))  # type: ignore[arg-type]
        return built[-1]

    yield build
    for one in built:
        one.close()


# ------------------------------------------------------------------------------------------- what it costs


def test_a_platform_without_limits_costs_nothing(town: Build) -> None:
    place = town()
    place.run(place.host("one").call())
    assert place.trips == {}
    assert place.seconds() < 0.001


def test_an_operation_nobody_counts_costs_nothing(town: Build) -> None:
    place = town(Limit(10, 60, operations=WRITES))
    place.run(place.host("one").call(operation="read"))
    assert place.trips == {}


def test_a_call_alone_is_one_write_and_no_read_after_the_first(town: Build) -> None:
    place = town(Limit(160, 60))
    host = place.host("one")
    place.run(host.call())
    assert place.trips == {"get": 1, "insert": 1}
    for _ in range(5):
        place.clock.advance(timedelta(seconds=30))
        place.run(host.call())
    assert place.trips == {"get": 1, "insert": 1, "update": 5}


def test_a_stream_of_calls_is_leased_in_blocks(town: Build) -> None:
    place = town(Limit(160, 60))
    host = place.host("one")

    async def stream() -> None:
        for _ in range(100):
            await asyncio.sleep(0.1)
            await host.call()

    place.run(stream())
    assert len(place.platform.calls) == 100
    assert place.trips.total() < 15


def test_calls_at_once_are_one_lease(town: Build) -> None:
    place = town(Limit(160, 60))
    host = place.host("one")

    async def many() -> None:
        await asyncio.gather(*(host.call(f"home{n}") for n in range(50)))

    place.run(many())
    assert place.trips == {"get": 1, "insert": 1}
    assert len(place.platform.calls) == 50


# ----------------------------------------------------------------------------------------- never one too many


@pytest.mark.parametrize("hosts", [1, 3])
def test_saturated_hosts_use_what_is_allowed_and_are_never_refused(town: Build, hosts: int) -> None:
    place = town(*TWO, margin=MARGIN, way=0.25)
    place.slow_store = 0.02
    place.lag = {"h1": 1.0, "h2": 0.4}
    machines = [place.host(f"h{number}") for number in range(hosts)]
    stop = 600.0

    async def work(number: int) -> None:
        while place.seconds() < stop:
            await asyncio.wait_for(machines[number % hosts].call_until_done(f"home{number}"), stop)

    async def all_of_them() -> None:
        await asyncio.wait([asyncio.create_task(work(number)) for number in range(150)], timeout=stop)

    place.run(all_of_them())
    assert place.platform.refused == []
    assert len(place.platform.calls) >= 0.95 * 120 * stop / 60


def test_hosts_die_with_their_blocks_and_nobody_is_refused(town: Build) -> None:
    """Each learns to lease ahead, makes a few calls and is heard of no more: nobody gives back what it still held."""
    place = town(Limit(80, 60), margin=MARGIN, way=0.25)

    async def live_and_die(number: int) -> None:
        host = place.host(f"host{number}")
        for _ in range(4):
            await outcome(host.call())

    async def generations() -> None:
        for number in range(100):
            await asyncio.gather(live_and_die(2 * number), live_and_die(2 * number + 1))
            await asyncio.sleep(2)

    place.run(generations())
    assert place.platform.refused == []
    assert 180 < len(place.platform.calls) < 800  # 800 were asked for, 280 could be made if nobody died


def test_a_block_lost_with_its_host_is_free_again_a_window_and_its_validity_later(town: Build) -> None:
    place = town(Limit(8, 60))
    dying, other = place.host("dying"), place.host("other")

    async def take_all() -> None:
        await asyncio.gather(
            *(dying.limiter.acquire("account", f"home{n}", "write", False) for n in range(8))
        )

    place.run(take_all())
    refused = place.run(outcome(other.call()))
    assert isinstance(refused, RateLimited)
    assert refused.retry_after == pytest.approx(65, abs=0.1)
    place.clock.advance(timedelta(seconds=refused.retry_after))
    assert place.run(other.call()) is True


def test_an_answer_of_the_store_that_got_lost_costs_calls_and_breaks_no_limit(town: Build) -> None:
    place = town(Limit(10, 60))
    host = place.host("one")
    lost = iter([True, True, False])

    def lose(operation: str, table: str, partition: str) -> None:
        if operation in ("insert", "update") and next(lost, False):
            raise StoreUnavailable("no answer")

    place.tables.after = lose
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            place.run(host.call())
    place.tables.after = None
    for _ in range(8):
        assert place.run(host.call()) is True
    assert isinstance(place.run(outcome(host.call())), RateLimited)


def test_a_store_that_is_away_is_told_to_all_who_wait_and_forgotten_when_it_is_back(town: Build) -> None:
    place = town(Limit(10, 60))
    host = place.host("one")

    def away(operation: str, table: str, partition: str) -> None:
        raise StoreUnavailable("away")

    async def three() -> list[object]:
        return await asyncio.gather(*(host.call(f"h{n}") for n in range(3)), return_exceptions=True)

    place.tables.before = away
    assert [type(one) for one in place.run(three())] == [StoreUnavailable] * 3
    place.tables.before = None
    assert place.run(host.call()) is True


def test_a_clock_that_jumps_back_an_hour_neither_breaks_a_limit_nor_stops_for_an_hour(town: Build) -> None:
    place = town(Limit(10, 60))
    ahead = [timedelta(hours=1)]
    host = place.host("one", clock=lambda: place.clock.now() + ahead[0])

    async def ten() -> None:
        await asyncio.gather(*(host.call(f"h{n}") for n in range(10)))

    place.run(ten())
    ahead[0] = timedelta(0)
    refused = place.run(outcome(host.call()))
    assert isinstance(refused, RateLimited)
    assert refused.retry_after is not None
    assert refused.retry_after < 70
    place.clock.advance(timedelta(seconds=refused.retry_after))
    assert place.run(host.call()) is True
    assert place.platform.refused == []


def test_a_block_leased_before_the_clock_jumped_back_is_not_used(town: Build) -> None:
    place = town(Limit(80, 60))
    ahead = [timedelta(0)]
    host = place.host("one", clock=lambda: place.clock.now() + ahead[0])
    for _ in range(4):  # it learns to lease ahead
        place.run(host.call())
    writes = place.trips["update"]
    ahead[0] = timedelta(seconds=-600)
    place.run(host.call())
    assert place.trips["update"] == writes + 1


def test_a_block_that_was_given_back_is_not_used_when_the_clock_jumps_back(town: Build) -> None:
    place = town(Limit(80, 60))
    ahead = [timedelta(0)]
    host = place.host("one", clock=lambda: place.clock.now() + ahead[0])
    for _ in range(4):
        place.run(host.call())
    ahead[0] = timedelta(seconds=30)  # the block of writes is over
    place.run(host.call(operation="read"))
    ahead[0] = timedelta(0)
    trips = place.trips.total()
    place.run(host.call())
    assert place.trips.total() == trips + 1


def test_a_note_nobody_can_read_stops_calls_for_a_minute_only(town: Build) -> None:
    place = town(Limit(10, 60))
    row = Row("account", PREFIX + "limit", {"text": "[9,{}]"})
    place.run(place.tables.upsert(ACCOUNTS, row))
    host = place.host("one")

    async def ask_every_second() -> None:
        while await outcome(host.call()) is not True:
            await asyncio.sleep(1)

    place.run(ask_every_second())
    assert place.seconds() == pytest.approx(60, abs=2)


@given(st.integers(0, 2**32))
@settings(max_examples=budget(8, 100))
def test_whatever_happens_to_hosts_store_and_clocks_nobody_is_refused(seed: int) -> None:
    """Hosts lag, die, are cancelled in the middle; the store is slow, does not answer, or loses its answer."""
    chance = random.Random(seed)
    limits = (Limit(chance.randint(2, 20), 5), Limit(chance.randint(5, 40), 30), Limit(4, 20, PROPERTY))
    place = Town(*limits, margin=MARGIN, way=0.25, seed=seed)
    place.slow_store = chance.choice([0.0, 0.05, 1.0])
    place.lag = {f"host{number}": 1.25 * chance.random() for number in range(60)}
    lossy = chance.choice([0.0, 0.2])
    names = (f"host{number}" for number in range(60))

    def lose(operation: str, table: str, partition: str) -> None:
        if chance.random() < lossy:
            raise StoreUnavailable("no answer")

    async def live(host: Host) -> None:
        calls = []
        for _ in range(chance.randint(1, 12)):
            unit, operation = f"home{chance.randint(0, 4)}", chance.choice(["read", "write"])
            calls.append(
                asyncio.create_task(outcome(host.call(unit, operation, urgent=chance.random() < 0.3)))
            )
            await asyncio.sleep(chance.choice([0, 0, 0.1, 1]))
        await asyncio.wait(calls, timeout=chance.choice([0.05, 10]))
        for call in calls:
            call.cancel()

    async def story() -> None:
        hosts = [place.host(next(names)) for _ in range(3)]
        for _ in range(25):
            await asyncio.gather(*(live(host) for host in hosts))
            if chance.random() < 0.5:
                hosts[chance.randrange(3)] = place.host(next(names))

    place.tables.after = lose
    place.run(story())
    place.close()
    assert place.platform.refused == []
    assert place.platform.calls


# ------------------------------------------------------------------------------------- the platform says no


def test_a_429_in_the_middle_stops_every_host_for_as_long_as_it_said(town: Build) -> None:
    place = town(Limit(160, 60))
    one, two = place.host("one"), place.host("two")
    assert place.run(one.call()) is True
    place.platform.rests_until = place.clock.peek().timestamp() + 30
    assert place.run(one.call()) is False
    place.run(one.limiter.refused("account", "home", 30))
    for host in (one, two):
        refused = place.run(outcome(host.call()))
        assert isinstance(refused, RateLimited)
        assert refused.retry_after == pytest.approx(30, abs=0.1)
    assert place.run(two.limiter.left("account")) == {"160/min": 0}
    place.clock.advance(timedelta(seconds=30))
    assert place.run(two.call()) is True
    assert place.run(one.call()) is True


def test_a_429_that_says_nothing_is_a_short_rest_and_a_longer_one_stands(town: Build) -> None:
    place = town(Limit(160, 60))
    host = place.host("one")
    place.run(host.limiter.refused("account", "", 20))
    place.run(host.limiter.refused("account", "", None))
    refused = place.run(outcome(host.call()))
    assert isinstance(refused, RateLimited)
    assert refused.retry_after == pytest.approx(20, abs=0.1)


def test_a_short_rest_is_waited_out(town: Build) -> None:
    place = town(Limit(160, 60))
    host = place.host("one")
    place.run(host.limiter.refused("account", "", 1.5))
    assert place.run(host.call()) is True
    assert place.seconds() == pytest.approx(1.5, abs=0.01)


def test_a_platform_without_limits_rests_in_this_process_and_asks_no_store(town: Build) -> None:
    place = town()
    host = place.host("one")
    place.run(host.limiter.refused("account", "home", 10))
    assert isinstance(place.run(outcome(host.call())), RateLimited)
    assert place.trips == {}


def test_where_limits_are_a_propertys_only_that_property_rests(town: Build) -> None:
    place = town(Limit(10, 60, PROPERTY))
    one, two = place.host("one"), place.host("two")
    place.run(one.limiter.refused("account", "mill:room1", 60))
    assert isinstance(place.run(outcome(two.call("mill:room2"))), RateLimited)
    assert place.run(two.call("barn:room1")) is True


def test_a_refusal_the_store_does_not_take_still_binds_this_process(town: Build) -> None:
    place = town(Limit(160, 60))
    host = place.host("one")

    def away(operation: str, table: str, partition: str) -> None:
        raise StoreUnavailable("away")

    place.tables.before = away
    place.run(host.limiter.refused("account", "", 10))
    place.tables.before = None
    assert isinstance(place.run(outcome(host.call())), RateLimited)
    assert place.telemetry.counts["refusal_not_shared"] == 1


# ------------------------------------------------------------------------------------------ who comes first


def test_one_home_with_a_hundred_calls_delays_anothers_single_call_by_one_turn(town: Build) -> None:
    place = town(Limit(4, 1))
    host = place.host("one")

    async def story() -> None:
        crowd = [asyncio.create_task(outcome(host.call("crowd"))) for _ in range(100)]
        await asyncio.sleep(0.5)  # the first four are gone, the others wait or were sent away
        await host.call("single")
        await asyncio.gather(*crowd)

    place.run(story())
    assert place.platform.refused == []
    assert units_of(place.platform.calls)[:6].index("single") <= 5


def test_a_home_that_was_sent_away_often_does_not_put_off_anothers_return(town: Build) -> None:
    place = town(Limit(10, 60))
    host = place.host("one")

    async def story() -> tuple[list[object], object]:
        crowd = await asyncio.gather(*(outcome(host.call("crowd")) for _ in range(100)))
        return list(crowd), await outcome(host.call("single"))

    crowd, single = place.run(story())
    waits = [one.retry_after for one in crowd if isinstance(one, RateLimited) and one.retry_after]
    assert len(waits) == 90
    assert max(waits) > 480
    assert isinstance(single, RateLimited)
    assert single.retry_after is not None
    assert single.retry_after < 62


def test_urgent_calls_go_first(town: Build) -> None:
    place = town(Limit(4, 1))
    host = place.host("one")

    async def story() -> None:
        calls = [host.call(f"calm{n}") for n in range(10)]
        calls += [host.call("urgent", urgent=True) for _ in range(3)]
        await asyncio.gather(*(outcome(call) for call in calls))

    place.run(story())
    assert units_of(place.platform.calls)[:3] == ["urgent"] * 3


def test_urgent_calls_find_something_left_when_others_used_all_they_may(town: Build) -> None:
    place = town(Limit(160, 60))
    crowd, other = place.host("crowd"), place.host("other")

    async def story() -> None:
        await asyncio.gather(*(outcome(crowd.call(f"home{n}")) for n in range(300)))

    place.run(story())
    assert isinstance(place.run(outcome(other.call())), RateLimited)
    assert place.run(other.call(urgent=True)) is True
    assert place.platform.refused == []


def test_a_home_whose_own_limit_is_used_up_holds_nobody_else_up(town: Build) -> None:
    place = town(*TWO, Limit(10, 60, PROPERTY))
    host = place.host("one")

    async def story() -> list[object]:
        crowd = [outcome(host.call("crowd:1")) for _ in range(14)]
        others = [outcome(host.call(f"home{n}")) for n in range(5)]
        return list(await asyncio.gather(*crowd, *others))

    found = place.run(story())
    assert found.count(True) == 15
    assert sum(isinstance(one, RateLimited) for one in found) == 4
    assert place.platform.refused == []
    assert place.seconds() < 1


def test_a_writes_limit_holds_no_reads_up(town: Build) -> None:
    place = town(Limit(2, 60, operations=WRITES), Limit(100, 60))
    host = place.host("one")

    async def story() -> list[object]:
        calls = [host.call("home", "write") for _ in range(4)] + [host.call("home", "read") for _ in range(4)]
        return list(await asyncio.gather(*(outcome(call) for call in calls)))

    found = place.run(story())
    assert found == [True, True, ANY, ANY, True, True, True, True]
    assert all(isinstance(one, RateLimited) for one in found[2:4])


# ----------------------------------------------------------------------------------------- waiting and leaving


def test_a_short_wait_is_waited_and_a_long_one_is_sent_away_at_once(town: Build) -> None:
    place = town(Limit(1, 1.5))
    host = place.host("one")

    async def story() -> list[object]:
        calls = [asyncio.create_task(outcome(host.call())) for _ in range(3)]
        await asyncio.wait(calls[2:])
        assert place.seconds() < 0.1
        return list(await asyncio.gather(*calls))

    first, second, third = place.run(story())
    assert (first, second) == (True, True)
    assert isinstance(third, RateLimited)
    assert third.retry_after == pytest.approx(3, abs=0.1)
    assert "account account may call again in 3 s" in str(third)


def test_who_is_sent_away_is_told_a_moment_of_his_own(town: Build) -> None:
    place = town(Limit(10, 60))
    host = place.host("one")

    async def story() -> list[float]:
        found = await asyncio.gather(*(outcome(host.call(f"home{n}")) for n in range(35)))
        return sorted(one.retry_after or 0 for one in found if isinstance(one, RateLimited))

    waits = place.run(story())
    assert [round(wait / 60) for wait in waits] == [1] * 10 + [2] * 10 + [3] * 5


def test_who_does_not_wait_any_more_takes_no_call(town: Build) -> None:
    place = town(Limit(2, 1))
    host = place.host("one")

    async def story() -> None:
        await asyncio.gather(host.call("a"), host.call("b"))
        leaving, staying = asyncio.create_task(host.call("c")), asyncio.create_task(host.call("d"))
        await asyncio.sleep(0.1)
        leaving.cancel()
        await staying
        assert await host.call("e")
        assert place.seconds() < 1.5

    place.run(story())
    assert units_of(place.platform.calls) == ["a", "b", "d", "e"]


def test_no_task_is_left_behind(town: Build) -> None:
    place = town(Limit(2, 1))
    host = place.host("one")

    async def story() -> int:
        await asyncio.gather(*(outcome(host.call(f"h{n}")) for n in range(9)))
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert place.run(story()) == 1


# ---------------------------------------------------------------------------------------------- what is left


def test_what_is_left_is_told_at_each_lease_and_on_demand(town: Build) -> None:
    place = town(Limit(160, 60, operations=WRITES), Limit(2000, 3600), Limit(10, 60, PROPERTY))
    one, two = place.host("one"), place.host("two")

    async def story() -> None:
        await asyncio.gather(*(one.call(unit) for unit in ("mill", "mill", "barn")))

    assert place.run(one.limiter.left("account")) == {"160/min write": 160, "2000/h": 2000}
    place.run(story())
    expected = {"160/min write": 157, "2000/h": 1997}
    assert place.run(two.limiter.left("account")) == expected
    assert place.run(one.limiter.left("account")) == expected | {"10/min a property": 8}
    assert "rate_budget_left" in place.telemetry.gauges


def test_every_platforms_limits_can_be_kept() -> None:
    names = {}
    for entry in PLATFORMS.values():
        clock = Clock()
        limiter = limiter_for(
            entry,
            NoteStore(MemoryTables(clock.now)),
            clock=clock.now,
            sleep=clock.sleep,
            host="one",
            telemetry=MemoryTelemetry(),
        )
        names[entry.platform] = sorted(asyncio.run(_left_after_a_write(limiter)).items())
    assert names["airbnb"] == [("160/min write", 159), ("2000/h", 1999)]
    assert names["channex"] == [("10/min a property write", 9)]
    assert names["booking"] == []


async def _left_after_a_write(limiter: SlidingLimiter) -> Mapping[str, int]:
    await limiter.acquire("account", "house:room", "write", True)
    return await limiter.left("account")
