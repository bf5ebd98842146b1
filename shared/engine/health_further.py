"""Further eyes of the health report: whether platforms still call us, who opens what we closed, keys that end, clocks.

What is told of accounts stands in their own rows, which the report has read already: it costs no transaction more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shared.domain.bells import silence
from shared.domain.clocks import Off, read_clock
from shared.domain.errors import StaleWrite, Unreadable
from shared.domain.health import Finding, Sight
from shared.domain.health_bells import Called, silent_webhooks
from shared.domain.health_clock import clock_findings
from shared.domain.health_drift import Drifting, drift_findings
from shared.domain.health_keys import Keyed, ending_keys
from shared.engine.world import World
from shared.state import cells
from shared.state.accounts import AccountState

PARTITION, NOTE = "~timers", "clocks"
"""Where the clocks that are off stand in the ``Accounts`` table."""


class FurtherOfAccounts:
    """What else an account's row tells: bells, drift, keys."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def findings(self, states: Sequence[AccountState]) -> list[Finding]:
        """No transaction; one where a platform seems silent, for what became of its last call. Raises
        ``StoreUnavailable``."""
        now = self._world.now()
        keys = ending_keys([Keyed(one.account, self._name(one)) for one in states], now)
        drift = drift_findings([self._drifting(one) for one in states if one.drift], now)
        return [*await self._silent(states, now), *drift, *keys]

    async def _silent(self, states: Sequence[AccountState], now: datetime) -> tuple[Finding, ...]:
        silent = [
            Called(one.account.id, one.account.platform, self._name(one), one.account.owner, one.bells)
            for one in states
            if one.account.platform in self._world.callers and silence(one.bells, now) is not None
        ]
        if not silent:
            return ()
        last = {sender: one.result for sender, one in (await self._world.deliveries.last()).items()}
        return silent_webhooks(silent, last, now)

    def _drifting(self, one: AccountState) -> Drifting:
        account = one.account
        return Drifting(account.id, account.platform, self._name(one), account.owner, one.drift)

    def _name(self, one: AccountState) -> str:
        return self._world.platform_names.get(one.account.platform, one.account.platform)


class ClocksEye:
    """Whether this host's own clock is the store's, and what other hosts said of theirs: each sees its own alone."""

    outside = False

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self) -> Sight:
        """One read; a write where this host's clock begins or ceases to be off, and every ten minutes while it is.
        Nothing in a world whose host has no clock of its own to be compared."""
        if self._world.wall is None:
            return Sight()
        note = await self._world.notes.read(PARTITION, NOTE)
        known, now = _from_text(note.text), self._world.now()
        after = read_clock(known, self._world.host, self._ahead(self._world.wall, now), now)
        if after is not None:
            try:
                await self._world.notes.swap(PARTITION, NOTE, _to_text(after), note.etag)
            except StaleWrite:
                after = None  # another host spoke this moment: said again in a minute
        return Sight(clock_findings(known if after is None else after, now))

    def _ahead(self, wall: Callable[[], datetime], now: datetime) -> timedelta:
        return wall() - now


def _to_text(hosts: Sequence[Off]) -> str:
    return json.dumps(
        [
            [
                one.host,
                round(one.ahead / timedelta(seconds=1)),
                *(cells.to_instant(at) for at in (one.since, one.read)),
            ]
            for one in hosts
        ],
        separators=(",", ":"),
    )


def _from_text(text: str) -> tuple[Off, ...]:
    """What ``_to_text`` wrote; nothing of what nobody can read: each host says it anew."""
    try:
        rows = json.loads(text or "[]")
        return tuple(
            Off(str(host), timedelta(seconds=int(ahead)), cells.from_instant(since), cells.from_instant(read))
            for host, ahead, since, read in rows
        )
    except (Unreadable, ValueError, TypeError):
        return ()
