"""How often the engine goes to the store and to the platforms for one new stay on three platforms.

    python -m bench.round_trips

Airbnb and Booking.com by API, Greengo by calendar links; the connectors are the real ones and talk to the sandbox. The
same stories run over the tables in memory and over the emulator, where the requests are counted as they leave the
process; both counts must be the same, or the bench fails. Counts have no noise: they are goals, not samples.

On the site's partition: load, commit of facts and intents, confirm. What else a story costs is listed by table.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass

from bench.counting import Trip
from bench.home import SITE, Home, home, wall
from bench.score import Score, missed, table
from local.azurite import Azurite
from shared.adapters.table_store import open_tables
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Platform
from shared.memory.tables import MemoryTables
from shared.state.names import SITES

TRIPS, ROWS = 3, 8


@dataclass(frozen=True)
class Story:
    """What one thing that happened cost: trips to the store in order, and calls of platforms."""

    name: str
    trips: tuple[Trip, ...]
    calls: tuple[str, ...]

    def on_site(self) -> list[Trip]:
        """Trips to the site's partition."""
        return [trip for trip in self.trips if trip.table == SITES]

    def elsewhere(self) -> str:
        """The other tables, each with reads and writes."""
        found = Counter((trip.table, trip.reads) for trip in self.trips if trip.table != SITES)
        names = dict.fromkeys(trip.table for trip in self.trips if trip.table != SITES)
        return ", ".join(f"{name} {found[name, True]}r {found[name, False]}w" for name in names)


class Teller:
    """Cuts what passed into stories."""

    def __init__(self, place: Home) -> None:
        self._place = place
        self._trips, self._calls = 0, 0
        self.found: list[Story] = []

    def begin(self) -> None:
        """Count from here."""
        self._trips, self._calls = len(self._place.tables.trips), len(self._place.http.calls)

    def end(self, name: str) -> None:
        """That was a story."""
        trips, calls = self._place.tables.trips[self._trips :], self._place.http.calls[self._calls :]
        self.found.append(Story(name, tuple(trips), tuple(calls)))


async def stories(place: Home) -> list[Story]:
    """A sale on each platform, Greengo's fetch after the first, and a look when there is nothing to do."""
    teller = Teller(place)
    for number, platform in enumerate((AIRBNB, BOOKING, GREENGO)):
        before = await place.closed()
        teller.begin()
        await place.sell(platform, 60 + 10 * number)
        teller.end(f"sold on {platform}")
        await _check(place, platform, before)
        if platform == AIRBNB:
            teller.begin()
            await place.pull()
            await place.drain()
            teller.end("fetched by greengo")
        await place.rest()
    teller.begin()
    await place.engine.reconciler.reconcile(SITE, "bench")
    teller.end("nothing to do")
    return teller.found


async def _check(place: Home, platform: Platform, before: set[tuple[str, str]]) -> None:
    """A story that does not end with the others closed would be cheap."""
    new = {listing for listing, _ in await place.closed() - before}
    others = {AIRBNB, BOOKING, GREENGO} - {platform}
    assert new == {f"{SITE}-{other}" for other in others}, new


async def in_memory() -> list[Story]:
    """Over the twin."""
    async with home(MemoryTables(wall)) as place:
        return await stories(place)


async def at_transport() -> list[Story]:
    """Over the emulator; what left the process must be what the port was asked for, table by table."""
    left: Counter[str] = Counter()
    async with Azurite() as azurite:
        tables = open_tables(
            connection_string=azurite.connection_string,
            monotonic=time.monotonic,
            wall=wall,
            on_request=lambda method, name: left.update([name]),
        )
        async with home(tables) as place:
            place.tables.trips.clear()
            left.clear()
            found = await stories(place)
            asked = Counter(trip.table for trip in place.tables.trips)
        await tables.close()
    assert asked == left, (asked, left)
    return found


def scores() -> list[Score]:
    """All of them, from the run over real tables."""
    found, twin = asyncio.run(at_transport()), asyncio.run(in_memory())
    assert [(one.name, one.trips) for one in found] == [(one.name, one.trips) for one in twin]
    return [score for story in found[:-1] for score in sale(story)] + idle(found[-1])


def sale(story: Story) -> list[Score]:
    """Trips to the site, and the most rows one of them wrote; a fetch by a peer is told and not judged."""
    site, judged = story.on_site(), story.name.startswith("sold")
    rows = ", ".join(f"{trip.operation} {trip.rows}" for trip in site)
    note = f"{rows}; elsewhere {story.elsewhere()}; {len(story.calls)} calls"
    written = max((trip.rows for trip in site if not trip.reads), default=0)
    trips = Score(
        "round trips", f"{story.name}: trips to the site", len(site), TRIPS if judged else None, note=note
    )
    return [trips, Score("round trips", f"{story.name}: most rows written in one", written, ROWS)]


def idle(story: Story) -> list[Score]:
    """Nothing to do: one read, no write, no call."""
    writes = sum(not trip.reads for trip in story.trips)
    return [
        Score("round trips", "nothing to do: reads", len(story.trips) - writes, 1),
        Score("round trips", "nothing to do: writes", writes, 0),
        Score("round trips", "nothing to do: calls", len(story.calls), 0),
    ]


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
