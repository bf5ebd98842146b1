"""The nights of the tests that run on the machine's clock: they go along with it, in every form they are written."""

from __future__ import annotations

import pytest

from tests.e2e.days import ahead


@pytest.mark.parametrize(
    ("months", "said"),
    [
        (0, "closed 2027-07-10..2027-07-12, 10–13 July 2027, 10–13 août 2027, code 2027"),
        (5, "closed 2027-12-10..2027-12-12, 10–13 December 2027, 10–13 janvier 2028, code 2027"),
        (18, "closed 2029-01-10..2029-01-12, 10–13 January 2029, 10–13 février 2029, code 2027"),
    ],
)
def test_dates_move_by_whole_months_and_nothing_else_moves(months: int, said: str) -> None:
    written = "closed 2027-07-10..2027-07-12, 10–13 July 2027, 10–13 août 2027, code 2027"
    assert ahead(written, months) == said
