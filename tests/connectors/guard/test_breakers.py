"""Circuits that all hosts share: one trial over all of them, and nothing asked of the store while all is well."""

from __future__ import annotations

import asyncio
import random

import pytest

from shared.connectors.guard.breakers import Breakers
from shared.domain.errors import CircuitOpen, PayloadRejected, StoreUnavailable
from shared.ports.stores import Row
from shared.resilience.circuit_breaker import Outcome, Permit
from shared.state.names import ACCOUNTS
from shared.state.notes import NoteStore
from tests.connectors.guard.hosts import ACCOUNT, START, Hosts, break_it, call


async def state_of(breakers: Breakers, operation: str = "write") -> str:
    return next(view.state for view in await breakers.views(ACCOUNT) if view.operation == operation)


# ---------------------------------------------------------------------------------- rule 25: what it costs


async def test_rule_25_a_thousand_successes_cost_one_read_a_second_and_no_write() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    for number in range(1000):
        hosts.seconds = number / 250  # 4 s
        await call(breakers, Outcome.OK)
    assert hosts.asked == {"get": 4}
    assert await hosts.tables.query(ACCOUNTS, ACCOUNT) == []


async def test_calls_that_come_together_read_once() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await asyncio.gather(*(call(breakers, Outcome.OK) for _ in range(50)))
    assert hosts.requests() == 1


async def test_rule_25_one_failure_after_a_thousand_successes_is_one_of_ten() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    for _ in range(1000):
        await call(breakers, Outcome.OK)
    for failures in range(1, 5):
        await call(breakers, Outcome.FAILED)
        view = (await hosts.host().views(ACCOUNT))[2]
        assert (view.failures, view.calls, view.state) == (failures, 10, "closed")
    await call(breakers, Outcome.FAILED)
    assert await state_of(hosts.host()) == "open"


async def test_rule_25_successes_are_written_once_they_clear_the_failures_and_not_before() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await call(breakers, Outcome.FAILED)
    hosts.requests()
    hosts.seconds = 0.1
    for _ in range(9):
        await call(breakers, Outcome.OK)
    assert hosts.requests() == 0
    await call(breakers, Outcome.OK)
    assert hosts.requests() == 1
    assert (await hosts.host().views(ACCOUNT))[2].failures == 0
    hosts.requests()
    for _ in range(100):
        await call(breakers, Outcome.OK)
    assert hosts.requests() == 0


async def test_rule_25_nothing_is_lost_with_a_process() -> None:
    hosts = Hosts()
    for _ in range(3):
        await call(hosts.host(), Outcome.FAILED)  # each in a process of its own
    with pytest.raises(CircuitOpen) as caught:
        await hosts.host().permit(ACCOUNT, "write")
    assert caught.value.retry_after == pytest.approx(30)
    assert hosts.telemetry.counts["circuit_refused"] == 1


async def test_what_others_saw_is_known_within_a_second() -> None:
    hosts = Hosts()
    one, other = hosts.host(), hosts.host()
    await call(other, Outcome.OK)
    await break_it(one)
    hosts.seconds = 0.9
    await other.permit(ACCOUNT, "write")  # its copy is younger than a second
    hosts.seconds = 1.0
    with pytest.raises(CircuitOpen):
        await other.permit(ACCOUNT, "write")


async def test_an_answer_that_says_nothing_costs_nothing() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await call(breakers, Outcome.OK)
    for _ in range(20):
        await call(breakers, Outcome.IGNORED)
    assert hosts.requests() == 1
    assert (await breakers.views(ACCOUNT))[2].calls == 1


# ------------------------------------------------------------------------------ one trial over all hosts


async def ask(breakers: Breakers) -> Permit | None:
    try:
        return await breakers.permit(ACCOUNT, "write")
    except CircuitOpen:
        return None


