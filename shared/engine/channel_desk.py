"""The channel desk: what a person changes about a channel of homes that are in their care."""

from __future__ import annotations

import json
from dataclasses import replace

from shared.domain.access import Person
from shared.domain.model import SyncMode
from shared.engine.mode_desk import ModeDesk
from shared.engine.world import World
from shared.state.accounts import AccountState

MOST_NAME = 200
"""Characters of an account's name that are looked for: ours are shorter."""


class ChannelDesk:
    """Takes what people decide about accounts. What is not theirs to decide is not there: the answer is False."""

    def __init__(self, world: World, desk: ModeDesk) -> None:
        self._world = world
        self._desk = desk

    async def choose(
        self, person: Person, account: str, mode: SyncMode, poll_minutes: int, batch_minutes: int
    ) -> bool:
        """Choose a mode and rhythms. Raises ``PayloadRejected`` for minutes that are not allowed."""
        state = await self._decided(person, account)
        if state is None:
            return False
        setting = replace(state.setting, wanted=mode, poll_minutes=poll_minutes, batch_minutes=batch_minutes)
        await self._desk.take(state, setting, person.name)
        return True

    async def pause(self, person: Person, account: str) -> bool:
        """Send nothing by itself any more: what its platform tells is still stored and shown. Calendar links cannot be
        paused, since their platform fetches our calendar by itself."""
        return await self._set(person, account, SyncMode.MANUAL)

    async def resume(self, person: Person, account: str) -> bool:
        """Let the ladder decide again, and send what waited."""
        return await self._set(person, account, SyncMode.AUTO)

    async def force(self, person: Person, account: str, operation: str, state: str) -> bool:
        """Move a circuit by hand. Raises ``PayloadRejected`` naming what is unknown."""
        if await self._decided(person, account) is None:
            return False
        body = json.dumps({"state": state}).encode()
        return await self._desk.force(account, operation, body) is not None

    async def _set(self, person: Person, account: str, mode: SyncMode) -> bool:
        state = await self._decided(person, account)
        if state is None or not state.units:
            return False
        await self._desk.take(state, replace(state.setting, wanted=mode), person.name)
        return True

    async def _decided(self, person: Person, account: str) -> AccountState | None:
        if not account.isprintable() or not 0 < len(account) <= MOST_NAME:
            return None
        state = await self._world.accounts.load(account)
        return state if state is not None and person.decides(state.account.owner) else None
