"""Instants in columns: written one way, in the order of time, and read back exactly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Unreadable
from shared.state import cells, site_cells

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(timezones=ZONES).filter(lambda instant: 1 < instant.year < 9999)


@given(INSTANTS)
def test_an_instant_comes_back_in_utc(instant: datetime) -> None:
    read = cells.from_instant(cells.to_instant(instant))
    assert read == instant
    assert read.tzinfo is UTC


@given(INSTANTS, INSTANTS)
def test_written_instants_sort_as_time_does(one: datetime, other: datetime) -> None:
    assert (cells.to_instant(one) < cells.to_instant(other)) == (one < other)


def test_the_form_is_part_of_the_stored_format() -> None:
    """A stored row of any release must stay readable: this text may never change."""
    written = "2027-03-01T08:00:00.000000Z"
    assert cells.to_instant(datetime(2027, 3, 1, 8, tzinfo=UTC)) == written
    assert cells.from_instant(written) == datetime(2027, 3, 1, 8, tzinfo=UTC)
    assert cells.to_instant(None) == ""
    assert cells.instant({"at": ""}, "at") is None


@pytest.mark.parametrize(
    "written",
    [
        "2027-03-01",
        "2027-03-01T08:00:00Z",
        "2027-03-01T08:00:00.000000",
        "2027-03-01T08:00:00.000000+01:00",
        "2027-03-01T08:00:00,000000Z",
        "2027-02-30T08:00:00.000000Z",
        "2027-03-01T08:00:00.00000٠Z",
        "2027-03-01T08:00:00.000000Z\n",
        "now",
    ],
)
def test_another_form_of_an_instant_is_unreadable(written: str) -> None:
    with pytest.raises(Unreadable):
        cells.from_instant(written)


@pytest.mark.parametrize("written", ["", "[]"])
def test_no_rows_are_no_rows_however_they_are_written(written: str) -> None:
    columns = {"list": written}
    assert (
        cells.texts(columns, "list")
        == site_cells.parts(columns, "list")
        == site_cells.fading(columns, "list")
        == ()
    )


@pytest.mark.parametrize("written", ["{", "{}", '"text"', "[1]"])
def test_what_is_not_a_list_of_rows_is_unreadable(written: str) -> None:
    with pytest.raises(Unreadable):
        site_cells.parts({"list": written}, "list")
