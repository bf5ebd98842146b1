"""Retry-After as RFC 9110 writes it, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.retry_after import LONGEST_WAIT, parse_http_date, parse_retry_after
from tests.security import corpus

NOW = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)


def test_published_cases() -> None:
    cases = corpus.load("http/retry_after.json")["cases"]
    assert len(cases) == 16
    for case in cases:
        value = case["value"]
        if case.get("invalid"):
            assert parse_retry_after(value, NOW) is None, case
        elif "seconds" in case:
            assert parse_retry_after(value, NOW) == case["seconds"], case
        else:
            moment = datetime.fromtimestamp(case["epoch"], UTC)
            assert parse_http_date(value, NOW) == moment, case
            assert parse_retry_after(value, moment - timedelta(seconds=90)) == 90, case
            assert parse_retry_after(value, NOW) == 0, case


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("007", 7.0),
        ("300", 300.0),
        ("301", 300.0),
        ("999999999", 300.0),
        ("Thu, 01 May 2031 12:00:30 GMT", 30.0),
        ("Thursday, 01-May-31 12:00:30 GMT", 30.0),
        ("Thu May  1 12:00:30 2031", 30.0),
        ("Fri, 02 May 2031 12:00:00 GMT", 300.0),
        ("Thu, 01 May 2031 12:00:60 GMT", 60.0),  # a leap second
        ("Thu, 01 May 2031 12:00:61 GMT", None),
        ("Thu, 01 May 2031 12:60:00 GMT", None),
        ("Thu, 01 May 2031 12:00:30 UTC", None),
        ("Thu, 01 May 2031 12:00:30 +0000", None),
        ("thu, 01 may 2031 12:00:30 gmt", None),
        ("Thu, 1 May 2031 12:00:30 GMT", None),
        ("Thu, 01 May 0000 12:00:30 GMT", None),
        ("Fri, 31 Dec 9999 23:59:60 GMT", None),
        ("2031-05-01T12:00:30Z", None),
        ("30\n", None),
        ("30, 60", None),
        ("３０", None),
    ],
)
def test_values(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(("year", "expected"), [("80", 2080), ("81", 2081), ("82", 1982), ("30", 2030)])
def test_two_digits_of_a_year_are_never_over_fifty_years_ahead(year: str, expected: int) -> None:
    moment = parse_http_date(f"Sunday, 06-Nov-{year} 08:49:37 GMT", NOW)
    assert moment is not None
    assert moment.year == expected


@given(st.text(max_size=40))
def test_any_text_gives_a_bounded_wait_or_none(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2080, 1, 1)))  # noqa: DTZ001
def test_each_of_the_three_forms_names_the_same_instant(naive: datetime) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT"):
        assert parse_http_date(moment.strftime(form), NOW) == moment
    asctime = f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}"
    assert parse_http_date(asctime, NOW) == moment
