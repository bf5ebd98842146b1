"""Doubt: whether a calendar's answers leave out something that is believed to stand there (rule 3).

Before a peer takes our closures its own calendar is read, and only what it shows afterwards may be their echo. That
holds if the answer showed all that had been sold until then. One that leaves out what we know of may leave out a sale
we do not know of too: it proves nothing, until the absence is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from shared.domain.facts import FeedAnswer
from shared.domain.merge import IsEcho, says_something
from shared.domain.model import Block, Listing, Reservation, SiteState
from shared.domain.release import LONG


def is_doubted(state: SiteState, listing: str, now: datetime) -> bool:
    """Whether something is missing from a listing's calendar whose absence is not believed yet: nights that fade, or
    our own closures in an empty one. After six hours it is, also where a guest in the house is held on to."""
    recently = now - LONG
    bare = state.listings[listing].bare_since
    return (bare is not None and bare > recently) or any(
        fading.since > recently
        for one in state.reservations.values()
        if one.feed == listing
        for fading in one.fading
    )


def note_absence(
    listing: Listing,
    known: Sequence[Reservation],
    merged: Sequence[Reservation],
    ledger: Sequence[Block],
    answer: FeedAnswer,
    today: date,
    is_echo: IsEcho,
    version: int,
) -> Listing:
    """The listing after an answer that turned the facts ``known`` of it into ``merged``: since when it is empty though
    closures of ours had stood there (an echo does not fade), and the ``version`` of the site as of which something came
    back that had been missing."""
    bare = listing.bare_since
    empty = not says_something(answer.events, today)
    back = _is_back(known, merged, answer) or (bare is not None and not empty)
    if not empty:
        bare = None
    elif answer.partial or bare is None:
        bare = answer.begun if bare is not None or _stood(known, ledger, today, is_echo) else None
    return replace(listing, bare_since=bare, back_since=version if back else listing.back_since)


def _stood(known: Sequence[Reservation], ledger: Sequence[Block], today: date, is_echo: IsEcho) -> bool:
    """Whether the calendar showed closures of ours that its platform is not known to have let go."""
    there = [row.dates for row in ledger if row.cleared_at is None and row.dates.check_out > today]
    return any(
        is_echo(one, part) and any(part.dates.overlaps(dates) for dates in there)
        for one in known
        for part in one.parts
        if part.dates.check_out > today
    )


def _is_back(known: Sequence[Reservation], merged: Sequence[Reservation], answer: FeedAnswer) -> bool:
    """Whether the answer shows what earlier ones left out: the missing nights, or the missing stay on others."""
    absent = {one.key for one in known if one.fading and not one.parts}
    missing = [fading.part.dates for one in known for fading in one.fading]
    return any(one.key in absent and one.parts for one in merged) or any(
        dates.overlaps(gone) for event in answer.events for dates in event.dates for gone in missing
    )
