"""The ledger's next state: new closures first, releases after, rows that explain nothing any more forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.dates import StayDates
from shared.domain.draft import Draft
from shared.domain.echo import SPENT
from shared.domain.model import Block, Listing, Phase
from shared.domain.occupancy import Echoes
from shared.domain.platform import Link

FORGET = timedelta(days=2)
"""After a peer took a release, how long it may explain an echo when no import of that peer is read at all."""


def note_echoes(draft: Draft, echoes: Echoes) -> None:
    """Write beside each closure which event of its peer it explains; once released it explains no other, also where the
    peer showed it only after the release. The event of the very same nights comes first, then one that the peer joined
    of several closures."""
    found: dict[str, list[tuple[str, StayDates]]] = {}
    for key, dates in echoes:
        found.setdefault(draft.state.reservations[key].feed, []).append((key, dates))
    open_to_news = (row for row in draft.blocks.values() if row.wanted or not row.echo)
    for row in [row for row in open_to_news if row.listing in found]:
        events = found[row.listing]
        alike = [(dates != row.dates, key) for key, dates in events if dates.overlaps(row.dates)]
        if alike and row.echo not in {key for other, key in alike if not other}:
            draft.blocks[row.key] = replace(row, echo=min(alike)[1])


def move_ledger(
    draft: Draft, listing: Listing, desired: Mapping[str, tuple[str, StayDates]], opening: bool
) -> None:
    """New closures first, releases after; a row whose nights have passed is spent."""
    today = draft.state.today(listing.id, draft.now)
    mine = [row for row in draft.blocks.values() if row.listing == listing.id]
    there = {row.name for row in mine if row.wanted}
    for name, (cause, dates) in desired.items():
        if name not in there:
            row = _close(draft, listing, cause, dates)
            draft.blocks[row.key] = row
    for row in mine:
        key = row.key
        if row.wanted and row.name in desired:
            continue
        if row.dates.check_out <= today or _is_spent(row, draft.now):
            draft.spend(key)
        elif row.wanted and opening and not draft.promised(listing.id, row.dates):
            _release(draft, listing, row)


def _is_spent(row: Block, now: datetime) -> bool:
    """Whether a released row explains nothing any more: the peer has the release, and later answers were read (or
    could long have been)."""
    if row.wanted or row.cleared_at is None:
        return False
    return row.taken_at is None or row.imports >= SPENT or now - row.cleared_at > FORGET


def _close(draft: Draft, listing: Listing, cause: str, dates: StayDates) -> Block:
    """A row for new nights, or for the same ones again: then it is the heir of the row the peer may still have."""
    served = listing.link is Link.ICAL
    row = Block(
        listing=listing.id,
        cause=cause,
        dates=dates,
        phase=Phase.SENT if served else Phase.INTENDED,
        since_version=draft.version,
        created_at=draft.now,
    )
    old = _ancestor(draft, row) if served else None
    if old is None:
        return row
    return replace(row, heir_taken=old.taken_at or old.heir_taken, heir_gap=old.gone_version or draft.version)


def _ancestor(draft: Draft, row: Block) -> Block | None:
    """The latest row that closed the same nights on the same listing and that the peer took, and not yet let go."""
    alike = [
        old
        for old in (*draft.state.blocks.values(), *draft.blocks.values())
        if old.listing == row.listing
        and old.dates == row.dates
        and old.cleared_at is None
        and (old.taken_at or old.heir_taken) is not None
    ]
    return max(alike, key=lambda old: (old.wanted, old.gone_version), default=None)


def _release(draft: Draft, listing: Listing, row: Block) -> None:
    """Stop wanting a row. One that never left is simply forgotten; an export drops it with this version."""
    never_left = row.phase is Phase.INTENDED and row.taken_at is None and not row.attempts
    if listing.link is Link.API and never_left:
        draft.spend(row.key)
        return
    draft.blocks[row.key] = replace(
        row, wanted=False, gone_version=draft.version, released_at=draft.now, next_try=None, error=""
    )
