"""Rules 10 to 19: what would lose or delay a closure. Each test tells the story of its rule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.confirm import Result, confirm
from shared.domain.dates import StayDates
from shared.domain.errors import AuthFailed, PlatformDown, StoreUnavailable, SyncError
from shared.domain.facts import SeenStay, Unplaced, WriteOutcome
from shared.domain.model import Phase, Status
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home, PortfolioRefused
from shared.domain.site_groups import resolve
from shared.domain.wish import Wanted
from shared.ports.bus import Message
from shared.ports.stores import Row
from shared.state import site_codec
from shared.state.due import shard_of
from shared.state.names import DUE, SITES
from shared.use_cases import WebhookCall
from tests.engine.hamlet import Hamlet, calendar, link, stay
from tests.engine.people import LOCAL
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    MINUTE,
    after,
    cancelled,
    ledger,
    nights,
    polled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, Village, site_message

HOUSE = (
    Home("house", "Maison", "owner", contains=("upper", "lower")),
    Home("upper", "Étage", "owner"),
    Home("lower", "Rez-de-chaussée", "owner"),
)
PAIR = (Home("mill", "Moulin", "owner"), Home("barn", "Grange", "owner"))
Build = Callable[..., Hamlet]


# ----------------------------------------------------------------------------------------------- rule 10


def test_rule_10_whenever_the_process_dies_the_closure_is_found_again() -> None:
    """The process dies at each of its calls in turn; the webhook's sender has its answer and says nothing again."""
    for calls in range(1, 60):
        village = Village()
        stay = sold(village, "airbnb", JULY)
        body = village.deliveries.pop()
        village.run(
            village.engine.receive_webhook(WebhookCall("airbnb", "secret", "notification", body=body))
        )
        village.dies_in(calls, village.drain())
        died = village.died
        for _ in range(4):
            after(village, timedelta(seconds=20))
        assert village.booking.calendar.closed == nights(stay.dates), f"dead at call {calls}"
        village.close()
        if not died:
            return
    raise AssertionError("a delivery has no end")


def test_rule_10_what_was_committed_is_due_whoever_rang_for_it() -> None:
    """The index lost a site, and the walk finds work there, but once. The process dies at each of its calls."""
    for calls in range(1, 60):
        village = Village()
        village.run(village.engine.world.accounts.pause("booking", "for a moment"))
        village.restart()
        told(village, "airbnb", JULY)
        assert village.booking.writes == []
        village.run(village.engine.world.accounts.pause("booking", ""))
        village.run(village.tables.delete(DUE, shard_of(HOME), HOME))
        version = stored(village).head.version
        village.restart()
        village.dies_in(calls, village.engine.work(site_message(HOME), 1, "walk"))
        if stored(village).head.version > version:
            for _ in range(4):
                after(village, timedelta(seconds=20))
            assert village.booking.calendar.closed == nights(JULY), f"dead at call {calls}"
        died = village.died
        village.close()
        if not died:
            return
    raise AssertionError("a reconcile has no end")


def test_rule_10_whoever_asks_during_a_reconcile_is_not_forgotten(village: Village) -> None:
    """While the platform is written to, somebody else puts the site down as due: that row is not ours to remove."""

    async def asked() -> None:
        await village.engine.world.due.put(HOME, village.clock.now(), "somebody else")

    village.booking.meanwhile = asked
    told(village, "airbnb", JULY)
    due = village.run(village.engine.world.due.get(HOME))
    assert due is not None
    assert due.reason == "somebody else"


def test_rule_10_a_walk_finds_what_the_index_lost(village: Village) -> None:
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    village.booking.faults.refuse = False
    village.run(village.tables.delete(DUE, shard_of(HOME), HOME))
    village.run(village.engine.on_timer_sweep())
    village.run(village.drain())
    assert village.booking.calendar.closed == set()
    for _ in range(24):
        village.clock.advance(timedelta(hours=1))
        village.run(village.engine.on_timer_walk())
        village.run(village.drain())
    assert village.booking.calendar.closed == nights(JULY)


# ----------------------------------------------------------------------------------------------- rule 11


def test_rule_11_a_change_soon_after_a_finished_one_is_not_swallowed(village: Village) -> None:
    """Twice within the queue's window for doubles there is work on a site: the second bell is a new message."""
    done = []
    for _ in range(2):
        village.run(village.engine.world.due.put(HOME, village.clock.now(), "asked for"))
        village.run(village.engine.on_timer_sweep())
        found = village.run(village.bus.receive("work", 10, 0))
        for one in found:
            village.run(village.engine.work(one.raw, 1, one.message.message_id))
            village.run(village.bus.complete("work", one))
        done.append([one.message.key for one in found])
        village.clock.advance(timedelta(seconds=2))
    assert done == [[HOME], [HOME]]


