"""Days, as browsers and programs write them."""

from __future__ import annotations

from datetime import date

from shared.domain.errors import PayloadRejected

YEARS = range(2000, 2201)
"""Years in which a day may be: beyond them every calendar of ours is empty."""


def read_day(written: str) -> date | None:
    """The day that is written ("2027-03-01"); None for anything else."""
    try:
        found = date.fromisoformat(written)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def asked_day(name: str, written: str) -> date | None:
    """A day that a parameter names, None where it is empty. Raises ``PayloadRejected`` naming the parameter."""
    found = read_day(written) if written else None
    if written and found is None:
        years = f"in a year from {YEARS[0]} to {YEARS[-1]}"
        raise PayloadRejected(f"{name} is not a date like 2027-03-01, {years}")
    return found
