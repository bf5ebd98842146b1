"""Echo: a peer shows us as its own what it imported from us (rules 3 and 4).

The verdict is computed in each plan from the ledger of what the peer is known to have taken, never from
summary text and never from equal dates alone, and it is never stored as a fact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.dates import StayDates, without
from shared.domain.model import Block, Busy, Part, Reservation

SPENT = 2
"""Complete answers after the peer took our release: the first may still echo, whatever outlives it is a stay."""

_CLIP = timedelta(days=1)

_EVER = datetime.min.replace(tzinfo=UTC)


def echoes(
    facts: Iterable[Reservation], ledger: Iterable[Block], *, joined: bool = False
) -> frozenset[tuple[str, StayDates]]:
    """Which parts of one feed's facts are ours, as pairs of reservation key and dates. ``joined``: our calendar shows
    the closures of a night as one, those of a home sold by count.

    Each row of the ledger explains at most one event: when the peer shows more events on a night than it took
    closures from us, the excess is a sale, however equal the dates are. Of several that could be the echo the one
    that appeared last is.
    """
    rows = list(ledger)
    closed = [(night, row.wanted) for row in rows if _could(row) for night in row.dates.nights()]
    left = Counter(night for night, _ in (set(closed) if joined else closed))
    found = set()
    for _, key, dates in sorted(_candidates(facts, rows), reverse=True):
        nights = list(dates.nights())
        if all(left[night] > 0 for night in nights):
            left.subtract(nights)
            found.add((key, dates))
    return frozenset(found)


def _candidates(
    facts: Iterable[Reservation], rows: Sequence[Block]
) -> Iterator[tuple[datetime, str, StayDates]]:
    for fact in facts:
        if fact.kind is Busy.STAY or not fact.feed:
            continue
        # What vanished was no echo on the day it vanished, or it would not have been kept: only what is shown is
        # judged. Once our closure had gone from beside it, it would pass for that closure, and its clash for over.
        for part in fact.parts:
            if is_explained(fact.key, part, rows):
                yield part.since, fact.key, part.dates


def is_explained(key: str, part: Part, ledger: Iterable[Block]) -> bool:
    """Whether our own closures on that very listing could be what the part of the fact of that key shows.

    Each of them must have been taken by the peer before the part first appeared, together they must cover all
    its nights, and it must begin and end where they do (a peer joins touching closures, and cuts the nights
    that have passed off one in progress). A stay sold over a part of a closure does not end where it ends.
    """
    rows = [row for row in ledger if _explains(row, key, part)]
    if not rows or without(part.dates, (row.dates for row in rows)):
        return False
    starts = {row.dates.check_in for row in rows}
    clipped = part.dates.check_in <= part.since.date() + _CLIP
    return (part.dates.check_in in starts or clipped) and part.dates.check_out in {
        row.dates.check_out for row in rows
    }


def may_be_shown(part: Part, ledger: Iterable[Block]) -> bool:
    """Whether our closures on that very listing could be what a new event shows, also those that the peer is not known
    to have taken: its fetch may be on record and not read yet, or be proven only later."""
    near = (row for row in ledger if row.dates.overlaps(part.dates))
    as_taken = (replace(row, taken_at=row.taken_at or row.heir_taken or _EVER) for row in near)
    return is_explained("", part, as_taken)


def _could(row: Block) -> bool:
    return (row.taken_at or row.heir_taken) is not None and row.imports < SPENT


def _explains(row: Block, key: str, part: Part) -> bool:
    """What appears only after the peer took the release of a row is no echo of it; what goes on is, for a while. A
    released row explains the event it was matched with while it was wanted, and no other."""
    if not row.dates.overlaps(part.dates):  # first, since every event meets every row and most fail this
        return False
    taken = row.taken_at or row.heir_taken
    if taken is None or row.imports >= SPENT or row.listing != part.listing:
        return False
    late = row.cleared_at is not None and part.since > row.cleared_at
    other = not row.wanted and row.echo not in ("", key)
    return taken < part.since and not late and not other
