"""The whole engine for homes far from the machine it runs on: nights over a change of clocks, and days that have begun
elsewhere already."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.platform import BOOKING
from shared.domain.portfolio import Home
from tests.engine.hamlet import Hamlet, calendar, link

CHANGES = {
    "Europe/Paris": date(2027, 3, 28),
    "America/Santiago": date(2027, 4, 4),
    "Australia/Lord_Howe": date(2027, 4, 4),
    "Pacific/Chatham": date(2027, 4, 4),
    "Pacific/Kiritimati": date(2027, 4, 4),
}
"""A day of spring 2027 on which the clocks change there; Kiritimati, which never changes, is 14 hours ahead."""


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", CHANGES)
def test_nights_over_a_change_of_clocks_are_closed_to_the_night(zone: str) -> None:
    built = Hamlet((Home("home", "Maison", "owner", zone),), {"home": BOOKING})
    built.run(built.first_answers())
    dates = StayDates.of_nights(CHANGES[zone] - timedelta(days=1), 3)
    built.web.answers[link("home")] = calendar(("over the change", dates))
    built.run(built.engine.calendars.shard("0000", force=True))
    assert built.booking.closed("home") == set(dates.nights())
    built.close()


@pytest.mark.parametrize(
    ("zone", "today"), [("Pacific/Kiritimati", date(2027, 3, 2)), ("Pacific/Pago_Pago", date(2027, 2, 28))]
)
def test_what_has_passed_is_passed_by_the_homes_own_day(zone: str, today: date) -> None:
    """1 March, 10:30 UTC: it is the 2nd already in Kiritimati, and still the 28th in Pago Pago."""
    begins = datetime(2027, 3, 1, 10, 30, tzinfo=UTC)
    built = Hamlet((Home("home", "Maison", "owner", zone),), {"home": BOOKING}, start=begins)
    built.run(built.first_answers())
    in_the_house = StayDates(date(2027, 2, 25), date(2027, 3, 6))
    built.web.answers[link("home")] = calendar(("guest", in_the_house))
    built.run(built.engine.calendars.shard("0000", force=True))
    assert min(built.booking.closed("home")) == today
    assert max(built.booking.closed("home")) == date(2027, 3, 5)
    built.close()


def test_a_stay_booked_and_begun_on_the_same_day_is_closed_at_once() -> None:
    begins = datetime(2027, 3, 1, 16, 0, tzinfo=UTC)
    built = Hamlet((Home("home", "Maison", "owner"),), {"home": BOOKING}, start=begins)
    built.run(built.first_answers())
    tonight = StayDates.of_nights(date(2027, 3, 1), 1)
    built.web.answers[link("home")] = calendar(("tonight", tonight))
    built.run(built.engine.calendars.shard("0000", force=True))
    assert built.booking.closed("home") == {date(2027, 3, 1)}
    built.close()
