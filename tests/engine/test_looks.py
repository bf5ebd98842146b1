"""What a look at a peer's calendar proves when the peer takes ours (rule 3): nothing, while it leaves out what we
believe stands there; and an empty calendar is no lie where nothing is missing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.dates import StayDates
from tests.engine.stories import (
    AUGUST,
    JULY,
    MINUTE,
    cancelled,
    clashes,
    ledger,
    moved,
    nights,
    opened,
    polled,
    pulled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, START, Sold, Village

HOUR = timedelta(hours=1)
TODAY = START.date()
UNREADABLE = ("event 7: its DTSTART cannot be read",)


def shown_at(village: Village, dates: StayDates) -> Sold:
    """A stay of Greengo's own that we have seen in its calendar."""
    stay = sold(village, "greengo", dates)
    polled(village)
    return stay


def echoed(village: Village, dates: StayDates) -> None:
    """A stay of Airbnb's whose closure Greengo took, and shows as its own."""
    told(village, "airbnb", dates)
    pulled(village)
    polled(village)
    assert clashes(village) == []


def both_sell(village: Village, dates: StayDates) -> Sold:
    """Airbnb sells, then Greengo, and only then does Greengo take our closure; of the two it shows its sale alone.
    Returns Airbnb's stay."""
    village.greengo.echoes = False
    stay = told(village, "airbnb", dates)
    theirs = sold(village, "greengo", dates)
    village.greengo.hidden |= {theirs.id} if village.greengo.hidden else set()
    pulled(village)
    return stay


def works_again(village: Village) -> None:
    village.greengo.empty, village.greengo.oddities, village.greengo.unchanged = False, (), False
    village.greengo.hidden = set()
    polled(village)


def check_the_double_sale_stands(village: Village, first: Sold) -> None:
    """It is told; and when the stay we closed for is cancelled, no night of Greengo's guest is opened."""
    assert [one.conflict_dates for one in clashes(village)] == [first.dates]
    polled(village, 7 * HOUR)
    assert [one.conflict_dates for one in clashes(village)] == [first.dates]
    cancelled(village, "airbnb", first)
    pulled(village)
    for _ in range(3):
        polled(village, HOUR)
    taken = nights(first.dates)
    assert village.airbnb.calendar.closed & taken == village.booking.calendar.closed & taken == taken
    assert not opened(village.booking) & taken


# ------------------------------------------------------------------------------------- a calendar that lies


def test_an_empty_answer_where_our_closures_stood_is_no_look(village: Village) -> None:
    echoed(village, AUGUST)
    village.greengo.empty = True
    first = both_sell(village, JULY)
    works_again(village)
    check_the_double_sale_stands(village, first)


def test_an_empty_answer_where_a_sale_stood_is_no_look(village: Village) -> None:
    shown_at(village, AUGUST)
    village.greengo.empty = True
    first = both_sell(village, JULY)
    works_again(village)
    check_the_double_sale_stands(village, first)


def test_the_fourth_empty_answer_is_no_better_than_the_first(village: Village) -> None:
    echoed(village, AUGUST)
    village.greengo.empty = True
    for _ in range(3):
        polled(village, HOUR)
    first = both_sell(village, JULY)
    works_again(village)
    check_the_double_sale_stands(village, first)


def test_an_empty_answer_to_a_pass_makes_the_look_after_it_no_better(village: Village) -> None:
    """The closure that stood there was released meanwhile, and its release was fetched: nothing is known to stand
    there, and the calendar still lies."""
    stay = told(village, "airbnb", AUGUST)
    pulled(village)
    polled(village)
    village.greengo.empty = True
    cancelled(village, "airbnb", stay)
    pulled(village)
    first = both_sell(village, JULY)
    works_again(village)
    check_the_double_sale_stands(village, first)


def test_an_answer_that_lacks_one_sale_of_four_is_no_look(village: Village) -> None:
    others = [StayDates.of_nights(AUGUST.check_in + 7 * timedelta(days=n), 3) for n in range(1, 4)]
    missing, *_ = [shown_at(village, dates) for dates in (AUGUST, *others)]
    village.greengo.hidden = {missing.id}
    first = both_sell(village, JULY)
    works_again(village)
    check_the_double_sale_stands(village, first)


def test_a_stay_that_moved_while_it_was_missing_comes_back_as_a_sale(village: Village) -> None:
    shown_at(village, StayDates.of_nights(AUGUST.check_out, 2))
    stay = shown_at(village, AUGUST)
    village.greengo.hidden = {stay.id}
    village.greengo.echoes = False
    first = told(village, "airbnb", JULY)
    moved(village, "greengo", stay, JULY)
    pulled(village)
    works_again(village)
    check_the_double_sale_stands(village, first)


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_an_answer_with_an_unreadable_event_is_no_look(village: Village, before: int) -> None:
    """However often it said so before: the hash of a partial answer is not that of a whole one."""
    shown_at(village, AUGUST)
    village.greengo.oddities, village.greengo.hidden = UNREADABLE, {"nobody"}
    for _ in range(before):
        polled(village, MINUTE)
    first = both_sell(village, JULY)
    works_again(village)
    check_the_double_sale_stands(village, first)


