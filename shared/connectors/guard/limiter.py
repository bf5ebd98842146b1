"""What a platform allows an account and its properties, kept by all hosts together.

Calls are leased in blocks through small notes that the hosts share: "limit" for the account, "limit|<property>" for
each property. In a process they wait in a line of their own account. A wait of more than two seconds is none: the call
is sent away with the moment it may come back, so that the work returns as a scheduled message.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared.connectors.guard.budget import Budget, Place
from shared.connectors.guard.line import Line, Waiter
from shared.domain.errors import RateLimited, StoreUnavailable
from shared.domain.model import Account
from shared.domain.platform import Platform
from shared.ports.people import Sleep, Telemetry
from shared.ports.stores import Notes
from shared.resilience.rate_limit import ACCOUNT, LONGEST_REFUSAL, PROPERTY, Limit

if TYPE_CHECKING:
    from shared.connectors.registry import PlatformEntry

PATIENCE = 2_000
"""Milliseconds a call waits in the process at most."""

UNSAID = 5.0
"""Seconds an account rests after a refusal that does not say how long."""

MARGIN = 1_500
"""Milliseconds added to every window. 250 for how unevenly calls travel; the rest because the store's clock tells whole
seconds: two hosts' views of it differ by one and a round trip, and a new host's own moves on by as much as it learns
(``StoreClock``). Costs 2.5 % of a minute's limit; more than half of one that is counted by the second."""

NOTE = "limit"
"""The account's note; a property's is "limit|" and its id."""

_AGAIN = 100
"""Milliseconds before calls are leased once more that came too late to be used."""

_Queue = tuple[Budget, str, bool]  # whose calls, of which operation, urgent or not


