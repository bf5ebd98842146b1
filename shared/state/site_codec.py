"""Site rows: domain values to and from rows of one partition, in both directions next to each other.

Row keys sort by kind, so that one range read gets what is alive and nothing else: departed stays and history sort
behind it. Every column is always written; a merge keeps the columns of a newer release.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from shared.domain.dates import StayDates
from shared.domain.errors import Unreadable
from shared.domain.model import (
    Acknowledgement,
    Automatic,
    Block,
    BookingConflict,
    Busy,
    Certainty,
    ConflictResolution,
    ConflictSeverity,
    Decision,
    FormerLink,
    Head,
    Hold,
    Listing,
    Phase,
    Property,
    Reservation,
    Side,
    Site,
    Source,
    Status,
)
from shared.domain.platform import Link, Platform
from shared.ports.stores import Row
from shared.state import cells, site_cells

HEAD, SITE = "a|head", "b|site"
LISTING, RESERVATION, HOLD, BLOCK, CONFLICT = "c|", "d|", "e|", "f|", "g|"
KINDS = (HEAD, SITE, LISTING, RESERVATION, HOLD, BLOCK, CONFLICT)
"""What this release knows in the living range; a row of any other kind there is one that it cannot read."""
ALIVE_END = "m"
DEPARTED, HISTORY = "p|", "q|"

# What every release writes: a row without one of these would be read as a stay without nights, or as a closure that
# nobody wants, so it is no row that can be read. All other columns may be missing, and mean nothing then.
_OF_LISTING = frozenset({"property", "platform", "account", "link"})
_OF_RESERVATION = frozenset({"account", "id", "kind", "status", "parts"})
_OF_BLOCK = frozenset({"listing", "cause", "dates", "wanted", "phase"})
_OF_CONFLICT = frozenset({"property", "dates", "bookings", "severity", "proposal"})

_MOST_NOTE = 4_000  # characters a person may write beside a decision


def head_row(site: str, head: Head) -> Row:
    """The lock."""
    return Row(
        site,
        HEAD,
        {
            "version": head.version,
            "fence": head.fence,
            "write_ids": cells.to_texts(head.write_ids),
            "min_reader": head.min_reader,
            "moved_to": head.moved_to,
        },
    )


def to_head(row: Row) -> Head:
    """The lock, with the ETag that guards the next commit."""
    return Head(
        version=cells.number(row.values, "version"),
        fence=cells.number(row.values, "fence"),
        write_ids=cells.texts(row.values, "write_ids"),
        min_reader=cells.number(row.values, "min_reader"),
        moved_to=cells.text(row.values, "moved_to"),
        etag=row.etag,
    )


def site_row(site: Site) -> Row:
    """The homes and rooms, written by the portfolio alone."""
    homes = [
        [p.id, p.name, sorted(p.rooms), p.zone, p.automatic.value, p.group, p.turnover]
        for _, p in sorted(site.properties.items())
    ]
    return Row(
        site.id,
        SITE,
        {"owner": site.owner, "homes": json.dumps(homes), "rooms": json.dumps(dict(site.rooms))},
    )


def to_site(row: Row) -> Site:
    """Read what ``site_row`` wrote."""
    try:
        homes = json.loads(cells.text(row.values, "homes"))
        rooms = json.loads(cells.text(row.values, "rooms"))
        properties = {home[0]: _to_property(*home) for home in homes}
        counts = {str(room): int(units) for room, units in rooms.items()}
    except (ValueError, LookupError, TypeError, AttributeError) as wrong:
        raise Unreadable(f"the homes of site {row.partition} cannot be read") from wrong
    return Site(row.partition, cells.text(row.values, "owner"), properties, counts)


def _to_property(
    name: str,
    shown: str,
    rooms: list[str],
    zone: str,
    automatic: str = "",
    group: str = "",
    turnover: int = 0,
    *_: object,
) -> Property:
    """A home; what a newer release put behind its fields is none of ours, and an unknown policy allows nothing."""
    policy = Automatic(automatic) if automatic in set(Automatic) else Automatic.OFF
    return Property(name, shown, frozenset(rooms), zone, policy, group, int(turnover))


def listing_row(site: str, one: Listing) -> Row:
    """A listing with the state of its traffic."""
    return Row(
        site,
        LISTING + one.id,
        {
            "property": one.property,
            "platform": one.platform,
            "account": one.account,
            "link": one.link.value,
            "unit": one.unit,
            "token": one.token,
            "shard": one.shard,
            "agent": one.agent,
            "complete": one.complete,
            "observed": one.observed,
            "answered": cells.to_instant(one.answered),
            "watched": one.watched,
            **cells.spread("writes", site_cells.to_writes(one.writes)),
            "former": cells.to_texts(f"{old.token_hash} {cells.to_instant(old.until)}" for old in one.former),
            "bare_since": cells.to_instant(one.bare_since),
            "back_since": one.back_since,
            "unread_since": cells.to_instant(one.unread_since),
        },
    )


def to_listing(row: Row) -> Listing:
    """Read what ``listing_row`` wrote."""
    values = cells.having(row.values, _OF_LISTING)
    return Listing(
        id=row.key.removeprefix(LISTING),
        property=cells.text(values, "property"),
        platform=Platform(cells.text(values, "platform")),
        account=cells.text(values, "account"),
        link=Link(cells.text(values, "link")),
        unit=cells.text(values, "unit"),
        token=cells.text(values, "token"),
        shard=cells.text(values, "shard"),
        agent=cells.text(values, "agent"),
        complete=cells.flag(values, "complete"),
        observed=cells.number(values, "observed"),
        answered=cells.instant(values, "answered"),
        watched=cells.flag(values, "watched"),
        writes=site_cells.writes(values, "writes"),
        former=tuple(_former(text) for text in cells.texts(values, "former")),
        bare_since=cells.instant(values, "bare_since"),
        back_since=cells.number(values, "back_since"),
        unread_since=cells.instant(values, "unread_since"),
    )


def _former(written: str) -> FormerLink:
    token_hash, _, until = written.partition(" ")
    return FormerLink(token_hash, cells.from_instant(until))


def reservation_row(site: str, one: Reservation, prefix: str = RESERVATION) -> Row:
    """A reservation, alive or (with the prefix ``DEPARTED``) kept for the record."""
    return Row(
        site,
        prefix + one.key,
        {
            "account": one.account,
            "id": one.id,
            "kind": one.kind.value,
            "status": one.status.value,
            **cells.spread("parts", site_cells.to_parts(one.parts)),
            "version": one.version,
            "observed": one.observed,
            "feed": one.feed,
            **cells.spread("hinted", site_cells.to_parts(one.hinted)),
            **cells.spread("fading", site_cells.to_fading(one.fading)),
            "aliases": cells.to_texts(one.aliases),
            "guest": one.guest,
            "slid": one.slid,
            "slid_on": one.slid_on.isoformat() if one.slid_on else "",
            "code": one.code,
            "forgotten": one.forgotten,
        },
    )


def to_reservation(row: Row) -> Reservation:
    """Read what ``reservation_row`` wrote."""
    values = cells.having(row.values, _OF_RESERVATION)
    slid_on = cells.text(values, "slid_on")
    return Reservation(
        account=cells.text(values, "account"),
        id=cells.text(values, "id"),
        kind=Busy(cells.text(values, "kind")),
        status=Status(cells.text(values, "status")),
        parts=site_cells.parts(values, "parts"),
        version=cells.number(values, "version"),
        observed=cells.number(values, "observed"),
        feed=cells.text(values, "feed"),
        hinted=site_cells.parts(values, "hinted"),
        fading=site_cells.fading(values, "fading"),
        aliases=cells.texts(values, "aliases"),
        guest=cells.text(values, "guest"),
        slid=cells.number(values, "slid"),
        slid_on=datetime.fromisoformat(slid_on).date() if slid_on else None,
        code=cells.text(values, "code"),
        forgotten=cells.flag(values, "forgotten"),
    )


def hold_row(site: str, one: Hold) -> Row:
    """A hold placed by a platform's own check."""
    return Row(
        site,
        HOLD + one.id,
        {"listing": one.listing, "dates": str(one.dates), "expires": cells.to_instant(one.expires)},
    )


