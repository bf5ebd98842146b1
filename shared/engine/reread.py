"""Re-read: ask a platform about one reservation again, because somebody doubts it."""

from __future__ import annotations

from shared.domain.errors import AuthFailed, SyncError
from shared.engine.ingest import Answered, Ingest
from shared.engine.modes import Modes
from shared.engine.world import WORK, World
from shared.ports.bus import Message


class Reread:
    """Asks about single reservations."""

    def __init__(self, world: World, ingest: Ingest, modes: Modes) -> None:
        self._world = world
        self._ingest = ingest
        self._modes = modes

    async def again(self, key: str) -> str:
        """Ask for the reservation of that key (account and id), and put the answer where it belongs; returns in a word
        what became of it. That the platform does not know it proves nothing yet: it may lag behind its own message, and
        Booking.com has no such question at all; so a whole look follows. Raises ``StoreUnavailable``."""
        account_id, _, reservation = key.partition("|")
        account = await self._modes.account(account_id)
        connector = self._world.apis.get(account.account.platform) if account else None
        if account is None or connector is None or not reservation:
            return "nobody to ask"
        counter = await self._world.accounts.next_observation(account_id)
        frame = Answered(counter, self._world.now())
        try:
            seen = await connector.reread(account.account, reservation)
        except SyncError as wrong:
            if not isinstance(wrong, AuthFailed):  # of one reservation: it says nothing about the keys
                await self._modes.failed(account, wrong)
            self._world.telemetry.event("look_failed", account=account_id, why=str(wrong))
            return f"failed: {wrong}"
        await self._modes.answered(account)
        if seen is None:
            await self._world.ring(
                WORK, Message("observe", account_id, f"doubt{int(frame.begun.timestamp())}")
            )
            return "not known: everything of the account is asked for"
        done = await self._ingest.stays(account, [(seen.id, seen)], frame, f"re-read {reservation}")
        return "; ".join(f"{site}: {why}" for site, why in done.failed.items()) or "asked"
