"""A village with a terminal beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.village import Village
from tests.local.cli_bench import Bench


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


@pytest.fixture
def bench(tmp_path: Path, village: Village) -> Bench:
    return Bench(tmp_path, village)
