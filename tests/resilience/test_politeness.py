"""What one host's calendars may be asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.politeness import HOST_RATE, LONGEST, SHORTEST, USUAL, pace, rate_of


def test_a_few_links_are_asked_as_often_as_was_wished() -> None:
    assert pace(3).seconds == USUAL
    assert pace(3, wished=90).seconds == 90
    assert not pace(3).batch


@pytest.mark.parametrize(("wished", "seconds"), [(1, SHORTEST), (60, 60), (300, 300), (9999, LONGEST)])
def test_wishes_stay_within_real_time(wished: float, seconds: float) -> None:
    assert pace(1, wished=wished).seconds == seconds


@pytest.mark.parametrize(
    ("stake", "seconds"), [(None, 120), (0, 120), (3, 120), (16.5, 180), (30, 240), (400, 240)]
)
def test_what_is_far_off_is_asked_for_less_often(stake: float | None, seconds: float) -> None:
    assert pace(1, stake=stake).seconds == pytest.approx(seconds)


def test_what_is_far_off_alone_is_never_batch() -> None:
    assert pace(1, wished=300, stake=365).seconds == LONGEST


def test_the_hosts_limit_binds_and_says_why_it_is_batch() -> None:
    just = pace(540)
    assert (just.seconds, just.batch) == (300, False)
    over = pace(541)
    assert over.batch
    assert over.seconds == pytest.approx(541 * 60 / 108)
    assert over.reason["en"].startswith("541 calendars on the same host, which bears 120 requests a minute")
    assert over.reason["fr"].endswith("chacun est lu toutes les 6 minutes.")


def test_hosts_by_name() -> None:
    assert rate_of("www.airbnb.fr") == rate_of("WWW.AIRBNB.com") == 240
    assert rate_of("airbnb-calendars.example") == rate_of("admin.booking.com") == HOST_RATE


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_host_that_bears_nothing_is_a_mistake(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        pace(1, rate=rate)


@given(
    st.integers(0, 100_000),
    st.floats(0, 1000),
    st.none() | st.floats(-10, 1000),
    st.floats(0.1, 1000),
)
def test_all_links_together_never_pass_the_rate(
    links: int, wished: float, stake: float | None, rate: float
) -> None:
    found = pace(links, wished=wished, stake=stake, rate=rate)
    assert links / found.seconds * 60 <= rate * 0.9 * (1 + 1e-9)
    assert found.seconds >= SHORTEST
    assert found.batch is (found.seconds > LONGEST)
