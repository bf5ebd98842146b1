"""What became of each stay, and when: booked, known to us, accepted by each platform. Instants are seconds, one clock.

*Known* is the moment from which we could know: the platform's call left for us, or its answer to our poll left with the
stay in it. *Accepted* is the moment the platform's yes left. A stay counts on each platform but the one it was sold on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.domain.dates import StayDates
from shared.domain.platform import Platform


@dataclass
class Journey:
    """One stay."""

    id: str
    sold_on: Platform
    home: int
    dates: StayDates
    booked: float
    awaited: frozenset[Platform]
    known: float | None = None
    accepted: dict[Platform, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether every platform has accepted it."""
        return self.awaited <= self.accepted.keys()


@dataclass
class Journal:
    """All stays of a run. ``answers`` are how long the platforms waited for an answer to their calls, in seconds."""

    journeys: dict[str, Journey] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)
    open: dict[int, dict[str, Journey]] = field(default_factory=dict)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def book(self, journey: Journey) -> None:
        """A guest booked."""
        self.journeys[journey.id] = journey
        self.open.setdefault(journey.home, {})[journey.id] = journey

    def know(self, stay: str, at: float) -> None:
        """We could know of it from here; what is said again later does not count."""
        journey = self.journeys.get(stay)
        if journey is not None and journey.known is None:
            journey.known = at

    def waiting(self, home: int, platform: Platform) -> list[Journey]:
        """The stays of a home that this platform has not accepted yet."""
        found = self.open.get(home, {}).values()
        return [one for one in found if platform in one.awaited and platform not in one.accepted]

    def accept(self, journey: Journey, platform: Platform, at: float) -> None:
        """The platform's yes left."""
        journey.accepted[platform] = at
        if journey.done:
            self.open[journey.home].pop(journey.id, None)
            self._moved.set()

    @property
    def left(self) -> int:
        """Stays not accepted everywhere."""
        return sum(len(homes) for homes in self.open.values())

    async def finish(self, seconds: float) -> int:
        """Wait until every stay is accepted everywhere, at most so long; returns how many are not."""
        try:
            async with asyncio.timeout(seconds):
                while self.left:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            pass
        return self.left

    def delays(
        self, sold_on: Iterable[Platform], targets: Iterable[Platform], *, whole: bool = False
    ) -> list[float]:
        """Seconds from known (``whole``: from booked) to accepted, of stays sold on some, on the others."""
        return list(self._delays(frozenset(sold_on), frozenset(targets), whole))

    def _delays(
        self, sold_on: frozenset[Platform], targets: frozenset[Platform], whole: bool
    ) -> Iterator[float]:
        for one in self.journeys.values():
            begun = one.booked if whole else one.known
            if one.sold_on in sold_on and begun is not None:
                yield from (at - begun for name, at in one.accepted.items() if name in targets)


def share(values: list[float], part: float) -> float:
    """The value that so many of 100 do not exceed (nearest rank); infinite for none, which meets no goal."""
    if not values:
        return float("inf")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(part * 10) // 1000) - 1))]
