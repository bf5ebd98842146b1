"""Airbnb asks before it sells: rules 20 and 22, and what would make a promise false, stick, or be refused wrongly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.connectors.airbnb_check import AirbnbCheck
from shared.domain.dates import StayDates
from shared.domain.errors import StoreUnavailable
from shared.domain.holds import HOLD_FOR
from shared.domain.model import Hold, Phase, Status
from shared.domain.platform import BOOKING
from shared.engine.availability_check import AvailabilityDesk
from shared.ports.stores import Row
from shared.state import site_codec
from shared.state.names import FEEDS, INBOX, SITES
from shared.state.sites import Changes
from tests.engine.asking import LISTING, UNIT, alters, asks, call, look, makes, reservation
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    MINUTE,
    after,
    cancelled,
    clashes,
    deliver,
    nights,
    pulled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, START, Village

BEFORE_JULY = StayDates(date(2027, 7, 7), date(2027, 7, 10))
"""Nights that end where July's begin: half-open, so they never meet."""


@pytest.fixture
def shop(village: Village) -> Village:
    """The village with every source just read: what is known is all there is."""
    village.run(look(village))
    return village


def ask(village: Village, dates: StayDates) -> bool:
    return village.run(asks(village.engine, dates))


def make(village: Village, code: str, dates: StayDates) -> bool:
    return village.run(makes(village.engine, code, dates))


def alter(village: Village, code: str, dates: StayDates) -> bool:
    return village.run(alters(village.engine, code, dates))


def kinds(village: Village) -> list[str]:
    return [notice.kind for notice in village.notify.notices]


def inbox(village: Village) -> list[Row]:
    return village.run(village.tables.query(INBOX, f"airbnb~{village.clock.peek():%Y%m%d}"))


# ------------------------------------------------------------------------------------------- rule 20: holds


def test_rule_20_the_second_check_meets_our_own_hold_and_is_told_yes(shop: Village) -> None:
    assert ask(shop, JULY)
    (first,) = stored(shop).holds.values()
    shop.clock.advance(timedelta(seconds=4))
    assert ask(shop, JULY)
    (second,) = stored(shop).holds.values()
    assert second.id == first.id
    assert second.expires - first.expires >= timedelta(seconds=4)


def test_rule_20_a_yes_stands_on_a_committed_hold_of_15_minutes(shop: Village) -> None:
    assert ask(shop, JULY)
    (hold,) = stored(shop).holds.values()
    assert (hold.listing, hold.dates) == (LISTING, JULY)
    assert HOLD_FOR - MINUTE < hold.expires - shop.clock.peek() <= timedelta(minutes=15)


def test_rule_20_no_committed_hold_no_yes(shop: Village) -> None:
    def fail(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES):
            raise StoreUnavailable("not now")

    shop.tables.before = fail
    assert not ask(shop, JULY)
    shop.tables.before = None
    assert stored(shop).holds == {}


def test_rule_20_a_store_that_hangs_is_a_no_within_its_time(shop: Village) -> None:
    async def hang(operation: str, table: str, partition: str) -> None:
        if table == SITES:
            await asyncio.sleep(60)

    shop.tables.before = hang
    begun = shop.clock.peek()
    assert not ask(shop, JULY)
    assert shop.clock.peek() - begun < timedelta(seconds=3)
    assert "check_refused" in kinds(shop)


def test_rule_20_a_hold_is_exported_to_nobody(shop: Village) -> None:
    assert ask(shop, JULY)
    shop.run(shop.engine.reconciler.reconcile(HOME, "test"))
    pulled(shop)
    calendars = [one.closed for one in shop.platforms().values()]
    assert calendars == [set(), set(), set()]


