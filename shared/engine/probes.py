"""Probes: a platform that answers again is written to again at once, not when the pause of its writes happens to end.

Each circuit goes its own way: after a long outage reads may be back minutes before the next trial of a write, and sold
nights stay open there meanwhile. That reads closed after the writes had opened is what is known of an outage's end.
Reads themselves are tried by the clock's own looks, as soon as their circuit lets one through.
"""

from __future__ import annotations

from shared.domain.errors import SyncError
from shared.engine.modes import Modes
from shared.engine.reconcile import Reconciler
from shared.engine.retry import take_back
from shared.engine.world import World
from shared.ports import CircuitView
from shared.state.accounts import AccountState


class Probes:
    """What the health timer does for circuits."""

    def __init__(self, world: World, reconciler: Reconciler, modes: Modes) -> None:
        self._world = world
        self._reconciler = reconciler
        self._modes = modes

    async def tend(self) -> None:
        """Let writes and acknowledgements be tried where reads are back. One read for the directory and one an account,
        which the report would make anyway; more only at the end of an outage. Raises ``StoreUnavailable``."""
        for name, what in (await self._world.accounts.directory("account")).items():
            state = await self._modes.readable(name) if what.get("api") else None
            if state is not None and state.standing.sends:
                await self._tend(state)

    async def _tend(self, state: AccountState) -> None:
        circuits = self._world.circuits
        if circuits is None:
            return
        views = {one.operation: one for one in circuits.told(state.notes)}
        for operation in ("write", "acknowledge"):
            if not _is_overtaken(views.get(operation), views.get("read")):
                continue
            if await circuits.try_now(state.account.id, operation) and operation == "write":
                await self._send(state)

    async def _send(self, state: AccountState) -> None:
        """Let all that waits for the account's circuit be tried: a closure is its trial, the others follow seconds
        later."""
        name = state.account.id
        for site in sorted({place.site for place in state.units.values()}):
            try:
                loaded = await self._world.sites.load(site)
                await take_back(self._world, self._reconciler, loaded, f"{name} answers again", account=name)
            except SyncError as wrong:  # what waits there is tried when its pause ends
                self._world.telemetry.event("probe_failed", site=site, why=str(wrong))


def _is_overtaken(circuit: CircuitView | None, read: CircuitView | None) -> bool:
    """Whether a circuit still waits that opened before reads came back."""
    if circuit is None or read is None or circuit.since is None or read.since is None:
        return False
    return circuit.state == "open" and read.state == "closed" and read.since > circuit.since
