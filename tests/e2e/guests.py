"""Guests in a hurry: they book, move and cancel on a few homes at once, the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from local.sandbox.config import Listing
from local.sandbox.desk import Desk
from local.sandbox.errors import SandboxError
from local.sandbox.stays import Stay
from shared.domain.dates import StayDates

PAUSE = 0.15
"""Seconds between two guests: several changes while one is under way."""

NIGHTS = 60
"""Nights the guests fight for."""


@dataclass(frozen=True)
class Sale:
    """Nights of a listing that were sold, or moved to, between these instants."""

    listing: str
    dates: str
    begun: datetime
    done: datetime


@dataclass
class Crowd:
    """Acts on these listings, from ``first`` on, until cancelled."""

    desk: Desk
    listings: Sequence[Listing]
    first: date
    chance: random.Random
    acts: int = 0
    sales: list[Sale] = field(default_factory=list)

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
            listing, dates = self.chance.choice(self.listings), self._dates()
            with self._selling(listing.key, dates):
                await self.desk.book(listing.platform, [(listing.id, dates)])
        elif choice < 0.8:
            stay, dates = self.chance.choice(stays), self._dates()
            with self._selling(stay.parts[0].listing, dates):
                await self.desk.modify(stay.platform, stay.id, self.desk.moved(stay, dates))
        else:
            stay = self.chance.choice(stays)
            await self.desk.cancel(stay.platform, stay.id)

    @contextmanager
    def _selling(self, listing: str, dates: StayDates) -> Iterator[None]:
        begun = self.desk.world.clock.now()
        yield
        self.sales.append(Sale(listing, str(dates), begun, self.desk.world.clock.now()))

    def _dates(self) -> StayDates:
        arrival = self.first + timedelta(days=self.chance.randrange(NIGHTS))
        return StayDates.of_nights(arrival, self.chance.choice((1, 2, 3, 5)))

    def _stays(self) -> list[Stay]:
        keys = {listing.key for listing in self.listings}
        return [s for s in self.desk.world.truth.stays.values() if s.live and s.parts[0].listing in keys]
