"""Bells: note which accounts are called about, and which looks of ours found what nobody had called about.

Written on change only: nothing for a look that finds nothing, nothing while a webhook is answered, one small row when a
call was worked off. A failure of this costs a delivery or a look nothing: it is counted.
"""

from __future__ import annotations

from collections.abc import Awaitable

from shared.domain import bells
from shared.domain.errors import SyncError
from shared.engine.world import World
from shared.state.accounts import AccountState


class Bells:
    """Keeps what ``shared.domain.bells`` judges."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def heard(self, state: AccountState) -> None:
        """A call about the account was worked off."""
        now = self._world.now()
        if bells.is_worth_noting(state.bells, now):
            await self._noting(state, self._world.accounts.note_call(state.account.id, now))

    async def missed(self, state: AccountState) -> None:
        """A look found what nobody had called about; nothing where its platform calls nobody."""
        if state.account.platform not in self._world.callers:
            return
        missed = bells.missed_with(state.bells, self._world.now())
        if missed is not None:
            await self._noting(state, self._world.accounts.note_missed(state.account.id, missed))

    async def _noting(self, state: AccountState, note: Awaitable[None]) -> None:
        try:
            await note
        except SyncError:
            self._world.telemetry.count("bell_not_noted", platform=state.account.platform)
