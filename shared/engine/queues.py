"""Queues: ask what a platform has waiting, put it into the sites, and only then acknowledge it (rules 9 and 14)."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from shared.domain.errors import SyncError
from shared.domain.facts import Polled
from shared.engine import tally
from shared.engine.bells import Bells
from shared.engine.ingest import Answered, Ingest, Ingested
from shared.engine.modes import Modes
from shared.engine.unmapped import set_stay_aside, tell_unmapped
from shared.engine.world import World
from shared.ports.platforms import ApiConnector
from shared.state.accounts import AccountState

QUEUE_LEASE = timedelta(seconds=30)

HELD = "held by another"
"""What ``Queues.poll`` says when it did not ask: a poll is under way, or it is too soon for another."""

AFTER_ACK = timedelta(seconds=5)
"""Booking.com asks for 5 s between an acknowledgement and the next request (VERIFIED, its reservations guide)."""

QUEUE_RHYTHM = timedelta(seconds=19)
"""The least time between the beginnings of two polls of a queue, however often a timer rings: Booking.com asks for one
call every 20 s (VERIFIED there); a second less, or a tick that comes early by a hair would be lost."""


class Queues:
    """Asks the queues of accounts."""

    def __init__(self, world: World, ingest: Ingest, modes: Modes) -> None:
        self._world = world
        self._ingest = ingest
        self._modes = modes
        self._bells = Bells(world)

    async def poll(self, account_id: str, *, called: bool = False) -> str:
        """Ask an account's queue, store, acknowledge what is stored everywhere. One poller at a time; returns in a word
        what happened. Where the platform calls us when there is news, a poll follows each call, however soon:
        ``called`` is such a one."""
        fence = await self._world.accounts.lease(account_id, "poll", QUEUE_LEASE)
        if fence is None:
            return HELD
        acknowledged, rested, begun = False, True, self._world.now()
        try:
            state = await self._world.accounts.load(account_id)
            if state is None:
                return "no such account"
            connector = self._world.api(state.account.platform)
            rested = state.account.platform not in self._world.doorbells
            frame = Answered(await self._world.accounts.next_observation(account_id), self._world.now())
            polled = await self._polled(connector, state)
            done = await self._store(state, polled, frame)
            receipts = (*done.stored, *(one.receipt for one in polled.unplaced))
            if (
                done.news and not called and state.polled is not None
            ):  # the first tells of all there was before us
                await self._bells.missed(state)
            # What could not be read may be a sale.
            if polled.whole and not polled.unplaced and len(receipts) == len(polled.stays):
                await self._world.accounts.note_poll(account_id, frame.begun)
            if receipts and await self._world.accounts.holds(account_id, "poll", fence):
                acknowledged = True
                await connector.acknowledge(state.account, receipts)
            return f"{len(polled.stays)} stored, {len(polled.unplaced)} set aside"
        finally:
            until = begun + QUEUE_RHYTHM if rested else begun
            if acknowledged and rested:
                until = max(until, self._world.now() + AFTER_ACK)
            await self._world.accounts.release(account_id, "poll", fence, until)

    async def _polled(self, connector: ApiConnector, state: AccountState) -> Polled:
        """The queue's answer; the ladder hears how asking ended."""
        try:
            polled = await connector.poll(state.account)
        except SyncError as wrong:
            await self._modes.failed(state, wrong)
            raise
        await self._modes.answered(state)
        return polled

    async def _store(self, state: AccountState, polled: Polled, frame: Answered) -> Ingested:
        """What became of the facts; the unplaceable stands in quarantine (rule 14): both are stored for good."""
        done = await self._ingest.stays(state, polled.stays, frame, f"queue {state.account.id}")
        await tell_unmapped(self._world, state.account.id, done.unmapped, (seen for _, seen in polled.stays))
        for one in polled.unplaced:
            name = one.receipt or sha256(one.raw).hexdigest()[:24]
            tally.unplaced(state.account.platform, name, one.reason)
            await set_stay_aside(self._world, state.account.id, name, one.reason, one.raw)
        return done
