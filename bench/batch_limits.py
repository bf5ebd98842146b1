"""How much of what a platform allows is used when everything changes at once, and that not a call more is made.

    python -m bench.batch_limits

Virtual time, so the figures have no noise; the platform refuses and counts whatever is one call too many in any window.
First the limiter alone, with more callers than can be served. Then the whole engine behind its guard: every home sold
at once, one to three stays of one to nine nights each, on two hosts. Nothing is known of other hosts but the notes.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

from bench.estate import Estate
from bench.score import Score, missed, table
from shared.connectors.guard.limiter import MARGIN
from shared.resilience.rate_limit import PROPERTY, Limit
from tests.connectors.guard.counting_platform import Call, Town

WRITES = frozenset({"write"})
LIMITS = (
    Limit(15, 1, operations=WRITES),
    Limit(120, 60, operations=WRITES),
    Limit(10, 60, PROPERTY, WRITES),
)
HOMES, HOSTS = 300, 2
MINUTES = 2  # in which more waits than may go
CALLERS, CALLING_HOSTS = 240, 3
SECONDS = 615  # ten windows with their margin: the beginning of an eleventh would flatter the figure
GOAL = 0.95


def saturated() -> tuple[int, int, int]:
    """Calls made in that time, calls refused, and trips to the store."""
    town = Town(*LIMITS, margin=MARGIN, way=0.2)
    town.slow_store = 0.02
    town.lag = {"host1": 1.0, "host2": 0.5}
    hosts = [town.host(f"host{number}") for number in range(CALLING_HOSTS)]

    async def call_for_ever(number: int) -> None:
        while True:
            await hosts[number % CALLING_HOSTS].call_until_done(f"home{number}")

    async def for_so_long() -> None:
        await asyncio.wait(
            [asyncio.create_task(call_for_ever(number)) for number in range(CALLERS)], timeout=SECONDS
        )

    town.run(for_so_long())
    found = len(town.platform.calls), len(town.platform.refused), town.trips.total()
    town.close()
    return found


def limiter() -> list[Score]:
    """The limiter alone."""
    calls, refused, trips = saturated()
    what = f"limiter alone, {CALLING_HOSTS} hosts, {CALLERS} callers, {SECONDS} s"
    return [
        Score("batch limits", f"{what}: calls / allowed", calls / (2 * SECONDS), GOAL, rising=True),
        Score("batch limits", f"{what}: refused (429)", refused, 0),
        Score("batch limits", f"{what}: trips to the store / call", trips / calls),
    ]


def engine() -> list[Score]:
    """Everything sold at once; then told again, which changes nothing; then one more stay in some homes."""
    estate = Estate(HOMES, LIMITS, HOSTS)
    try:
        for number, home in enumerate(estate.homes):
            for stay in range(1 + number % 3):
                estate.sell(home, 10 + 20 * stay, 1 + number % 9)
        first = calls_of(estate)
        begun = first[0].at
        in_time = sum(one.at < begun + 60 * MINUTES for one in first)
        drained = first[-1].at - begun
        estate.tell_again()
        estate.run(estate.live(180))
        idle = len(estate.counting.calls) - len(first)
        for home in estate.homes[:20]:
            estate.sell(home, 100, 14)
            estate.sell(home, 120, 2)
        second = calls_of(estate)
    finally:
        estate.close()
    most = max([*Counter(one.unit for one in first).values(), *Counter(one.unit for one in second).values()])
    what = f"engine, {HOSTS} hosts, {HOMES} homes sold at once"
    ideal = (HOMES - 1) // 120 * 60 + (HOMES - 1) % 120 / 15
    late = "a sweep finds every 15 s who may go again"
    return [
        Score(
            "batch limits",
            f"{what}: calls / allowed, first {MINUTES} min",
            in_time / (120 * MINUTES),
            GOAL,
            rising=True,
        ),
        Score("batch limits", f"{what}: time to the last call / ideal", drained / ideal, note=late),
        Score("batch limits", f"{what}: refused (429)", len(estate.counting.refused), 0),
        Score("batch limits", f"{what}: most calls for a changed home", most, 1),
        Score("batch limits", f"{what}: homes without a call", HOMES + 20 - len(first) - len(second), 0),
        Score("batch limits", "told again, nothing changed: calls", idle, 0),
    ]


def calls_of(estate: Estate) -> list[Call]:
    """The calls it takes until all that was sold is closed."""
    before = len(estate.counting.calls)
    estate.run(estate.live(3600, estate.all_closed))
    assert estate.all_closed()
    return estate.counting.calls[before:]


def scores() -> list[Score]:
    """All of them."""
    return limiter() + engine()


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
