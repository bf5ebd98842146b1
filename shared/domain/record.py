"""The record: what one commit changed of a site, as flat lines of plain words. Pure: before and after in, lines out.

A line says what happened (``kind`` and ``what``), to which fact (``of``), on which listing (``on``) of which home, with
its nights as they were (``before``) and are (``nights``). Who rang and when is the same for all lines of a commit and
is added by whoever writes them. No guest's name is ever in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum

from shared.domain.changes import Difference
from shared.domain.dates import StayDates
from shared.domain.model import Block, Hold, Listing, Part, Phase, Reservation, SiteState, Status
from shared.domain.platform import Link

Line = dict[str, str]


MOST_WHY = 300
"""Characters kept of what a platform said."""


class Kind(StrEnum):
    """The groups of events by which the record is asked."""

    FACT = "fact"  # what a source told
    CLOSURE = "closure"  # nights we close, and how far that has come
    OPENING = "opening"  # nights we open again
    CONFLICT = "conflict"  # two facts that claim the same nights
    HOLD = "hold"  # nights promised to a platform that asked
    LISTING = "listing"  # homes and listings: named by the portfolio, answered for the first time
    PERSON = "person"  # what somebody decided by hand
    OTHER = "other"  # lines of a release that wrote no kind


def lines(before: SiteState, after: SiteState, diff: Difference) -> list[Line]:
    """What differs, as a reader would tell it: facts first, then what followed from them. Bookkeeping that changes
    nothing for anybody (counters, the next try's time) has no line."""
    found = [line for one in diff.reservations for line in _fact(before, after, one)]
    found += [line for key in diff.dropped for line in _dropped(before, before.reservations[key])]
    found += [line for one in diff.departed for line in _departed(before, one)]
    found += [line for one in diff.holds for line in _hold(before, one)]
    found += [line for key in diff.removed_holds for line in _hold_over(before, before.holds[key])]
    found += [line for row in diff.blocks for line in _block(before, after, row)]
    found += [line for key in diff.spent for line in _spent(before, before.blocks[key])]
    found += [line for one in diff.listings for line in _listing(before, one)]
    return found + _conflicts(before, diff)


def kind_of(line: Mapping[str, str]) -> Kind:
    """The group a line belongs to; lines written before there were groups tell by their first word."""
    written = line.get("kind", "")
    if written in set(Kind):
        return Kind(written)
    first = line.get("what", "").partition(" ")[0]
    return {
        "fact": Kind.FACT,
        "close": Kind.CLOSURE,
        "open": Kind.OPENING,
        "conflict": Kind.CONFLICT,
        "told": Kind.CONFLICT,
    }.get(first, Kind.OTHER)


# ----------------------------------------------------------------------------------------------- facts


def _fact(before: SiteState, after: SiteState, one: Reservation) -> Iterator[Line]:
    """The lines of a fact that changed, one for each listing it concerns and each thing that happened to it."""
    old = before.reservations.get(one.key)
    words = {"class": one.kind.value, "status": one.status.value}
    said = False
    for listing in _listings(old, one):
        for what, was, now_on in _happened(old, one, listing):
            said = True
            yield _line(after, Kind.FACT, what, one.key, listing, was, now_on) | words
    if not said and not _is_known(old, one):
        where = next(iter(_listings(old, one)), "")
        yield _line(after, Kind.FACT, _manner(old, one), one.key, where, "", _shown(one, where)) | words


def _is_known(old: Reservation | None, one: Reservation) -> bool:
    """Whether a source only said again what it had said: counters apart, nothing differs."""
    return old is not None and replace(old, observed=one.observed, version=one.version) == one


def _happened(old: Reservation | None, one: Reservation, listing: str) -> Iterator[tuple[str, str, str]]:
    """What happened to a fact on one listing: a word, the nights before, the nights after."""
    was, now_on = _shown(old, listing), _shown(one, listing)
    gone, missing = _gone(old, listing), _gone(one, listing)
    cancelled = one.status is Status.CANCELLED and (old is None or old.status is not Status.CANCELLED)
    if cancelled:
        yield "cancelled", was or now_on, ""
    elif not was and now_on and not gone:
        yield "new", "", now_on
    elif now_on and was != now_on and (was or missing):
        yield "moved", was or gone, now_on
    lost, still = _traces(old, listing), _traces(one, listing)
    if still - lost:
        yield "vanished", gone or was, missing
    elif lost and not still:
        yield _ended(one, listing), gone, now_on
    elif lost - still:
        yield "let go in part", gone, missing
    claim, claims = _claimed(old, listing), _claimed(one, listing)
    if claims and claims != claim:
        yield "claimed", claim, claims
    elif claim and not claims:
        yield "claim over", claim, now_on


def _ended(one: Reservation, listing: str) -> str:
    """Why nights that had vanished wait no longer: shown again, or let go."""
    return "back" if _shown(one, listing) else "let go"


def _manner(old: Reservation | None, one: Reservation) -> str:
    """What changed where no nights did."""
    if old is None:
        return "cancelled" if one.status is Status.CANCELLED else "new"
    if old.status is not one.status:
        return one.status.value
    if old.kind is not one.kind:
        return "reclassed"
    return "details"


def _dropped(before: SiteState, one: Reservation) -> Iterator[Line]:
    """A fact that is forgotten: let go after it vanished, a claim that was none, or over."""
    words = {"class": one.kind.value, "status": one.status.value}
    for listing in _listings(one) or ("",):
        if _gone(one, listing):
            what, was = "let go", _gone(one, listing)
        elif _claimed(one, listing) and not _shown(one, listing):
            what, was = "claim over", _claimed(one, listing)
        else:
            what, was = "over", _shown(one, listing)
        yield _line(before, Kind.FACT, what, one.key, listing, was, "") | words


def _departed(before: SiteState, one: Reservation) -> Iterator[Line]:
    words = {"class": one.kind.value, "status": one.status.value}
    for listing in _listings(one):
        nights = _shown(one, listing)
        yield _line(before, Kind.FACT, "departed", one.key, listing, nights, nights) | words


def _listings(*facts: Reservation | None) -> tuple[str, ...]:
    parts = (part for one in facts if one is not None for part in (*one.parts, *one.held()))
    return tuple(dict.fromkeys(part.listing for part in parts))


def _nights(parts: Iterable[Part], listing: str) -> str:
    return " ".join(sorted({str(part.dates) for part in parts if part.listing == listing}))


def _shown(one: Reservation | None, listing: str) -> str:
    return "" if one is None else _nights(one.parts, listing)


def _claimed(one: Reservation | None, listing: str) -> str:
    return "" if one is None else _nights(one.hinted, listing)


def _gone(one: Reservation | None, listing: str) -> str:
    return "" if one is None else _nights((fading.part for fading in one.fading), listing)


# ------------------------------------------------------------------------------------------ the ledger


def _block(before: SiteState, after: SiteState, row: Block) -> Iterator[Line]:
    """How far a closure, or its release, has come; and which event of the peer it was found to explain."""
    old = before.blocks.get(row.key)
    kind = Kind.CLOSURE if row.wanted else Kind.OPENING
    what = _step(old, row, after)
    if what:
        line = _line(after, kind, what, row.cause, row.listing, "", str(row.dates))
        yield line | ({"why": row.error[:MOST_WHY]} if row.error and what.endswith("failed") else {})
    if row.echo and (old is None or old.echo != row.echo):
        yield _line(after, kind, "echo", row.cause, row.listing, "", str(row.dates)) | {"as": row.echo}


def _step(old: Block | None, row: Block, state: SiteState) -> str:
    """The step that was made, in two words; empty for bookkeeping."""
    verb = "close" if row.wanted else "open"
    if old is not None and row.attempts > old.attempts:
        return f"{verb} failed"
    if not row.wanted and (old is None or old.wanted):
        return "open intended" if row.phase is not Phase.SENT or _served(state, row) else "open sent"
    if not row.wanted and old is not None and row.cleared_at is not None and old.cleared_at is None:
        return "open accepted"
    if old is not None and row.wanted and row.phase is old.phase:
        taken = row.taken_at is not None and old.taken_at is None
        return "close accepted" if taken else "close sent" if row.fence != old.fence else ""
    if old is not None and not row.wanted:
        return "open sent" if row.phase is Phase.SENT and row.fence != old.fence else ""
    return "close published" if verb == "close" and _is_published(state, row) else f"{verb} {row.phase.value}"


def _is_published(state: SiteState, row: Block) -> bool:
    """Whether a closure stands in our own calendar, and its peer is not known to have fetched it."""
    return row.phase is Phase.SENT and _served(state, row)


def _served(state: SiteState, row: Block) -> bool:
    listing = state.listings.get(row.listing)
    return listing is not None and listing.link is Link.ICAL


def _spent(before: SiteState, row: Block) -> Iterator[Line]:
    """A row nobody needs any more: its nights are open again, or it never left, or they have passed."""
    kind = Kind.CLOSURE if row.wanted else Kind.OPENING
    sent = not row.wanted and row.phase is Phase.SENT and not _served(before, row)
    done = "open accepted" if sent else "closure over"
    yield _line(before, kind, done, row.cause, row.listing, str(row.dates), "")


# ---------------------------------------------------------------------------------------- what is left


def _hold(before: SiteState, one: Hold) -> Iterator[Line]:
    what = "hold renewed" if one.id in before.holds else "hold"
    yield _line(before, Kind.HOLD, what, one.id, one.listing, "", str(one.dates))


def _hold_over(before: SiteState, one: Hold) -> Iterator[Line]:
    yield _line(before, Kind.HOLD, "hold over", one.id, one.listing, str(one.dates), "")


def _listing(before: SiteState, one: Listing) -> Iterator[Line]:
    old = before.listings.get(one.id)
    if one.complete and old is not None and not old.complete:
        yield _line(before, Kind.LISTING, "first answer", one.id, one.id, "", "")


def _conflicts(before: SiteState, diff: Difference) -> list[Line]:
    found = []
    for one in diff.conflicts:
        old = before.conflicts.get(one.id)
        if one.ended_at is not None:
            what = "conflict over" if old is None or old.ended_at is None else "conflict changed"
        else:
            what = "conflict changed" if old is not None and old.ended_at is None else "conflict"
        was = str(old.conflict_dates) if old is not None and what != "conflict" else ""
        between = " + ".join(one.conflicting_bookings)
        line = {"kind": Kind.CONFLICT.value, "what": what, "of": one.id, "home": one.property_id}
        nights = {"before": was, "nights": str(one.conflict_dates), "between": between}
        found.append(_filled(line | nights | {"severity": one.severity.value}))
    return found


def _traces(one: Reservation | None, listing: str) -> set[tuple[StayDates, date]]:
    """What vanished, by the stay it belonged to and its last night: what merely passes day by day stays the same."""
    fading = one.fading if one is not None else ()
    return {(each.stay, each.part.dates.check_out) for each in fading if each.part.listing == listing}


def _line(state: SiteState, kind: Kind, what: str, of: str, on: str, before: str, nights: str) -> Line:
    listing = state.listings.get(on)
    home = "" if listing is None else listing.property
    line = {"kind": kind.value, "what": what, "of": of, "on": on, "home": home}
    return _filled(line | {"before": before, "nights": nights})


def _filled(line: Line) -> Line:
    """Without what is empty: most lines have half of the fields, and each is stored for a year."""
    return {name: value for name, value in line.items() if value}