def test_rule_20_a_hold_of_another_listing_refuses_and_lets_go_after_15_minutes(shop: Village) -> None:
    hold = Hold("h1", f"{HOME}-booking", JULY, shop.clock.peek() + HOLD_FOR)
    shop.run(shop.engine.world.sites.commit(stored(shop), Changes(holds=[hold])))
    assert not ask(shop, LATER)
    assert ask(shop, BEFORE_JULY)
    shop.clock.advance(HOLD_FOR)
    shop.run(look(shop))
    assert ask(shop, LATER)


def test_rule_20_an_expired_hold_leaves_the_tables(shop: Village) -> None:
    assert ask(shop, JULY)
    shop.clock.advance(HOLD_FOR)
    shop.run(shop.engine.reconciler.reconcile(HOME, "walk"))
    assert stored(shop).holds == {}
    assert shop.run(shop.engine.world.due.all()) == []


def test_rule_20_what_has_expired_goes_with_the_next_hold(shop: Village) -> None:
    assert ask(shop, JULY)
    shop.clock.advance(HOLD_FOR)
    shop.run(look(shop))
    assert ask(shop, AUGUST)
    assert [hold.dates for hold in stored(shop).holds.values()] == [AUGUST]


def test_rule_20_no_site_is_filled_with_holds(shop: Village) -> None:
    first, far = date(2028, 1, 1), shop.clock.peek() + HOLD_FOR
    many = [
        Hold(f"h{n}", LISTING, StayDates.of_nights(first + timedelta(days=n), 1), far) for n in range(200)
    ]
    for start in range(0, 200, 50):
        shop.run(shop.engine.world.sites.commit(stored(shop), Changes(holds=many[start : start + 50])))
    assert not ask(shop, JULY)


# ---------------------------------------------------------------------------- rule 20: taken and unknown


def test_rule_20_taken_is_refused_and_closed_again_where_it_was_asked(shop: Village) -> None:
    told(shop, "booking", JULY)
    assert shop.airbnb.calendar.closed == nights(JULY)
    shop.airbnb.calendar.closed.clear()  # by hand, or by a fault of theirs: Airbnb shows the nights free
    assert not ask(shop, LATER)
    shop.run(shop.drain())
    assert shop.airbnb.calendar.closed == nights(JULY)


def test_rule_20_taken_and_the_bus_is_down_the_sweep_closes_again(shop: Village) -> None:
    told(shop, "booking", JULY)
    shop.airbnb.calendar.closed.clear()
    shop.bus.down = True
    assert not ask(shop, JULY)
    after(shop, 10 * MINUTE)
    assert shop.airbnb.calendar.closed == nights(JULY)


def test_rule_20_taken_is_said_once_while_it_is_on_its_way(shop: Village) -> None:
    told(shop, "booking", JULY)
    assert not ask(shop, JULY)
    assert not ask(shop, JULY)
    writes = len(shop.airbnb.writes)
    shop.run(shop.drain())
    assert len(shop.airbnb.writes) == writes + 1


def test_rule_20_unknown_is_refused_told_and_not_pushed(shop: Village) -> None:
    writes = len(shop.airbnb.writes)
    shop.clock.advance(timedelta(hours=1))
    assert not ask(shop, JULY)
    shop.run(shop.drain())
    assert len(shop.airbnb.writes) == writes
    assert stored(shop).holds == {}
    (notice,) = [one for one in shop.notify.notices if one.kind == "check_refused"]
    assert notice.text.keys() == {"fr", "en"}
    assert f"{HOME}-booking" in notice.text["fr"]


def test_rule_20_what_is_taken_is_taken_however_old_the_rest_is(shop: Village) -> None:
    told(shop, "booking", JULY)
    shop.airbnb.calendar.closed.clear()
    shop.clock.advance(timedelta(hours=1))
    assert not ask(shop, JULY)
    shop.run(shop.drain())
    assert shop.airbnb.calendar.closed == nights(JULY)


def test_rule_1_a_check_opens_no_night(shop: Village) -> None:
    told(shop, "booking", JULY)
    for dates in (JULY, LATER, AUGUST):
        ask(shop, dates)
    shop.run(shop.drain())
    assert not [level for levels in shop.airbnb.writes for level in levels.values() if level > 0]


