"""Guests in a hurry: they book, move and cancel on a few homes at once, the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from local.sandbox.config import Listing
from local.sandbox.desk import Desk
from local.sandbox.errors import SandboxError
from local.sandbox.stays import Stay
from shared.domain.dates import StayDates

PAUSE = 0.15
"""Seconds between two guests: several changes while one is under way."""

NIGHTS = 60
"""Nights the guests fight for."""


@dataclass
class Crowd:
    """Acts on these listings, from ``first`` on, until cancelled."""

    desk: Desk
    listings: Sequence[Listing]
    first: date
    chance: random.Random
    acts: int = 0

    async def run(self) -> None:
        """For ever; who finds the nights closed goes away."""
        while True:
            try:
                await self._act()
                self.acts += 1
            except SandboxError:
                pass
            await asyncio.sleep(self.chance.uniform(0, 2 * PAUSE))

    async def _act(self) -> None:
        stays = self._stays()
        choice = self.chance.random()
        if choice < 0.55 or not stays:
            listing = self.chance.choice(self.listings)
            await self.desk.book(listing.platform, [(listing.id, self._dates())])
        elif choice < 0.8:
            stay = self.chance.choice(stays)
            await self.desk.modify(stay.platform, stay.id, self.desk.moved(stay, self._dates()))
        else:
            stay = self.chance.choice(stays)
            await self.desk.cancel(stay.platform, stay.id)

    def _dates(self) -> StayDates:
        arrival = self.first + timedelta(days=self.chance.randrange(NIGHTS))
        return StayDates.of_nights(arrival, self.chance.choice((1, 2, 3, 5)))

    def _stays(self) -> list[Stay]:
        keys = {listing.key for listing in self.listings}
        return [s for s in self.desk.world.truth.stays.values() if s.live and s.parts[0].listing in keys]
