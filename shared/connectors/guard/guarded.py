"""A connector behind its guard: budget, circuit, deadline and repetition round every call to a platform.

Nothing here knows a vendor, and no connector knows of this. What was asked for twice is asked for within the time the
caller has; what could not be asked for says so at once, and when to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, TypeVar

from shared.connectors.guard.breakers import Breakers
from shared.domain.dates import StayDates
from shared.domain.errors import CircuitOpen, PlatformDown, RateLimited, SyncError, TransientError
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.meter import calling
from shared.ports.people import Chance, Sleep
from shared.ports.platforms import ApiConnector, Notification
from shared.resilience.circuit_breaker import Outcome
from shared.resilience.retry import Retry, RetryPolicyConfig

T = TypeVar("T")

BUDGET = 10.0
"""Seconds within which a read or an acknowledgement is tried again in place; then it goes back to the queue."""

DEADLINE = 12.0
"""Seconds a read or an acknowledgement takes at most, all tries together: a trigger's handler is done within 15 s."""

LONG_DEADLINE = 60.0
"""The same for the whole state of a unit, which may come in many pages; nobody waits for it."""

MARGIN = 0.25
"""Seconds before a write's deadline at which it is given up here, so that it is counted before its caller leaves."""

LEAST = 2.0
"""Seconds a second try of a closure must have before the deadline: with less it would only be cut off."""

SILENT = 3.0
"""Seconds after which a call that has no answer yet counts as one into silence."""

MOST_SILENT = 4
"""Calls of one account and operation that may wait in silence at a time, in one process. A circuit hears of a dead
platform only when its first calls are given up, 12 s later; until then each would hold a worker (rule 16)."""


