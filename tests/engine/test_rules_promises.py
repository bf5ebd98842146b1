"""Rules 20 to 27: what would refuse wrongly, stick, or promise falsely. Each test tells the story of its rule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.model import Hold, Phase
from shared.ports.stores import Row
from shared.state import site_codec
from shared.state.names import SITES
from shared.state.sites import Changes
from tests.engine.people import LOCAL
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    MINUTE,
    after,
    cancelled,
    clashes,
    deliver,
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
TOKEN = f"{HOME}-greengo"
LATER_STILL = StayDates(date(2027, 12, 1), date(2027, 12, 4))


# ----------------------------------------------------------------------------------------------- rule 20


def test_rule_20_a_hold_is_exported_to_nobody_and_closes_no_calendar_of_its_listing(village: Village) -> None:
    """What exists of holds: Airbnb's check places one. It shows in no calendar of ours, and above all not in Airbnb's
    own, where it would refuse the guest it was placed for."""
    told(village, "booking", AUGUST)
    hold = Hold("h1", f"{HOME}-airbnb", JULY, START + 15 * MINUTE)
    village.run(village.engine.world.sites.commit(stored(village), Changes(holds=[hold])))
    village.run(village.engine.reconciler.reconcile(HOME, "test"))
    assert stored(village).holds == {"h1": hold}
    assert village.airbnb.calendar.closed == nights(AUGUST)
    pulled(village)
    assert village.greengo.calendar.closed == nights(AUGUST)


def test_rule_20_a_stay_on_held_nights_is_no_conflict_with_the_hold(village: Village) -> None:
    hold = Hold("h1", f"{HOME}-airbnb", JULY, START + 15 * MINUTE)
    village.run(village.engine.world.sites.commit(stored(village), Changes(holds=[hold])))
    told(village, "airbnb", JULY)
    assert clashes(village) == []
    assert village.booking.calendar.closed == nights(JULY)


# ----------------------------------------------------------------------------------------------- rule 21


def season(village: Village, first: StayDates, others: int = 10) -> Sold:
    """A stay among so many others in Greengo's calendar, all known to us."""
    stay = sold(village, "greengo", first)
    for n in range(others):
        sold(village, "greengo", StayDates.of_nights(date(2027, 9, 1) + timedelta(days=3 * n), 2))
    polled(village)
    return stay


def held(village: Village, stay: Sold) -> bool:
    """Whether its nights from today on are closed on Airbnb, all of them or none."""
    ahead = {night for night in stay.dates.nights() if night >= village.clock.peek().date()}
    closed = ahead & village.airbnb.calendar.closed
    assert closed in (ahead, set())
    return bool(closed)


def test_rule_21_a_cancellation_by_api_frees_at_once(village: Village) -> None:
    stay = told(village, "booking", JULY)
    cancelled(village, "booking", stay)
    assert village.airbnb.calendar.closed == set()


@pytest.mark.parametrize(
    ("starts_in", "wait"),
    [(10, 20 * MINUTE), (3, 20 * MINUTE), (2, 6 * HOUR), (1, 6 * HOUR)],
    ids=["soon", "after 48 h", "within 48 h", "tomorrow"],
)
def test_rule_21_a_stay_gone_from_a_calendar_is_held_until_complete_answers_span(
    village: Village, starts_in: int, wait: timedelta
) -> None:
    stay = season(village, StayDates.of_nights(TODAY + timedelta(days=starts_in), 2))
    village.greengo.hidden = {stay.id}
    polled(village)
    polled(village, wait - MINUTE)
    assert held(village, stay)
    polled(village, MINUTE)
    assert not held(village, stay)


def test_rule_21_more_than_a_third_gone_at_once_is_a_feed_in_doubt(village: Village) -> None:
    """Four of eleven vanish together: six hours. Three of eleven: an ordinary twenty minutes."""
    stay = season(village, JULY)
    others = [one.id for one in village.greengo.calendar.live() if one is not stay]
    village.greengo.hidden = {stay.id, *others[:3]}
    polled(village)
    polled(village, 30 * MINUTE)
    assert held(village, stay)
    polled(village, 6 * HOUR)
    assert not held(village, stay)


