"""The mode desk: what people choose for an account in their care: its mode and rhythms, and its circuits by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.access import Person
from shared.domain.errors import NotFound
from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.engine.modes import Modes
from shared.engine.scope import must_decide
from shared.engine.world import World
from shared.ports.platforms import CircuitView
from shared.state.accounts import AccountState

_MISSING = "there is no such account"


class ModeDesk:
    """Takes what people decide about accounts. Each raises ``NotFound`` where there is no such account for this person,
    ``NotAllowed`` where they may only look."""

    def __init__(self, world: World, modes: Modes) -> None:
        self._world = world
        self._modes = modes

    async def choose(
        self,
        person: Person,
        account: str,
        mode: SyncMode | None = None,
        poll_minutes: int | None = None,
        batch_minutes: int | None = None,
    ) -> AccountState:
        """Choose a mode and rhythms; what is None stays as it is. Returns how the account stands then. Raises
        ``PayloadRejected`` for minutes that are not allowed."""
        state = await self._theirs(person, account)
        before = state.setting
        setting = ModeSetting(
            mode or before.wanted,
            before.poll_minutes if poll_minutes is None else poll_minutes,
            before.batch_minutes if batch_minutes is None else batch_minutes,
        )
        await self._modes.choose(state, setting, person.name)
        if not state.units:
            await self._set_periods(state, setting)
        return await self._theirs(person, account)

    async def pause(self, person: Person, account: str) -> None:
        """Send nothing by itself any more: what its platform tells is still stored and shown. Calendar links cannot be
        paused, since their platform fetches our calendar by itself: ``NotFound``."""
        await self._set(person, account, SyncMode.MANUAL)

    async def resume(self, person: Person, account: str) -> None:
        """Let the ladder decide again, and send what waited."""
        await self._set(person, account, SyncMode.AUTO)

    async def force(self, person: Person, account: str, operation: str, state: str) -> Sequence[CircuitView]:
        """Move a circuit by hand: "forced_open", "forced_closed", or "closed" to let it judge for itself again. Returns
        the account's circuits. Raises ``PayloadRejected`` naming what is unknown."""
        await self._theirs(person, account)
        circuits = self._world.circuits
        if circuits is None:
            raise NotFound(_MISSING)
        await circuits.force(account, operation, state)
        return await circuits.views(account)

    async def _set(self, person: Person, account: str, mode: SyncMode) -> None:
        state = await self._theirs(person, account)
        if not state.units:
            raise NotFound(_MISSING)
        await self._modes.choose(state, replace(state.setting, wanted=mode), person.name)

    async def _theirs(self, person: Person, account: str) -> AccountState:
        """The account, if this person decides about it."""
        state = await self._world.accounts.load(account)
        if state is None:
            raise NotFound(_MISSING)
        must_decide(person, state.account.owner, _MISSING)
        return state

    async def _set_periods(self, state: AccountState, setting: ModeSetting) -> None:
        """An account of calendar links has no calls of its own: its links are asked in the rhythm that was chosen. In
        MANUAL they still are, as rarely as in BATCH: what they tell is stored and shown."""
        often = setting.wanted in (SyncMode.AUTO, SyncMode.REAL_TIME)
        period = 60 * (setting.poll_minutes if often else setting.batch_minutes)
        for name in await self._world.accounts.directory("shard"):
            shard = await self._world.shards.load(name)
            for feed in shard.feeds.values():
                if feed.account == state.account.id and feed.period != period:
                    await self._world.shards.set_period(name, feed.listing, period)
