"""Observe: ask an account for its whole state, unit by unit, and put in what is new.

This is the look that needs no bell: the first complete answer of a listing, the poll of a platform that only pushes
(every 1-5 min, so that a lost webhook costs minutes), the batch, the probe of one that was down, and the nightly pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256

from shared.domain.errors import (
    AuthFailed,
    CircuitOpen,
    NotFound,
    PlatformDown,
    RateLimited,
    SyncError,
    TransientError,
)
from shared.domain.facts import SeenStay
from shared.domain.model import Reservation, SiteState, Status
from shared.domain.occupancy import is_counted
from shared.engine import tally
from shared.engine.bells import Bells
from shared.engine.ingest import Answered, Ingest, complete_listing
from shared.engine.modes import Modes
from shared.engine.unmapped import tell_unmapped
from shared.engine.world import World
from shared.ports.people import Notice
from shared.state.accounts import AccountState, Place

LEASE = timedelta(seconds=60)
RHYTHM = timedelta(seconds=19)
"""The least time between the beginnings of two looks of an account, however often somebody rings."""

AT_ONCE = 8
"""Units asked side by side."""

MOST_DOWN = 2
"""So many units a platform may fail at before the others are not asked for in this look: one that always ends in a 500
is no outage."""

_PAUSES = (RateLimited, CircuitOpen)
_TELLING = (PlatformDown, AuthFailed, RateLimited, CircuitOpen)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a unit's last whole state was when all of it was stored, where it belongs, and the site's version then:
    while all are as they were there is nothing to put in, at the price of one small read."""

    place: Place
    digest: bytes
    version: int


@dataclass(slots=True)
class _Look:
    """One look at an account: what its units are asked under, the errors that end it for the others, and the units that
    told of something new."""

    frame: Answered
    fresh: bool
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    stop: list[SyncError] = field(default_factory=list)
    news: list[str] = field(default_factory=list)


