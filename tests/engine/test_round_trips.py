"""What a new stay may cost is counted, not measured, so it can be held: the stories of ``bench.round_trips``."""

from __future__ import annotations

import asyncio

import pytest

from bench.round_trips import ROWS, TRIPS, Story, in_memory
from shared.state.names import SITES


@pytest.fixture(scope="module")
def told() -> dict[str, Story]:
    return {story.name: story for story in asyncio.run(in_memory())}


@pytest.mark.parametrize("platform", ["airbnb", "booking", "greengo"])
def test_a_sale_costs_load_commit_and_confirm_on_its_site(told: dict[str, Story], platform: str) -> None:
    trips = told[f"sold on {platform}"].on_site()
    assert [trip.operation for trip in trips] == ["query", "submit", "submit"]
    assert len(trips) <= TRIPS
    assert all(trip.rows <= ROWS for trip in trips if not trip.reads)


def test_nothing_to_do_is_one_read_no_write_and_no_call(told: dict[str, Story]) -> None:
    story = told["nothing to do"]
    assert [(trip.operation, trip.table) for trip in story.trips] == [("query", SITES)]
    assert story.calls == ()