@pytest.mark.parametrize("seed", range(20))
async def test_one_trial_over_fifty_calls_on_twenty_hosts(seed: int) -> None:
    hosts, chance = Hosts(), random.Random(seed)
    processes = [hosts.host() for _ in range(20)]
    await break_it(processes[0])
    hosts.seconds = 30.0
    asking = [ask(chance.choice(processes)) for _ in range(50)]
    permits = [got for got in await asyncio.gather(*asking) if got is not None]
    assert len(permits) == 1
    # While it is under way nobody else gets one, whoever he is and however often he asks.
    hosts.seconds = 59.9
    assert not any([await ask(one) for one in processes])
    # A process that died with it blocks nobody for longer than its permit lasts.
    hosts.seconds = 60.1
    permits = [got for got in await asyncio.gather(*map(ask, processes)) if got is not None]
    assert len(permits) == 1


async def test_a_good_trial_closes_it_for_everybody() -> None:
    hosts = Hosts()
    one, other = hosts.host(), hosts.host()
    await break_it(one)
    hosts.seconds = 30.0
    trial = await other.permit(ACCOUNT, "write")
    assert hosts.telemetry.gauges["circuit_state"] == 0.5
    await other.record(ACCOUNT, "write", trial, Outcome.OK)
    hosts.seconds = 31.0
    await call(one, Outcome.OK)
    assert hosts.events() == ["circuit_opened", "circuit_closed"]
    assert hosts.telemetry.gauges["circuit_state"] == 0


async def test_a_bad_trial_opens_it_for_twice_as_long() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await break_it(breakers)
    hosts.seconds = 30.0
    await call(breakers, Outcome.FAILED)
    with pytest.raises(CircuitOpen) as caught:
        await breakers.permit(ACCOUNT, "write")
    assert caught.value.retry_after == pytest.approx(60)
    assert hosts.telemetry.events[-1][1] | {"seconds": 60.0, "reopened": 1} == hosts.telemetry.events[-1][1]
    assert hosts.telemetry.gauges["circuit_state"] == 1


async def test_a_trial_that_told_nothing_is_given_back() -> None:
    hosts = Hosts()
    one, other = hosts.host(), hosts.host()
    await break_it(one)
    hosts.seconds = 30.0
    await call(one, Outcome.IGNORED)
    assert await ask(other) is not None


async def test_rule_18_the_trial_is_kept_for_closures() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await break_it(breakers)
    for hosts.seconds in (30.0, 59.0):
        with pytest.raises(CircuitOpen) as caught:
            await breakers.permit(ACCOUNT, "write", urgent=False)
        assert caught.value.retry_after is not None
        assert hosts.seconds + caught.value.retry_after >= 60
    hosts.seconds = 60.0
    assert (await breakers.permit(ACCOUNT, "write", urgent=False)).trial


async def test_rule_18_failing_writes_stop_no_poll() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await break_it(breakers, "write")
    await call(breakers, Outcome.OK, "read")
    await call(breakers, Outcome.OK, "acknowledge")
    states = {view.operation: view.state for view in await breakers.views(ACCOUNT)}
    assert states == {"read": "closed", "acknowledge": "closed", "write": "open"}
    permit = await breakers.permit("another-account", "write")
    assert not permit.trial


async def test_looking_takes_no_trial() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await break_it(breakers)
    with pytest.raises(CircuitOpen):
        await breakers.look(ACCOUNT, "write")
    hosts.seconds = 30.0
    await breakers.look(ACCOUNT, "write")
    assert (await breakers.permit(ACCOUNT, "write")).trial
    with pytest.raises(CircuitOpen) as caught:
        await breakers.look(ACCOUNT, "write")
    assert caught.value.retry_after == 5


async def test_slow_reads_open_it_and_slow_writes_do_not() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    for operation in ("read", "write"):
        for _ in range(3):
            await call(breakers, Outcome.OK, operation, seconds=7.9)
    assert {view.state for view in await breakers.views(ACCOUNT)} == {"closed"}
    breakers = hosts.host()  # it knows nothing of those
    for operation in ("read", "write"):
        for _ in range(3):
            await call(breakers, Outcome.OK, operation, seconds=8)
    states = {view.operation: view.state for view in await breakers.views(ACCOUNT)}
    assert (states["read"], states["write"]) == ("open", "closed")


