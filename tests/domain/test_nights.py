"""Nights: one home night by night, and how far each channel is with each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from shared.domain.dates import StayDates
from shared.domain.model import Phase, SiteState
from shared.domain.nights import Cell, Night, nights
from shared.domain.timeline import Step
from shared.domain.why import Face
from tests.domain.test_timeline import GUEST, NOW, WINDOW, at_phase, fact, july, mill, row


def told(
    state: SiteState, stale: dict[str, str] | None = None, silent: dict[str, str] | None = None
) -> list[Night]:
    return list(nights(state, row(state), WINDOW, NOW, stale or {}, silent or {}))


def cell(state: SiteState, listing: str, day: int, **known: dict[str, str]) -> Cell:
    night = next(one for one in told(state, **known) if one.night == date(2027, 7, day))
    return next(one for one in night.cells if one.listing == listing)


def test_every_night_of_the_window_is_there_with_a_cell_for_each_channel_in_order() -> None:
    found = told(mill(GUEST))
    assert [one.night for one in found] == list(WINDOW.nights())
    assert {tuple(cell.listing for cell in one.cells) for one in found} == {("airbnb", "booking", "greengo")}
    assert [one.night.day for one in found if one.bars] == [10, 11, 12]


def test_one_closure_that_arrived_closes_a_home_of_one_unit() -> None:
    """Two guests on the same night: the second one's closure is still on its way, the first one's is seen."""
    state = mill(GUEST, fact("other", "greengo", july(12, 14)))
    rows = {
        key: replace(one, phase=Phase.SEEN, taken_at=NOW) if one.cause == "airbnb|guest" else one
        for key, one in state.blocks.items()
    }
    half = replace(state, blocks=rows)
    assert (cell(half, "booking", 12).face, cell(half, "booking", 12).step) == (Face.CLOSED, Step.SEEN)
    assert (cell(half, "booking", 13).face, cell(half, "booking", 13).step) == (Face.CLOSING, Step.SENT)


def test_of_several_units_each_needs_its_own_closure() -> None:
    state = mill(fact("a", "airbnb", july(10, 13)), fact("b", "airbnb", july(10, 13)), units=2)
    rows = {
        key: replace(one, phase=Phase.SEEN, taken_at=NOW) if one.cause == "airbnb|a" else one
        for key, one in state.blocks.items()
    }
    assert cell(replace(state, blocks=rows), "booking", 10).step is Step.SENT
    assert cell(at_phase(state, "booking", Phase.SEEN), "booking", 10).step is Step.SEEN


def test_units_that_are_left_are_counted() -> None:
    state = mill(GUEST, units=3)
    assert (cell(state, "booking", 10).face, cell(state, "booking", 10).left) == (Face.OPEN, 2)


def test_a_doubt_and_a_pause_stand_where_they_matter() -> None:
    state = at_phase(mill(GUEST), "booking", Phase.INTENDED)
    known = {"stale": {"greengo": "was never read"}, "silent": {"booking": "chosen by its owner"}}
    assert cell(state, "booking", 10, **known).by_hand == "chosen by its owner"
    assert cell(state, "booking", 14, **known).by_hand == ""
    assert (cell(state, "greengo", 14, **known).face, cell(state, "greengo", 14, **known).doubt) == (
        Face.UNKNOWN,
        "was never read",
    )


def test_a_stay_from_before_the_window_is_on_its_first_night() -> None:
    state = mill(fact("long", "airbnb", StayDates(date(2027, 6, 25), date(2027, 7, 3))))
    assert [one.night.day for one in told(state) if one.bars] == [1, 2]
