"""The audit finds a double sale that no reconcile put on record, and rings for its site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.state.names import SITES
from shared.state.site_codec import conflict_row
from shared.state.sites import Changes
from tests.engine.stories import AUGUST, JULY, clashes, polled, sold, stored, told
from tests.engine.village import HOME, Village


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


def clash(village: Village) -> None:
    """Two guests, the same nights."""
    sold(village, "greengo", JULY)
    told(village, "airbnb", JULY)
    polled(village)
    assert len(clashes(village)) == 1


def missed(village: Village) -> int:
    return village.run(village.engine.audit.run([HOME]))


def test_what_is_on_record_is_not_missed(village: Village) -> None:
    clash(village)
    told(village, "booking", AUGUST)
    assert missed(village) == 0


def test_a_clash_without_a_record_is_found_and_its_site_rung_for(village: Village) -> None:
    clash(village)
    [one] = clashes(village)
    row = conflict_row(HOME, one)
    village.run(village.tables.delete(SITES, HOME, row.key))
    assert clashes(village) == []
    assert missed(village) == 1
    assert ("conflict_missed", {"site": HOME, "conflict": one.id}) in village.telemetry.events
    village.run(village.drain())
    assert [again.id for again in clashes(village)] == [one.id]
    assert missed(village) == 0


def test_a_clash_whose_record_says_it_is_over_is_found(village: Village) -> None:
    clash(village)
    state = stored(village)
    [one] = clashes(village)
    over = replace(one, ended_at=village.clock.peek())
    village.run(village.engine.world.sites.commit(state, Changes(conflicts=[over])))
    assert missed(village) == 1


def test_a_site_that_is_not_there_stops_nothing(village: Village) -> None:
    clash(village)
    assert village.run(village.engine.audit.run(["nowhere", HOME])) == 0


def test_the_hourly_walk_audits_the_sites_it_visits(village: Village) -> None:
    clash(village)
    [one] = clashes(village)
    village.run(village.tables.delete(SITES, HOME, conflict_row(HOME, one).key))
    for _ in range(24):
        village.clock.advance(timedelta(hours=1))
        village.run(village.engine.on_timer_walk())
    village.run(village.drain())
    assert [again.id for again in clashes(village)] == [one.id]
    assert any(name == "conflict_missed" for name, _ in village.telemetry.events)