def test_rule_11_a_message_names_its_version() -> None:
    assert Message("site", HOME, "1").message_id != Message("site", HOME, "2").message_id


def test_rule_11_a_dead_letter_that_is_replayed_is_not_swallowed(village: Village) -> None:
    village.run(village.bus.send("work", [Message("site", HOME, "1")]))
    for _ in range(10):
        (one,) = village.run(village.bus.receive("work", 1, 0))
        village.run(village.bus.abandon("work", one))
    (dead,) = village.run(village.bus.dead_letters("work", 10))
    assert village.run(village.bus.replay("work", dead.sequence))
    (again,) = village.run(village.bus.receive("work", 1, 0))
    assert (again.message.kind, again.message.key) == ("site", HOME)


def test_rule_11_the_sender_does_not_clear_what_is_due(village: Village) -> None:
    """The bell is lost on the way; the row stands until a reconcile has planned from it."""
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    village.booking.faults.refuse = False
    village.run(village.engine.sync_desk.start(LOCAL, Wanted()))
    for one in village.run(village.bus.receive("work", 10, 0)):
        village.run(village.bus.complete("work", one))
    assert village.run(village.engine.world.due.get(HOME)) is not None
    after(village, 6 * MINUTE)
    assert village.booking.calendar.closed == nights(JULY)
    assert village.run(village.engine.world.due.get(HOME)) is None


# ----------------------------------------------------------------------------------------------- rule 12


def test_rule_12_while_the_bus_is_down_the_webhook_is_taken_and_the_sweep_works(village: Village) -> None:
    village.bus.down = True
    sold(village, "airbnb", JULY)
    body = village.deliveries.pop()
    answer = village.run(
        village.engine.receive_webhook(WebhookCall("airbnb", "secret", "notification", body=body))
    )
    assert answer.status == 200
    village.clock.advance(timedelta(seconds=15))
    village.run(village.engine.on_timer_sweep())
    assert village.booking.calendar.closed == nights(JULY)


def test_rule_12_the_most_urgent_work_comes_first(hamlet: Build) -> None:
    built = hamlet(PAIR)
    built.run(built.first_answers())
    built.booking.down = True
    sites = built.engine.world.due
    built.bus.down = True
    for site, age in (("mill", 1), ("barn", 5)):
        built.run(sites.put(site, built.clock.now() - age * MINUTE, "waits"))
    order: list[str] = []
    reconcile = built.engine.worker.site

    async def note(site: str) -> str:
        order.append(site)
        return await reconcile(site)

    built.engine.worker.site = note  # type: ignore[method-assign]
    built.run(built.engine.on_timer_sweep())
    assert order == ["barn", "mill"]


# ----------------------------------------------------------------------------------------------- rule 13


def test_rule_13_a_cancellation_with_nothing_but_an_id_reaches_every_site(hamlet: Build) -> None:
    built = hamlet(PAIR, {"mill": GREENGO, "barn": GREENGO})
    built.run(built.first_answers())
    hear(built, stay("b1", ("mill", JULY), ("barn", JULY)))
    assert exported(built, "mill") == exported(built, "barn") == nights(JULY)
    hear(built, SeenStay("b1", Status.CANCELLED))
    assert exported(built, "mill") == exported(built, "barn") == set()


def test_rule_13_one_room_of_two_is_dropped(hamlet: Build) -> None:
    built = hamlet(PAIR, {"mill": GREENGO, "barn": GREENGO})
    built.run(built.first_answers())
    hear(built, stay("b1", ("mill", JULY), ("barn", JULY)))
    hear(built, stay("b1", ("mill", JULY)))
    assert exported(built, "mill") == nights(JULY)
    assert exported(built, "barn") == set()


def test_rule_13_the_cancellation_of_an_unknown_id_waits_for_its_stay(hamlet: Build) -> None:
    built = hamlet(PAIR, {"mill": GREENGO})
    built.run(built.first_answers())
    hear(built, SeenStay("b1", Status.CANCELLED))
    hear(built, stay("b1", ("mill", JULY)))
    assert exported(built, "mill") == set()
    hear(built, stay("b2", ("mill", JULY)))
    assert exported(built, "mill") == nights(JULY)


# ----------------------------------------------------------------------------------------------- rule 14


