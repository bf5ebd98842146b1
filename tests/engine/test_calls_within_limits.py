"""The whole engine on two hosts, and a platform that counts: never a call too many, and no more calls than changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from bench.estate import Estate
from shared.resilience.rate_limit import PROPERTY, Limit

WRITES = frozenset({"write"})


@pytest.fixture
def estate() -> Iterator[Estate]:
    built = Estate(30, (Limit(10, 60, operations=WRITES), Limit(2, 60, PROPERTY, WRITES)), hosts=2)
    yield built
    built.close()


def test_one_call_a_changed_home_however_many_nights_and_none_when_nothing_changed(estate: Estate) -> None:
    for number, home in enumerate(estate.homes):
        for stay in range(1 + number % 3):
            estate.sell(home, 10 + 20 * stay, 1 + number)
    estate.run(estate.live(600, estate.all_closed))
    assert estate.all_closed()
    assert estate.counting.refused == []
    assert set(Counter(call.unit for call in estate.counting.calls).values()) == {1}
    took = estate.counting.calls[-1].at - estate.counting.calls[0].at
    assert 120 < took < 240  # three windows of ten calls

    calls = len(estate.counting.calls)
    estate.tell_again()
    estate.run(estate.live(120))
    assert len(estate.counting.calls) == calls


def test_what_is_left_of_a_limit_stands_in_the_status(estate: Estate) -> None:
    estate.sell(estate.homes[0], 10, 3)
    estate.run(estate.live(60, estate.all_closed))
    shown = {one["id"]: one.get("calls_left") for one in estate.accounts()}
    assert shown == {"booking": {}, "airbnb": {"10/min write": 9, "2/min a property write": 1}}
