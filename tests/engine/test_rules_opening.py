"""Rules 1 to 9: what would open a sold night, or hide a double sale. Each test tells the story of its rule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import StoreUnavailable
from shared.domain.facts import SeenStay
from shared.domain.model import Busy, Part, Reservation, SiteState, Status
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.state import site_codec
from shared.state.names import FEEDS, SITES
from shared.state.sites import Changes
from tests.engine.hamlet import Hamlet, stay
from tests.engine.machine import check_at_rest, spin
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    MINUTE,
    after,
    cancelled,
    clashes,
    deliver,
    moved,
    nights,
    opened,
    polled,
    pulled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, START, Village

LANDED = timedelta(seconds=75)
"""After this a write can no longer land: deadline and grace of rule 2."""


# ------------------------------------------------------------------------------------------------ rule 1


def test_rule_01_a_heal_sends_closures_only(village: Village) -> None:
    """Closing 10-13 gets no answer; the stay shrinks to 12-13 and Booking.com sells the 10th in our poll gap."""
    village.run(village.poll_booking())
    stay = sold(village, "airbnb", JULY)
    village.booking.faults.down = True
    deliver(village)
    village.booking.faults.down = False
    last = StayDates(date(2027, 7, 12), date(2027, 7, 13))
    moved(village, "airbnb", stay, last)
    sold(village, "booking", StayDates(date(2027, 7, 10), date(2027, 7, 11)))
    after(village, LANDED)
    assert village.booking.calendar.closed == nights(last)
    assert not opened(village.booking)
    village.run(village.poll_booking())
    after(village, timedelta(seconds=25))
    assert opened(village.booking) == {date(2027, 7, 11)}


def test_rule_01_nights_believed_open_are_never_written(village: Village) -> None:
    """Whatever happens to one stay, the nights beside it are nobody's business but the platform's."""
    stay = told(village, "airbnb", JULY)
    moved(village, "airbnb", stay, LATER)
    cancelled(village, "airbnb", stay)
    after(village, LANDED)
    written = {night for levels in village.booking.writes for night in levels}
    assert written == nights(JULY, LATER)
    assert village.booking.calendar.closed == set()


def test_rule_01_a_count_is_raised_only_after_a_poll_begun_after_the_release() -> None:
    """Three studios: one stay ends, and Booking.com has sold a studio that nobody polled yet."""
    village = Village(units=3)
    stay = told(village, "airbnb", JULY)
    village.booking.told(sold(village, "booking", JULY), "new")
    village.airbnb.calendar.cancel(stay)
    village.say("airbnb", stay, "modify")
    deliver(village)
    after(village, LANDED)
    assert {max(levels.values()) for levels in village.booking.writes} == {2}, "raised before the poll"
    village.run(village.poll_booking())
    after(village, timedelta(seconds=25))
    assert village.booking.writes[-1] == dict.fromkeys(nights(JULY), 2)
    village.close()


# ------------------------------------------------------------------------------------------------ rule 2


def test_rule_02_an_opening_that_lands_late_is_undone(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    village.booking.faults.late = True
    cancelled(village, "airbnb", stay)
    village.booking.faults.late = False
    told(village, "airbnb", JULY)
    assert village.booking.calendar.closed == nights(JULY)
    village.clock.advance(timedelta(seconds=30))
    village.booking.land_late()
    assert village.booking.calendar.closed == set()
    after(village, LANDED)
    assert village.booking.calendar.closed == nights(JULY)


def test_rule_02_while_a_write_is_unknown_closures_go_out_and_openings_wait(village: Village) -> None:
    stay = sold(village, "airbnb", JULY)
    village.booking.faults.late = True
    deliver(village)
    village.booking.faults.late = False
    cancelled(village, "airbnb", stay)
    told(village, "airbnb", AUGUST)
    assert village.booking.calendar.closed == nights(AUGUST)
    assert not opened(village.booking)
    village.booking.land_late()
    village.run(village.poll_booking())
    after(village, LANDED)
    assert village.booking.calendar.closed == nights(AUGUST)


def test_rule_02_an_opening_is_not_sent_when_the_site_changed_before_it(village: Village) -> None:
    """The stay moved; between its new closures and the opening of the old nights, those are sold elsewhere."""
    stay = told(village, "airbnb", JULY)
    village.airbnb.calendar.move(stay, AUGUST)
    village.say("airbnb", stay, "modify")

    async def sold_meanwhile() -> None:
        village.greengo.calendar.book(JULY)
        await village.poll_greengo()

    village.booking.meanwhile = sold_meanwhile
    deliver(village)
    after(village, LANDED)
    assert village.booking.calendar.closed == nights(JULY, AUGUST)
    assert not opened(village.booking)


def test_rule_02_an_opening_is_one_attempt(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    village.booking.faults.down = True
    cancelled(village, "airbnb", stay)
    assert [max(levels.values()) for levels in village.booking.writes] == [0, 1]
    village.booking.faults.down = False
    after(village, LANDED)
    assert village.booking.calendar.closed == set()


# ------------------------------------------------------------------------------------------------ rule 3


def test_rule_03_equal_nights_sold_before_the_peer_fetched_are_a_conflict(village: Village) -> None:
    told(village, "airbnb", JULY)
    sold(village, "greengo", JULY)
    pulled(village)
    polled(village)
    assert [one.conflict_dates for one in clashes(village)] == [JULY]
    village.run(village.drain())
    kinds = [notice.kind for notice in village.notify.notices if notice.kind != "new_stay"]
    assert kinds == ["conflict"]


def test_rule_03_what_the_peer_fetched_explains_what_appears_after(village: Village) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    assert clashes(village) == []
    assert village.airbnb.calendar.closed == set()


def test_rule_03_what_only_sales_look_like_is_no_echo(village: Village) -> None:
    """An event with a reservation's code on the nights we exported: a sale, whatever was fetched before."""
    told(village, "airbnb", JULY)
    pulled(village)
    village.greengo.kinds[f"echo-{JULY}"] = Busy.STAY
    polled(village)
    assert [one.conflict_dates for one in clashes(village)] == [JULY]