def test_rule_21_three_of_eleven_gone_are_no_doubt(village: Village) -> None:
    stay = season(village, JULY)
    others = [one.id for one in village.greengo.calendar.live() if one is not stay]
    village.greengo.hidden = {stay.id, *others[:2]}
    polled(village)
    polled(village, 20 * MINUTE)
    assert not held(village, stay)


def test_rule_21_an_empty_calendar_takes_six_hours_also_for_the_only_stay(village: Village) -> None:
    stay = season(village, JULY, others=0)
    village.greengo.empty = True
    polled(village)
    polled(village, 6 * HOUR - MINUTE)
    assert held(village, stay)
    polled(village, MINUTE)
    assert not held(village, stay)


def click(village: Village) -> None:
    """A person releases the one thing that waits."""
    (one,) = village.run(village.engine.vanished.found(LOCAL))
    assert not village.run(village.engine.vanished.let_go(LOCAL, one.id)).already
    village.run(village.drain())


def test_rule_21_the_guest_in_the_house_is_freed_by_a_person_only(village: Village) -> None:
    stay = season(village, StayDates(TODAY - timedelta(days=1), TODAY + timedelta(days=4)))
    village.greengo.hidden = {stay.id}
    polled(village)
    for _ in range(6):
        polled(village, 8 * HOUR)
        assert held(village, stay)
    click(village)
    assert not held(village, stay)


def test_rule_21_one_click_frees_what_waits(village: Village) -> None:
    stay = season(village, JULY)
    village.greengo.hidden = {stay.id}
    polled(village)
    click(village)
    assert not held(village, stay)


def test_rule_21_the_new_nights_of_a_moved_event_close_at_once_and_the_old_ones_wait(
    village: Village,
) -> None:
    stay = season(village, JULY)
    stay.dates = AUGUST
    polled(village, MINUTE)
    assert nights(JULY, AUGUST) <= village.airbnb.calendar.closed
    polled(village, 19 * MINUTE)
    assert nights(JULY) <= village.airbnb.calendar.closed
    polled(village, MINUTE)
    assert not nights(JULY) & village.airbnb.calendar.closed
    assert nights(AUGUST) <= village.airbnb.calendar.closed


def test_rule_21_an_equal_answer_confirms_and_a_304_does_not(village: Village) -> None:
    stay = season(village, JULY)
    village.greengo.hidden = {stay.id}
    polled(village)
    village.greengo.unchanged = True
    polled(village, HOUR)
    assert held(village, stay)
    village.greengo.unchanged = False
    polled(village, MINUTE)
    assert not held(village, stay)


def test_rule_21_a_partial_answer_proves_nothing_and_starts_the_clock_anew(village: Village) -> None:
    stay = season(village, JULY)
    village.greengo.hidden = {stay.id}
    polled(village)
    village.greengo.oddities = ("event 7: its DTSTART cannot be read",)
    polled(village, 30 * MINUTE)
    assert held(village, stay)
    village.greengo.oddities = ()
    polled(village, 19 * MINUTE)
    assert held(village, stay)
    polled(village, MINUTE)
    assert not held(village, stay)


def test_rule_21_an_answer_that_failed_counts_for_nothing(village: Village) -> None:
    stay = season(village, JULY)
    village.greengo.faults.down = True
    for _ in range(3):
        polled(village, 8 * HOUR)
    assert held(village, stay)


def test_rule_21_a_pending_removal_is_asked_for_again_although_nothing_changes(village: Village) -> None:
    """No click, no news, only time: the ordinary passes of the timer must find the proof by themselves."""
    stay = season(village, JULY)
    village.greengo.calendar.cancel(stay)
    for _ in range(14):
        village.clock.advance(2 * MINUTE)
        village.run(village.engine.on_timer_poll_feeds())
        village.run(village.drain())
    assert not held(village, stay)


# ----------------------------------------------------------------------------------------------- rule 22


def fresh(village: Village) -> bool:
    answer = village.run(village.engine.overview.everything(LOCAL))
    (feed,) = answer["feeds"]
    return bool(feed["fresh"])


def test_rule_22_an_unchanged_poll_is_known_and_costs_the_site_nothing(village: Village) -> None:
    season(village, JULY)
    tables: list[str] = []

    def note(operation: str, table: str, partition: str) -> None:
        tables.append(table)

    village.tables.before = note
    polled(village, 2 * MINUTE)
    assert SITES not in tables
    village.tables.before = None
    village.clock.advance(5 * MINUTE)
    assert fresh(village)


