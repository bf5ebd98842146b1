"""A village with a browser at its door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.village import Village
from tests.web.support import Browser


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


@pytest.fixture
def browser(village: Village) -> Browser:
    """Claire's, who decides about the homes of the village's owner."""
    return Browser(village.engine, village.run)
