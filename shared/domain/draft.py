"""The plan while it is made: what each step of it reads and adds to. Local to one call of ``plan``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.dates import StayDates
from shared.domain.holds import held_until
from shared.domain.model import Block, Listing, SiteState, Write
from shared.domain.occupancy import Occupancy


@dataclass(slots=True)
class Draft:
    """A plan in the making: ``blocks`` is the ledger as it will be; ``desired`` names the rows
    that some stay asks for; the lists collect what ``Plan`` will say."""

    state: SiteState
    now: datetime
    version: int
    fence: int
    taken: list[Occupancy]
    blocks: dict[str, Block]
    polled: Mapping[str, datetime]
    desired: Collection[str] = ()
    spent: list[str] = field(default_factory=list)
    writes: list[tuple[str, Write]] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    wakes: list[datetime] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def promised(self, listing: str, dates: StayDates) -> bool:
        """Whether another listing was promised any of these nights: then they open only when that is over."""
        until = held_until(self.state, listing, dates, self.now)
        if until is not None:
            self.wakes.append(until)
        return until is not None

    def spend(self, key: str) -> None:
        """Forget a row of the ledger."""
        del self.blocks[key]
        if key in self.state.blocks:
            self.spent.append(key)
