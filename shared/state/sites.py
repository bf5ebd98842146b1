"""Sites: load one partition, commit under its head's ETag. The only way state of a site changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from shared.domain.errors import Moved, NotFound, StaleWrite, StoreUnavailable, Unreadable
from shared.domain.model import (
    Block,
    BookingConflict,
    Head,
    Hold,
    Listing,
    Reservation,
    Site,
    SiteState,
)
from shared.ports.people import NewId
from shared.ports.stores import Delete, Put, Row, Tables
from shared.state import site_codec
from shared.state.history import Mark, history_row, mark_row
from shared.state.names import READER, SITES

_CHUNK = 99  # 100 operations a transaction, one of them the head
_WRITE_IDS = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changes:
    """What one commit writes. Rows that are gone are named by their plain ids; ``departed`` stays leave the living
    range but are kept. ``history`` are lines for the site's own record; ``marks`` name what was done once."""

    listings: Sequence[Listing] = ()
    reservations: Sequence[Reservation] = ()
    dropped: Sequence[str] = ()
    departed: Sequence[Reservation] = ()
    blocks: Sequence[Block] = ()
    spent: Sequence[str] = ()
    holds: Sequence[Hold] = ()
    conflicts: Sequence[BookingConflict] = ()
    history: Sequence[Mapping[str, str]] = ()
    fence: int | None = None
    site: Site | None = None
    removed_holds: Sequence[str] = field(default=())
    marks: Sequence[Mark] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        rows = (self.listings, self.reservations, self.dropped, self.departed, self.blocks, self.spent)
        return not any((*rows, self.holds, self.conflicts, self.site, self.removed_holds))


class SiteStore:
    """Sites in Table Storage. ``new_id`` makes write ids, by which a commit whose answer was lost is recognised."""

    def __init__(self, tables: Tables, new_id: NewId) -> None:
        self._tables = tables
        self._new_id = new_id

    async def load(self, site: str) -> SiteState:
        """One read of the living range. Raises ``NotFound`` for a site that never was, ``Moved`` for a joined one."""
        return _read(site, await self._tables.query(SITES, site, stop=site_codec.ALIVE_END))

    async def head(self, site: str) -> Head:
        """The lock alone, for the last look before an opening. Raises ``NotFound``."""
        row = await self._tables.get(SITES, site, site_codec.HEAD)
        if row is None:
            raise NotFound(f"no site {site}")
        return site_codec.to_head(row)

    async def create(self, site: Site, listings: Iterable[Listing]) -> None:
        """A new site. Raises ``AlreadyExists``."""
        rows = [site_codec.head_row(site.id, Head()), site_codec.site_row(site)]
        rows += [site_codec.listing_row(site.id, one) for one in listings]
        await self._tables.submit(SITES, site.id, [Put(row, insert_only=True) for row in rows])

    async def commit(self, state: SiteState, changes: Changes) -> Head:
        """Write the changes under the loaded head's ETag and return the new head. Raises ``StaleWrite`` when somebody
        else was first (nothing, or a valid prefix, is written), ``StoreUnavailable`` when the outcome stays unknown.

        More than a transaction holds goes out as several ordinary commits, additions first, removals last
        (rule 8). The version rises with the last of them, so that a peer which fetches our export in between is not
        taken to have seen what followed.
        """
        fence = state.head.fence if changes.fence is None else changes.fence
        head = replace(state.head, fence=fence)
        rows = _rows(state.site.id, head.version + 1, changes)
        if len(rows) > _CHUNK:
            rows = _answered_last(state, head.version + 1, changes)
        starts = range(0, max(len(rows), 1), _CHUNK)
        for start in starts:
            if start == starts[-1]:
                head = replace(head, version=head.version + 1)
            head = await self._one(state.site.id, head, rows[start : start + _CHUNK])
        return head

    async def _one(self, site: str, head: Head, rows: Sequence[Put | Delete]) -> Head:
        write_id = self._new_id()[:16]
        marked = replace(head, write_ids=(*head.write_ids, write_id)[-_WRITE_IDS:])
        batch = [Put(site_codec.head_row(site, marked), if_match=head.etag), *rows]
        for again in (True, True, False):
            try:
                etags = await self._tables.submit(SITES, site, batch)
                return replace(marked, etag=etags[site_codec.HEAD])
            except (StoreUnavailable, NotFound):
                stored = await self.head(site)
                if stored.write_ids[-1:] == (write_id,):
                    return stored
                if (
                    write_id in stored.write_ids
                ):  # and others came after: with the old ETag nothing is built on it
                    return marked
                if stored.etag != head.etag:
                    raise StaleWrite(f"site {site} changed meanwhile") from None
                if not again:
                    raise
        raise StoreUnavailable(f"site {site} could not be written")