def test_rule_14_one_bad_message_of_forty_holds_back_nothing_and_is_not_lost(hamlet: Build) -> None:
    built = hamlet(PAIR, {"mill": GREENGO})
    built.run(built.first_answers())
    days = [JULY.check_in + timedelta(days=3 * n) for n in range(39)]
    for n, day in enumerate(days):
        built.booking.tell(stay(f"b{n:02}", ("mill", StayDates.of_nights(day, 2))))
    built.booking.unreadable = [Unplaced("new:odd", "it names no room", b"<HotelReservation/>")]
    told_before: list[int] = []
    built.booking.on_acknowledge = lambda: told_before.append(
        sum(notice.kind == "unplaced" for notice in built.notify.notices)
    )
    built.run(built.poll())
    assert exported(built, "mill") == nights(*(StayDates.of_nights(day, 2) for day in days))
    assert len(built.booking.did("acknowledge")) == 40
    (row,) = built.run(built.engine.world.inbox.quarantined())
    assert (row.values["reason"], row.values["raw"]) == ("it names no room", b"<HotelReservation/>")
    kinds = [notice.kind for notice in built.notify.notices if notice.kind != "new_stay"]
    assert kinds == ["unplaced"]
    assert told_before == [1]


def test_rule_14_only_what_is_fully_stored_is_acknowledged(hamlet: Build) -> None:
    """The store loses one site's commits; a stay in both sites is not acknowledged, one in the other is."""
    built = hamlet(PAIR, {"mill": GREENGO, "barn": GREENGO})
    built.run(built.first_answers())
    built.booking.tell(stay("both", ("mill", JULY), ("barn", JULY)))
    built.booking.tell(stay("one", ("barn", AUGUST)))
    fail_commits(built, "mill")
    built.run(built.poll())
    assert built.booking.did("acknowledge") == ["one@0"]
    assert exported(built, "barn") == nights(JULY, AUGUST)
    built.memory.before = None
    built.run(built.poll())
    assert built.booking.did("acknowledge") == ["one@0", "both@0"]
    assert exported(built, "mill") == nights(JULY)


def test_rule_14_the_nightly_pass_finds_a_stay_no_message_told(hamlet: Build) -> None:
    built = hamlet(PAIR, {"mill": GREENGO})
    built.run(built.first_answers())
    built.booking.said["b1"] = stay("b1", ("mill", JULY))
    built.run(built.engine.on_timer_deep())
    built.run(built.drain())
    assert exported(built, "mill") == nights(JULY)


def test_rule_14_the_nightly_pass_asks_about_what_is_missing_and_believes_no_absence(hamlet: Build) -> None:
    built = hamlet(PAIR, {"mill": GREENGO})
    built.run(built.first_answers())
    for name, dates in (("gone", JULY), ("lost", AUGUST)):
        hear(built, stay(name, ("mill", dates)))
    built.booking.said["gone"] = SeenStay("gone", Status.CANCELLED)
    del built.booking.said["lost"]
    built.run(built.engine.observer.observe("booking"))
    assert exported(built, "mill") == nights(AUGUST)


# ----------------------------------------------------------------------------------------------- rule 15


def test_rule_15_a_stay_in_a_room_closes_the_house_and_not_the_other_room(hamlet: Build) -> None:
    built = hamlet(HOUSE)
    built.run(built.first_answers())
    hear(built, stay("b1", ("upper", JULY)))
    assert {unit: built.booking.closed(unit) for unit in ("house", "upper", "lower")} == {
        "house": nights(JULY),
        "upper": set(),
        "lower": set(),
    }
    hear(built, stay("b2", ("house", AUGUST)))
    assert built.booking.closed("upper") == built.booking.closed("lower") == nights(AUGUST)


def test_rule_15_a_room_and_the_house_sold_at_once_are_both_kept_and_one_conflict(hamlet: Build) -> None:
    """Two workers commit at the same time; they share a partition, so one of them has to look again."""
    built = hamlet(HOUSE, {"house": GREENGO})
    built.run(built.first_answers())
    built.web.answers[link("house")] = calendar(("g1", LATER))
    built.booking.tell(stay("b1", ("upper", JULY)))
    built.run(together(built))
    assert built.telemetry.counts["stale_write"] >= 1
    state = built.run(built.engine.world.sites.load("house"))
    assert len(state.reservations) == 2
    assert [str(one.conflict_dates) for one in state.conflicts.values()] == ["2027-07-12/2027-07-13"]
    assert built.booking.closed("upper") == nights(LATER)
    assert built.booking.closed("lower") == nights(LATER)