def test_rule_1_an_opening_that_waits_goes_on_waiting_under_a_promise(shop: Village) -> None:
    """Airbnb's guest cancels, Booking.com does not take the opening yet, and Airbnb's next guest is paying."""
    stay = told(shop, "airbnb", JULY)
    shop.booking.faults.refuse = True
    cancelled(shop, "airbnb", stay)
    assert ask(shop, JULY)
    shop.booking.faults.refuse = False
    shop.run(look(shop))
    after(shop, 10 * MINUTE)
    assert shop.booking.calendar.closed == nights(JULY)
    after(shop, 6 * MINUTE)
    assert shop.booking.calendar.closed == set()


def test_rule_1_nothing_is_released_under_a_promise_of_its_nights(shop: Village) -> None:
    stay = told(shop, "airbnb", JULY)
    pulled(shop)
    hold = Hold("h1", LISTING, LATER, shop.clock.peek() + HOLD_FOR)
    shop.run(shop.engine.world.sites.commit(stored(shop), Changes(holds=[hold])))
    cancelled(shop, "airbnb", stay)
    shop.run(look(shop))
    pulled(shop)
    assert shop.booking.calendar.closed == shop.greengo.calendar.closed == nights(JULY)
    after(shop, 16 * MINUTE)
    pulled(shop)
    assert shop.booking.calendar.closed == shop.greengo.calendar.closed == set()


def test_rule_5_before_every_source_has_spoken_nothing_is_promised(shop: Village) -> None:
    state = stored(shop)
    silent = replace(state.listings[f"{HOME}-greengo"], complete=False)
    shop.run(shop.engine.world.sites.commit(state, Changes(listings=[silent])))
    assert not ask(shop, JULY)


def test_rule_19_with_a_row_nobody_can_read_nothing_is_promised(shop: Village) -> None:
    shop.run(shop.tables.upsert(SITES, Row(HOME, f"{site_codec.RESERVATION}x", {"parts": "?"})))
    assert not ask(shop, JULY)


def test_a_check_during_a_conflict_refuses_its_nights_and_no_others(shop: Village) -> None:
    sold(shop, "booking", JULY)
    sold(shop, "greengo", LATER)
    shop.run(look(shop))
    assert len(clashes(shop)) == 1
    assert not ask(shop, StayDates.of_nights(LATER.check_in, 1))
    assert ask(shop, BEFORE_JULY)
    assert ask(shop, AUGUST)


# --------------------------------------------------------------------------------- rule 20: the reservation


def test_rule_20_make_reservation_turns_the_hold_into_a_pending_stay_closed_everywhere(shop: Village) -> None:
    assert ask(shop, JULY)
    assert make(shop, "A1", JULY)
    state = stored(shop)
    assert state.holds == {}
    assert state.reservations["airbnb|A1"].status is Status.PENDING
    shop.run(shop.drain())
    assert shop.booking.calendar.closed == nights(JULY)
    pulled(shop)
    assert shop.greengo.calendar.closed == nights(JULY)
    assert shop.airbnb.calendar.closed == set()


def test_rule_20_the_closures_of_a_made_reservation_are_committed_with_it(shop: Village) -> None:
    """Before anybody works: the export shows them at the next fetch, and the calls are due."""
    assert make(shop, "A1", JULY)
    rows = {row.listing: row.phase for row in stored(shop).blocks.values()}
    assert rows == {f"{HOME}-booking": Phase.INTENDED, f"{HOME}-greengo": Phase.SENT}
    assert [work.site for work in shop.run(shop.engine.world.due.all())] == [HOME]


def test_rule_20_made_while_the_bus_is_down_the_sweep_closes(shop: Village) -> None:
    shop.bus.down = True
    assert make(shop, "A1", JULY)
    sold(shop, "airbnb", JULY)
    after(shop, MINUTE)
    assert shop.booking.calendar.closed == nights(JULY)
    assert not stored(shop).reservations["airbnb|A1"].hinted


