"""How long Airbnb's question "is it free?" takes, against the store it is answered from.

    python -m bench.availability_check

The desk over the real table client and the emulator, one home on three platforms with its sources just read. A question
is one read of the site and one commit; what is measured is the whole way from the call to the answer, one question
after the other, as ratios to a read and to a guarded write of one row in the same run. The goal of 300 ms at p99 is
judged as it stands. Guests who ask at the same moment wait for each other's commits; that is told and not judged.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench.home import SITE, Home, home, wall
from bench.score import Score, missed, table
from local.azurite import Azurite
from shared.adapters.table_store import open_tables
from shared.connectors.airbnb_check import AirbnbCheck
from shared.domain.dates import StayDates
from shared.domain.platform import AIRBNB, BOOKING
from shared.engine.availability_check import AvailabilityDesk
from shared.ports.stores import Row

UNIT = "9876543"
QUESTIONS, WARM, AT_ONCE = 300, 20, 4
GOAL_MS = 300.0
TRIPS = 3.0
"""Store round trips that the median question may cost: its read, its commit, and our own work."""


@dataclass(frozen=True)
class Samples:
    """Milliseconds, in the order in which they were taken."""

    taken: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.taken)

    @property
    def p99(self) -> float:
        """What one in a hundred exceeds."""
        return sorted(self.taken)[max(0, round(len(self.taken) * 0.99) - 1)]


async def timed(doing: Callable[[int], Awaitable[object]], times: int) -> Samples:
    """Do it again and again, one after the other."""
    taken = []
    for number in range(times):
        begun = time.perf_counter()
        await doing(number)
        taken.append((time.perf_counter() - begun) * 1000)
    return Samples(taken)


async def _ask(desk: AvailabilityDesk, dates: StayDates) -> None:
    """One question, which must be answered with a yes: a no would be cheap."""
    query = {"action": "check_availability", "listing_id": UNIT, "start_date": str(dates.check_in)}
    answer = await desk.answer("", "GET", {**query, "nights": str(len(dates))}, b"")
    assert answer.body == b'{"available": true}', answer.body


async def measure() -> tuple[Samples, Samples, Samples, Samples]:
    """Questions one by one, questions of several guests at once, reads, writes."""
    async with Azurite() as azurite:
        tables = open_tables(connection_string=azurite.connection_string, monotonic=time.monotonic, wall=wall)
        async with home(tables) as place:
            found = await _measured(place)
        await tables.close()
    return found


async def _measured(place: Home) -> tuple[Samples, Samples, Samples, Samples]:
    # A wide rhythm: this is about answering, not about how often sources are read.
    desk = AvailabilityDesk(
        place.engine.world, place.engine.reconciler, AIRBNB, AirbnbCheck(), {BOOKING: 3600.0}
    )
    await place.engine.queues.poll("booking")
    first = wall().date() + timedelta(days=400)

    def dates(number: int) -> StayDates:
        return StayDates.of_nights(first + timedelta(days=3 * (number % 30)), 2)

    async def together(number: int) -> None:
        asked = (_ask(desk, dates(number * AT_ONCE + guest)) for guest in range(AT_ONCE))
        await asyncio.gather(*asked)

    async def read(number: int) -> None:
        await place.tables.get("Sites", SITE, "a")

    async def write(number: int) -> None:
        await place.tables.upsert("Runs", Row("bench", "one", {"number": number}))

    await place.tables.upsert("Runs", Row("bench", "one", {"number": 0}))
    await timed(lambda number: _ask(desk, dates(number)), WARM)
    gc.collect()
    reads, writes = await timed(read, QUESTIONS), await timed(write, QUESTIONS)
    questions = await timed(lambda number: _ask(desk, dates(number)), QUESTIONS)
    return questions, await timed(together, QUESTIONS // AT_ONCE), reads, writes


def scores() -> list[Score]:
    """All of them."""
    questions, together, reads, writes = asyncio.run(measure())
    trip = (reads.p50 + writes.p50) / 2
    name = "availability check"
    beside = f"median {questions.p50:.1f} ms; a read {reads.p50:.1f} ms, a write {writes.p50:.1f} ms"
    return [
        Score(name, "p50 / a store round trip", questions.p50 / trip, TRIPS, least=2 * TRIPS, note=beside),
        Score(name, "p99 / a store round trip", questions.p99 / trip),
        Score(name, "p99, ms", questions.p99, GOAL_MS),
        Score(name, f"{AT_ONCE} guests at once: p99 until the last, ms", together.p99),
    ]


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