# ------------------------------------------------------------------------------------------------ rule 4


def test_rule_04_the_echo_of_old_nights_is_still_explained(village: Village) -> None:
    """The stay moved, the peer took the new closures, and once more shows the old ones besides."""
    stay = told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    moved(village, "airbnb", stay, AUGUST)
    polled(village, MINUTE)
    assert village.airbnb.calendar.closed == set(), "the peer has not fetched yet: its echo is ours"
    village.greengo.stale = {JULY}
    pulled(village)
    polled(village, MINUTE)
    assert village.airbnb.calendar.closed == set()
    assert village.booking.calendar.closed == nights(AUGUST)
    village.greengo.stale = set()
    polled(village, MINUTE)
    assert clashes(village) == []


def test_rule_04_an_echo_that_outlives_the_release_is_a_sale(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    moved(village, "airbnb", stay, AUGUST)
    village.greengo.stale = {JULY}
    pulled(village)
    for _ in range(3):
        polled(village, MINUTE)
    assert village.airbnb.calendar.closed == nights(JULY)
    assert village.booking.calendar.closed == nights(JULY, AUGUST)


# ------------------------------------------------------------------------------------------------ rule 5


def test_rule_05_an_export_that_cannot_be_loaded_is_not_given(village: Village) -> None:
    told(village, "airbnb", JULY)
    pulled(village)

    def fail(operation: str, table: str, partition: str) -> None:
        if table == SITES:
            raise StoreUnavailable("no answer")

    village.tables.before = fail
    assert village.run(village.greengo_pulls()) == 503
    assert village.greengo.calendar.closed == nights(JULY)


@pytest.mark.parametrize("kind", [site_codec.RESERVATION, site_codec.BLOCK, site_codec.LISTING])
def test_rule_05_an_export_with_an_unreadable_row_is_not_given(village: Village, kind: str) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    spoil(village, kind)
    assert village.run(village.greengo_pulls()) == 503
    assert village.greengo.calendar.closed == nights(JULY)


def test_rule_05_nothing_opens_and_nothing_is_exported_before_every_listing_answered(
    village: Village,
) -> None:
    told(village, "airbnb", JULY)
    lost = told(village, "airbnb", AUGUST)
    pulled(village)
    silence(village, "greengo")
    cancelled(village, "airbnb", lost)
    assert village.run(village.greengo_pulls()) == 503
    assert village.booking.calendar.closed == nights(JULY, AUGUST)
    polled(village)
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(JULY)
    pulled(village)
    assert village.greengo.calendar.closed == nights(JULY)


def test_rule_05_what_may_not_open_yet_is_said_again_as_closed(village: Village) -> None:
    """The closure got no answer, the stay moved, and a listing is silent: the old nights are kept, so a heal closes."""
    stay = sold(village, "airbnb", JULY)
    village.booking.faults.down = True
    deliver(village)
    village.booking.faults.down = False
    silence(village, "greengo")
    moved(village, "airbnb", stay, AUGUST)
    after(village, LANDED)
    assert village.booking.calendar.closed == nights(JULY, AUGUST)
    assert not opened(village.booking)


# ------------------------------------------------------------------------------------------------ rule 6


def test_rule_06_an_older_answer_that_commits_last_changes_nothing(village: Village) -> None:
    """Poller 1 reads the old dates and pauses; poller 2 reads the new ones, commits and acknowledges."""
    stay = sold(village, "booking", JULY)
    village.booking.lane.slow = True
    first = village.loop.create_task(village.poll_booking())
    village.run(spin())
    village.booking.calendar.move(stay, AUGUST)
    village.clock.advance(timedelta(seconds=40))  # the first one's lease runs out
    village.run(village.poll_booking())
    assert village.airbnb.calendar.closed == nights(AUGUST)
    assert village.booking.acknowledged == [f"{stay.id}@{stay.version}"]
    village.booking.lane.let_go()
    village.run(asyncio.wait_for(first, 1))
    assert village.airbnb.calendar.closed == nights(AUGUST)
    assert village.booking.acknowledged == [f"{stay.id}@{stay.version}"]


def test_rule_06_a_poller_whose_lease_ran_out_acknowledges_nothing(village: Village) -> None:
    sold(village, "booking", JULY)
    village.booking.lane.slow = True
    first = village.loop.create_task(village.poll_booking())
    village.run(spin())
    village.clock.advance(timedelta(seconds=40))
    village.booking.lane.let_go()
    village.run(asyncio.wait_for(first, 1))
    assert village.airbnb.calendar.closed == nights(JULY)
    assert village.booking.acknowledged == []


def test_rule_06_an_older_calendar_answer_frees_nothing(village: Village) -> None:
    """The first pass asked before the sale; its answer, without it, arrives after the second one's."""
    other = sold(village, "greengo", AUGUST)
    village.greengo.lane.slow = True
    first = village.loop.create_task(village.poll_greengo())
    village.run(spin())
    sold(village, "greengo", JULY)
    polled(village, 30 * MINUTE)
    village.greengo.lane.let_go()
    village.run(asyncio.wait_for(first, 1))
    assert village.airbnb.calendar.closed == nights(JULY, other.dates)
    assert all(not one.fading for one in stored(village).reservations.values())


# ------------------------------------------------------------------------------------------------ rule 7


def test_rule_07_a_uid_that_returns_to_a_calendar_is_a_stay_at_once(village: Village) -> None:
    stay = sold(village, "greengo", JULY)
    sold(village, "greengo", AUGUST)
    polled(village)
    village.greengo.hidden = {stay.id}
    polled(village)
    polled(village, 21 * MINUTE)
    assert village.airbnb.calendar.closed == nights(AUGUST)
    village.greengo.hidden = set()
    polled(village, MINUTE)
    assert village.airbnb.calendar.closed == nights(JULY, AUGUST)


def test_rule_07_a_uid_that_returns_may_be_another_stay(village: Village) -> None:
    stay = sold(village, "greengo", JULY)
    sold(village, "greengo", AUGUST)
    polled(village)
    village.greengo.hidden = {stay.id}
    polled(village)
    village.greengo.hidden = set()
    stay.dates = LATER
    polled(village, MINUTE)
    assert nights(LATER) <= village.airbnb.calendar.closed
    polled(village, 21 * MINUTE)
    assert village.airbnb.calendar.closed == nights(LATER, AUGUST)


def test_rule_07_a_report_of_a_stay_cancelled_by_api_stays_buried(hamlet: Callable[..., Hamlet]) -> None:
    """Where a platform gives no versions its ids are never used again: a "new" after the cancellation comes late."""
    built = hamlet([Home("barn", "Grange", "owner")], {"barn": GREENGO})
    built.run(built.first_answers())
    for seen in (stay("b1", ("barn", JULY)), SeenStay("b1", Status.CANCELLED), stay("b1", ("barn", JULY))):
        built.booking.tell(seen)
        built.run(built.poll())
    state = built.run(built.engine.world.sites.load("barn"))
    assert [row for row in state.blocks.values() if row.wanted] == []
    assert built.booking.waiting == {}


# ------------------------------------------------------------------------------------------------ rule 8


def test_rule_08_a_change_too_large_for_one_transaction_never_deletes_before_it_adds(
    village: Village,
) -> None:
    """150 facts give way to 150 others; whoever loads in between finds each night held by one of the two."""
    sites = village.engine.world.sites
    days = [JULY.check_in + timedelta(days=n) for n in range(150)]
    old, new = ([fact(f"{side}{n}", day) for n, day in enumerate(days)] for side in ("old", "new"))
    village.run(sites.commit(stored(village), Changes(reservations=old)))
    before = stored(village)
    seen: list[SiteState] = []

    async def look(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES):
            village.tables.after = None
            seen.append(await sites.load(HOME))
            village.tables.after = look

    village.tables.after = look
    dropped = [one.key for one in old]
    head = village.run(sites.commit(before, Changes(reservations=new, dropped=dropped)))
    assert len(seen) == 4
    for state in seen:
        held = {part.dates.check_in for one in state.reservations.values() for part in one.parts}
        assert held == set(days)
    assert [state.head.version - before.head.version for state in seen] == [0, 0, 0, 1]
    assert len({state.head.etag for state in seen}) == 4
    assert seen[-1].head == head
    assert set(seen[-1].reservations) == {one.key for one in new}


def test_rule_08_a_process_that_dies_between_the_parts_loses_nothing() -> None:
    """Sixty stays at once are 180 rows, which is two transactions; the process dies around either. One pass later
    everything is closed and stands in the ledger, and at rest every calendar is right."""
    for calls in range(3, 16):
        village = Village()
        stays = [StayDates.of_nights(JULY.check_in + timedelta(days=2 * n), 1) for n in range(60)]
        for dates in stays:
            sold(village, "greengo", dates)
        village.dies_in(calls, village.poll_greengo())
        for _ in range(2):
            polled(village, 3 * MINUTE)
            after(village, MINUTE)
        assert village.airbnb.calendar.closed == village.booking.calendar.closed == nights(*stays)
        assert len(stored(village).reservations) == 60
        assert len(stored(village).blocks) == 120
        village.run(village.settle())
        check_at_rest(village)
        village.close()


# ------------------------------------------------------------------------------------------------ rule 9


def test_rule_09_what_a_crash_left_out_is_not_taken_for_unchanged() -> None:
    """The process dies at each of its calls in turn. The calendar stays as it is: only its hash could hide the rest."""
    for calls in range(1, 60):
        village = Village()
        for n in range(3):
            sold(village, "greengo", StayDates.of_nights(JULY.check_in + timedelta(days=3 * n), 2))
        wanted = nights(*(stay.dates for stay in village.greengo.calendar.live()))
        village.dies_in(calls, village.poll_greengo())
        died = village.died
        polled(village, 3 * MINUTE)
        after(village, MINUTE)
        assert village.airbnb.calendar.closed == wanted, f"dead at call {calls}"
        village.close()
        if not died:
            return
    raise AssertionError("a pass has no end")


def test_rule_09_the_queue_is_acknowledged_only_after_every_commit(village: Village) -> None:
    sold(village, "booking", JULY)

    def fail(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES):
            raise StoreUnavailable("no answer")

    village.tables.before = fail
    village.run(village.poll_booking())
    assert village.booking.acknowledged == []
    village.tables.before = None
    village.run(village.poll_booking())
    assert len(village.booking.acknowledged) == 1
    assert village.airbnb.calendar.closed == nights(JULY)


def test_rule_09_a_calendar_whose_commit_failed_is_read_again(village: Village) -> None:
    sold(village, "greengo", JULY)

    def fail(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES):
            raise StoreUnavailable("no answer")

    village.tables.before = fail
    polled(village)
    village.tables.before = None
    polled(village, 3 * MINUTE)
    assert village.airbnb.calendar.closed == nights(JULY)
    assert village.run(village.tables.query(FEEDS, "0000"))


# ------------------------------------------------------------------------------------------- by the way


def fact(name: str, day: date) -> Reservation:
    part = Part("", f"{HOME}-booking", StayDates.of_nights(day, 1), START)
    return Reservation("booking", name, Busy.STAY, Status.CONFIRMED, (part,))


def spoil(village: Village, kind: str) -> None:
    """Make one stored row of a kind unreadable."""
    rows = village.run(village.tables.query(SITES, HOME, start=kind, stop=kind + "\U0010ffff"))
    column = {site_codec.RESERVATION: "parts", site_codec.BLOCK: "dates"}.get(kind, "writes")
    broken = type(rows[0])(HOME, rows[0].key, {column: "what is this?"})
    village.run(village.tables.upsert(SITES, broken))


def silence(village: Village, platform: str) -> None:
    """Make the site one whose listing there never answered."""
    key = f"{site_codec.LISTING}{HOME}-{platform}"
    row = village.run(village.tables.get(SITES, HOME, key))
    assert row is not None
    village.run(village.tables.upsert(SITES, type(row)(HOME, key, {"complete": False})))
