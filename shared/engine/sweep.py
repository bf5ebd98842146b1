"""The sweep: every clashing pair among very many stays in one call, for an audit over all sites.

The only file that imports numpy, which costs as much at a start as four bare Pythons: whoever calls it imports it
inside the function that does. For one site ``shared.domain.conflicts`` is quicker.

Once stays are in order of unit and arrival, those that clash with one and arrive no earlier stand right behind it,
up to the first that arrives on or after its departure. So one binary search a stay finds all its pairs, also where
one long stay covers many that follow; "compare with the previous one" would find the first of them at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import compress, count
from operator import attrgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared.domain.conflicts import SOLD, may_clash
from shared.domain.model import Busy
from shared.domain.occupancy import Occupancy

Whole = NDArray[np.int64]

MOST_PAIRS = 10_000_000
"""Pairs one call may find, 160 MB of indices. A hundred thousand stays on one and the same night would be five
thousand million pairs: that is a fault of the data, to be told and not to be listed."""

_KEYS = 2**63

# Columns are taken with map() over these: no step of it runs in Python, which is what a hundred thousand rows cost.
_KIND: attrgetter[Busy] = attrgetter("kind")
_HOME_ID: attrgetter[str] = attrgetter("property.id")
_CHECK_IN: attrgetter[date] = attrgetter("dates.check_in")
_CHECK_OUT: attrgetter[date] = attrgetter("dates.check_out")


def overlapping(
    units: ArrayLike, starts: ArrayLike, ends: ArrayLike, *, most: int = MOST_PAIRS
) -> tuple[Whole, Whole]:
    """Every pair of rows of the same unit whose half-open ranges ``[start, end)`` share a day, as two columns of
    row numbers; the one that starts first stands in the first column, equal starts in the order of their rows.

    Columns of whole numbers of one length: units from 0 on (dense ones, or the keys grow), days as ordinals. A unit
    holds one stay a day. Raises ``ValueError`` naming the column and row that is wrong, or when there are more than
    ``most`` pairs.
    """
    unit, start, end = (np.asarray(column, dtype=np.int64) for column in (units, starts, ends))
    if not unit.size:
        return unit, unit
    span = _check(unit, start, end)
    shift = unit * span - start.min()
    # Unit, start and row in one number: a plain sort of these takes a third of an argsort.
    begin, order = np.divmod(np.sort((shift + start) * unit.size + np.arange(unit.size)), unit.size)
    finish = (shift + end)[order]
    holders = np.flatnonzero(
        begin[1:] < finish[:-1]
    )  # who has company at all: the next one arrives too early
    counts = np.searchsorted(begin, finish[holders]) - holders - 1
    total = int(counts.sum())
    if total > most:
        raise ValueError(f"{total} pairs overlap among {unit.size} stays: over {most} is a fault of the data")
    return order[np.repeat(holders, counts)], order[_runs(holders + 1, counts)]


def clashing_pairs(stays: Sequence[Occupancy], *, most: int = MOST_PAIRS) -> list[tuple[int, int]]:
    """Every pair of stays that ``ConflictDetector`` would call a conflict, as sorted pairs of their places in the
    sequence, the lower place first. Each room counts as one unit: rooms sold by count are the detector's alone.

    The stays may be those of many sites, since a room's name means the same room everywhere. Raises ``ValueError``
    when more than ``most`` pairs overlap.
    """
    places = list(compress(range(len(stays)), map(SOLD.__contains__, map(_KIND, stays))))
    sold = stays if len(places) == len(stays) else [stays[place] for place in places]
    rooms, owner = _rooms(sold)
    first, second = overlapping(
        rooms, _days(sold, _CHECK_IN)[owner], _days(sold, _CHECK_OUT)[owner], most=most
    )
    pairs = zip(owner[first].tolist(), owner[second].tolist(), strict=True)
    clashing = {(min(pair), max(pair)) for pair in pairs if may_clash(sold[pair[0]], sold[pair[1]])}
    return sorted((places[one], places[other]) for one, other in clashing)


def _check(unit: Whole, start: Whole, end: Whole) -> int:
    """The number of days between the first start and the last end, once every column is found usable."""
    if not unit.ndim == start.ndim == end.ndim == 1 or not unit.size == start.size == end.size:
        raise ValueError(f"not three columns of one length: {unit.shape}, {start.shape}, {end.shape}")
    if (empty := np.flatnonzero(end <= start)).size:
        raise ValueError(f"ends, row {empty[0]}: a stay needs at least one night")
    if (odd := np.flatnonzero(unit < 0)).size:
        raise ValueError(f"units, row {odd[0]}: a unit is a number from 0 on")
    span = int(end.max()) - int(start.min())
    if (int(unit.max()) + 1) * span * unit.size >= _KEYS:
        raise ValueError(
            f"{unit.size} stays in units to {unit.max()} with {span} days each: too much for a 64-bit key"
        )
    return span


def _rooms(sold: Sequence[Occupancy]) -> tuple[Whole, Whole]:
    """A row for each room of each stay: the room's number, and the stay's place."""
    home_numbers: defaultdict[str, int] = defaultdict(count().__next__)
    home = np.fromiter(map(home_numbers.__getitem__, map(_HOME_ID, sold)), np.int64, len(sold))
    first_seen = np.flatnonzero(np.diff(np.maximum.accumulate(home), prepend=-1))
    room_numbers: defaultdict[str, int] = defaultdict(count().__next__)
    rooms_of = [[room_numbers[room] for room in sold[row].property.rooms] for row in first_seen.tolist()]
    flat = np.array([room for rooms in rooms_of for room in rooms], dtype=np.int64)
    widths = np.array([len(rooms) for rooms in rooms_of], dtype=np.int64)
    begins = widths.cumsum() - widths
    return flat[_runs(begins[home], widths[home])], np.repeat(np.arange(home.size), widths[home])


def _runs(starts: Whole, lengths: Whole) -> Whole:
    """``start, start + 1, ...`` for each start, so many numbers as its length says, all in one column."""
    offsets: Whole = np.repeat(starts - lengths.cumsum() + lengths, lengths)
    return offsets + np.arange(offsets.size)


def _days(sold: Sequence[Occupancy], day: attrgetter[date]) -> Whole:
    return np.fromiter(map(date.toordinal, map(day, sold)), np.int64, len(sold))
