"""Read-back: ask a site's platforms what their own calendars show, a little after a closure and each night."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.drift import drifted
from shared.domain.errors import SyncError
from shared.domain.model import Block, Listing, Phase, SiteState
from shared.domain.platform import Link
from shared.domain.readback import SETTLES, Readback, read_back
from shared.engine.reconcile import Merge, Reconciler
from shared.engine.world import WORK, World
from shared.ports.bus import Message


class ReadBack:
    """Confirms closures by reading them where guests would see them."""

    def __init__(self, world: World, reconciler: Reconciler) -> None:
        self._world = world
        self._reconciler = reconciler

    async def check(self, site: str) -> str:
        """Read the calendars of a site's listings that took closures nobody has seen there yet."""
        state = await self._world.sites.load(site)
        listings = [one for one in state.listings.values() if _unseen(state, one)]
        return await self._read(state, listings)

    async def check_all(self, site: str) -> str:
        """Read every calendar of a site that carries closures: the nightly look for drift."""
        state = await self._world.sites.load(site)
        listings = [one for one in state.listings.values() if _closed(state, one)]
        return await self._read(state, listings)

    async def _read(self, state: SiteState, listings: list[Listing]) -> str:
        merges, failed, looks = [], 0, dict[str, Readback]()
        for listing in listings:
            try:
                merges.append(await self._look(state, listing, looks))
            except SyncError as wrong:
                failed += 1
                self._world.telemetry.event("read_back_failed", listing=listing.id, why=str(wrong))
        if merges:
            await self._reconciler.reconcile(state.site.id, "read back", merges)
        for name, found in looks.items():
            await self._note(state.listings[name], found)
        await self._look_later(state.site.id)
        return f"{len(merges)} read, {failed} failed"

    async def _look_later(self, site: str) -> None:
        """What was not seen there yet is looked for once more when the platform can no longer be behind (rule 23)."""
        state, now = await self._world.sites.load(site), self._world.now()
        if any(_unseen(state, one) for one in state.listings.values()):
            due = now + SETTLES
            await self._world.ring(WORK, Message("drift", site, f"{int(due.timestamp()) // 600}", due=due))

    async def _note(self, listing: Listing, found: Readback) -> None:
        """Keep what was open over closures of ours, for the watch to tell a person: it is closed again by itself, but
        somebody opens it. Nothing is written where nothing was."""
        for row in found.drifted:
            self._world.telemetry.event("drift", listing=listing.id, nights=str(row.dates))
        account = await self._world.accounts.load(listing.account) if found.drifted else None
        if account is not None:
            nights, was_closed = found.opened or found.never_closed, bool(found.opened)
            after = drifted(account.drift, listing.id, nights, self._world.now(), was_closed=was_closed)
            await self._world.accounts.note_drift(listing.account, after)

    async def _look(self, state: SiteState, listing: Listing, looks: dict[str, Readback]) -> Merge:
        """One calendar, as a merge into whatever the site is by then; ``looks`` takes how it was judged."""
        begun = self._world.now()
        account = await self._reconciler.modes.account(listing.account)
        connector = self._world.apis.get(listing.platform)
        if account is None or connector is None:
            return _nothing
        levels = await connector.read_levels(account.account, listing, _span(state, listing, begun))

        def merge(now_on: SiteState) -> SiteState:
            if listing.id not in now_on.listings:
                return now_on
            found = read_back(now_on, listing.id, levels, begun)
            looks[listing.id] = found
            changed = {row.key: row for row in (*found.seen, *found.missing, *found.drifted)}
            return _with(now_on, changed) if changed else now_on

        return merge


def _unseen(state: SiteState, listing: Listing) -> bool:
    return listing.link is Link.API and any(
        row.listing == listing.id and row.wanted and row.phase is Phase.ACCEPTED
        for row in state.blocks.values()
    )


def _closed(state: SiteState, listing: Listing) -> bool:
    return listing.link is Link.API and any(
        row.listing == listing.id and row.wanted for row in state.blocks.values()
    )


def _span(state: SiteState, listing: Listing, now: datetime) -> StayDates:
    """From today, or the first closure, to the last night that is closed."""
    rows = [row.dates for row in state.blocks.values() if row.listing == listing.id and row.wanted]
    first = max(state.today(listing.id, now), min(dates.check_in for dates in rows))
    return StayDates(first, max(first + ONE_DAY, *(dates.check_out for dates in rows)))


def _nothing(state: SiteState) -> SiteState:
    return state


def _with(state: SiteState, changed: dict[str, Block]) -> SiteState:
    return replace(state, blocks={**state.blocks, **changed})
