"""Probes: a platform that answers again is written to again at once, not when the pause of its writes happens to end.

Each circuit goes its own way: after a long outage reads may be back minutes before the next trial of a write, and sold
nights stay open there meanwhile. That reads closed after the writes had opened is what is known of an outage's end.
Reads themselves are tried by the clock's own looks, as soon as their circuit lets one through.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.errors import SyncError
from shared.engine.modes import Modes
from shared.engine.reconcile import Reconciler
from shared.engine.retry import take_back
from shared.engine.side_by_side import side_by_side
from shared.engine.world import World
from shared.ports.platforms import CircuitView
from shared.state.accounts import AccountState

SPAN = timedelta(seconds=8)
"""How long accounts and their sites are begun: what has begun ends within the 15 s of a timer's turn."""

ACCOUNTS = 4
"""Accounts tended side by side; each may have sites that are."""


class Probes:
    """What the health timer does for circuits."""

    def __init__(self, world: World, reconciler: Reconciler, modes: Modes) -> None:
        self._world = world
        self._reconciler = reconciler
        self._modes = modes

    async def tend(self) -> None:
        """Let writes and acknowledgements be tried where reads are back. One read for the directory and one an account,
        which the report would make anyway; more only at the end of an outage. What it has no time for is tended a
        minute later, or tried when its own pause ends. Raises ``StoreUnavailable``."""
        until = self._world.now() + SPAN
        known = await self._world.accounts.directory("account")
        names = [name for name, what in known.items() if what.get("api")]
        await side_by_side(lambda name: self._tend(name, until), names, at_once=ACCOUNTS)

    async def _tend(self, name: str, until: datetime) -> None:
        state, circuits = await self._modes.readable(name), self._world.circuits
        if state is None or not state.standing.sends or circuits is None:
            return
        views = {one.operation: one for one in circuits.told(state.notes)}
        for operation in ("write", "acknowledge"):
            if not _is_overtaken(views.get(operation), views.get("read")) or self._world.now() > until:
                continue
            if await circuits.try_now(name, operation) and operation == "write":
                await self._send(state, until)

    async def _send(self, state: AccountState, until: datetime) -> None:
        """Let all that waits for the account's circuit be tried, sites side by side: a closure is its trial, the others
        follow seconds later."""
        name = state.account.id

        async def send(site: str) -> bool:
            if self._world.now() > until:
                return False
            try:
                loaded = await self._world.sites.load(site)
                await take_back(self._world, self._reconciler, loaded, f"{name} answers again", account=name)
            except SyncError as wrong:
                self._world.telemetry.event("probe_failed", site=site, why=str(wrong))
            return True

        tried = await side_by_side(send, sorted({place.site for place in state.units.values()}))
        if not all(tried):
            left = f"{tried.count(False)} sites wait for their own pauses"
            self._world.telemetry.event("probe_failed", account=name, why=left)


def _is_overtaken(circuit: CircuitView | None, read: CircuitView | None) -> bool:
    """Whether a circuit still waits that opened before reads came back."""
    if circuit is None or read is None or circuit.since is None or read.since is None:
        return False
    return circuit.state == "open" and read.state == "closed" and read.since > circuit.since