def test_rule_20_a_pending_stay_is_ended_by_the_re_read_alone(shop: Village) -> None:
    assert make(shop, "A1", JULY)
    stay = sold(shop, "airbnb", JULY)
    assert stay.id == "A1"
    shop.run(shop.drain())
    known = stored(shop).reservations["airbnb|A1"]
    assert known.status is Status.CONFIRMED
    assert not known.hinted
    assert inbox(shop) == []


def test_rule_20_a_reservation_airbnb_never_made_is_let_go_after_hours_of_asking(shop: Village) -> None:
    assert make(shop, "A1", JULY)
    for _ in range(4):
        after(shop, timedelta(hours=2))
        shop.run(look(shop))
    after(shop, timedelta(hours=2))
    assert shop.booking.calendar.closed == set()
    assert "airbnb|A1" not in stored(shop).reservations


def test_rule_20_making_it_twice_is_one_reservation(shop: Village) -> None:
    assert make(shop, "A1", JULY)
    assert make(shop, "A1", JULY)
    sold(shop, "airbnb", JULY)
    deliver(shop)
    shop.run(shop.drain())
    assert make(shop, "A1", JULY)
    assert list(stored(shop).reservations) == ["airbnb|A1"]
    assert clashes(shop) == []


def test_rule_20_one_of_two_guests_gets_the_nights(shop: Village) -> None:
    """Both were told that the nights are free, since both asked for the same listing; one may have them."""
    assert ask(shop, JULY)
    assert ask(shop, LATER)
    assert make(shop, "A1", JULY)
    assert not make(shop, "A2", LATER)
    assert not ask(shop, LATER)


@pytest.mark.parametrize("head_start", range(0, 40, 3))
def test_rule_20_one_of_two_guests_gets_the_nights_however_they_race(shop: Village, head_start: int) -> None:
    hosts = shop.engine, shop.another_host()

    async def race() -> tuple[bool, bool]:
        async def late() -> bool:
            for _ in range(head_start):
                await asyncio.sleep(0)
            return await makes(hosts[1], "A2", LATER)

        return await asyncio.gather(makes(hosts[0], "A1", JULY), late())

    said = shop.run(race())
    assert sorted(said) == [False, True]
    winner = "airbnb|A1" if said[0] else "airbnb|A2"
    assert list(stored(shop).reservations) == [winner]
    assert len(inbox(shop)) == 1  # nobody re-reads, or closes nights for, what was refused


@pytest.mark.parametrize("head_start", range(0, 30, 3))
def test_rule_20_two_platforms_that_ask_at_once_are_not_both_told_yes(shop: Village, head_start: int) -> None:
    rhythms = {BOOKING: 20.0}
    other = AvailabilityDesk(shop.engine.world, shop.engine.reconciler, BOOKING, AirbnbCheck(), rhythms)
    query = {"action": "check_availability", "start_date": "2027-07-11", "nights": "4"}
    state = shop.run(shop.engine.world.accounts.note_look("airbnb", shop.clock.now()))
    assert state is None

    async def late() -> bool:
        for _ in range(head_start):
            await asyncio.sleep(0)
        answer = await other.answer("", "GET", {**query, "listing_id": "unit-booking"}, b"")
        return bool(json.loads(answer.body)["available"])

    async def race() -> tuple[bool, bool]:
        return await asyncio.gather(asks(shop.engine, JULY), late())

    assert sorted(shop.run(race())) == [False, True]


def test_rule_20_a_race_about_other_nights_is_decided_anew(shop: Village) -> None:
    """Somebody else commits between our look and our hold: not about these nights, so the guest may have them."""
    told(shop, "booking", AUGUST)
    shop.run(look(shop))
    assert with_a_commit_between(
        shop, shop.engine.reconciler.reconcile(HOME, "x", [touched]), asks(shop.engine, JULY)
    )


