"""Recall: a past night as the record tells it. Stays that left and closures nobody needs any more have no rows in the
living range; their lines are folded back into values, so that a night of last month is explained like tomorrow's.

What it gives is for looking only: it is never planned from and never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from shared.domain.dates import StayDates
from shared.domain.model import Block, Busy, Part, Phase, Reservation, SiteState, Status
from shared.domain.record import Kind, kind_of

_PHASES = {
    "close intended": Phase.INTENDED,
    "close published": Phase.SENT,
    "close sent": Phase.SENT,
    "close accepted": Phase.ACCEPTED,
    "close seen": Phase.SEEN,
}


def covers(line: Mapping[str, str], night: date) -> bool:
    """Whether a line of the record is about that night, before or after what it tells."""
    return (
        _range(line.get("nights", ""), night) is not None or _range(line.get("before", ""), night) is not None
    )


def recalled(state: SiteState, lines: Iterable[Mapping[str, str]], night: date) -> SiteState:
    """The site with what the lines, oldest first, tell of one night; what stands in the living range outweighs them."""
    facts: dict[str, Reservation] = {}
    blocks: dict[str, Block] = {}
    for line in lines:
        at = _instant(line.get("at", ""))
        if at is None or line.get("on") not in state.listings:
            continue
        kind = kind_of(line)
        if kind is Kind.FACT:
            _fact(facts, line, night, at)
        elif kind in (Kind.CLOSURE, Kind.OPENING):
            _block(blocks, line, night, at)
    return replace(
        state,
        reservations={**facts, **state.reservations},
        blocks={**{row.key: row for row in blocks.values()}, **state.blocks},
    )


def _fact(facts: dict[str, Reservation], line: Mapping[str, str], night: date, at: datetime) -> None:
    key, listing = line.get("of", ""), line["on"]
    what, dates = line.get("what", ""), _range(line.get("nights", ""), night)
    if what in ("departed", "over", "vanished"):  # it passed, or was still held
        return
    if dates is None:
        facts.pop(key, None)
        return
    account, _, name = key.partition("|")
    known = facts.get(key)
    since = known.parts[0].since if known else at
    kind, status = _class(line.get("class", "")), _status(line.get("status", ""))
    feed = listing if name.startswith(f"{listing}:") else ""
    facts[key] = Reservation(account, name, kind, status, (Part("", listing, dates, since),), feed=feed)


def _block(blocks: dict[str, Block], line: Mapping[str, str], night: date, at: datetime) -> None:
    what = line.get("what", "")
    dates = _range(line.get("nights", "") or line.get("before", ""), night)
    if dates is None:
        return
    name = Block(line["on"], line.get("of", ""), dates).name
    row = blocks.get(name)
    if what in _PHASES:
        row = (
            row
            if row is not None and row.wanted
            else Block(line["on"], line.get("of", ""), dates, created_at=at)
        )
        taken = at if what == "close accepted" and row.taken_at is None else row.taken_at
        blocks[name] = replace(row, phase=_PHASES[what], taken_at=taken)
    elif row is not None and what in ("open intended", "open sent"):
        blocks[name] = replace(row, wanted=False, released_at=row.released_at or at)
    elif row is not None and what == "open accepted":
        blocks[name] = replace(row, wanted=False, released_at=row.released_at or at, cleared_at=at)


def _range(written: str, night: date) -> StayDates | None:
    """The range among those written that holds the night."""
    for one in written.split():
        try:
            dates = StayDates.parse(one)
        except ValueError:
            continue
        if dates.check_in <= night < dates.check_out:
            return dates
    return None


def _instant(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _class(written: str) -> Busy:
    return Busy(written) if written in set(Busy) else Busy.CLOSED


def _status(written: str) -> Status:
    return Status.PENDING if written == Status.PENDING else Status.CONFIRMED
