"""The local host's timers, on a clock that only sleeping moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import azure.functions as func
import pytest

from local.host.invocations import Invocations
from local.host.timers import TimerLoop
from tests.functions.tiny import (
    Over,
    VirtualTime,
    nothing,
    plan_of,
    with_timer,
)


def at_second(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 5, 1, hour, minute, second, tzinfo=UTC)


async def ticks(
    work: Callable[[VirtualTime], Awaitable[object]], lasts: timedelta
) -> list[tuple[datetime, bool]]:
    """When the function ran, and whether it was told to be late."""
    time = VirtualTime(lasts)
    seen: list[tuple[datetime, bool]] = []

    async def tick(timer: func.TimerRequest) -> object:
        seen.append((time.now(), timer.past_due))
        return await work(time)

    plan = plan_of(with_timer(tick)).timers[0]
    with pytest.raises(Over):
        await TimerLoop(plan, Invocations(), time.now, time.sleep).run()
    return seen


async def test_a_timer_runs_at_its_ticks() -> None:
    assert await ticks(nothing, timedelta(minutes=3)) == [
        (at_second(12, 1), False),
        (at_second(12, 2), False),
        (at_second(12, 3), False),
    ]


async def test_ticks_missed_by_a_long_run_become_one_late_run() -> None:
    long = iter([150.0])

    async def work(time: VirtualTime) -> None:
        time.time += timedelta(seconds=next(long, 0.0))

    assert await ticks(work, timedelta(minutes=5)) == [
        (at_second(12, 1), False),
        (at_second(12, 3, 30), True),
        (at_second(12, 4), False),
        (at_second(12, 5), False),
    ]


async def test_a_clock_that_wakes_early_serves_each_tick_once() -> None:
    class Early(VirtualTime):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds * 0.999 if seconds > 0.001 else seconds)

    time = Early(timedelta(minutes=3))
    seen: list[datetime] = []

    async def tick(_timer: func.TimerRequest) -> None:
        seen.append(time.now().replace(microsecond=0))

    with pytest.raises(Over):
        await TimerLoop(plan_of(with_timer(tick)).timers[0], Invocations(), time.now, time.sleep).run()
    assert seen == [at_second(12, 1), at_second(12, 2), at_second(12, 3)]


async def test_after_standby_one_late_run_remains() -> None:
    class Standby(VirtualTime):
        async def sleep(self, seconds: float) -> None:
            nap = 3600 if self.time == at_second(12, 1) else seconds
            await super().sleep(nap)

    time = Standby(timedelta(minutes=62))
    seen: list[tuple[datetime, bool]] = []

    async def tick(timer: func.TimerRequest) -> None:
        seen.append((time.now(), timer.past_due))

    with pytest.raises(Over):
        await TimerLoop(plan_of(with_timer(tick)).timers[0], Invocations(), time.now, time.sleep).run()
    assert seen == [(at_second(12, 1), False), (at_second(13, 1), True), (at_second(13, 2), False)]


async def test_a_failing_run_does_not_stop_the_schedule(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_time: VirtualTime) -> None:
        raise RuntimeError("guest Ada Sample")

    assert len(await ticks(fails, timedelta(minutes=3))) == 3
    assert caplog.text.count("tick: invocation failed: RuntimeError") == 3
    assert "Ada" not in caplog.text


async def test_a_returned_value_fails_the_invocation_as_in_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def returns(_time: VirtualTime) -> str:
        return "something"

    await ticks(returns, timedelta(minutes=1))
    assert "WrongReturn" in caplog.text
