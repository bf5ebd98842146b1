"""Echo: a peer shows us as its own what it imported from us (rules 3 and 4).

The verdict is computed in each plan from the ledger of what the peer is known to have taken, never from
summary text and never from equal dates alone, and it is never stored as a fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from shared.domain.dates import without
from shared.domain.model import Block, Busy, Part

SPENT = 2
"""Complete answers after the peer took our release: the first may still echo, whatever outlives it is a stay."""

_CLIP = timedelta(days=1)


def is_echo(kind: Busy, part: Part, ledger: Iterable[Block]) -> bool:
    """Whether our own closures on that very listing explain the part.

    Each of them must have been taken by the peer before the part first appeared, together they must cover all
    its nights, and it must begin and end where they do (a peer joins touching closures, and cuts the nights
    that have passed off one in progress). A stay sold over a part of a closure does not end where it ends.
    Something only sales look like is never an echo.
    """
    if kind is Busy.STAY:
        return False
    rows = [row for row in ledger if _explains(row, part)]
    if not rows or without(part.dates, (row.dates for row in rows)):
        return False
    starts = {row.dates.check_in for row in rows}
    clipped = part.dates.check_in <= part.since.date() + _CLIP
    return (part.dates.check_in in starts or clipped) and part.dates.check_out in {
        row.dates.check_out for row in rows
    }


def _explains(row: Block, part: Part) -> bool:
    taken = row.taken_at or row.heir_taken
    return (
        row.listing == part.listing
        and taken is not None
        and taken < part.since
        and row.imports < SPENT
        and row.dates.overlaps(part.dates)
    )