def test_rule_20_a_race_lost_to_a_sale_is_a_no(shop: Village) -> None:
    sold(shop, "booking", JULY)
    shop.clock.advance(timedelta(seconds=20))  # Booking.com may be asked again
    assert not with_a_commit_between(shop, shop.engine.queues.poll("booking"), asks(shop.engine, JULY))


def test_rule_20_a_race_lost_for_ever_is_a_no(shop: Village) -> None:
    async def others(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES):
            shop.tables.before = None
            await shop.engine.reconciler.reconcile(HOME, "x", [touched])
            shop.tables.before = others

    shop.tables.before = others
    assert not ask(shop, JULY)


def touched(state: Any) -> Any:
    """A change of the site that says nothing about nights."""
    one = state.listings[LISTING]
    return replace(state, listings={**state.listings, LISTING: replace(one, observed=one.observed + 1)})


def with_a_commit_between(
    shop: Village, theirs: Coroutine[Any, Any, object], ours: Coroutine[Any, Any, bool]
) -> bool:
    """Ours, with theirs done right before our first commit of the site."""

    async def between(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES):
            shop.tables.before = None
            await theirs

    shop.tables.before = between
    return shop.run(ours)


@pytest.mark.parametrize("calls", range(14))
def test_rule_20_a_process_that_dies_while_a_reservation_is_made(shop: Village, calls: int) -> None:
    """Airbnb got no answer and may have sold it: whatever was stored, it is asked, and the calendars end right."""
    shop.dies_in(calls, makes(shop.engine, "A1", JULY))
    sold(shop, "airbnb", JULY)
    after(shop, 10 * MINUTE)
    deliver(shop)
    shop.run(shop.settle())
    assert shop.booking.calendar.closed == nights(JULY)
    assert not stored(shop).reservations["airbnb|A1"].hinted


# -------------------------------------------------------------------------------------------- alterations


def test_rule_20_a_stays_own_nights_do_not_refuse_its_alteration(shop: Village) -> None:
    told(shop, "airbnb", JULY)
    assert alter(shop, "A1", LATER)
    assert [hold.dates for hold in stored(shop).holds.values()] == [LATER]


def test_rule_20_an_alteration_into_another_guests_nights_is_refused(shop: Village) -> None:
    told(shop, "airbnb", BEFORE_JULY)
    told(shop, "booking", JULY)
    assert not alter(shop, "A1", StayDates(BEFORE_JULY.check_in, LATER.check_in))
    assert not alter(shop, "unheard-of", BEFORE_JULY)


def test_rule_20_a_guest_in_the_house_may_stay_longer(shop: Village) -> None:
    here = StayDates(START.date() - timedelta(days=2), START.date() + timedelta(days=1))
    told(shop, "airbnb", here)
    assert alter(shop, "A1", StayDates(here.check_in, here.check_out + timedelta(days=2)))
    assert not ask(shop, StayDates(here.check_in, here.check_out + timedelta(days=2)))


# -------------------------------------------------------------------------------------- rule 22: freshness


def test_rule_22_a_queue_is_fresh_for_three_of_its_periods(shop: Village) -> None:
    shop.run(shop.poll_greengo())
    shop.run(shop.poll_booking())
    shop.clock.advance(timedelta(seconds=58))
    assert ask(shop, JULY)
    shop.clock.advance(timedelta(seconds=4))
    assert not ask(shop, JULY)
    shop.run(shop.poll_booking())
    assert ask(shop, JULY)


def test_rule_22_a_calendar_is_fresh_for_three_of_its_periods_also_unchanged(shop: Village) -> None:
    shop.run(shop.poll_greengo())  # an equal answer: nothing is written into the site
    shop.clock.advance(timedelta(seconds=330))
    shop.run(shop.poll_booking())
    assert ask(shop, JULY)
    shop.clock.advance(timedelta(seconds=30))
    shop.run(shop.poll_booking())
    assert not ask(shop, JULY)
    shop.run(shop.poll_greengo())
    assert ask(shop, JULY)