def to_hold(row: Row) -> Hold:
    """Read what ``hold_row`` wrote."""
    expires = cells.instant(row.values, "expires")
    if expires is None:
        raise Unreadable("a hold without an end")
    dates = StayDates.parse(cells.text(row.values, "dates"))
    return Hold(row.key.removeprefix(HOLD), cells.text(row.values, "listing"), dates, expires)


def block_row(site: str, one: Block) -> Row:
    """A row of the ledger."""
    return Row(
        site,
        BLOCK + one.key,
        {
            "listing": one.listing,
            "cause": one.cause,
            "dates": str(one.dates),
            "wanted": one.wanted,
            "phase": one.phase.value,
            "fence": one.fence,
            "since_version": one.since_version,
            "gone_version": one.gone_version,
            "created_at": cells.to_instant(one.created_at),
            "released_at": cells.to_instant(one.released_at),
            "taken_at": cells.to_instant(one.taken_at),
            "cleared_at": cells.to_instant(one.cleared_at),
            "heir_taken": cells.to_instant(one.heir_taken),
            "heir_gap": one.heir_gap,
            "echo": one.echo,
            "imports": one.imports,
            "attempts": one.attempts,
            "next_try": cells.to_instant(one.next_try),
            "error": one.error[:500],
        },
    )


