"""The eyes of the health report: each reads one kind of thing and hands it to a pure judge.

What a report costs, in table transactions: one for the directory of each kind, one a shard of calendars, one or two an
account (its circuits and its rung stand in the same answer), four for due work, one each for the sweep's mark, for open
conflicts, and for what was set aside. It grows with shards and accounts, never with sites or stays. Counted with two
accounts and one shard: 18 for the whole round of a minute, 12 for an answer of ``/health``. Eyes that are ``outside``
are what ``/health`` is answered from; the others wait for the bus or are dearer, and look each minute and when asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain import health_lag, health_state
from shared.domain.errors import BusUnavailable
from shared.domain.health import Code, Figure, Sight
from shared.domain.health_lag import ByApi, Calendar
from shared.domain.health_state import OneCircuit, OneWork
from shared.domain.modes import look_period
from shared.domain.platform import Platform
from shared.engine.health_further import ClocksEye, FurtherOfAccounts
from shared.engine.modes import Modes
from shared.engine.side_by_side import side_by_side
from shared.engine.world import CONFLICTS, WORK, World
from shared.state.accounts import AccountState
from shared.state.feeds import Shard
from shared.state.inbox import instant_of
from shared.state.open_conflicts import OpenConflicts

MOST_DEAD = 100
"""Dead letters of a queue that are counted."""

QUEUES = (WORK, CONFLICTS)

PATIENCE = 5.0
"""Seconds the bus has for both queues; then how many there are is not known."""

A_ROW = timedelta(seconds=1)
"""How long a process believes how many messages were set aside, for each of them: every row comes with what it held, so
that few are counted whenever asked, and a thousand every quarter of an hour."""


class Eye(Protocol):
    """One kind of reading. ``outside``: it reads few rows of the tables and nothing else."""

    outside: bool

    async def look(self) -> Sight:
        """What it sees now. Raises ``StoreUnavailable``, ``Unreadable``."""
        ...


def eyes(world: World, modes: Modes, rhythms: Mapping[Platform, float]) -> tuple[Eye, ...]:
    """All of them. ``rhythms`` are the seconds between two polls that a platform prescribes for itself."""
    return (
        CalendarsEye(world),
        AccountsEye(world, modes, rhythms),
        WorkEye(world),
        TimersEye(world),
        QueuesEye(world),
        SetAsideEye(world),
        ConflictsEye(world),
        ClocksEye(world),
    )


class CalendarsEye:
    """How long each calendar link has been silent."""

    outside = True

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self) -> Sight:
        """One read for the directory, one a shard of a hundred links."""
        shards = await side_by_side(self._world.shards.load, await self._world.accounts.directory("shard"))
        unread = (name for shard in shards for name in shard.unread)
        blind = health_state.of_unread(unread, frozenset({Code.CALENDAR_SILENT}))
        links = (one for shard in shards for one in _calendars(shard))
        sight = health_lag.of_calendars(links, self._world.now())
        return Sight((*sight.findings, *blind.findings), sight.figures, blind.unseen)


def _calendars(shard: Shard) -> list[Calendar]:
    found = []
    for listing, feed in shard.feeds.items():
        visit = shard.visits.get(listing)
        found.append(
            Calendar(
                listing,
                feed.platform,
                timedelta(seconds=feed.every),
                visit.good if visit else None,
                feed.added,
                feed.error,
                feed.failures,
                feed.dead,
            )
        )
    return found


class AccountsEye:
    """How long each account by API has been silent, its mode, its circuits, and what else its row tells."""

    outside = True

    def __init__(self, world: World, modes: Modes, rhythms: Mapping[Platform, float]) -> None:
        self._world = world
        self._modes = modes
        self._rhythms = rhythms
        self._further = FurtherOfAccounts(world)

    async def look(self) -> Sight:
        """One read for the directory, one or two an account."""
        known = await self._world.accounts.directory("account")
        names = [name for name, what in known.items() if what.get("api")]
        loaded = await side_by_side(self._modes.readable, names)
        states = [one for one in loaded if one is not None and one.units]
        unread = (name for name, one in zip(names, loaded, strict=True) if one is None)
        blind = health_state.of_unread(unread, health_state.OF_ACCOUNTS)
        seen = [self._seen(one) for one in states]
        sight = health_lag.of_accounts(seen, self._world.now())
        found = list(sight.findings)
        for state, one in zip(states, seen, strict=True):
            mode = health_state.of_mode(one)
            found += [mode] if mode else []
            found += health_state.of_circuits(one, self._circuits(state), self._world.now())
        found += await self._further.findings(states)
        return Sight((*found, *blind.findings), sight.figures, blind.unseen)

    def _seen(self, one: AccountState) -> ByApi:
        account, standing = one.account, one.standing
        own = self._rhythms.get(account.platform)
        return ByApi(
            account.id,
            account.platform,
            account.owner,
            timedelta(seconds=look_period(one.setting, standing, len(one.units), own)),
            timedelta(minutes=one.setting.batch_minutes),
            one.answered,
            standing,
            one.paused,
            one.changed,
        )

    def _circuits(self, state: AccountState) -> list[OneCircuit]:
        circuits = self._world.circuits
        views = circuits.told(state.notes) if circuits is not None else ()
        return [OneCircuit(one.operation, one.state, one.since, one.retry_at) for one in views]


class WorkEye:
    """Sites that wait."""

    outside = True

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self) -> Sight:
        """Four reads."""
        works = [OneWork(one.site, one.at, one.attempts) for one in await self._world.due.all()]
        return health_state.of_work(works, self._world.now())


class TimersEye:
    """Whether anybody rings, by the lease that each sweep takes and gives back."""

    outside = True

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self) -> Sight:
        """One read."""
        swept = await self._world.accounts.leased_until("~timers", "sweep")
        return health_state.of_timers(swept, self._world.now())


class QueuesEye:
    """Dead letters of both queues."""

    outside = False

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self) -> Sight:
        """Two looks at the bus, no transaction; ``PATIENCE`` at most."""
        try:
            async with asyncio.timeout(PATIENCE):
                dead = await asyncio.gather(*(self._count(queue) for queue in QUEUES))
        except (BusUnavailable, TimeoutError):
            return health_state.of_queues(None, MOST_DEAD)
        return health_state.of_queues(dict(zip(QUEUES, dead, strict=True)), MOST_DEAD)

    async def _count(self, queue: str) -> int:
        name = self._world.queue_names.get(queue, queue)
        return len(await self._world.bus.dead_letters(name, MOST_DEAD))


class SetAsideEye:
    """What nobody could process. What it saw of many is remembered for a while: nothing is told by it."""

    outside = False

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: tuple[datetime, Sight] | None = None  # until when

    async def look(self) -> Sight:
        """One read, and one more for each thousand rows."""
        if self._kept is not None and self._world.now() < self._kept[0]:
            return self._kept[1]
        rows = await self._world.inbox.quarantined()
        since = min((at for row in rows if (at := instant_of(row))), default=None)
        sight = health_state.of_set_aside(len(rows), since)
        self._kept = (self._world.now() + len(rows) * A_ROW, sight)
        return sight


class ConflictsEye:
    """How many double sales stand. Each is told by itself, to those it concerns: here they are a number."""

    outside = False

    def __init__(self, world: World) -> None:
        self._open = OpenConflicts(world.tables)

    async def look(self) -> Sight:
        """One read."""
        return Sight(figures=(Figure("conflicts_open", sum((await self._open.all()).values())),))
