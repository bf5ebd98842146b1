"""A failed call, made again: exponential pauses with full jitter, within a budget, and not a moment before the other
side wants to be asked.

The waiting itself is tenacity's. It is imported with the first failure: a process in which nothing fails never pays
for it, and a cold start does not either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from shared.domain.errors import CircuitOpen, RateLimited, TransientError
from shared.ports.people import Chance, Sleep

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds a platform's budget is waited for in place. A longer wait goes back to the queue as a scheduled message."""


@dataclass(frozen=True, slots=True)
class RetryPolicyConfig:
    """How often and after what pauses. Raises ``ValueError`` naming what makes no sense.

    Before retry n (from 1) the pause is drawn from [0, ``base_delay`` x ``backoff_multiplier`` ^ (n - 1)], at most
    ``max_delay``. What the platform asked for comes first and the jitter on top of it: those it told the same moment
    do not all come back at that moment.
    """

    max_retries: int = 3
    base_delay: timedelta = timedelta(seconds=1)
    backoff_multiplier: float = 2.0
    max_delay: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        """Checks every field."""
        if self.max_retries < 0:
            raise ValueError("retry: max_retries: not below 0")
        if self.base_delay < timedelta():
            raise ValueError("retry: base_delay: not below 0")
        if self.backoff_multiplier < 1:
            raise ValueError("retry: backoff_multiplier: 1 at least")
        if self.max_delay < self.base_delay:
            raise ValueError("retry: max_delay: not below base_delay")

    def pause(self, retry: int, chance: float, asked: float | None = None) -> float:
        """Seconds before the retry with this number, with ``chance`` in [0, 1) and what the platform asked for."""
        longest = self.max_delay.total_seconds()
        # A power beyond the floats would be cut to the longest pause anyway.
        grown = self.base_delay.total_seconds() * self.backoff_multiplier ** min(retry - 1, 64)
        wanted = asked or 0.0
        return min(wanted + chance * min(grown, longest), max(longest, wanted))


class Retry:
    """Makes calls again as its policy says. ``sleep`` and ``chance`` are the world's; ``monotonic`` counts seconds."""

    def __init__(
        self,
        policy: RetryPolicyConfig,
        *,
        sleep: Sleep,
        chance: Chance,
        monotonic: Callable[[], float],
    ) -> None:
        self.policy = policy
        self._sleep = sleep
        self._chance = chance
        self._monotonic = monotonic

    async def run(self, call: Callable[[], Awaitable[T]], *, budget: float) -> T:
        """What ``call`` gives, tried ``1 + max_retries`` times at most. No pause begins that would end ``budget``
        seconds after the start or later: the error is raised instead. Raises the last error as it is."""
        begun = self._monotonic()
        try:
            return await call()
        except TransientError as wrong:
            if self.policy.max_retries == 0 or not is_retryable(wrong):
                raise
            return await self._again(call, wrong, begun + budget)

    async def _again(self, call: Callable[[], Awaitable[T]], first: TransientError, end: float) -> T:
        from tenacity import AsyncRetrying, retry_if_exception

        failed: TransientError | None = first

        def stop(state: RetryCallState) -> bool:
            over = state.attempt_number > self.policy.max_retries
            return over or self._monotonic() + state.upcoming_sleep >= end

        def wait(state: RetryCallState) -> float:
            wrong = state.outcome.exception() if state.outcome else None
            asked = wrong.retry_after if isinstance(wrong, TransientError) else None
            return self.policy.pause(state.attempt_number, self._chance(), asked)

        async def attempt() -> T:
            # The first attempt is made already; tenacity is shown how it ended.
            nonlocal failed
            if failed is not None:
                known, failed = failed, None
                raise known
            return await call()

        retrying = AsyncRetrying(
            sleep=self._sleep, stop=stop, wait=wait, retry=retry_if_exception(is_retryable), reraise=True
        )
        return await retrying(attempt)


def is_retryable(wrong: BaseException) -> bool:
    """Whether the same call, made again in a moment, may succeed. An open circuit will not close in that moment, and a
    budget is waited for in place only when the platform names a short time or none."""
    if isinstance(wrong, CircuitOpen):
        return False
    if isinstance(wrong, RateLimited):
        return wrong.retry_after is None or wrong.retry_after <= PATIENCE
    return isinstance(wrong, TransientError)