# --------------------------------------------------------------------- hosts that write at the same moment


@pytest.mark.parametrize("seed", range(20))
async def test_failures_told_at_the_same_moment_are_all_counted(seed: int) -> None:
    hosts, chance = Hosts(), random.Random(seed)
    processes = [hosts.host() for _ in range(4)]
    for one in processes:
        for _ in range(chance.randint(3, 10)):
            await call(one, Outcome.OK)
    await asyncio.gather(*(call(one, Outcome.FAILED) for one in processes))
    view = (await hosts.host().views(ACCOUNT))[2]
    assert (view.failures, view.calls, view.state) == (4, 10, "closed")


async def test_a_success_told_meanwhile_is_not_forgotten() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await call(breakers, Outcome.OK)
    permit = await breakers.permit(ACCOUNT, "write")
    failing = asyncio.create_task(breakers.record(ACCOUNT, "write", permit, Outcome.FAILED))
    await asyncio.sleep(0)  # the failure is on its way to the store
    hosts.seconds = 0.5
    await call(breakers, Outcome.OK)
    await failing
    assert (await breakers.views(ACCOUNT))[2].calls == 3


async def test_a_failure_from_before_the_opening_opens_nothing_again() -> None:
    hosts = Hosts()
    one, other = hosts.host(), hosts.host()
    early = await other.permit(ACCOUNT, "write")
    await break_it(one)
    hosts.seconds = 30.0
    await call(one, Outcome.OK)
    await other.record(ACCOUNT, "write", early, Outcome.FAILED)
    assert (await hosts.host().views(ACCOUNT))[2].failures == 0


async def test_a_result_that_others_keep_overtaking_is_counted_as_lost() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await call(breakers, Outcome.FAILED)
    (row,) = await hosts.tables.query(ACCOUNTS, ACCOUNT)
    inner = hosts.tables.before

    async def overtake(operation: str, table: str, partition: str) -> None:
        if operation == "update":
            hosts.tables.before = None
            await hosts.tables.upsert(table, Row(row.partition, row.key, row.values))
            hosts.tables.before = overtake

    hosts.tables.before = overtake
    await call(breakers, Outcome.FAILED)
    hosts.tables.before = inner
    assert hosts.telemetry.counts["circuit_write_lost"] == 1
    assert (await hosts.host().views(ACCOUNT))[2].failures == 1


async def test_successes_nobody_saved_before_an_outage_are_forgotten_with_it() -> None:
    hosts = Hosts()
    one, other = hosts.host(), hosts.host()
    for _ in range(5):
        await call(one, Outcome.OK)
    await break_it(other)
    hosts.seconds = 30.0
    await call(other, Outcome.OK)
    hosts.seconds = 32.0
    assert (await one.views(ACCOUNT))[2].calls == 0


async def test_a_success_from_before_an_outage_is_not_counted_after_it() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    early = await breakers.permit(ACCOUNT, "write")
    await break_it(breakers)
    hosts.seconds = 30.0
    await call(breakers, Outcome.OK)
    await breakers.record(ACCOUNT, "write", early, Outcome.OK)
    assert (await breakers.views(ACCOUNT))[2].calls == 0


# --------------------------------------------------------------------------------- a store that is away


async def test_while_the_store_is_away_calls_go_on_and_nothing_raises() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    hosts.down = True
    for _ in range(5):
        await call(breakers, Outcome.FAILED)
    assert hosts.asked == {"get": 1, "insert": 5}  # it is asked again each second, and no write is repeated
    hosts.down = False
    hosts.seconds = 1.0
    await break_it(breakers)
    hosts.down = True
    hosts.seconds = 20.0
    with pytest.raises(CircuitOpen):
        await breakers.permit(ACCOUNT, "write")
    hosts.seconds = 40.0
    known = hosts.telemetry.counts["circuit_store_unavailable"]
    with pytest.raises(CircuitOpen):  # nobody could be told of the trial
        await breakers.permit(ACCOUNT, "write")
    assert hosts.telemetry.counts["circuit_store_unavailable"] == known + 2  # neither read nor written
    hosts.down = False
    hosts.seconds = 41.0
    assert (await breakers.permit(ACCOUNT, "write")).trial


