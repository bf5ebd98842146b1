"""What rooms and counts cost the finding of double sales: sites of one home against houses sold by the room, and
against rooms sold by count, with as many stays each.

    python -m bench.rooms

The three take turns; the ratio is taken inside each round, the median is told.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from statistics import median

from bench.overlap import FIRST, rounds
from bench.score import Score, missed, table
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.model import Busy, Property, Site, Status
from shared.domain.occupancy import Occupancy

SITES, STAYS, UNITS = 250, 40, 3
NOW = datetime(2027, 1, 1, tzinfo=UTC)

Place = tuple[Site, list[Occupancy]]


def lone(chance: random.Random) -> list[Place]:
    """Each site is one home of one room."""
    return [_site(chance, {"home": "room"}, {"room": 1}, STAYS) for _ in range(SITES)]


def by_room(chance: random.Random) -> list[Place]:
    """Each site is a house of two rooms, sold whole and by the room."""
    homes = {"house": "up down", "upper": "up", "lower": "down"}
    return [_site(chance, homes, {"up": 1, "down": 1}, STAYS) for _ in range(SITES)]


def by_count(chance: random.Random) -> list[Place]:
    """Each site is a kind of room of which there are several, each as full as a home is."""
    return [_site(chance, {"home": "room"}, {"room": UNITS}, STAYS // UNITS) for _ in range(SITES)]


def _site(chance: random.Random, homes: dict[str, str], rooms: dict[str, int], in_a_row: int) -> Place:
    """A year of stays one after the other, for each unit its own; one in two hundred runs into the next one."""
    properties = {name: Property(name, "Invented", frozenset(own.split())) for name, own in homes.items()}
    stays: list[Occupancy] = []
    for _ in range(max(rooms.values())):
        day = FIRST.toordinal()
        for _ in range(in_a_row):
            day += chance.randint(0, 4)
            nights = chance.randint(1, 10)
            longer = nights + (3 if chance.random() < 0.005 else 0)
            stays.append(_stay(len(stays), chance.choice(list(properties.values())), day, longer))
            day += nights
    chance.shuffle(stays)
    return Site("site", "owner", properties, rooms), stays


def _stay(number: int, home: Property, start: int, nights: int) -> Occupancy:
    dates = StayDates(date.fromordinal(start), date.fromordinal(start + nights))
    listing = ("airbnb", "booking", "greengo")[number % 3]
    return Occupancy(f"stay-{number}", listing, home, dates, Busy.STAY, Status.CONFIRMED, NOW)


def _all(places: Sequence[Place]) -> int:
    detect = ConflictDetector().detect_overlapping_bookings
    return sum(len(detect(site, stays, NOW)) for site, stays in places)


def scores() -> list[Score]:
    """Both ratios."""
    chance = random.Random(11)
    plain, house, count = lone(chance), by_room(chance), by_count(chance)
    found = rounds(lambda: _all(plain), lambda: _all(house), lambda: _all(count), count=9)
    size = f"{SITES} sites of {STAYS} stays"
    return [
        Score(
            "rooms", f"{size}: houses sold by the room / homes", median(r[1] / r[0] for r in found), goal=2.0
        ),
        Score("rooms", f"{size}: {UNITS} units each / homes", median(r[2] / r[0] for r in found), goal=2.0),
    ]


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