def test_rule_15_more_than_fifty_homes_that_share_rooms_are_refused() -> None:
    homes = [Home(f"room{n:02}", f"Chambre {n}", "owner", rooms={"yard": 1}) for n in range(51)]
    assert len(resolve(homes[:50])) == 1
    with pytest.raises(PortfolioRefused, match="51 homes are joined"):
        resolve(homes)


# ----------------------------------------------------------------------------------------------- rule 16


def test_rule_16_a_platform_that_hangs_does_not_hold_up_another(village: Village) -> None:
    village.booking.faults.hang = True
    sold(village, "greengo", JULY)
    closed_at: list[timedelta] = []
    begun = village.clock.peek()

    async def note() -> None:
        closed_at.append(village.clock.peek() - begun)

    village.airbnb.meanwhile = note
    polled(village)
    assert village.airbnb.calendar.closed == nights(JULY)
    assert closed_at[0] < timedelta(seconds=1)
    assert village.clock.peek() - begun <= timedelta(seconds=15)
    assert len(village.booking.writes) == 1
    due = village.run(village.engine.world.due.get(HOME))
    assert due is not None
    assert due.at > village.clock.peek()
    village.booking.faults.hang = False
    after(village, timedelta(seconds=75))
    assert village.booking.calendar.closed == nights(JULY)


# ----------------------------------------------------------------------------------------------- rule 17


def test_rule_17_a_confirmation_that_was_overtaken_repeats_no_call(village: Village) -> None:
    """While Booking.com is written to, another stay moves the head."""

    async def another() -> None:
        village.greengo.calendar.book(AUGUST)
        await village.poll_greengo()

    village.booking.meanwhile = another
    told(village, "airbnb", JULY)
    after(village, 2 * MINUTE)
    assert [set(levels) for levels in village.booking.writes] == [nights(JULY), nights(AUGUST)]
    assert {row.phase for row in ledger(village, "booking")} <= {Phase.ACCEPTED, Phase.SEEN}
    assert all(listing.writes == () for listing in stored(village).listings.values())


def test_rule_17_a_confirmation_touches_only_rows_of_its_own_write(village: Village) -> None:
    told(village, "airbnb", JULY)
    (row,) = ledger(village, "booking")
    listing = stored(village).listings[row.listing]
    village.booking.faults.late = True
    told(village, "airbnb", AUGUST)
    (write,) = stored(village).listings[row.listing].writes
    newer = replace(row, fence=write.fence + 1, phase=Phase.SENT)
    done = Result(WriteOutcome(accepted=frozenset(nights(JULY, AUGUST))))
    outcome = confirm(listing, write, [newer], done, village.clock.now())
    assert outcome.blocks == ()


# ----------------------------------------------------------------------------------------------- rule 18


def test_rule_18_writes_that_fail_do_not_stop_polls(village: Village) -> None:
    village.booking.faults.lose_answer = True
    told(village, "airbnb", JULY)
    told(village, "booking", AUGUST)
    assert village.airbnb.calendar.closed == nights(AUGUST)
    assert village.booking.waiting == {}


@pytest.mark.parametrize("wrong", [AuthFailed("dead"), PlatformDown("no answer")])
def test_rule_18_one_dead_link_does_not_stop_its_host(hamlet: Build, wrong: SyncError) -> None:
    built = hamlet(PAIR, {"mill": GREENGO, "barn": GREENGO})
    built.run(built.first_answers())
    built.web.answers[link("mill")] = wrong
    for n in range(6):
        built.web.answers[link("barn")] = calendar(("g", StayDates.of_nights(JULY.check_in, 1 + n)))
        built.clock.advance(timedelta(minutes=3))
        built.run(built.engine.calendars.shard("0000"))
        assert len(built.booking.closed("barn")) == 1 + n
    assert built.web.asked.count(link("mill")) < built.web.asked.count(link("barn"))


# ----------------------------------------------------------------------------------------------- rule 19


