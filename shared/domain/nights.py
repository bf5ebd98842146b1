"""Nights: one home night by night, with what each of its channels shows and how far our closure has come there.

What a channel shows is ``why``'s verdict, so that a table and the page "why" never say different things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from shared.domain.dates import StayDates
from shared.domain.model import Listing, SiteState
from shared.domain.occupancy import is_counted
from shared.domain.timeline import Bar, Row, Step, step_of
from shared.domain.why import Face, Reasons, why

_STEPS = tuple(Step)


@dataclass(frozen=True, slots=True)
class Cell:
    """One channel's night: what it shows and, where we close it, how far that has come. ``left`` counts the units still
    for sale of a home sold by count; ``doubt`` says why its source is not believed, ``by_hand`` why nothing is sent
    there now; both are empty where all is well."""

    listing: str
    face: Face
    step: Step = Step.NONE
    left: int | None = None
    doubt: str = ""
    by_hand: str = ""


@dataclass(frozen=True, slots=True)
class Night:
    """One night of a home: a cell for each of its channels, in their order, and the bars that lie on it."""

    night: date
    cells: tuple[Cell, ...]
    bars: tuple[Bar, ...]


def nights(
    state: SiteState,
    row: Row,
    window: StayDates,
    now: datetime,
    stale: Mapping[str, str],
    silent: Mapping[str, str],
) -> Iterator[Night]:
    """The nights of a home that was laid out over the window. ``stale`` are listings whose source is too old to be
    believed, ``silent`` those into which nothing is sent now, each with the reason."""
    bars = row.bars()
    for night in window.nights():
        reasons = why(state, row.home, night, now, stale, silent).listings
        yield Night(
            night,
            tuple(_cell(state, one, night) for one in reasons),
            tuple(bar for bar in bars if bar.dates.check_in <= night < bar.dates.check_out),
        )


def _cell(state: SiteState, one: Reasons, night: date) -> Cell:
    ours = one.face in (Face.CLOSED, Face.CLOSING)
    return Cell(
        one.listing,
        one.face,
        _step(state, state.listings[one.listing], night) if ours else Step.NONE,
        one.left,
        one.doubt,
        one.silent if one.face in (Face.CLOSING, Face.OPENING) else "",
    )


def _step(state: SiteState, listing: Listing, night: date) -> Step:
    """One closure that arrived closes a home of one unit; of several units each needs its own."""
    steps = [
        _STEPS.index(step_of(row, listing))
        for row in state.blocks.values()
        if row.listing == listing.id and row.wanted and row.dates.check_in <= night < row.dates.check_out
    ]
    counted = is_counted(state.site, state.site.properties[listing.property])
    return _STEPS[min(steps) if counted else max(steps)]