class Limiter(Protocol):
    """What a platform allows an account, shared by all hosts: asked before every call."""

    async def acquire(self, account: str, unit: str, operation: str, urgent: bool) -> None:
        """Take one call of an account's budget, waiting a moment at most. ``unit`` is the platform's own id of what the
        call is about ("" for the whole account), ``operation`` "read", "acknowledge" or "write"; ``urgent`` calls
        (closures, sales) come before the others. Raises ``RateLimited`` with ``retry_after``: nothing was sent."""
        ...

    async def refused(self, account: str, unit: str, wait: float | None) -> None:
        """The platform itself said "too many" and wants ``wait`` seconds of rest (None: it did not say). Raises
        nothing of its own."""
        ...


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a call is: its circuit, whether it goes before others, and whether its length says how the platform is."""

    operation: str
    urgent: bool = True
    timed: bool = True


_ASK = _Kind("read")
_CHECK = _Kind("read", urgent=False)
_SURVEY = _Kind("read", urgent=False, timed=False)
_ACKNOWLEDGE = _Kind("acknowledge")
_CLOSE = _Kind("write")
_OPEN = _Kind("write", urgent=False)


class Guard:
    """What the connectors of one process share. ``now`` is the store's time, in which a write's deadline is told;
    ``policy`` is how reads and acknowledgements are repeated."""

    def __init__(
        self,
        breakers: Breakers,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Sleep,
        chance: Chance,
        policy: RetryPolicyConfig | None = None,
    ) -> None:
        policy = policy or RetryPolicyConfig()
        once = replace(policy, max_retries=min(1, policy.max_retries))
        self.breakers = breakers
        self.now = now
        self.monotonic = monotonic
        self.reads = Retry(policy, sleep=sleep, chance=chance, monotonic=monotonic)
        self.closures = Retry(once, sleep=sleep, chance=chance, monotonic=monotonic)


class GuardedConnector:
    """The port ``ApiConnector`` round another one. Without a ``limiter`` its platform has no limits."""

    def __init__(self, inner: ApiConnector, guard: Guard, limiter: Limiter | None = None) -> None:
        self.platform = inner.platform
        self._inner = inner
        self._guard = guard
        self._limiter = limiter
        self._under_way: dict[tuple[str, str], list[float]] = {}

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """One attempt, and for a write that only closes a second within its deadline (rules 2 and 16). Raises
        ``CircuitOpen``, ``RateLimited`` and ``TransientError`` only when nothing of it was ever sent; once an attempt
        got no answer the outcome is unknown, whatever comes after: ``PlatformDown``."""
        guard = self._guard
        left = (write.deadline - guard.now()).total_seconds() - MARGIN
        if left <= 0:
            raise TransientError(f"{self.platform}: the deadline passed before anything was sent")
        end = guard.monotonic() + left
        kind = _OPEN if write.opens else _CLOSE
        lost: PlatformDown | None = None

        async def attempt() -> WriteOutcome:
            nonlocal lost
            try:
                return await self._once(
                    account, listing.unit, kind, end, lambda: self._inner.write(account, listing, write)
                )
            except PlatformDown as wrong:
                lost = wrong
                raise

        if write.opens:
            return await attempt()
        try:
            return await guard.closures.run(attempt, budget=left - LEAST)
        except PlatformDown:
            raise
        except SyncError as wrong:
            if lost is None:
                raise
            wait = wrong.retry_after if isinstance(wrong, TransientError) else None
            raise PlatformDown(f"{lost}; then {wrong}", wait) from None

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """As the connector's, tried again in place."""
        return await self._repeat(
            account, listing.unit, _CHECK, lambda: self._inner.read_levels(account, listing, dates)
        )

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """As the connector's, tried again in place."""
        return await self._repeat(account, "", _ASK, lambda: self._inner.reread(account, reservation))

    async def poll(self, account: Account) -> Polled:
        """As the connector's, tried again in place."""
        return await self._repeat(account, "", _ASK, lambda: self._inner.poll(account))

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """As the connector's, tried again in place: what was acknowledged twice was acknowledged."""
        return await self._repeat(
            account, "", _ACKNOWLEDGE, lambda: self._inner.acknowledge(account, receipts)
        )

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """As the connector's, tried again in place."""
        return await self._repeat(
            account, unit, _SURVEY, lambda: self._inner.stays(account, unit), LONG_DEADLINE
        )

    def read_notification(self, body: bytes) -> Notification:
        """As the connector's: nothing is sent."""
        return self._inner.read_notification(body)

    async def _repeat(
        self,
        account: Account,
        unit: str,
        kind: _Kind,
        call: Callable[[], Awaitable[T]],
        deadline: float = DEADLINE,
    ) -> T:
        end = self._guard.monotonic() + deadline
        return await self._guard.reads.run(lambda: self._once(account, unit, kind, end, call), budget=BUDGET)

    async def _once(
        self, account: Account, unit: str, kind: _Kind, end: float, call: Callable[[], Awaitable[T]]
    ) -> T:
        """``_attempt``, with what circuits say meanwhile under the platform's name: they know accounts alone."""
        with calling(self.platform, account.id, kind.operation):
            return await self._attempt(account, unit, kind, end, call)

    async def _attempt(
        self, account: Account, unit: str, kind: _Kind, end: float, call: Callable[[], Awaitable[T]]
    ) -> T:
        """One attempt, cut off at ``end`` (monotonic). Raises what the call raises; ``RateLimited``, ``CircuitOpen``
        and ``TransientError`` with nothing sent; ``PlatformDown`` when it was cut off."""
        breakers, monotonic = self._guard.breakers, self._guard.monotonic
        under_way = self._calls_under_way(account.id, kind.operation)
        if self._limiter is not None:
            # An open circuit costs no budget, and nobody waits for a budget with a trial in his hands.
            await breakers.look(account.id, kind.operation, urgent=kind.urgent)
            await self._limiter.acquire(account.id, unit, kind.operation, kind.urgent)
            if monotonic() >= end:
                raise TransientError(f"{self.platform}: the wait for the budget took all the time there was")
        permit = await breakers.permit(account.id, kind.operation, urgent=kind.urgent)
        begun = monotonic()
        # Stands for whatever ends the call unforeseen: our own fault says nothing about the platform.
        outcome = Outcome.IGNORED
        if kind.timed:
            under_way.append(begun)
        try:
            async with asyncio.timeout(max(end - begun, 0.0)):
                result = await call()
            outcome = Outcome.OK
        except TimeoutError:
            outcome = Outcome.FAILED
            raise PlatformDown(f"{self.platform}: no answer within {end - begun:.1f} s") from None
        except PlatformDown:
            outcome = Outcome.FAILED
            raise
        except RateLimited as wrong:
            if self._limiter is not None:
                await self._limiter.refused(account.id, unit, wrong.retry_after)
            raise
        finally:
            if kind.timed:
                under_way.remove(begun)
            seconds = monotonic() - begun if kind.timed else 0.0
            await breakers.record(account.id, kind.operation, permit, outcome, seconds)
        return result

    def _calls_under_way(self, account: str, operation: str) -> list[float]:
        """When each call began that has no answer yet. Raises ``CircuitOpen`` when too many wait in silence."""
        under_way = self._under_way.setdefault((account, operation), [])
        silent = sum(self._guard.monotonic() - begun >= SILENT for begun in under_way)
        if silent >= MOST_SILENT:
            raise CircuitOpen(f"{account}: {silent} calls wait for an answer: nothing was sent", SILENT)
        return under_way
