"""One stay through everything: sold on one platform, closed on the others, moved, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from tests.engine.village import HOME, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
LATER = StayDates(date(2027, 7, 12), date(2027, 7, 15))


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


def nights(dates: StayDates) -> set[date]:
    return set(dates.nights())


def deliver(village: Village) -> None:
    while village.deliveries:
        village.run(village.webhook(village.deliveries.pop(0)))


def test_a_stay_on_airbnb_closes_booking_and_our_export_at_once(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    assert village.booking.calendar.closed == nights(JULY)
    assert village.airbnb.calendar.closed == set()
    assert village.run(village.greengo_pulls()) == 200
    assert village.greengo.calendar.closed == nights(JULY)
    assert village.greengo.calendar.book(JULY) is None


def test_a_stay_from_the_queue_closes_the_others_and_is_acknowledged(village: Village) -> None:
    village.book("booking", JULY)
    village.run(village.poll_booking())
    assert village.airbnb.calendar.closed == nights(JULY)
    assert village.booking.waiting == {}


def test_a_stay_from_a_feed_closes_the_others(village: Village) -> None:
    village.book("greengo", JULY)
    village.run(village.poll_greengo())
    assert village.airbnb.calendar.closed == nights(JULY)
    assert village.booking.calendar.closed == nights(JULY)


def test_a_moved_stay_moves_its_closures(village: Village) -> None:
    stay = village.book("airbnb", JULY)
    assert stay is not None
    deliver(village)
    assert village.airbnb.calendar.move(stay, LATER)
    village.say("airbnb", stay, "modify")
    deliver(village)
    assert village.booking.calendar.closed == nights(LATER)
    village.run(village.greengo_pulls())
    assert village.greengo.calendar.closed == nights(LATER)


def test_a_cancellation_by_api_opens_at_once(village: Village) -> None:
    stay = village.book("booking", JULY)
    assert stay is not None
    village.run(village.poll_booking())
    village.booking.calendar.cancel(stay)
    village.say("booking", stay, "modify")
    village.run(village.poll_booking())
    assert village.airbnb.calendar.closed == set()


def test_a_stay_gone_from_a_feed_opens_only_when_complete_answers_span_twenty_minutes(
    village: Village,
) -> None:
    stay = village.book("greengo", JULY)
    other = village.book("greengo", StayDates.of_nights(date(2027, 8, 1), 2))
    assert stay is not None
    assert other is not None
    village.run(village.poll_greengo())
    village.greengo.calendar.cancel(stay)
    village.run(village.poll_greengo())
    assert nights(JULY) <= village.airbnb.calendar.closed
    village.clock.advance(timedelta(minutes=19))
    village.run(village.poll_greengo())
    assert nights(JULY) <= village.airbnb.calendar.closed
    village.clock.advance(timedelta(minutes=1))
    village.run(village.poll_greengo())
    assert not nights(JULY) & village.airbnb.calendar.closed


def test_an_echo_is_not_a_stay_and_an_equal_sale_in_the_gap_is_a_conflict(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    village.run(village.greengo_pulls())
    village.run(village.drain())
    village.run(village.poll_greengo())
    state = village.run(village.engine.world.sites.load(HOME))
    assert state.conflicts == {}
    assert village.airbnb.calendar.closed == set()


def test_equal_nights_sold_before_the_peer_fetched_are_a_conflict(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    assert village.book("greengo", JULY) is not None
    village.run(village.poll_greengo())
    state = village.run(village.engine.world.sites.load(HOME))
    assert len(state.conflicts) == 1
    village.run(village.drain())
    kinds = [notice.kind for notice in village.notify.notices if notice.kind != "new_stay"]
    assert kinds == ["conflict"]


def test_nothing_to_do_costs_one_read_and_no_write(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    village.run(village.greengo_pulls())
    village.run(village.drain())
    calls: list[tuple[str, str]] = []

    def count(op: str, table: str, partition: str) -> None:
        calls.append((op, table))

    village.tables.before = count
    village.run(village.engine.reconciler.reconcile(HOME, "test"))
    assert [call for call in calls if call[1] == "Sites"] == [("query", "Sites")]
    assert not [call for call in calls if call[0] not in ("query", "get")]


def test_after_everything_the_calendars_are_exactly_right(village: Village) -> None:
    village.book("airbnb", JULY)
    village.book("booking", StayDates.of_nights(date(2027, 9, 1), 4))
    village.book("greengo", StayDates.of_nights(date(2027, 10, 1), 1))
    village.run(village.settle())
    september, october = StayDates.of_nights(date(2027, 9, 1), 4), StayDates.of_nights(date(2027, 10, 1), 1)
    assert village.airbnb.calendar.closed == nights(september) | nights(october)
    assert village.booking.calendar.closed == nights(JULY) | nights(october)
    assert village.greengo.calendar.closed == nights(JULY) | nights(september)
    assert village.run(village.engine.world.due.all()) == []