def test_rule_22_a_calendar_that_fails_grows_old(shop: Village) -> None:
    shop.greengo.faults.down = True
    for _ in range(20):
        shop.clock.advance(timedelta(seconds=20))
        shop.run(look(shop))
    assert not ask(shop, JULY)
    assert f"{HOME}-greengo" in shop.notify.notices[-1].text["en"]


def test_rule_22_a_calendar_never_read_promises_nothing(shop: Village) -> None:
    shop.run(shop.tables.delete(FEEDS, "0000", "~pass"))
    assert not ask(shop, JULY)
    assert "never read" in shop.notify.notices[-1].text["en"]


def test_rule_22_an_account_we_may_not_ask_is_not_fresh(shop: Village) -> None:
    shop.run(shop.engine.world.accounts.pause("booking", "access revoked"))
    shop.clock.advance(timedelta(seconds=6))
    assert not ask(shop, JULY)


def test_rule_22_a_check_reads_the_site_and_the_freshness_of_its_sources(shop: Village) -> None:
    """One read of the site, one commit; the rows of its sources, and those not again within 5 s."""
    ask(shop, AUGUST)
    trips: list[tuple[str, str]] = []

    def count(operation: str, table: str, partition: str) -> None:
        if (operation, table) != ("get", SITES):  # the village's own look at the version
            trips.append((operation, table))

    shop.tables.before = count
    assert ask(shop, JULY)
    assert trips == [("query", SITES), ("submit", SITES)]
    shop.clock.advance(timedelta(seconds=6))
    trips.clear()
    assert ask(shop, JULY)
    assert sorted(table for _, table in trips) == ["Accounts", "Feeds", "Feeds", "Sites", "Sites"]


# ------------------------------------------------------------------------------------------ what is asked


@pytest.mark.parametrize("count", ["0", "000", "1000", "99999999"])
def test_nights_nobody_stays_are_refused(shop: Village, count: str) -> None:
    query = {"action": "check_availability", "listing_id": UNIT, "start_date": "2027-07-10", "nights": count}
    answer = shop.run(call(shop.engine, "GET", "", query))
    assert (answer.status, json.loads(answer.body)["available"]) == (200, False)
    assert stored(shop).holds == {}


@pytest.mark.parametrize(
    "change",
    [
        {"action": "something_else"},
        {"listing_id": ""},
        {"listing_id": "9" * 65},
        {"start_date": "2027-13-45"},
        {"start_date": "tomorrow"},
        {"nights": "three"},
        {"nights": "-1"},
        {"nights": "٣"},
    ],
)
def test_a_query_nobody_can_read_is_a_400_that_says_no(shop: Village, change: dict[str, str]) -> None:
    query = {"action": "check_availability", "listing_id": UNIT, "start_date": "2027-07-10", "nights": "3"}
    answer = shop.run(call(shop.engine, "GET", "", {**query, **change}))
    assert (answer.status, json.loads(answer.body)["available"]) == (400, False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"confirmation_code": "A1"}',
        reservation("../A1", JULY),
        reservation("A1", JULY).replace(b"2027-07-10", b"someday"),
    ],
)
def test_a_reservation_nobody_can_read_is_a_400_that_says_no(shop: Village, body: bytes) -> None:
    answer = shop.run(call(shop.engine, "POST", "", body=body))
    assert (answer.status, json.loads(answer.body)["succeed"]) == (400, False)
    assert inbox(shop) == []


def test_a_body_too_long_is_refused(shop: Village) -> None:
    answer = shop.run(call(shop.engine, "POST", "", body=b" " * 60_001 + reservation("A1", JULY)))
    assert (answer.status, json.loads(answer.body)["succeed"]) == (413, False)


