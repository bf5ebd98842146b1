"""The stopwatch of ``make run``: judged by the platforms' books, it flatters nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from local.run_stopwatch import Stopwatch
from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Listing, Platform, sample
from local.sandbox.truth import Truth
from shared.domain.dates import StayDates

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 12))
AIRBNB, BOOKING, GREENGO = "9876543", "123456701", "greengo-1"


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def truth() -> Truth:
    return Truth(sample().listings, Clock(frozen(datetime(2027, 5, 1, tzinfo=UTC))))


def close(truth: Truth, dates: StayDates) -> None:
    for night in dates.nights():
        truth.partner_counts(f"booking/{BOOKING}", night, 0)


def test_a_closure_counts_from_the_booking_to_the_last_of_its_nights(truth: Truth, seconds: Seconds) -> None:
    watch = Stopwatch(truth, seconds)
    watch.look()
    truth.book(Platform.AIRBNB, [(AIRBNB, JULY)])
    watch.look()
    seconds.now = 2.0
    close(truth, StayDates(JULY.check_in, date(2027, 7, 11)))
    watch.look()
    assert watch.news() == []
    seconds.now = 3.5
    close(truth, JULY)
    watch.look()
    [closure] = watch.news()
    assert (closure.sold_on, closure.closed_on) == (f"airbnb/{AIRBNB}", f"booking/{BOOKING}")
    assert closure.seconds == 3.5
    assert watch.waiting == 1  # Greengo still sells them
    assert watch.news() == []


def test_what_was_there_before_and_what_is_cancelled_is_not_measured(truth: Truth, seconds: Seconds) -> None:
    truth.book(Platform.AIRBNB, [(AIRBNB, JULY)])
    watch = Stopwatch(truth, seconds)
    watch.look()
    assert watch.waiting == 0
    later = truth.book(Platform.AIRBNB, [(AIRBNB, StayDates.of_nights(date(2027, 8, 1), 1))])
    watch.look()
    assert watch.waiting == 1
    truth.cancel(later.id)
    watch.look()
    assert watch.waiting == 0


def test_a_stay_moved_to_closed_nights_sets_no_record(truth: Truth, seconds: Seconds) -> None:
    watch = Stopwatch(truth, seconds)
    watch.look()
    truth.block(Platform.GREENGO, GREENGO, JULY)
    close(truth, JULY)
    truth.book(Platform.AIRBNB, [(AIRBNB, JULY)])
    watch.look()
    assert (watch.waiting, watch.news(), watch.worst) == (0, [], 0.0)


def test_a_listing_with_several_units_is_left_out(seconds: Seconds) -> None:
    listings = (
        Listing(platform=Platform.BOOKING, id=BOOKING, home="studio", units=3),
        Listing(platform=Platform.GREENGO, id=GREENGO, home="studio", units=3),
    )
    truth = Truth(listings, Clock(frozen(datetime(2027, 5, 1, tzinfo=UTC))))
    watch = Stopwatch(truth, seconds)
    watch.look()
    truth.book(Platform.GREENGO, [(GREENGO, JULY)])
    watch.look()
    assert watch.waiting == 0
