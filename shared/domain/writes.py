"""The writes that go out now: closures at once, openings only when nothing older may still land (rules 1 and 2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from shared.domain.dates import nights_of, ranges_of
from shared.domain.draft import Draft
from shared.domain.model import Block, Listing, Phase, Property, Write
from shared.domain.occupancy import is_counted, level

GRACE = timedelta(seconds=60)
"""After a write's deadline, how long it may still land unseen (rule 2)."""

CALL = timedelta(seconds=12)
"""The deadline of a write, from the commit of its intent."""

LOOK_AGAIN = timedelta(seconds=20)
"""How soon to look whether the poll that an opening waits for has come: its own rhythm."""

PAUSED = timedelta(minutes=5)
"""How soon to look whether a paused account may be used again."""


def plan_writes(draft: Draft, listing: Listing, *, opening: bool) -> None:
    """At most one write that closes and one that opens. While the outcome of an older one is unknown nothing
    opens; once it can no longer land, what should be closed under it is said again (rule 2). Without ``opening``
    the site may close only (rules 5 and 19)."""
    today = draft.state.today(listing.id, draft.now)
    late = [write for write in listing.writes if write.deadline + GRACE <= draft.now]
    young = [write for write in listing.writes if write.deadline + GRACE > draft.now]
    draft.wakes.extend(write.deadline + GRACE for write in young)
    rows = [row for row in draft.blocks.values() if row.listing == listing.id]
    # Whoever sent a write is done with it by its deadline: a closure that nobody confirmed until then is said again.
    under_way = {write.fence: write.deadline for write in young if write.deadline > draft.now}
    draft.wakes.extend(under_way.values())
    closing = [row for row in rows if row.wanted and _is_due(draft, row, under_way)]
    healed = {night for write in late for night in write.levels}
    held = nights_of(row.dates for row in rows if row.wanted)
    closes = {n for n in nights_of(row.dates for row in closing) | (healed & held) if n >= today}
    writes = [_write(draft, listing, closes, closing)] if closes else []
    if opening and not young and not (late and closes):
        writes.extend(_open(draft, listing, rows, held, today))
    if writes or late:
        kept = (*young, *writes)
        draft.listings.append(replace(listing, writes=kept))
        draft.writes.extend((listing.id, write) for write in writes)
    draft.wakes.extend(write.deadline + GRACE for write in writes)


def wait_for_account(draft: Draft, listing: Listing) -> None:
    """Nothing is sent into a paused account. What waits for it is looked at again: nobody rings at every site when the
    account may be used once more."""
    rows = (row for row in draft.blocks.values() if row.listing == listing.id)
    if any(row.phase in (Phase.INTENDED, Phase.SENT) or not row.wanted for row in rows):
        draft.wakes.append(draft.now + PAUSED)


def _is_due(draft: Draft, row: Block, under_way: Collection[int]) -> bool:
    """Whether a closure must go out now: never sent, refused and waited long enough, or its write was lost."""
    if row.phase is Phase.SENT:
        return row.fence not in under_way
    if row.phase is not Phase.INTENDED:
        return False
    if row.next_try is not None and row.next_try > draft.now:
        draft.wakes.append(row.next_try)
        return False
    return True


def _open(draft: Draft, listing: Listing, rows: Iterable[Block], held: set[date], today: date) -> list[Write]:
    """Put nights up for sale again: only such as our ledger holds as closed by us (rule 1). A night the platform has
    sold itself cannot be; its row stays until it can, or the closure would outlive a later cancellation there."""
    raised: set[date] = set()
    carried: list[Block] = []
    for row in rows:
        if row.wanted or row.cleared_at is not None or not _may_go(draft, listing, row):
            continue
        free, sold = _free_and_sold(draft, listing, row, held, today)
        raised |= free
        carried += _split(draft, row, free, sold)
    return [_write(draft, listing, raised, carried)] if raised else []


def _may_go(draft: Draft, listing: Listing, row: Block) -> bool:
    if row.next_try is not None and row.next_try > draft.now:
        draft.wakes.append(row.next_try)
        return False
    if draft.promised(listing.id, row.dates):
        draft.waiting.append(f"{listing.id} waits for a guest who was promised nights elsewhere")
        return False
    if _poll_waits(draft, listing, row):
        draft.waiting.append(f"{listing.id} waits for a reservation poll before it opens nights")
        draft.wakes.append(draft.now + LOOK_AGAIN)
        return False
    return True