def _answered_last(state: SiteState, version: int, changes: Changes) -> list[Put | Delete]:
    """The rows of a change too large for one transaction. Until its last part is in, a listing's answer is neither
    complete nor merged: a prefix that said so would let the site open, or serve its export, without the rest."""
    early: list[Listing] = []
    late: list[Listing] = []
    for one in changes.listings:
        old = state.listings.get(one.id)
        held = (
            replace(one, complete=old.complete, observed=old.observed, answered=old.answered) if old else one
        )
        fits = len(early) < _CHUNK - 1  # in the first transaction, and its last word in a later one
        early.append(held if fits else one)
        late += [one] if fits and held != one else []
    site = state.site.id
    rows = _rows(site, version, replace(changes, listings=early))
    return [*rows, *(Put(site_codec.listing_row(site, one)) for one in late)]


def _rows(site: str, version: int, changes: Changes) -> list[Put | Delete]:
    """In the order in which a prefix is valid: writes under way before the rows they carry, facts before what follows
    from them, removals last."""
    codec = site_codec
    puts: list[Row] = []
    if changes.site is not None:
        puts.append(codec.site_row(changes.site))
    puts += [codec.listing_row(site, one) for one in changes.listings]
    puts += [codec.reservation_row(site, one) for one in changes.reservations]
    puts += [codec.reservation_row(site, one, codec.DEPARTED) for one in changes.departed]
    puts += [codec.hold_row(site, one) for one in changes.holds]
    puts += [codec.block_row(site, one) for one in changes.blocks]
    puts += [codec.conflict_row(site, one) for one in changes.conflicts]
    if changes.history:
        puts.append(history_row(site, version, changes.history))
    puts += [mark_row(site, one) for one in changes.marks]
    gone = [codec.RESERVATION + key for key in changes.dropped]
    gone += [codec.RESERVATION + one.key for one in changes.departed]
    gone += [codec.BLOCK + key for key in changes.spent]
    gone += [codec.HOLD + key for key in changes.removed_holds]
    return [*(Put(row) for row in puts), *(Delete(key) for key in gone)]


def _read(site: str, rows: Sequence[Row]) -> SiteState:
    by_key = {row.key: row for row in rows}
    if site_codec.HEAD not in by_key or site_codec.SITE not in by_key:
        raise NotFound(f"no site {site}")
    head = site_codec.to_head(by_key[site_codec.HEAD])
    if head.moved_to:
        raise Moved(head.moved_to)
    broken: list[str] = []
    listings = _decode(rows, site_codec.LISTING, site_codec.to_listing, broken)
    reservations = _decode(rows, site_codec.RESERVATION, site_codec.to_reservation, broken)
    holds = _decode(rows, site_codec.HOLD, site_codec.to_hold, broken)
    blocks = _decode(rows, site_codec.BLOCK, site_codec.to_block, broken)
    conflicts = _decode(rows, site_codec.CONFLICT, site_codec.to_conflict, broken)
    broken += [key for key in by_key if not key.startswith(site_codec.KINDS)]
    return SiteState(
        site=site_codec.to_site(by_key[site_codec.SITE]),
        head=head,
        listings=listings,
        reservations=reservations,
        holds=holds,
        blocks=blocks,
        conflicts=conflicts,
        whole=not broken and head.min_reader <= READER,
        unread=sum(key.startswith(site_codec.RESERVATION) for key in broken),
    )


def _decode(rows: Iterable[Row], prefix: str, read: Callable[[Row], T], broken: list[str]) -> dict[str, T]:
    """Read the rows of one kind; what this release cannot read is counted, and the rest still serves (rule 19)."""
    found: dict[str, T] = {}
    for row in rows:
        if not row.key.startswith(prefix):
            continue
        try:
            found[row.key.removeprefix(prefix)] = read(row)
        except (Unreadable, ValueError, LookupError, TypeError):
            broken.append(row.key)
    return found
