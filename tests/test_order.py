"""The order of the test files."""

from __future__ import annotations

import pytest

from tests.order import dealt


@pytest.mark.parametrize(
    ("few", "many", "order"),
    [
        ("AB", "abcdefghij", "AabBcdefghij"),
        ("ABC", "ab", "ABCab"),
        ("", "abc", "abc"),
        ("ABC", "", "ABC"),
    ],
)
def test_every_file_comes_once_and_those_that_wait_are_spread(few: str, many: str, order: str) -> None:
    assert "".join(dealt(few, many)) == order
