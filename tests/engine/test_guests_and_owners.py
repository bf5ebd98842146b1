"""What guests and owners do with their stays, each as a small story through the whole engine."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared.domain.dates import StayDates
from shared.domain.model import Busy
from shared.domain.platform import BOOKING
from shared.domain.portfolio import Home
from shared.ports.people import Notice
from tests.engine.hamlet import Hamlet, calendar, link
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    MINUTE,
    after,
    cancelled,
    clashes,
    deliver,
    hear,
    ledger,
    moved,
    nights,
    opened,
    polled,
    pulled,
    sold,
    told,
)
from tests.engine.village import HOME, Village

DAY = timedelta(days=1)
SHORTER = StayDates(JULY.check_in, JULY.check_out - DAY)


# ------------------------------------------------------------------------------------------------ guests


def test_a_shortened_stay_opens_only_the_night_it_gave_back(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    moved(village, "airbnb", stay, SHORTER)
    assert village.booking.calendar.closed == nights(SHORTER)
    assert opened(village.booking) == nights(JULY) - nights(SHORTER)


def test_a_stay_extended_into_another_is_one_conflict_and_its_nights_are_closed_everywhere(
    village: Village,
) -> None:
    stay = told(village, "airbnb", JULY)
    other = village.booking.calendar.book(StayDates(JULY.check_out, JULY.check_out + 3 * DAY))
    assert other is not None
    village.say("booking", other, "new")
    hear(village)
    longer = StayDates(JULY.check_in, JULY.check_out + DAY)
    village.airbnb.calendar.closed.clear()  # the host lets the guest stay a night more
    moved(village, "airbnb", stay, longer)
    (clash,) = clashes(village)
    assert clash.conflict_dates == StayDates(JULY.check_out, longer.check_out)
    pulled(village)
    assert nights(longer, other.dates) <= village.greengo.calendar.closed
    assert nights(other.dates) <= village.airbnb.calendar.taken()
    assert nights(longer) <= village.booking.calendar.taken()


def test_nights_cancelled_and_booked_again_never_open_while_the_new_stay_is_known(village: Village) -> None:
    """Another guest takes the same nights before the word of the cancellation arrives."""
    first = told(village, "airbnb", JULY)
    village.airbnb.calendar.cancel(first)
    again = sold(village, "airbnb", JULY)
    deliver(village)
    village.say("airbnb", first, "modify")
    deliver(village)
    assert again.id != first.id
    assert village.booking.calendar.closed == nights(JULY)
    assert not opened(village.booking)


def test_one_poll_that_tells_of_a_cancellation_and_of_the_next_guest_opens_nothing(village: Village) -> None:
    first = told(village, "booking", JULY)
    village.booking.calendar.cancel(first)
    village.say("booking", first, "modify")
    sold(village, "booking", JULY)
    hear(village)
    assert village.airbnb.calendar.closed == nights(JULY)
    assert not opened(village.airbnb)


def test_the_same_reservation_booked_anew_is_told_by_its_version(village: Village) -> None:
    """Under its old code, later than its cancellation: its nights are closed again."""
    stay = told(village, "airbnb", JULY)
    cancelled(village, "airbnb", stay)
    assert not village.booking.calendar.closed
    stay.live = True
    assert village.airbnb.calendar.move(stay, AUGUST)
    village.say("airbnb", stay, "modify")
    hear(village)
    assert village.booking.calendar.closed == nights(AUGUST)


def test_a_stay_of_which_only_price_or_name_changed_causes_no_write(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    pulled(village)
    before = (len(village.booking.writes), len(village.airbnb.writes), ledger(village, "greengo"))
    for _ in range(3):
        assert village.airbnb.calendar.move(stay, JULY)  # a newer version with the same nights
        village.say("airbnb", stay, "modify")
        hear(village)
    assert (len(village.booking.writes), len(village.airbnb.writes), ledger(village, "greengo")) == before


def test_two_hosts_that_store_overlapping_stays_at_once_lose_neither(village: Village) -> None:
    """Airbnb's and Booking.com's sales meet over one night, and two processes work them off at the same moment."""
    sold(village, "airbnb", JULY)
    sold(village, "booking", LATER)
    other = village.another_host()
    village.clock.advance(timedelta(seconds=20))

    async def both() -> None:
        await asyncio.gather(village.webhook(village.deliveries.pop()), other.queues.poll("booking"))

    village.run(both())
    after(village, MINUTE)
    (clash,) = clashes(village)
    assert clash.conflict_dates == StayDates(LATER.check_in, JULY.check_out)
    pulled(village)
    assert village.greengo.calendar.closed == nights(JULY, LATER)
    assert nights(LATER) <= village.airbnb.calendar.taken()
    assert nights(JULY) <= village.booking.calendar.taken()


# ------------------------------------------------------------------------------------------------ owners


def test_an_owners_closure_over_a_sale_drops_neither_and_is_no_double_sale(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    mine = village.greengo.calendar.book(JULY)
    assert mine is not None
    village.greengo.kinds[mine.id] = Busy.BLOCK
    polled(village)
    assert not clashes(village)
    assert nights(JULY) <= village.booking.calendar.closed
    cancelled(village, "airbnb", stay)
    assert nights(JULY) <= village.booking.calendar.closed, "the owner's closure stands by itself"


def test_a_sale_over_an_owners_closure_is_kept_and_closed_everywhere(village: Village) -> None:
    mine = village.greengo.calendar.book(JULY)
    assert mine is not None
    village.greengo.kinds[mine.id] = Busy.BLOCK
    village.booking.calendar.closed.clear()
    sold(village, "booking", LATER)
    polled(village)
    hear(village)
    assert nights(JULY, LATER) <= village.airbnb.calendar.closed
    village.greengo.calendar.cancel(mine)
    polled(village)
    polled(village, 6 * 60 * MINUTE)  # its calendar is empty now
    assert village.airbnb.calendar.closed == nights(LATER)


def test_one_closure_that_a_calendar_cuts_into_two_overlapping_events_is_no_double_sale() -> None:
    built = Hamlet((Home("home", "Maison", "owner"),), {"home": BOOKING})
    built.run(built.first_answers())
    built.web.answers[link("home")] = calendar(("one", JULY), ("two", LATER))
    built.run(built.engine.calendars.shard("0000", force=True))
    state = built.run(built.engine.world.sites.load("home"))
    assert not state.conflicts
    assert built.booking.closed("home") == nights(JULY, LATER)
    built.close()


# ------------------------------------------------------------------------------------------ echoes and silence


def test_two_touching_closures_that_a_platform_shows_as_one_are_still_ours(village: Village) -> None:
    """It joins our two closures into one event with a UID of its own."""
    told(village, "airbnb", JULY)
    told(village, "booking", StayDates(JULY.check_out, JULY.check_out + 4 * DAY))
    pulled(village)
    joined = StayDates(JULY.check_in, JULY.check_out + 4 * DAY)
    village.greengo.imported = {"joined": joined}
    polled(village, MINUTE)
    assert not clashes(village)
    assert village.airbnb.calendar.closed == nights(joined) - nights(JULY)
    assert village.booking.calendar.closed == nights(JULY)


def test_one_night_more_than_we_closed_is_a_sale(village: Village) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    village.greengo.imported = {"longer": StayDates(JULY.check_in, JULY.check_out + DAY)}
    polled(village, MINUTE)
    (clash,) = clashes(village)
    assert clash.conflict_dates == JULY


def test_a_calendar_that_stops_answering_is_told_once_with_its_return_and_opens_nothing(
    village: Village,
) -> None:
    sold(village, "greengo", JULY)
    polled(village)
    village.greengo.faults.down = True
    for _ in range(12):
        polled(village, 30 * MINUTE)
    assert [notice.key for notice in silence(village)] == [f"{HOME}-greengo batch"]
    assert village.airbnb.calendar.closed == nights(JULY)
    village.greengo.faults.down = False
    for _ in range(3):
        polled(village, 30 * MINUTE)
    assert [notice.key for notice in silence(village)] == [f"{HOME}-greengo batch", f"{HOME}-greengo back"]


def silence(village: Village) -> list[Notice]:
    return [notice for notice in village.notify.notices if notice.kind == "mode_changed"]