def _free_and_sold(
    draft: Draft, listing: Listing, row: Block, held: set[date], today: date
) -> tuple[set[date], set[date]]:
    """The row's nights that can be sold again, and those the platform sold itself; what another closure holds is
    neither, and that closure's own business."""
    home = draft.state.site.properties[listing.property]
    counts = _counts(draft, listing)
    nights = {night for night in row.dates.nights() if night >= today and (counts or night not in held)}
    free = {night for night in nights if level(draft.state.site, home, night, draft.taken) > 0}
    return free, nights - free


def _split(draft: Draft, row: Block, free: set[date], sold: set[date]) -> list[Block]:
    """Make the row say exactly what is to be opened now and what later; returns the part that goes out now."""
    if free == set(row.dates.nights()):
        return [row]
    if sold == set(row.dates.nights()):
        return []
    draft.spend(row.key)
    now, later = ([replace(row, dates=dates) for dates in ranges_of(nights)] for nights in (free, sold))
    draft.blocks.update({part.key: part for part in (*now, *later)})
    return now


def _counts(draft: Draft, listing: Listing) -> bool:
    home = draft.state.site.properties[listing.property]
    return is_counted(draft.state.site, home)


def _poll_waits(draft: Draft, listing: Listing, row: Block) -> bool:
    """Raising a count needs a reservation poll begun after the intent, or it forgets a sale (rule 1). Opening nights
    needs one begun after they were closed there, where that is known: the platform's queue may hold a sale that was
    a moment faster than the closure."""
    if _counts(draft, listing):
        since = row.released_at
    elif listing.account in draft.polled:
        since = row.taken_at or row.released_at
    else:
        return False
    known = (listing.answered, draft.polled.get(listing.account))
    return since is not None and not any(begun is not None and begun > since for begun in known)


def _write(
    draft: Draft, listing: Listing, nights: Collection[date] | Mapping[date, int], rows: Iterable[Block]
) -> Write:
    """Take the next fence, mark the rows it carries, and give each night its absolute count."""
    draft.fence += 1
    home = draft.state.site.properties[listing.property]
    kept = _kept(draft, home)
    levels = {night: _left(draft, home, night, kept) for night in sorted(nights)}
    for row in rows:
        draft.blocks[row.key] = replace(row, phase=Phase.SENT, fence=draft.fence)
    return Write(draft.fence, draft.now + CALL, levels)


def _kept(draft: Draft, home: Property) -> list[Block]:
    """Closures that are still wanted although no stay asks for them any more: it cannot be read, or may not be let go
    yet. Each takes a unit, or a write that closes would put its nights up for sale (rules 5 and 19)."""
    return [
        row
        for row in draft.blocks.values()
        if row.wanted and row.name not in draft.desired and _concerns(draft, row, home)
    ]


def _left(draft: Draft, home: Property, night: date, kept: Sequence[Block]) -> int:
    """Units for sale that night. A stay that cannot be read may be in any of them, and may have left no closure that
    is kept: where it was sold, and in a calendar of a home with units left."""
    left = level(draft.state.site, home, night, draft.taken)
    causes = {row.cause for row in kept if row.dates.check_in <= night < row.dates.check_out}
    if not causes:
        return max(0, left - draft.state.unread)
    shown = {
        row.cause
        for row in draft.blocks.values()
        if row.name in draft.desired and row.dates.check_in <= night < row.dates.check_out
    }
    # The level counts these: a calendar's closure may be over since units are left, and its stay still there.
    shown |= {
        one.cause
        for one in draft.taken
        if one.dates.check_in <= night < one.dates.check_out and one.property.rooms & home.rooms
    }
    return max(0, left - max(len(causes - shown), draft.state.unread))


def _concerns(draft: Draft, row: Block, home: Property) -> bool:
    """Whether a closure is about rooms of the home; one on a listing that cannot be read is."""
    listing = draft.state.listings.get(row.listing)
    return listing is None or bool(draft.state.site.properties[listing.property].rooms & home.rooms)
