"""How long a closure takes: from the moment a guest books until nobody can book these nights anywhere else.

Judged by the sandbox's own truth, not by what the engine believes of itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from local.sandbox.stays import NightState, Part, Stay
from local.sandbox.truth import Truth
from shared.ports.people import Sleep

_KEPT = 5
_TICK = 0.1


@dataclass(frozen=True, slots=True)
class Closure:
    """One stay closed on one other listing, so many seconds after it was sold."""

    stay: str
    sold_on: str
    closed_on: str
    seconds: float


@dataclass(slots=True)
class _Watched:
    since: float
    parts: tuple[Part, ...]
    sold_on: str
    left: set[str]


@dataclass
class Stopwatch:
    """Looks at the truth whenever ``look`` is called; ``clock`` counts seconds.

    Not measured: what was there at the first look, a stay moved to nights that were closed already, and listings with
    several units, which close only when they are full.
    """

    truth: Truth
    clock: Callable[[], float]
    last: deque[Closure] = field(default_factory=lambda: deque(maxlen=_KEPT))
    worst: float = 0.0
    _news: list[Closure] = field(default_factory=list)
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _known: dict[str, object] | None = None

    async def run(self, sleep: Sleep) -> None:
        """Look ten times a second, until cancelled."""
        while True:
            self.look()
            await sleep(_TICK)

    def news(self) -> list[Closure]:
        """What closed since this was last asked."""
        found, self._news = self._news, []
        return found

    @property
    def waiting(self) -> int:
        """Stays not yet closed everywhere."""
        return len(self._watched)

    def look(self) -> None:
        """Compare with the look before."""
        self._notice()
        found = [
            closure for stay, item in list(self._watched.items()) for closure in self._closed(stay, item)
        ]
        self.last.extend(found)
        self._news.extend(found)
        self.worst = max([self.worst, *(closure.seconds for closure in found)])

    def _notice(self) -> None:
        """Watch stays that are new or moved; forget those that are over."""
        known = {stay.id: stay.parts for stay in self.truth.stays.values() if stay.live}
        before = known if self._known is None else self._known
        for name in self._watched.keys() - known.keys():
            del self._watched[name]
        for name, parts in known.items():
            if before.get(name) != parts:
                self._watch(self.truth.stays[name])
        self._known = dict(known)

    def _watch(self, stay: Stay) -> None:
        others = {key for part in stay.parts for key in self._others(part)}
        # A stay moved into nights that are closed already needs no closure.
        left = {key for key in others if not self._is_closed(key, stay.parts)}
        if left:
            self._watched[stay.id] = _Watched(self.clock(), stay.parts, stay.parts[0].listing, left)

    def _others(self, part: Part) -> Iterable[str]:
        calendars = self.truth.calendars
        rooms = set(calendars[part.listing].listing.rooms)
        for key, calendar in calendars.items():
            listing = calendar.listing
            if key != part.listing and listing.units == 1 and rooms & set(listing.rooms):
                yield key

    def _closed(self, stay: str, item: _Watched) -> list[Closure]:
        done = sorted(key for key in item.left if self._is_closed(key, item.parts))
        item.left.difference_update(done)
        if not item.left:
            del self._watched[stay]
        passed = self.clock() - item.since
        return [Closure(stay, item.sold_on, key, passed) for key in done]

    def _is_closed(self, key: str, parts: Iterable[Part]) -> bool:
        rooms = set(self.truth.calendars[key].listing.rooms)
        return all(
            self.truth.night(key, night).state is not NightState.OPEN
            for part in parts
            if rooms & set(self.truth.calendars[part.listing].listing.rooms)
            for night in part.dates.nights()
        )
