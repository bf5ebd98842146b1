"""Homes sold by count, and nights that a platform puts back on sale by itself: what was written once must be said
again when the platform's own sales changed under it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.state.names import SITES
from shared.state.site_codec import RESERVATION
from tests.engine.hamlet import Hamlet, calendar, link, stay
from tests.engine.stories import (
    JULY,
    MINUTE,
    clashes,
    ledger,
    nights,
    polled,
    pulled,
    sold,
    told,
)
from tests.engine.stories import after as later
from tests.engine.village import Sold, Village


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


@pytest.fixture
def studios() -> Iterator[Village]:
    built = Village(units=3)
    yield built
    built.close()


def sell(village: Village, platform: str) -> Sold:
    stay = village.book(platform, JULY)
    assert stay is not None
    return stay


def written(village: Village) -> set[int]:
    """The counts of the last write into Booking.com's calendar."""
    last = village.booking.writes[-1]
    assert set(last) == set(JULY.nights())
    return set(last.values())


def test_nights_that_a_cancellation_puts_back_on_sale_are_closed_again(village: Village) -> None:
    lost = sell(village, "booking")
    sell(village, "airbnb")
    village.run(village.webhook(village.deliveries.pop()))
    village.run(village.poll_booking())
    village.booking.calendar.cancel(lost)
    village.booking.calendar.closed.clear()  # its own rule: a cancelled stay's nights are for sale again
    village.say("booking", lost, "cancel")
    village.run(village.poll_booking())
    assert village.booking.calendar.closed == set(JULY.nights())


def test_a_count_written_before_a_sale_was_known_is_written_again(studios: Village) -> None:
    sell(studios, "greengo")
    sell(studios, "booking")  # not polled yet: the count that goes out is one too high
    studios.run(studios.poll_greengo())
    assert written(studios) == {2}
    studios.run(studios.poll_booking())
    assert written(studios) == {1}


def test_a_count_is_raised_by_the_poll_that_began_after_the_release(studios: Village) -> None:
    stay = sell(studios, "greengo")
    studios.book("greengo", StayDates.of_nights(date(2027, 9, 1), 2))
    studios.run(studios.poll_greengo())
    studios.greengo.calendar.cancel(stay)
    for minutes in (0, 21):
        studios.clock.advance(timedelta(minutes=minutes))
        studios.run(studios.poll_greengo())
    assert min(studios.booking.writes[-1].values()) == 2  # nothing raised: a sale may be on its way
    studios.run(studios.poll_booking())
    studios.clock.advance(timedelta(seconds=20))
    studios.run(studios.engine.on_timer_sweep())
    studios.run(studios.drain())
    assert written(studios) == {3}


def test_a_closure_to_be_said_again_and_then_released_is_opened_not_forgotten(village: Village) -> None:
    mine = sell(village, "airbnb")
    village.run(village.webhook(village.deliveries.pop()))
    village.booking.calendar.closed.clear()
    own = sell(village, "booking")
    village.booking.calendar.closed.update(JULY.nights())
    pause(village, "revoked")
    village.run(village.poll_booking())
    village.airbnb.calendar.cancel(mine)
    village.say("airbnb", mine, "cancel")
    village.run(village.webhook(village.deliveries.pop()))
    village.booking.calendar.cancel(own)
    village.say("booking", own, "cancel")
    pause(village, "")
    village.run(village.settle())
    assert village.booking.calendar.closed == set()


def pause(village: Village, why: str) -> None:
    village.run(village.engine.world.accounts.pause("booking", why))
    village.clock.advance(timedelta(seconds=10))


# --------------------------------------------------------------------- a calendar, which knows no counts


@pytest.fixture
def pair() -> Iterator[Village]:
    """Two units, on Airbnb and Booking.com by API and on Greengo by calendar links."""
    built = Village(units=2)
    built.run(built.poll_greengo())
    yield built
    built.close()


def test_a_sale_of_nights_that_our_calendar_never_held_is_a_sale(pair: Village) -> None:
    """One unit was left, so our calendar held nothing; its fetch still passed for proof that Greengo had our closure.
    The sale of the other unit passed for that closure, and the unit was sold a second time, told to nobody."""
    told(pair, "airbnb", JULY)
    pulled(pair)
    assert pair.greengo.calendar.closed == set()
    assert ledger(pair, "greengo") == []
    pair.clock.advance(MINUTE)
    sold(pair, "greengo", JULY)
    polled(pair, MINUTE)
    assert written(pair) == {0}


def test_a_closure_that_a_peers_own_sale_brought_about_is_no_further_guest(pair: Village) -> None:
    """The nights that are closed were not those of any stay: our closure came back as a third guest, a double booking
    was told, and what was left of it kept the nights closed when the second guest had cancelled."""
    told(pair, "airbnb", StayDates(date(2027, 7, 8), date(2027, 7, 16)))
    own = sold(pair, "greengo", JULY)
    polled(pair, MINUTE)
    pulled(pair)
    assert pair.greengo.calendar.closed == nights(JULY)
    polled(pair, MINUTE)
    assert clashes(pair) == []
    pair.greengo.calendar.cancel(own)
    for _ in range(3):
        polled(pair, timedelta(minutes=21))
        pulled(pair)
    pair.run(pair.poll_booking())
    later(pair, MINUTE)
    assert pair.greengo.calendar.closed == set()
    assert set(pair.booking.writes[-1].values()) == {1}


def test_a_closure_in_progress_stays_the_one_that_its_peer_took(pair: Village) -> None:
    """The guests of the first nights have left: what our calendar shows of the others is no new closure."""
    week = StayDates(date(2027, 7, 10), date(2027, 7, 17))
    told(pair, "airbnb", week)
    pair.booking.calendar.closed.clear()
    told(pair, "booking", JULY)
    pair.booking.calendar.closed.clear()
    told(pair, "booking", StayDates(JULY.check_out, week.check_out))
    pulled(pair)
    before = {row.key: row.taken_at for row in ledger(pair, "greengo")}
    assert None not in before.values()
    for day in (11, 13, 15):
        pair.clock.advance(datetime(2027, 7, day, 9, tzinfo=UTC) - pair.clock.now())
        polled(pair)
        later(pair, MINUTE)
        assert {row.key: row.taken_at for row in ledger(pair, "greengo")}.items() <= before.items()
        assert {row.dates.check_out for row in ledger(pair, "greengo")} >= {week.check_out}
        assert clashes(pair) == []


def test_rule_19_a_count_forgets_no_stay_of_the_only_platform_we_write_to() -> None:
    """No listing holds a closure for it: in a calendar there is none while units are left."""
    studios = Hamlet([Home("studio", "Studio", "owner", units=3)], {"studio": GREENGO})
    studios.run(studios.first_answers())
    studios.booking.tell(stay("mine", ("studio", JULY)))
    studios.run(studios.poll())
    (row,) = studios.run(studios.tables.query(SITES, "studio", start=RESERVATION, stop=RESERVATION + "~"))
    studios.run(studios.tables.upsert(SITES, replace(row, values={"parts": "what is this?"}, etag=None)))
    studios.web.answers[link("studio")] = calendar(("other", JULY))
    studios.run(studios.engine.calendars.shard("0000", force=True))
    assert {studios.booking.levels["studio"][night] for night in JULY.nights()} == {1}
    studios.close()