def to_block(row: Row) -> Block:
    """Read what ``block_row`` wrote."""
    values = cells.having(row.values, _OF_BLOCK)
    return Block(
        listing=cells.text(values, "listing"),
        cause=cells.text(values, "cause"),
        dates=StayDates.parse(cells.text(values, "dates")),
        wanted=cells.flag(values, "wanted"),
        phase=Phase(cells.text(values, "phase")),
        fence=cells.number(values, "fence"),
        since_version=cells.number(values, "since_version"),
        gone_version=cells.number(values, "gone_version"),
        created_at=cells.instant(values, "created_at"),
        released_at=cells.instant(values, "released_at"),
        taken_at=cells.instant(values, "taken_at"),
        cleared_at=cells.instant(values, "cleared_at"),
        heir_taken=cells.instant(values, "heir_taken"),
        heir_gap=cells.number(values, "heir_gap"),
        echo=cells.text(values, "echo"),
        imports=cells.number(values, "imports"),
        attempts=cells.number(values, "attempts"),
        next_try=cells.instant(values, "next_try"),
        error=cells.text(values, "error"),
    )


def conflict_row(site: str, one: BookingConflict) -> Row:
    """A clash, with what is remembered of it and how far it has come."""
    seen, chosen = one.acknowledged, one.decision
    return Row(
        site,
        CONFLICT + one.id,
        {
            "property": one.property_id,
            "dates": str(one.conflict_dates),
            "bookings": cells.to_texts(one.conflicting_bookings),
            "severity": one.severity.value,
            "proposal": one.suggested_resolution.value,
            "detected_at": cells.to_instant(one.detected_at),
            "ended_at": cells.to_instant(one.ended_at),
            "told": one.told,
            "nights": cells.to_texts(str(dates) for dates in one.nights),
            **cells.spread("sides", cells.to_objects(_from_side(side) for side in one.sides)),
            "certainty": one.certainty.value,
            "acknowledged_by": seen.by if seen else "",
            "acknowledged_at": cells.to_instant(seen.at if seen else None),
            "decided": chosen.proposal if chosen else "",
            "decided_by": chosen.by if chosen else "",
            "decided_at": cells.to_instant(chosen.at if chosen else None),
            "decided_note": chosen.note[:_MOST_NOTE] if chosen else "",
            "verified_at": cells.to_instant(one.verified_at),
            "alerted_at": cells.to_instant(one.alerted_at),
        },
    )


def to_conflict(row: Row) -> BookingConflict:
    """Read what ``conflict_row`` wrote."""
    values = cells.having(row.values, _OF_CONFLICT)
    first, second = cells.texts(values, "bookings")
    return BookingConflict(
        id=row.key.removeprefix(CONFLICT),
        property_id=cells.text(values, "property"),
        conflict_dates=StayDates.parse(cells.text(values, "dates")),
        conflicting_bookings=(first, second),
        severity=ConflictSeverity(cells.text(values, "severity")),
        suggested_resolution=ConflictResolution(cells.text(values, "proposal")),
        detected_at=cells.instant(values, "detected_at"),
        ended_at=cells.instant(values, "ended_at"),
        told=cells.flag(values, "told"),
        nights=tuple(StayDates.parse(dates) for dates in cells.texts(values, "nights")),
        sides=tuple(_to_side(side) for side in cells.objects(values, "sides")),
        certainty=Certainty(cells.text(values, "certainty") or Certainty.UNKNOWN),
        acknowledged=_to_acknowledgement(values),
        decision=_to_decision(values),
        verified_at=cells.instant(values, "verified_at"),
        alerted_at=cells.instant(values, "alerted_at"),
    )


def _from_side(one: Side) -> dict[str, str | int]:
    return {
        "key": one.key,
        "listing": one.listing,
        "platform": one.platform,
        "home": one.home,
        "dates": str(one.dates),
        "kind": one.kind.value,
        "status": one.status.value,
        "since": cells.to_instant(one.since),
        "source": one.source.value,
        "fading": int(one.fading),
    }


def _to_side(written: Mapping[str, str | int]) -> Side:
    values = {name: str(value) for name, value in written.items()}
    return Side(
        key=values["key"],
        listing=values["listing"],
        platform=Platform(values["platform"]),
        home=values["home"],
        dates=StayDates.parse(values["dates"]),
        kind=Busy(values["kind"]),
        status=Status(values["status"]),
        since=cells.from_instant(values["since"]),
        source=Source(values["source"]),
        fading=values.get("fading") == "1",
    )


def _to_acknowledgement(values: cells.Columns) -> Acknowledgement | None:
    at = cells.instant(values, "acknowledged_at")
    return Acknowledgement(cells.text(values, "acknowledged_by"), at) if at else None


def _to_decision(values: cells.Columns) -> Decision | None:
    at = cells.instant(values, "decided_at")
    chosen, by, note = (cells.text(values, name) for name in ("decided", "decided_by", "decided_note"))
    return Decision(chosen, by, at, note) if at else None
