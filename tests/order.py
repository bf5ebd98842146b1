"""The order of the files: those that wait are dealt evenly among those that compute.

A pytest plugin (``-p`` in pyproject.toml). An end to end test waits two thirds of its time, for timers and polls; in
the order of the folders all of them run side by side and leave the processor idle, and then those that compute crowd.
Dealt like this, with one process of pytest more than there are cores, there is work for every core all the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

import pytest

T = TypeVar("T")

LAST = 3
"""Shares that come after the last of the few: nobody waits at the end for a long one that was begun last."""


def dealt(few: Sequence[T], many: Sequence[T]) -> Iterator[T]:
    """Each of the few followed by its share of the many; both keep their order."""
    rest, given = iter(many), 0
    for place, one in enumerate(few, 1):
        yield one
        upto = len(many) * place // (len(few) + LAST)
        yield from islice(rest, upto - given)
        given = upto
    yield from rest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one file stay together and in their order."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(str(item.path), []).append(item)
    waiting = [one for one in files.values() if one[0].get_closest_marker("e2e")]
    others = [one for one in files.values() if not one[0].get_closest_marker("e2e")]
    items[:] = [item for file in dealt(waiting, others) for item in file]