def test_rule_22_a_source_is_fresh_for_three_of_its_periods(village: Village) -> None:
    village.greengo.faults.down = True
    polled(village, timedelta(seconds=350))
    assert fresh(village)
    village.clock.advance(timedelta(seconds=11))
    assert not fresh(village)
    village.greengo.faults.down = False
    polled(village)
    assert fresh(village)


# ----------------------------------------------------------------------------------------------- rule 23


def test_rule_23_a_stale_answer_after_our_opening_is_no_owners_block(village: Village) -> None:
    """We opened, the peer took it, and one of its replicas still shows our closure, now under another name."""
    stay = told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    cancelled(village, "airbnb", stay)
    village.greengo.stale = {JULY}
    pulled(village)
    polled(village, MINUTE)
    assert village.airbnb.calendar.closed == village.booking.calendar.closed == set()


# ----------------------------------------------------------------------------------------------- rule 24


def test_rule_24_the_owners_look_at_the_link_is_no_evidence(village: Village) -> None:
    told(village, "airbnb", JULY)
    answer = village.run(village.engine.export_calendar(village.tokens[TOKEN], {"User-Agent": "Mozilla/5.0"}))
    assert answer.status == 200
    village.run(village.engine.reconciler.reconcile(HOME, "test"))
    assert [row.taken_at for row in ledger(village, "greengo")] == [None]
    sold(village, "greengo", JULY)
    polled(village, MINUTE)
    assert len(clashes(village)) == 1


def test_rule_24_the_peers_fetch_is_evidence_and_leaves_the_head_alone(village: Village) -> None:
    told(village, "airbnb", JULY)
    before = stored(village).head
    assert village.run(village.greengo_pulls()) == 200
    assert stored(village).head == before
    village.run(village.drain())
    (row,) = ledger(village, "greengo")
    assert row.phase is Phase.ACCEPTED
    assert row.taken_at is not None


def test_rule_24_a_304_that_names_the_version_is_evidence_too(village: Village) -> None:
    """The stay moved away and back between two fetches: the calendar is what the peer has already."""
    stay = told(village, "airbnb", JULY)
    agent = {"user-agent": "GreenGo/1"}
    first = village.run(village.engine.export_calendar(village.tokens[TOKEN], agent))
    village.run(village.drain())
    moved(village, "airbnb", stay, AUGUST)
    moved(village, "airbnb", stay, JULY)
    assert [row.taken_at for row in ledger(village, "greengo") if row.wanted] == [None]
    known = {**agent, "if-none-match": first.headers["etag"]}
    assert village.run(village.engine.export_calendar(village.tokens[TOKEN], known)).status == 304
    village.run(village.drain())
    (row,) = (row for row in ledger(village, "greengo") if row.wanted)
    assert row.taken_at is not None


def test_rule_24_a_fetch_that_got_no_calendar_is_no_evidence(village: Village) -> None:
    told(village, "airbnb", JULY)
    rows = village.run(village.tables.query(SITES, HOME, start=site_codec.RESERVATION, stop="e"))
    village.run(village.tables.upsert(SITES, Row(HOME, rows[0].key, {"parts": "what is this?"})))
    assert village.run(village.greengo_pulls()) == 503
    village.run(village.tables.upsert(SITES, replace(rows[0], etag=None)))
    village.run(village.engine.reconciler.reconcile(HOME, "test"))
    assert [row.taken_at for row in ledger(village, "greengo")] == [None]


# ----------------------------------------------------------------------------------------------- rule 25


def test_rule_25_nothing_is_lost_with_a_processs_memory(village: Village) -> None:
    """Every step is another process: what waits for proof, for a pause or for a peer stands in the tables."""
    stay = season(village, JULY)
    village.booking.faults.refuse = True
    other = sold(village, "airbnb", LATER_STILL)
    steps: list[Callable[[], None]] = [
        lambda: deliver(village),
        lambda: setattr(village.booking.faults, "refuse", False),
        lambda: after(village, MINUTE),
        lambda: village.greengo.calendar.cancel(stay),
        lambda: polled(village),
        lambda: pulled(village),
        lambda: polled(village, 21 * MINUTE),
    ]
    for step in steps:
        assert held(village, stay)
        step()
        village.restart()
    assert not held(village, stay)
    assert nights(other.dates) <= village.booking.calendar.closed
    assert village.greengo.calendar.closed == nights(other.dates)
    polled(village, MINUTE)
    assert clashes(village) == []