def test_a_code_in_the_address_must_be_the_one_in_the_body(shop: Village) -> None:
    answer = shop.run(call(shop.engine, "PUT", "A2", body=reservation("A1", JULY)))
    assert answer.status == 400


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("POST", "A1"), ("GET", "A1"), ("PUT", "a/b")])
def test_an_address_that_asks_nothing(shop: Village, method: str, path: str) -> None:
    answer = shop.run(call(shop.engine, method, path, body=reservation("A1", JULY)))
    assert (answer.status, json.loads(answer.body)["available"]) == (404, False)


def test_a_listing_we_do_not_know_is_refused_without_an_error(shop: Village) -> None:
    assert not shop.run(asks(shop.engine, JULY, "9876543"))
    assert not shop.run(asks(shop.engine, JULY, "unit-booking"))  # of another platform
    assert not shop.run(makes(shop.engine, "A1", JULY, "9876543"))


def test_the_probe_is_answered_and_holds_nothing(shop: Village) -> None:
    assert shop.run(asks(shop.engine, JULY, "0"))
    assert stored(shop).holds == {}


def test_nights_that_have_begun_are_refused_by_the_homes_own_day(shop: Village) -> None:
    """22:30 UTC on 27 March is 23:30 in Paris; an hour later it is the 28th there, the day clocks go forward."""
    shop.clock.advance(shop_time(2027, 3, 27, 22, 30) - shop.clock.peek())
    shop.run(look(shop))
    tonight = StayDates(date(2027, 3, 27), date(2027, 3, 29))
    assert ask(shop, tonight)
    shop.clock.advance(timedelta(hours=1))
    shop.run(look(shop))
    assert not ask(shop, tonight)
    assert ask(shop, StayDates(date(2027, 3, 28), date(2027, 3, 30)))


@pytest.mark.parametrize(
    "day", [date(2027, 3, 27), date(2027, 3, 28), date(2027, 10, 30), date(2027, 10, 31)]
)
def test_nights_over_a_change_of_clocks_are_nights(shop: Village, day: date) -> None:
    told(shop, "booking", StayDates.of_nights(day + timedelta(days=2), 1))
    assert ask(shop, StayDates.of_nights(day, 2))
    assert not ask(shop, StayDates.of_nights(day, 3))


def shop_time(*parts: int) -> Any:
    return START.replace(year=parts[0], month=parts[1], day=parts[2], hour=parts[3], minute=parts[4])


def test_a_stale_stay_of_its_own_refuses_and_is_asked_about(shop: Village) -> None:
    """Airbnb asks for nights we believe it sold: its word of the cancellation was lost, and it is asked for now."""
    stay = told(shop, "airbnb", JULY)
    shop.airbnb.calendar.cancel(stay)
    assert not ask(shop, JULY)
    shop.run(shop.drain())
    assert ask(shop, JULY)


def test_two_units_are_promised_until_none_is_left() -> None:
    village = Village(units=2)
    try:
        village.run(look(village))
        told(village, "booking", JULY)
        assert village.run(makes(village.engine, "A1", JULY))
        assert not village.run(makes(village.engine, "A2", LATER))
        assert not village.run(asks(village.engine, JULY))
    finally:
        village.close()


def test_a_part_of_a_fading_stay_is_still_taken(shop: Village) -> None:
    stay = sold(shop, "greengo", JULY)
    shop.run(look(shop))
    shop.greengo.calendar.cancel(stay)
    shop.run(look(shop))
    assert stored(shop).reservations[next(iter(stored(shop).reservations))].fading
    assert not ask(shop, JULY)


def test_no_guest_and_no_secret_in_what_is_told(shop: Village) -> None:
    body = json.loads(reservation("A1", JULY)) | {"guest_first_name": "Élodie"}
    shop.clock.advance(timedelta(hours=1))
    shop.run(call(shop.engine, "POST", "", body=json.dumps(body).encode()))
    said = f"{shop.notify.notices}{shop.telemetry.events}"
    assert "check_refused" in said
    assert "Élodie" not in said
    assert "secret" not in said
