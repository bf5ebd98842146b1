"""What the watch keeps in an account's row: bells, and nights that were opened over closures of ours.

Nobody decides about nights on these columns, so what cannot be read counts as absent: a later release may have written
it in another form, and the account must still load (rule 27).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from shared.domain.bells import Bells
from shared.domain.drift import Drift
from shared.domain.errors import Unreadable
from shared.ports.stores import Value
from shared.state import cells
from shared.state.cells import Columns

_RUNG, _MISSED, _DRIFT = "rung", "missed", "drift"


def from_call(at: datetime) -> dict[str, Value]:
    """The columns of a call that was worked off then: what was missed before it counts no more."""
    return {_RUNG: cells.to_instant(at), _MISSED: ""}


def from_missed(missed: Iterable[datetime]) -> dict[str, Value]:
    """The column of missed bells alone: a look that began before a call must not take that call back."""
    return {_MISSED: cells.to_texts(cells.to_instant(at) for at in missed)}


def to_bells(columns: Columns) -> Bells:
    """Read what ``from_call`` and ``from_missed`` wrote."""
    try:
        missed = tuple(cells.from_instant(at) for at in cells.texts(columns, _MISSED))
        return Bells(cells.instant(columns, _RUNG), missed)
    except Unreadable:
        return Bells()


def from_drift(drift: Iterable[Drift]) -> dict[str, Value]:
    """Its column."""
    rows: list[dict[str, str | int]] = [
        {
            "listing": one.listing,
            "first": cells.to_instant(one.first),
            "last": cells.to_instant(one.last),
            "times": one.times,
            "nights": " ".join(night.isoformat() for night in one.nights),
            "closed": int(one.was_closed),
        }
        for one in drift
    ]
    return {_DRIFT: cells.to_objects(rows)}


def to_drift(columns: Columns) -> tuple[Drift, ...]:
    """Read what ``from_drift`` wrote."""
    try:
        return tuple(_drift(row) for row in cells.objects(columns, _DRIFT))
    except (Unreadable, KeyError, ValueError):
        return ()


def to_day(columns: Columns, name: str) -> date | None:
    """A day written as 2027-03-01, or None."""
    try:
        return date.fromisoformat(cells.text(columns, name))
    except (Unreadable, ValueError):
        return None


def _drift(row: dict[str, str | int]) -> Drift:
    nights = tuple(date.fromisoformat(night) for night in str(row["nights"]).split())
    first, last = cells.from_instant(str(row["first"])), cells.from_instant(str(row["last"]))
    was_closed = bool(row.get("closed", 1))
    return Drift(str(row["listing"]), first, last, int(row["times"]), nights, was_closed)