def test_rule_25_an_account_paused_by_one_process_is_paused_for_all(village: Village) -> None:
    village.run(village.engine.world.accounts.pause("booking", "access revoked"))
    village.restart()
    told(village, "airbnb", JULY)
    after(village, MINUTE)
    assert village.booking.writes == []
    village.run(village.engine.world.accounts.pause("booking", ""))
    village.restart()
    village.run(village.engine.reconciler.reconcile(HOME, "resumed"))
    assert village.booking.calendar.closed == nights(JULY)


# ----------------------------------------------------------------------------------------------- rule 26


def test_rule_26_of_two_sweepers_one_works(village: Village) -> None:
    """Two hosts ring at the same tick; the one that has the lease sweeps, by the store's clock."""
    swept: list[int] = []
    other = village.another_host()
    for number, engine in enumerate((village.engine, other)):
        sweep = engine.worker.sweep

        async def note(number: int = number, sweep: Callable = sweep) -> None:  # type: ignore[type-arg]
            swept.append(number)
            await sweep()

        engine.worker.sweep = note  # type: ignore[method-assign]

    async def both() -> None:
        await asyncio.gather(village.engine.on_timer_sweep(), other.on_timer_sweep())

    village.run(both())
    assert len(swept) == 1
    village.clock.advance(timedelta(seconds=15))
    village.run(both())
    assert len(swept) == 2


def test_rule_26_a_sweeper_that_died_keeps_others_out_for_seconds_only(village: Village) -> None:
    village.run(village.engine.world.due.put(HOME, village.clock.now(), "test"))
    village.dies_in(2, village.engine.on_timer_sweep())
    village.run(village.engine.on_timer_sweep())
    assert village.run(village.bus.receive("work", 10, 0)) == []
    village.clock.advance(timedelta(seconds=14))
    village.run(village.engine.on_timer_sweep())
    assert [one.message.key for one in village.run(village.bus.receive("work", 10, 0))] == [HOME]


def test_rule_26_times_are_the_stores_whatever_the_hosts_clock_says(village: Village) -> None:
    """The lease that one host took counts for another, since both ask the store for the time."""
    accounts, other = village.engine.world.accounts, village.another_host().world.accounts
    assert village.run(accounts.lease("booking", "poll", 30 * MINUTE)) == 1
    assert village.run(other.lease("booking", "poll", 30 * MINUTE)) is None
    village.clock.advance(31 * MINUTE)
    assert village.run(other.lease("booking", "poll", 30 * MINUTE)) == 2
    assert not village.run(accounts.holds("booking", "poll", 1))


# ----------------------------------------------------------------------------------------------- rule 27


def newer_release(village: Village, readers: int) -> None:
    head = Row(HOME, site_codec.HEAD, {"min_reader": readers})
    village.run(village.tables.upsert(SITES, head))


def test_rule_27_an_older_release_closes_and_never_opens(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    newer_release(village, 2)
    cancelled(village, "airbnb", stay)
    told(village, "airbnb", AUGUST)
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(JULY, AUGUST)
    assert not opened(village.booking)
    assert village.run(village.greengo_pulls()) == 503
    newer_release(village, 1)
    village.run(village.engine.reconciler.reconcile(HOME, "updated"))
    assert village.booking.calendar.closed == nights(AUGUST)


def test_rule_27_columns_and_rows_of_a_newer_release_survive(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    rows = village.run(village.tables.query(SITES, HOME))
    for row in rows:
        village.run(village.tables.upsert(SITES, Row(HOME, row.key, {"from_a_newer_release": "kept"})))
    village.run(village.tables.insert(SITES, Row(HOME, "h|later", {"what": "unknown"})))
    moved(village, "airbnb", stay, LATER)
    told(village, "booking", AUGUST)
    found = {row.key: row.values for row in village.run(village.tables.query(SITES, HOME))}
    assert found["h|later"] == {"what": "unknown"}
    fact = f"{site_codec.RESERVATION}airbnb|{stay.id}"
    written = (site_codec.HEAD, f"{site_codec.LISTING}{HOME}-booking", fact)
    assert all(found[key]["from_a_newer_release"] == "kept" for key in written)
