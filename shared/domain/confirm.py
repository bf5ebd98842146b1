"""Confirm: what became of a write, and what a peer is known to have fetched, put into the ledger.

Both merge into whatever the site is by then and never repeat a call (rule 17): a row is touched only while it
still carries the fence of that very write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.dates import StayDates
from shared.domain.facts import FeedAnswer, WriteOutcome
from shared.domain.model import Block, Listing, Phase, Write

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
"""The wait before a refused or lost closure is tried again: doubled each time, up to 5 min."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a write's answer changes: ``blocks`` to keep, ``spent`` keys to forget, the listing without that write
    when its outcome is known."""

    listing: Listing
    blocks: tuple[Block, ...] = ()
    spent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How a call ended: an outcome the platform gave; or a failure, ``lost`` when it may have taken effect."""

    outcome: WriteOutcome = field(default_factory=WriteOutcome)
    error: str = ""
    lost: bool = False
    retry_after: float | None = None


def confirm(
    listing: Listing, write: Write, blocks: Iterable[Block], result: Result, now: datetime
) -> Confirmation:
    """The listing and its ledger after a call. ``blocks`` are the listing's rows as they are stored now."""
    mine = [row for row in blocks if row.fence == write.fence and row.phase is Phase.SENT]
    kept, spent = [], []
    for row in mine:
        after = _after(row, write, result, now)
        if after is None:
            spent.append(row.key)
        else:
            kept.append(after)
    if not result.lost:
        listing = replace(listing, writes=tuple(one for one in listing.writes if one.fence != write.fence))
    return Confirmation(listing, tuple(kept), tuple(spent))


def _after(row: Block, write: Write, result: Result, now: datetime) -> Block | None:
    carried = [night for night in row.dates.nights() if night in write.levels]
    refused = next((result.outcome.refused[n] for n in carried if n in result.outcome.refused), "")
    error = result.error or refused
    if not error and all(night in result.outcome.accepted for night in carried):
        if not row.wanted:
            return None
        return replace(row, phase=Phase.ACCEPTED, taken_at=now, attempts=0, next_try=None, error="")
    if not row.wanted and result.lost:
        return row
    # Told when to come again, and nothing under way: that is a wait, not a failure, and no reason to wait longer.
    told = result.retry_after is not None and not result.lost
    return replace(
        row,
        phase=Phase.INTENDED if row.wanted else Phase.ACCEPTED,
        attempts=row.attempts + (not told),
        next_try=now + pause(0 if told else row.attempts, result.retry_after),
        error=error or "the platform did not name these nights",
    )


def say_again(blocks: Iterable[Block], changed: Collection[tuple[str, StayDates]]) -> list[Block]:
    """The closures to be sent once more because the platform itself sold or freed nights under them, as pairs of
    listing and nights: a cancelled stay's nights may be put back on sale there by its own rule (REPORTED of
    Booking.com's "auto-replenishment"), and a count written before a sale was known is one too high after it."""
    return [
        replace(row, phase=Phase.INTENDED, next_try=None)
        for row in blocks
        if row.wanted
        and row.phase in (Phase.ACCEPTED, Phase.SEEN)
        and any(row.listing == listing and row.dates.overlaps(dates) for listing, dates in changed)
    ]


def pause(attempts: int, retry_after: float | None = None) -> timedelta:
    """How long to wait after so many earlier failures; what the platform asked for counts, up to 5 min."""
    own = FIRST_PAUSE * (1 << min(attempts, 10))
    asked = timedelta(seconds=retry_after or 0)
    return min(max(own, asked), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Read:
    """A peer's fetch of our export as of a site's version. Without a look at the peer's own calendar just before it
    is no proof that the peer took a closure before it sold the nights; it is proof of what the peer let go of.
    ``doubted``: it was looked at, and something that was believed to stand there was missing (not ``looked`` then).
    """

    version: int
    at: datetime
    looked: bool = True
    doubted: bool = False


def absorb_reads(
    blocks: Iterable[Block], reads: Mapping[str, Iterable[Read]], trusted: Mapping[str, int] | None = None
) -> list[Block]:
    """The rows that change once it is known which version of our export each peer fetched, and when, by listing.
    ``trusted`` says from which version on the looks at a listing's calendar that were doubted turned out true: what
    was missing then is believed to be gone, and nothing of it came back."""
    changed = []
    for row in blocks:
        seen = sorted(reads.get(row.listing, ()), key=lambda read: read.at)
        true_since = (trusted or {}).get(row.listing)
        gap = any(row.heir_gap <= read.version < row.since_version for read in seen)
        heir = None if gap else row.heir_taken
        proofs = (read for read in seen if read.looked or _came_true(read, true_since))
        fetched = next((read.at for read in proofs if _holds(row, read.version)), None)
        taken = row.taken_at or (fetched and (heir or fetched))
        cleared = row.cleared_at or next(
            (read.at for read in seen if row.gone_version and read.version >= row.gone_version), None
        )
        if (taken, cleared, heir) != (row.taken_at, row.cleared_at, row.heir_taken):
            phase = Phase.ACCEPTED if taken is not None and row.phase is Phase.SENT else row.phase
            changed.append(replace(row, taken_at=taken, cleared_at=cleared, heir_taken=heir, phase=phase))
    return changed


def _came_true(read: Read, since: int | None) -> bool:
    return read.doubted and since is not None and read.version >= since


def _holds(row: Block, version: int) -> bool:
    return row.since_version <= version and (not row.gone_version or version < row.gone_version)


def taken_unread(blocks: Iterable[Block], unread_since: datetime | None, begun: datetime) -> list[Block]:
    """The closures that a peer took while nobody read its own calendar (``unread_since``, None: nobody ever had), as
    taken when its first answer began: what that one shows may have been sold before they were taken (rule 3)."""
    return [
        replace(
            row,
            taken_at=row.taken_at and max(row.taken_at, begun),
            heir_taken=row.heir_taken and max(row.heir_taken, begun),
        )
        for row in blocks
        if (taken := row.taken_at or row.heir_taken) is not None
        and (unread_since is None or taken > unread_since)
    ]


def count_imports(blocks: Iterable[Block], listing: str, answer: FeedAnswer) -> list[Block]:
    """The released rows that one more complete answer of their peer has outlived."""
    return [
        replace(row, imports=row.imports + 1)
        for row in blocks
        if row.listing == listing
        and not answer.partial
        and row.cleared_at is not None
        and answer.begun > row.cleared_at
    ]
