"""What finding a clash costs: one new stay beside fifty, and all pairs of a hundred thousand stays.

    python -m bench.overlap

Contenders take turns, the ratio is taken inside each round, the median is told. Their answers are compared with each
other first. The stays are such as a portfolio has: 40 a home and year, one in two hundred runs into the next one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import perf_counter

import numpy as np

from bench.score import Score, missed, table
from shared.domain.conflicts import overlaps_any
from shared.domain.dates import StayDates
from shared.domain.model import Busy, Property, Status
from shared.domain.occupancy import Occupancy
from shared.engine.sweep import clashing_pairs, overlapping

HOMES, STAYS_A_HOME = 2_500, 40
ROUNDS = 7
FIRST = date(2027, 1, 1)
NOW = datetime(2027, 1, 1, tzinfo=UTC)

Pair = tuple[Occupancy, Occupancy]


def object_sweep(stays: Sequence[Occupancy]) -> list[Pair]:
    """The peer: sort the objects, then walk over them with those still in the house."""
    found: list[Pair] = []
    active: list[Occupancy] = []
    home = ""
    for one in sorted(stays, key=lambda stay: (stay.property.id, stay.dates.check_in)):
        if one.property.id != home:
            home, active = one.property.id, []
        start = one.dates.check_in
        active = [other for other in active if other.dates.check_out > start]
        found += [(other, one) for other in active]
        active.append(one)
    return found


def integer_scan(new: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    """The limit: a loop over pairs of integers."""
    start, end = new
    for check_in, check_out in taken:  # noqa: SIM110 - any() costs two and a half times as much
        if start < check_out and check_in < end:
            return True
    return False


def portfolio(chance: random.Random, *, mixed: bool) -> list[Occupancy]:
    """The stays of all homes, home by home as a store gives them, or ``mixed`` over all homes. Inside a home they come
    in the order of their ids, which says nothing about their dates. Each is made anew, as a decoder makes it."""
    rows = []
    for number in range(HOMES):
        home = Property(f"home-{number}", "Invented", frozenset({f"home-{number}"}))
        rows += chance.sample(list(_year(chance, home)), STAYS_A_HOME)
    if mixed:
        chance.shuffle(rows)
    return [_stay(number, *row) for number, row in enumerate(rows)]


def _stay(number: int, home: Property, start: int, nights: int) -> Occupancy:
    dates = StayDates(date.fromordinal(start), date.fromordinal(start + nights))
    listing = ("airbnb", "booking", "greengo")[number % 3]
    return Occupancy(f"stay-{number}", listing, home, dates, Busy.STAY, Status.CONFIRMED, NOW)


def _year(chance: random.Random, home: Property) -> Iterator[tuple[Property, int, int]]:
    day = FIRST.toordinal()
    for _ in range(STAYS_A_HOME):
        day += chance.randint(0, 4)
        nights = chance.randint(1, 10)
        yield home, day, nights + (3 if chance.random() < 0.005 else 0)
        day += nights


def seconds(call: Callable[[], object], times: int = 1) -> float:
    """Seconds of one call, over so many."""
    begun = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - begun) / times


def rounds(*contenders: Callable[[], object], count: int = ROUNDS, times: int = 1) -> list[list[float]]:
    """The contenders in turn, round by round: seconds."""
    return [[seconds(call, times) for call in contenders] for _ in range(count)]


def one_against_fifty() -> Score:
    """A new stay that fits nowhere near, so that both look at all fifty; in no order, as a site keeps them."""
    chance = random.Random(50)
    taken = [
        StayDates.of_nights(FIRST + timedelta(days=7 * week), chance.randint(1, 6)) for week in range(50)
    ]
    chance.shuffle(taken)
    new = StayDates.of_nights(FIRST + timedelta(days=7 * 25 + 6), 1)
    whole = [(one.check_in.toordinal(), one.check_out.toordinal()) for one in taken]
    figures = (new.check_in.toordinal(), new.check_out.toordinal())
    assert overlaps_any(new, taken) is integer_scan(figures, whole) is False
    # Short rounds and many of them: where another program takes the core, few are spoilt.
    found = rounds(
        lambda: overlaps_any(new, taken), lambda: integer_scan(figures, whole), count=101, times=200
    )
    ratio = median(ours / theirs for ours, theirs in found)
    return Score("overlap", "one stay against 50 / scan of integer pairs", ratio, goal=4.0)


def all_pairs(stays: list[Occupancy]) -> tuple[float, float]:
    """How many times the object sweep's speed: from objects, and from columns."""
    homes: dict[str, int] = {}
    units = np.array([homes.setdefault(one.property.id, len(homes)) for one in stays])
    starts = np.array([one.dates.check_in.toordinal() for one in stays])
    ends = np.array([one.dates.check_out.toordinal() for one in stays])
    _compare(stays, overlapping(units, starts, ends))
    found = rounds(
        lambda: object_sweep(stays), lambda: clashing_pairs(stays), lambda: overlapping(units, starts, ends)
    )
    return median(row[0] / row[1] for row in found), median(row[0] / row[2] for row in found)


def _compare(stays: list[Occupancy], columns: tuple[np.ndarray, np.ndarray]) -> None:
    places = {id(one): place for place, one in enumerate(stays)}
    raw = {tuple(sorted((places[id(one)], places[id(other)]))) for one, other in object_sweep(stays)}
    assert raw == {tuple(sorted(pair)) for pair in zip(*(column.tolist() for column in columns), strict=True)}
    may = {(one, other) for one, other in raw if stays[one].listing != stays[other].listing}
    assert may <= set(clashing_pairs(stays)) <= raw


def scores() -> list[Score]:
    """All of them."""
    chance = random.Random(7)
    mixed, columns = all_pairs(portfolio(chance, mixed=True))
    stored, _ = all_pairs(portfolio(chance, mixed=False))
    size = f"{HOMES * STAYS_A_HOME:,} stays"
    return [
        one_against_fifty(),
        Score("overlap", f"{size} as objects, x object sweep", mixed, goal=4.0, rising=True),
        Score(
            "overlap",
            f"{size} as objects, home by home",
            stored,
            rising=True,
            note="the peer's sort finds them nearly sorted; ours is the reading of dates from objects",
        ),
        Score("overlap", f"{size} as columns, x object sweep", columns, rising=True),
    ]


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
