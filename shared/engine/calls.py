"""Calls: the writes of one plan, made. Listings side by side; on one listing closures before openings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shared.domain.confirm import Result
from shared.domain.errors import PlatformDown, SyncError, TransientError
from shared.domain.facts import WriteOutcome
from shared.domain.model import SiteState, Write
from shared.domain.plan import Plan
from shared.engine.modes import Modes
from shared.engine.world import World


class Calls:
    """Makes the calls a reconcile decided on, after their intents were committed."""

    def __init__(self, world: World, modes: Modes) -> None:
        self._world = world
        self._modes = modes

    async def make(self, state: SiteState, decided: Plan) -> list[tuple[str, Write, Result]]:
        """Make the calls, listings side by side; on one listing closures before openings."""
        by_listing: dict[str, list[Write]] = {}
        for listing, write in decided.writes:
            by_listing.setdefault(listing, []).append(write)
        done = await asyncio.gather(*(self._apply_one(state, *item) for item in by_listing.items()))
        return [result for results in done for result in results]

    async def _apply_one(
        self, state: SiteState, listing: str, writes: Sequence[Write]
    ) -> list[tuple[str, Write, Result]]:
        results: list[tuple[str, Write, Result]] = []
        for write in writes:
            if any(result.lost for _, _, result in results):
                result = Result(error="waits for the outcome of an older write")
            elif write.opens and not await self._stands(state):
                result = Result(error="the site changed before the opening")
            else:
                result = await self._call(state, listing, write)
            results.append((listing, write, result))
        return results

    async def _stands(self, state: SiteState) -> bool:
        """The last look before an opening: whether nothing was committed since it was decided (rule 2)."""
        try:
            return (await self._world.sites.head(state.site.id)).etag == state.head.etag
        except SyncError:
            return False

    async def _call(self, state: SiteState, name: str, write: Write) -> Result:
        """One write, one attempt: what fails comes back by its due row, after a pause."""
        listing = state.listings[name]
        try:
            account = await self._modes.account(listing.account)
        except SyncError as wrong:  # nothing went out; what the others were told stands and is confirmed
            return _failed(wrong)
        if account is None:
            return Result(error=f"no account {listing.account}")
        connector = self._world.apis.get(listing.platform)
        if connector is None:
            return Result(error=f"no connector for {listing.platform}")
        left = (write.deadline - self._world.now()).total_seconds()
        try:
            async with asyncio.timeout(max(left, 0)):
                outcome: WriteOutcome = await connector.write(account.account, listing, write)
        except TimeoutError:
            return Result(error=f"{listing.platform}: no answer within the deadline", lost=True)
        except SyncError as wrong:
            return _failed(wrong)
        return Result(outcome)


def _failed(wrong: SyncError) -> Result:
    """What a failed call means for its rows. The ladder hears nothing of writes: one listing we may not write to says
    nothing about its neighbours, and an account that went down for it would leave their nights open."""
    if isinstance(wrong, PlatformDown):
        return Result(error=str(wrong), lost=True)
    retry_after = wrong.retry_after if isinstance(wrong, TransientError) else None
    return Result(error=str(wrong), retry_after=retry_after)