async def test_a_text_nobody_can_read_is_a_new_circuit() -> None:
    hosts = Hosts()
    await break_it(hosts.host())
    rows = await hosts.tables.query(ACCOUNTS, ACCOUNT)
    for row in rows:
        await hosts.tables.upsert(ACCOUNTS, Row(row.partition, row.key, {"text": "[9]"}))
    breakers = hosts.host()
    await call(breakers, Outcome.FAILED)
    assert hosts.telemetry.counts["circuit_unreadable"] == 1
    assert (await hosts.host().views(ACCOUNT))[2].failures == 1


# --------------------------------------------------------------------------------------------- by hand


async def test_forced_states_hold_for_everybody_until_they_are_taken_back() -> None:
    hosts = Hosts()
    one, other = hosts.host(), hosts.host()
    await other.views(ACCOUNT)
    await one.force(ACCOUNT, "write", "forced_open")
    hosts.seconds = 3600.0
    with pytest.raises(CircuitOpen) as caught:
        await other.permit(ACCOUNT, "write")
    assert caught.value.retry_after == 60
    await other.force(ACCOUNT, "write", "forced_closed")
    hosts.requests()
    hosts.seconds = 3601.0
    for _ in range(10):
        await call(one, Outcome.FAILED)
    assert hosts.requests() == 1  # nothing is counted
    await one.force(ACCOUNT, "write", "closed")
    await break_it(one)
    assert await state_of(one) == "open"
    assert hosts.events() == ["circuit_opened", "circuit_closed", "circuit_closed", "circuit_opened"]


@pytest.mark.parametrize(
    ("operation", "state"), [("poll", "closed"), ("write", "open"), ("write", "half_open"), ("", "")]
)
async def test_what_is_unknown_is_refused_by_name(operation: str, state: str) -> None:
    with pytest.raises(PayloadRejected, match=r"no circuit|no state"):
        await Hosts().host().force(ACCOUNT, operation, state)


async def test_a_forced_state_that_cannot_be_stored_is_not_claimed() -> None:
    hosts = Hosts()
    hosts.down = True
    with pytest.raises(StoreUnavailable):
        await hosts.host().force(ACCOUNT, "write", "forced_open")


async def test_a_circuit_can_be_read_off_the_accounts_notes_by_whoever_has_read_them_anyway() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    await break_it(breakers)
    await breakers.force(ACCOUNT, "read", "forced_open")
    views = await breakers.views(ACCOUNT)
    notes, names = NoteStore(hosts.tables), ("circuit|read", "circuit|write")
    texts = {name: (await notes.read(ACCOUNT, name)).text for name in names}
    hosts.requests()
    assert hosts.host().told({**texts, "circuit|acknowledge": "of tomorrow", "ladder": "x"}) == (
        views[0],
        views[2],
    )
    assert hosts.requests() == 0


async def test_a_view_says_since_when_and_until_when() -> None:
    hosts = Hosts()
    breakers = hosts.host()
    quiet = (await breakers.views(ACCOUNT))[2]
    assert (quiet.since, quiet.retry_at, quiet.state) == (None, None, "closed")
    await break_it(breakers)
    view = (await breakers.views(ACCOUNT))[2]
    assert view.since == START
    assert view.retry_at is not None
    assert (view.retry_at - START).total_seconds() == 30
    hosts.seconds = 31.0
    half = (await breakers.views(ACCOUNT))[2]
    assert (half.state, half.since, half.retry_at) == ("half_open", view.retry_at, view.retry_at)
