"""Retries: how often, how long between them, and when not at all."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import (
    AuthFailed,
    CircuitOpen,
    PayloadRejected,
    PlatformDown,
    RateLimited,
    StaleWrite,
    SyncError,
    TransientError,
)
from shared.resilience.retry import PATIENCE, Retry, RetryPolicyConfig


class Bench:
    """A call that ends as told, and a clock that the pauses move."""

    def __init__(self, *ends: SyncError | str, policy: RetryPolicyConfig | None = None, chance: float = 0.5):
        self.ends: Sequence[SyncError | str] = ends
        self.took = 0.0
        self.calls = 0
        self.now = 100.0
        self.pauses: list[float] = []
        self.retry = Retry(
            policy or RetryPolicyConfig(),
            sleep=self.sleep,
            chance=lambda: chance,
            monotonic=lambda: self.now,
        )

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    async def call(self) -> str:
        self.now += self.took
        end = self.ends[min(self.calls, len(self.ends) - 1)]
        self.calls += 1
        if isinstance(end, str):
            return end
        raise end

    async def run(self, budget: float = 3600.0) -> str:
        return await self.retry.run(self.call, budget=budget)


DOWN = PlatformDown("no answer")


async def test_the_defaults_are_three_retries_from_one_second_doubled() -> None:
    bench = Bench(DOWN)
    with pytest.raises(PlatformDown) as caught:
        await bench.run()
    assert caught.value is DOWN
    assert bench.calls == 4
    assert bench.pauses == [0.5, 1.0, 2.0]  # full jitter at one half


async def test_a_success_is_given_back_and_ends_it() -> None:
    assert await Bench("first").run() == "first"
    bench = Bench(DOWN, DOWN, "third")
    assert await bench.run() == "third"
    assert bench.calls == 3


async def test_the_jitter_is_full() -> None:
    for chance, pauses in ((0.0, [0, 0, 0]), (0.999, [0.999, 1.998, 3.996])):
        bench = Bench(DOWN, chance=chance)
        with pytest.raises(PlatformDown):
            await bench.run()
        assert bench.pauses == pytest.approx(pauses)


async def test_what_the_platform_asked_for_comes_before_our_own_pause() -> None:
    bench = Bench(RateLimited("slower", 3.0), "done", chance=0.5)
    assert await bench.run() == "done"
    assert bench.pauses == [3.5]


async def test_no_pause_ends_after_the_budget() -> None:
    bench = Bench(DOWN)
    bench.took = 2.0
    with pytest.raises(PlatformDown):
        await bench.run(budget=6.0)
    # 2 s, 0.5 s, 2 s, 1 s, 2 s: the next pause of 2 s would end after 6 s.
    assert bench.calls == 3
    assert bench.now == 107.5


async def test_a_pause_that_ends_with_the_budget_is_too_long() -> None:
    bench = Bench(DOWN, "late", chance=0.5)
    with pytest.raises(PlatformDown):
        await bench.run(budget=0.5)
    bench = Bench(DOWN, "in time", chance=0.5)
    assert await bench.run(budget=0.51) == "in time"


@pytest.mark.parametrize(
    "wrong",
    [
        CircuitOpen("open", 1.0),
        RateLimited("much later", PATIENCE + 0.1),
        AuthFailed("no"),
        PayloadRejected("no"),
        StaleWrite("no"),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
async def test_what_would_fail_again_is_not_repeated(wrong: SyncError) -> None:
    bench = Bench(wrong, "never")
    with pytest.raises(type(wrong)):
        await bench.run()
    assert (bench.calls, bench.pauses) == (1, [])
    later = Bench(DOWN, wrong, "never")
    with pytest.raises(type(wrong)):
        await later.run()
    assert later.calls == 2


async def test_a_budget_without_a_time_is_waited_for_like_a_failure() -> None:
    bench = Bench(RateLimited("slower"), "done")
    assert await bench.run() == "done"
    assert bench.pauses == [0.5]


async def test_without_retries_there_are_none() -> None:
    bench = Bench(DOWN, policy=RetryPolicyConfig(max_retries=0))
    with pytest.raises(PlatformDown):
        await bench.run()
    assert bench.calls == 1


@given(
    st.integers(0, 6),
    st.floats(0, 60),
    st.floats(1, 10),
    st.floats(0, 600),
    st.floats(0, 0.999),
    st.lists(st.one_of(st.none(), st.floats(0, 300)), min_size=1, max_size=8),
    st.floats(0, 2000),
)
def test_whatever_is_asked_for_the_waits_stay_within_bounds(
    retries: int,
    base: float,
    factor: float,
    cap: float,
    chance: float,
    asked: list[float | None],
    budget: float,
) -> None:
    longest = timedelta(seconds=max(base, cap))
    policy = RetryPolicyConfig(retries, timedelta(seconds=base), factor, longest)
    bench = Bench(*(TransientError("again", wish) for wish in asked), policy=policy, chance=chance)
    with pytest.raises(TransientError):
        asyncio.run(bench.run(budget))
    assert bench.calls <= 1 + retries
    assert len(bench.pauses) == bench.calls - 1
    assert sum(bench.pauses) <= budget
    for at, pause in enumerate(bench.pauses):
        wish = asked[min(at, len(asked) - 1)] or 0.0
        assert wish <= pause <= max(longest.total_seconds(), wish) + 1e-9


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_retries", -1),
        ("base_delay", timedelta(seconds=-1)),
        ("backoff_multiplier", 0.9),
        ("max_delay", timedelta(milliseconds=999)),
    ],
)
def test_a_policy_without_sense_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"retry: {field}"):
        RetryPolicyConfig(**{field: value})  # type: ignore[arg-type]


def test_tenacity_is_imported_with_the_first_failure_only() -> None:
    code = "import sys; import shared.resilience.retry; sys.exit('tenacity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