def test_unchanged_since_an_unreadable_event_is_no_look(village: Village) -> None:
    shown_at(village, AUGUST)
    village.greengo.oddities = UNREADABLE
    polled(village)
    stay = sold(village, "greengo", StayDates.of_nights(AUGUST.check_out, 2))
    polled(village)
    village.greengo.unchanged = True
    first = both_sell(village, JULY)
    assert village.unproven() == 1
    works_again(village)
    assert stay.live
    check_the_double_sale_stands(village, first)


@pytest.mark.parametrize("name", ["A", "z"])  # sorts before and after the echo's
@pytest.mark.parametrize("trouble", ["empty", "hidden"])
def test_a_sale_no_answer_could_show_is_not_opened_while_its_calendar_shows_our_closure_besides(
    village: Village, trouble: str, name: str
) -> None:
    """Nothing was missing that we knew of, so the look counted. Both events appear after the release; whichever passes
    for the echo, what the released closure explained once is all that it explains."""
    greengo = village.greengo
    greengo.calendar.name = name
    theirs = sold(village, "greengo", JULY)
    greengo.empty, greengo.hidden = trouble == "empty", {theirs.id}
    first = told(village, "airbnb", JULY)
    pulled(village)
    assert village.unproven() == 0
    cancelled(village, "airbnb", first)
    works_again(village)
    village.booking.writes.clear()
    for _ in range(4):
        pulled(village)
        polled(village, 2 * MINUTE)
    polled(village, 20 * MINUTE)
    assert village.booking.calendar.closed == village.airbnb.calendar.closed == nights(JULY)
    assert not opened(village.booking)


# ----------------------------------------------------------------------------------- a calendar that is true


def test_the_echoes_of_a_calendar_that_was_always_empty_are_recognised(village: Village) -> None:
    """A new listing: nothing was ever sold there, and nothing is missing."""
    polled(village, 24 * HOUR)
    echoed(village, JULY)
    echoed(village, AUGUST)
    assert village.airbnb.calendar.closed == set()
    assert village.unproven() == 0


def test_a_calendar_that_let_go_of_our_closures_may_be_empty(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    cancelled(village, "airbnb", stay)
    pulled(village)
    polled(village, MINUTE)
    assert not village.greengo.calendar.closed
    echoed(village, AUGUST)
    assert village.unproven() == 0


def test_a_calendar_whose_only_stay_has_ended_may_be_empty(village: Village) -> None:
    stay = shown_at(village, StayDates.of_nights(TODAY + timedelta(days=2), 2))
    polled(village, 72 * HOUR)
    village.greengo.hidden = {stay.id}
    polled(village, 24 * HOUR)
    echoed(village, JULY)
    assert village.unproven() == 0


def test_a_calendar_whose_only_closure_has_passed_may_be_empty(village: Village) -> None:
    echoed(village, StayDates.of_nights(TODAY + timedelta(days=2), 2))
    village.clock.advance(96 * HOUR)
    village.greengo.imported = {}
    polled(village)
    echoed(village, JULY)
    assert village.unproven() == 0


def test_a_cancellation_just_seen_raises_an_alarm_that_ends_when_it_is_believed(village: Village) -> None:
    """Is it cancelled, or does the calendar leave things out? Until that is known, what looks like our closure may be a
    sale; once it is, the look was a good one."""
    after = shown_at(village, StayDates.of_nights(AUGUST.check_out, 2)).dates
    stay = shown_at(village, AUGUST)
    cancelled(village, "greengo", stay)
    polled(village)
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village, MINUTE)
    assert [one.conflict_dates for one in clashes(village)] == [JULY]
    polled(village, 20 * MINUTE)
    assert clashes(village) == []
    assert {row.dates for row in ledger(village, "booking") if row.wanted} == {JULY, after}


def test_the_only_stay_cancelled_is_believed_after_six_hours_and_so_is_the_look(village: Village) -> None:
    stay = shown_at(village, AUGUST)
    cancelled(village, "greengo", stay)
    polled(village)
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village, MINUTE)
    assert [one.conflict_dates for one in clashes(village)] == [JULY]
    polled(village, 6 * HOUR)
    assert clashes(village) == []
    assert [row.dates for row in ledger(village, "booking") if row.wanted] == [JULY]


def test_a_calendar_that_stays_empty_is_believed_after_six_hours(village: Village) -> None:
    """It had shown our closures, and does not any more: whatever the reason, it says so for long enough."""
    echoed(village, AUGUST)
    village.greengo.empty = True
    polled(village)
    assert stored(village).listings[f"{HOME}-greengo"].bare_since is not None
    polled(village, 6 * HOUR)
    told(village, "airbnb", JULY)
    pulled(village)
    assert village.unproven() == 0


def test_a_guest_in_the_house_who_is_shown_no_more_spoils_no_look_after_six_hours(village: Village) -> None:
    """Some calendars leave out a stay once it has begun; its nights are held, and its absence is no news."""
    shown_at(village, AUGUST)
    stay = shown_at(village, StayDates.of_nights(TODAY - timedelta(days=1), 6))
    village.greengo.hidden = {stay.id}
    polled(village)
    polled(village, 6 * HOUR)
    echoed(village, JULY)
    assert village.unproven() == 0