class Observer:
    """Asks for whole states."""

    def __init__(self, world: World, ingest: Ingest, modes: Modes) -> None:
        self._world = world
        self._ingest = ingest
        self._modes = modes
        self._bells = Bells(world)
        self._known: dict[tuple[str, str], _Known] = {}
        self._behind: dict[str, str] = {}

    async def look(self, account_id: str) -> str:
        """The look that the clock asks for: one at a time over all hosts. Returns in a word what happened."""
        fence = await self._world.accounts.lease(account_id, "observe", LEASE)
        if fence is None:
            return "held by another"
        begun = self._world.now()
        try:
            errors = await self.observe(account_id, fresh=False)
        finally:
            await self._world.accounts.release(account_id, "observe", fence, begun + RHYTHM)
        return "; ".join(f"{unit}: {why}" for unit, why in errors.items()) or "whole"

    async def observe(
        self, account_id: str, units: Iterable[str] = (), *, fresh: bool = True
    ) -> dict[str, str]:
        """Ask for the whole state of an account's units (all by default). Returns an error by unit. Unless ``fresh``,
        an answer equal to the last one costs no more than a look at the site's head."""
        state = await self._world.accounts.load(account_id)
        if state is None:
            raise NotFound(f"no account {account_id}")
        asked = tuple(units) or self._in_turn(state)
        if not asked:
            return {}
        frame = Answered(await self._world.accounts.next_observation(account_id), self._world.now())
        look = _Look(frame, fresh)
        done = await asyncio.gather(*(self._unit(look, state, one) for one in asked))
        if look.news and state.looked is not None and not state.paused:
            await self._bells.missed(state)  # the first look finds all there was before us
        errors = {}
        self._behind[account_id] = next(
            (u for u, e in zip(asked, done, strict=True) if isinstance(e, _PAUSES)), ""
        )
        for unit, wrong in zip(asked, done, strict=True):
            if wrong is not None:
                errors[unit] = str(wrong)
                tally.declined(state.account.platform, unit, wrong)
        down = await self._judge(state, [one for one in done if one is not None], len(asked))
        if not errors and not units:
            await self._world.accounts.note_look(account_id, frame.begun)
        elif not units and not down:
            # The ladder says when a platform is asked again that is down; for one unit nobody knows the others rest.
            await self._world.accounts.note_try(account_id, frame.begun)
        if state.paused and len(errors) < len(asked):
            await self._resume(state)
        return errors

    def _in_turn(self, state: AccountState) -> tuple[str, ...]:
        """All units, from the first that a spent budget left out of the last look on: else the last of many would never
        have their turn."""
        units = tuple(state.units)
        behind = self._behind.get(state.account.id)
        begin = units.index(behind) if behind in units else 0
        return units[begin:] + units[:begin]

    async def _judge(self, state: AccountState, wrong: list[SyncError], asked: int) -> bool:
        """One outcome for the ladder: a platform that answers for one unit is not down. Whether it is."""
        telling = next((one for one in wrong if isinstance(one, _TELLING)), None)
        if len(wrong) < asked:
            await self._modes.answered(state)
        elif telling is not None:
            await self._modes.failed(state, telling)
            return True
        return False

    async def _unit(self, look: _Look, state: AccountState, unit: str) -> SyncError | None:
        async with look.gate:
            if look.stop[MOST_DOWN:]:  # it is down, or asks for a pause: it is not asked for fifty more
                return look.stop[-1]
            try:
                await self._observe_unit(look, state, unit)
            except SyncError as wrong:
                self._world.telemetry.count("observe_failed", platform=state.account.platform)
                if isinstance(wrong, _PAUSES):
                    look.stop.extend([wrong] * (MOST_DOWN + 1))
                elif isinstance(wrong, PlatformDown):
                    look.stop.append(wrong)
                return wrong
        return None

    async def _observe_unit(self, look: _Look, state: AccountState, unit: str) -> None:
        frame = look.frame
        connector = self._world.api(state.account.platform)
        found = await connector.stays(state.account, unit)
        place, name = state.units[unit], (state.account.id, unit)
        digest = _digest(found)
        if not look.fresh and await self._is_known(name, place, digest):
            return
        site = await self._world.sites.load(place.site)
        extra = {place.site: [complete_listing(place.listing, frame)]}
        missing = self._missing(state, site, place, {seen.id for seen in found})
        pairs = [(seen.id, seen) for seen in found]
        answers = [await connector.reread(state.account, one) for one in missing]
        pairs += [(seen.id, seen) for seen in answers if seen is not None]
        done = await self._ingest.stays(state, pairs, frame, f"whole state of {unit}", extra=extra)
        if done.news:
            look.news.append(unit)
        if done.failed:
            raise TransientError("; ".join(f"{site}: {why}" for site, why in done.failed.items()))
        await tell_unmapped(self._world, state.account.id, done.unmapped, (seen for _, seen in pairs))
        versions = [report.version for report in done.reports if report.site == place.site]
        # A stay of ours that it does not name is asked for again at each look, for as long as its own answer is not in.
        settled = not done.unmapped and not missing
        if versions and settled and not _counts(site, place):
            self._known[name] = _Known(place, digest, versions[-1])

    async def _is_known(self, name: tuple[str, str], place: Place, digest: bytes) -> bool:
        known = self._known.get(name)
        if known is None or (known.place, known.digest) != (place, digest):
            return False
        return (await self._world.sites.head(place.site)).version == known.version

    def _missing(self, state: AccountState, site: SiteState, place: Place, found: set[str]) -> list[str]:
        """What we hold and a whole state does not name: absence is no proof, so each is asked for by its id. Where the
        platform has no such call, it stays as it is."""
        if place.listing not in site.listings:
            return []
        today = site.today(place.listing, self._world.now())
        return [
            one.id
            for one in site.reservations.values()
            if one.account == state.account.id
            and one.id not in found
            and one.status is not Status.CANCELLED
            and any(part.listing == place.listing for part in one.held())
            and _is_future(one, today)
        ]

    async def _resume(self, state: AccountState) -> None:
        """An account whose access was revoked answers again: send what waited, and say so."""
        name = state.account.id
        await self._world.accounts.pause(name, "")
        await self._modes.release(state, f"{name} answers again")
        text = {
            "fr": f"{name} répond de nouveau\u202f: synchronisé.",
            "en": f"{name} answers again: in step.",
        }
        await self._world.notify.tell(Notice("resumed", name, "info", text, state.account.owner))


def _digest(found: Iterable[SeenStay]) -> bytes:
    """What a whole state says, whatever the order it says it in; no guest's name."""
    lines = sorted(f"{one.id}|{one.status}|{one.version}|{sorted(map(str, one.rooms))}" for one in found)
    return sha256("\n".join(lines).encode()).digest()


def _counts(site: SiteState, place: Place) -> bool:
    """Whether its home is sold by count: then each whole look is noted in the site, since a count rises only after one
    begun later than the sale's end (rule 1)."""
    listing = site.listings.get(place.listing)
    return listing is None or is_counted(site.site, site.site.properties[listing.property])


def _is_future(one: Reservation, today: date) -> bool:
    leaves = one.leaves
    return leaves is not None and leaves > today