def test_rule_19_a_site_not_wholly_readable_closes_and_never_opens(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    told(village, "booking", AUGUST)
    spoiled = spoil(village, f"{site_codec.RESERVATION}booking|")
    cancelled(village, "airbnb", stay)
    september = StayDates.of_nights(date(2027, 9, 1), 2)
    told(village, "airbnb", september)
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(JULY, september)
    assert village.airbnb.calendar.closed == nights(AUGUST)
    village.run(village.tables.upsert(SITES, spoiled))
    after(village, MINUTE)
    village.run(village.engine.reconciler.reconcile(HOME, "healed"))
    assert village.booking.calendar.closed == nights(september)
    assert village.airbnb.calendar.closed == nights(AUGUST)


def test_rule_19_an_opening_decided_before_waits_until_the_site_is_readable(village: Village) -> None:
    """The cancellation is stored and its opening fails. Before it is tried again a row appears that nobody can read:
    it may be a stay on those very nights."""
    stay = told(village, "airbnb", JULY)
    village.booking.faults.refuse = True
    cancelled(village, "airbnb", stay)
    village.booking.faults.refuse = False
    key = f"{site_codec.RESERVATION}airbnb|odd"
    village.run(village.tables.insert(SITES, Row(HOME, key, {"kind": "of a newer release"})))
    after(village, 6 * MINUTE)
    assert village.booking.calendar.closed == nights(JULY)
    village.run(village.tables.delete(SITES, HOME, key))
    village.run(village.engine.reconciler.reconcile(HOME, "healed"))
    assert village.booking.calendar.closed == set()


def test_rule_19_a_closure_is_a_closure_although_its_stay_cannot_be_read(village: Village) -> None:
    """The closure was refused; before it is said again the stay behind it turns unreadable. Still 0 goes out."""
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    village.booking.faults.refuse = False
    spoil(village, f"{site_codec.RESERVATION}airbnb|")
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(JULY)


def test_rule_19_a_count_forgets_no_stay_that_cannot_be_read() -> None:
    """Three studios, one sold in a stay that turns unreadable, one more sold: one is left, not two."""
    village = Village(units=3)
    told(village, "airbnb", JULY)
    spoil(village, f"{site_codec.RESERVATION}airbnb|")
    sold(village, "greengo", JULY)
    polled(village)
    assert village.booking.writes[-1] == dict.fromkeys(nights(JULY), 1)
    village.close()


def test_rule_19_a_failed_reconcile_is_put_off_with_a_longer_pause_each_time(village: Village) -> None:
    """Its message is completed: no dead letter, and the sweep rings again when the pause is over."""
    village.run(village.engine.world.due.put(HOME, village.clock.now(), "test"))

    def fail(operation: str, table: str, partition: str) -> None:
        if table == SITES:
            raise StoreUnavailable("no answer")

    village.tables.before = fail
    pauses = []
    for attempt in range(1, 4):
        village.run(village.engine.work(site_message(HOME), 1, "m"))
        due = village.run(village.engine.world.due.get(HOME))
        assert due is not None
        assert due.attempts == attempt
        pauses.append((due.at - village.clock.peek()).total_seconds())
    assert [round(pause) for pause in pauses] == [10, 20, 40]
    village.clock.advance(5 * MINUTE)
    assert village.run(village.bus.receive("work", 10, 0)) == []
    names = [name for name, _ in village.telemetry.events]
    assert [name for name in names if name != "run"] == ["reconcile_failed"] * 3


def test_news_of_a_site_that_fails_does_not_hide_that_it_does(village: Village) -> None:
    """Each piece of news used to set its count of failures back: a home that sells well was never told of."""

    def fail(operation: str, table: str, partition: str) -> None:
        if table == SITES:
            raise StoreUnavailable("no answer")

    for _ in range(4):
        village.run(village.engine.world.due.put(HOME, village.clock.now(), "news"))
        village.tables.before = fail
        village.run(village.engine.work(site_message(HOME), 1, "m"))
        village.tables.before = None
    answer = village.run(village.engine.health())
    assert b"sites that cannot be brought up to date: 1" in answer.body


# ------------------------------------------------------------------------------------------- by the way


def hear(built: Hamlet, seen: SeenStay) -> None:
    built.booking.tell(seen)
    built.run(built.poll())


async def together(built: Hamlet) -> None:
    await asyncio.gather(built.poll(), built.engine.calendars.shard("0000", force=True))


def exported(built: Hamlet, home: str) -> set[date]:
    """The nights that our calendar for the home's link shows as taken."""
    state = built.run(built.engine.world.sites.load(home))
    rows = (row for row in state.blocks.values() if row.listing == f"{home}-greengo" and row.wanted)
    return nights(*(row.dates for row in rows))


def fail_commits(built: Hamlet, site: str) -> None:
    def fail(operation: str, table: str, partition: str) -> None:
        if (operation, table, partition) == ("submit", SITES, site):
            raise StoreUnavailable("no answer")

    built.memory.before = fail


def spoil(village: Village, prefix: str) -> Row:
    """Make the first stored row of a prefix unreadable; returns what it was."""
    row, *_ = village.run(village.tables.query(SITES, HOME, start=prefix, stop=prefix + "\U0010ffff"))
    village.run(village.tables.upsert(SITES, replace(row, values={"parts": "what is this?"}, etag=None)))
    return replace(row, etag=None)
