"""What released versions wrote is read by this one as it was meant, and the engine goes on from it (rule 27)."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.tables.backup import TABLES
from shared.state import site_codec
from tests.engine import golden
from tests.engine.machine import check_at_rest
from tests.engine.village import HOME, Village

FILES = pytest.mark.parametrize("path", golden.files(), ids=lambda path: path.stem)


@pytest.fixture
def village() -> Village:
    """One in which the golden story happened, so that its platforms know what the rows speak of."""
    built = Village()
    golden.lived(built)
    return built


def with_rows(village: Village, path: Path) -> dict[str, object]:
    """The tables as that release left them; returns what it planned then."""
    at, planned, rows = golden.read(path)
    village.tables._partitions.clear()
    for table, row in rows:
        village.run(village.tables.insert(table, row))
    village.restart()
    state = village.run(village.engine.world.sites.load(HOME))
    assert golden.told_of(state, at) == planned
    village.tokens = {one.id: one.token for one in state.listings.values() if one.token}
    return planned


@FILES
def test_rule_27_golden_rows_are_planned_from_as_they_were(village: Village, path: Path) -> None:
    assert with_rows(village, path)["whole"] is True


@FILES
def test_rule_27_the_engine_goes_on_from_golden_rows(village: Village, path: Path) -> None:
    with_rows(village, path)
    village.greengo.hidden = set()
    village.run(village.settle())
    village.run(village.engine.on_timer_health())
    village.run(village.engine.on_timer_walk())
    village.run(village.engine.on_timer_deep())
    check_at_rest(village)


def test_the_golden_rows_are_of_every_kind() -> None:
    """Else a kind could change, and no old row would say so."""
    rows = [item for path in golden.files() for item in golden.read(path)[2]]
    assert {table for table, _ in rows} == set(TABLES)
    site = {row.key for table, row in rows if table == "Sites"}
    kinds = (*site_codec.KINDS, site_codec.HISTORY)
    assert all(any(key.startswith(kind) for key in site) for kind in kinds)
