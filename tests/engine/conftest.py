"""The village, built for one test and taken down after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from shared.domain.platform import Platform
from shared.domain.portfolio import Home
from tests.engine.hamlet import Hamlet
from tests.engine.village import Village


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


@pytest.fixture
def hamlet() -> Iterator[Callable[..., Hamlet]]:
    """Builds hamlets: homes, and the platforms of those with a calendar link."""
    built: list[Hamlet] = []

    def build(homes: Sequence[Home], links: Mapping[str, Platform] | None = None) -> Hamlet:
        built.append(Hamlet(homes, links))
        return built[-1]

    yield build
    for one in built:
        one.close()