class SlidingLimiter:
    """The limits of one platform, for all its accounts; one for each event loop."""

    def __init__(
        self,
        platform: str,
        limits: Sequence[Limit],
        notes: Notes,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        host: str,
        telemetry: Telemetry,
        margin: int = MARGIN,
    ) -> None:
        """``clock`` is the store's time, ``host`` a name no other process has, also not an earlier one here."""
        self._platform, self._notes, self._clock, self._sleep = platform, notes, clock, sleep
        self._host, self._telemetry, self._margin = host, telemetry, margin
        self._limits = {
            scope: tuple(limit for limit in limits if limit.scope == scope) for scope in (ACCOUNT, PROPERTY)
        }
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._lines: dict[str, Line] = {}
        self._refusals: dict[tuple[str, str], int] = {}

    async def acquire(self, account: str, unit: str, operation: str, urgent: bool) -> None:
        """Take one call of the budgets it counts in, waiting two seconds at most. ``unit`` is the platform's own id of
        what the call is about, "" for the whole account; all units of a property ("property:room") share its budget.
        Raises ``RateLimited`` with ``retry_after``: nothing may be sent before; ``StoreUnavailable``."""
        home = unit.partition(":")[0]
        await self._obey(account, home)
        budgets = self._budgets_of(account, home, operation)
        if not budgets:
            return
        line = self._lines.setdefault(account, Line())
        if not line and all(budget.has(operation) for budget in budgets):
            _use(budgets, operation)
            return
        now, gone = self._now(), line.gone[urgent]
        gone.expire(now)
        free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = Waiter(home, operation, urgent, now, gone.back(home), free)
        line.join(waiter)
        if line.pump is None or line.pump.done():
            line.pump = asyncio.create_task(self._pump(account, line))
        try:
            await free
        finally:
            line.leave(waiter)

    async def refused(self, account: str, unit: str, wait: float | None) -> None:
        """The platform answered 429 and wants ``wait`` seconds of rest (None: it did not say), 300 at most.

        This process obeys at once, other hosts at their next lease, five seconds later at most. The account rests; or
        the property alone, where all the platform's limits are of a property. Where it publishes none, only this
        process knows: the others would have to ask the store before every call. A store that cannot be reached is
        counted and not raised, since the call has its own error already."""
        shared = ACCOUNT if self._limits[ACCOUNT] or not self._limits[PROPERTY] else PROPERTY
        home = unit.partition(":")[0] if shared == PROPERTY else ""
        rest = min(math.ceil(1000 * max(UNSAID if wait is None else wait, 0)), LONGEST_REFUSAL)
        until = self._now() + rest
        self._refusals[account, home] = max(self._refusals.get((account, home), 0), until)
        if not rest or not self._limits[shared] or (shared == PROPERTY and not home):
            return
        try:
            await self._budget(account, home).refuse(rest)
        except StoreUnavailable:
            self._telemetry.count("refusal_not_shared", platform=self._platform)

    async def left(self, account: str) -> Mapping[str, int]:
        """Calls left of each limit of an account, by its name ("160/min write"), as of a second ago at most. Of a
        property's limits: the least left of any property this process made calls for, no entry before the first."""
        found: dict[str, int] = {}
        if self._limits[ACCOUNT]:
            found.update(await self._budget(account, "").left())
        for (owner, home), budget in self._budgets.items():
            if owner == account and home:
                for name, calls in budget.last_left().items():
                    found[name] = min(calls, found.get(name, calls))
        return found

    # ------------------------------------------------------------------------------------- budgets

    def _budgets_of(self, account: str, home: str, operation: str) -> list[Budget]:
        """Those such a call counts in; the account's first: while that has nothing, no property's is leased."""
        names = {ACCOUNT: "", PROPERTY: home}
        return [
            self._budget(account, names[scope])
            for scope, limits in self._limits.items()
            if (scope == ACCOUNT or home) and any(operation in limit.operations for limit in limits)
        ]

    def _budget(self, account: str, home: str) -> Budget:
        budget = self._budgets.get((account, home))
        if budget is None:
            limits = self._limits[PROPERTY if home else ACCOUNT]
            note = f"{NOTE}|{home}" if home else NOTE
            place = Place(account, note, limits, self._host, self._margin)
            budget = self._budgets[account, home] = Budget(self._notes, self._clock, place, self._told)
        return budget

    def _told(self, left: Mapping[str, int]) -> None:
        for name, calls in left.items():
            self._telemetry.gauge("rate_budget_left", calls, platform=self._platform, limit=name)

    async def _obey(self, account: str, home: str) -> None:
        """Wait out a refusal this process heard, or raise."""
        now = self._now()
        for place in {(account, ""), (account, home)}:
            wait = self._refusals.get(place, 0) - now
            if not 0 < wait <= LONGEST_REFUSAL:  # a longer one: the clock has jumped back
                self._refusals.pop(place, None)
            elif wait > PATIENCE:
                raise self._sent_away(account, wait)
            else:
                await self._sleep(wait / 1000)

    def _sent_away(self, account: str, wait: int) -> RateLimited:
        seconds = wait / 1000
        return RateLimited(f"{self._platform}: account {account} may call again in {seconds:.0f} s", seconds)

    def _now(self) -> int:
        return math.floor(self._clock().timestamp() * 1000)

    # ---------------------------------------------------------------------------------------- line

    async def _pump(self, account: str, line: Line) -> None:
        """Serve a line until it is empty. Whatever ends this, nobody is left waiting."""
        try:
            while line:
                wait = await self._serve(account, line)
                if line:
                    await line.rest(self._sleep, wait / 1000)
        except (StoreUnavailable, RateLimited) as wrong:
            error, text, wait_for = type(wrong), str(wrong), wrong.retry_after
            line.fail(lambda: error(text, wait_for))
        finally:
            line.fail(lambda: RateLimited(f"{self._platform}: the line of calls broke off", 1.0))

    async def _serve(self, account: str, line: Line) -> int:
        """Let all go that may, and send away all that would wait too long; the milliseconds until the next may go."""
        blocked: dict[_Queue, int] = {}
        while (waiter := self._next(account, line, blocked)) is not None:
            budgets = self._budgets_of(account, waiter.home, waiter.operation)
            lacking = [budget for budget in budgets if not budget.has(waiter.operation)]
            if lacking:
                wait = await self._lease(line, waiter, lacking[0])
                if wait:
                    blocked[lacking[0], waiter.operation, waiter.urgent] = wait
                continue
            line.leave(waiter)
            if not waiter.free.done():
                _use(budgets, waiter.operation)
                waiter.free.set_result(None)
        self._send_away(account, line)
        return min(blocked.values(), default=1)

    def _next(self, account: str, line: Line, blocked: Mapping[_Queue, int]) -> Waiter | None:
        """The first in the line whose budgets have not just said no, also not to urgent calls."""
        for waiter in line.heads():
            budgets = self._budgets_of(account, waiter.home, waiter.operation)
            queues = [
                (budget, waiter.operation, urgent) for budget in budgets for urgent in (waiter.urgent, True)
            ]
            if not any(queue in blocked for queue in queues):
                return waiter
        return None

    async def _lease(self, line: Line, waiter: Waiter, budget: Budget) -> int:
        """Calls for the waiter and those behind it, but no more of a home than its own limits would let go: this
        process would take what others could use."""
        if budget.counts_property:
            calls = line.count(waiter, same=True)
        else:
            own = [one.calls for one in self._limits[PROPERTY] if waiter.operation in one.operations]
            calls = line.count(waiter, each=min(own, default=None))
        wait = await budget.lease(waiter.operation, calls, waiter.urgent)
        # A store slower than a block is valid gives calls nobody can use.
        return wait or (0 if budget.has(waiter.operation) else _AGAIN)

    def _send_away(self, account: str, line: Line) -> None:
        """Those for whom it would take too long, each with a moment of its own to come back."""
        now, kept, total = self._now(), Counter[str](), 0
        for gone in line.gone.values():
            gone.expire(now)
        for waiter in line.in_order():
            gone = line.gone[waiter.urgent]
            rank, ahead = kept[waiter.home], total
            if not waiter.back:
                rank += gone.of(waiter.home)
                ahead += gone.ahead(rank) + (0 if waiter.urgent else len(line.gone[True]))
            wait = max(
                budget.wait_for(
                    waiter.operation, 1 + (rank if budget.counts_property else ahead), waiter.urgent
                )
                for budget in self._budgets_of(account, waiter.home, waiter.operation)
            )
            if now + wait <= waiter.since + PATIENCE:
                kept[waiter.home] += 1
                total += 1
                continue
            line.leave(waiter)
            gone.add(waiter.home, rank, now + wait)
            if not waiter.free.done():
                waiter.free.set_exception(self._sent_away(account, wait))


def limiter_for(
    entry: PlatformEntry,
    notes: Notes,
    *,
    clock: Callable[[], datetime],
    sleep: Sleep,
    host: str,
    telemetry: Telemetry,
) -> SlidingLimiter:
    """The limiter of a platform as the registry describes it; of one without limits, too: it obeys refusals."""
    limits = [Limit(one.calls, one.seconds, one.scope, one.operations) for one in entry.limits]
    return SlidingLimiter(
        entry.platform, limits, notes, clock=clock, sleep=sleep, host=host, telemetry=telemetry
    )


class PlatformBudgets:
    """The port ``Budgets`` over the limiters of all platforms."""

    def __init__(self, limiters: Mapping[Platform, SlidingLimiter]) -> None:
        self._limiters = limiters

    async def left(self, account: Account) -> Mapping[str, int]:
        """Of the account's platform."""
        limiter = self._limiters.get(account.platform)
        return await limiter.left(account.id) if limiter is not None else {}


def _use(budgets: Sequence[Budget], operation: str) -> None:
    for budget in budgets:
        budget.use(operation)
