"""What a review broke the engine with, beside the rules' own stories: odd calendars, rows nobody can read, answers that
get lost, a portfolio that changes, accounts that come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import StaleWrite, StoreUnavailable
from shared.domain.model import GREENGO, Platform
from shared.domain.portfolio import Home
from shared.ports import FeedBusy
from shared.state import site_codec
from shared.state.names import SITES
from shared.state.sites import Changes, SiteStore, history_lines
from tests.engine.hamlet import Hamlet, calendar, link
from tests.engine.stories import (
    AUGUST,
    JULY,
    MINUTE,
    after,
    deliver,
    nights,
    polled,
    sold,
    told,
)
from tests.engine.village import HOME, Crash, Village

MILL = Home("mill", "Mill", "owner")
BARN = Home("barn", "Barn", "owner")

Build = Callable[..., Hamlet]


# -------------------------------------------------------------------------------- calendars that are odd


def test_a_recurring_closure_of_two_years_is_stored(hamlet: Build) -> None:
    """Every second night for two years: more text than a column of the table holds."""
    built = hamlet([MILL], {"mill": GREENGO})
    built.run(built.first_answers())
    rule = calendar(("weekdays", StayDates.of_nights(date(2027, 3, 2), 1))).replace(
        b"SUMMARY", b"RRULE:FREQ=DAILY;INTERVAL=2;COUNT=360\r\nSUMMARY"
    )
    built.web.answers[link("mill")] = rule
    built.run(built.engine.poller.shard("0000", force=True))
    assert len(built.booking.closed("mill")) == 360
    state = built.run(built.engine.world.sites.load("mill"))
    (fact,) = (one for one in state.reservations.values() if one.feed)
    assert len(fact.parts) == 360
    built.web.answers[link("mill")] = calendar(("weekdays", JULY))
    built.run(built.engine.poller.shard("0000", force=True))
    state = built.run(built.engine.world.sites.load("mill"))
    (fact,) = (one for one in state.reservations.values() if one.feed)
    assert [part.dates for part in fact.parts] == [JULY]


def test_more_ranges_than_a_row_holds_are_refused(hamlet: Build) -> None:
    built = hamlet([MILL], {"mill": GREENGO})
    built.run(built.first_answers())
    days = (StayDates.of_nights(date(2027, 3, 2) + timedelta(days=2 * n), 1) for n in range(2001))
    built.web.answers[link("mill")] = calendar(*(("same", day) for day in days))
    report = built.run(built.engine.poller.shard("0000", force=True))
    assert report.errors == {"mill-greengo": "event 2001 has more than 2000 date ranges"}


def test_the_most_ranges_of_one_event_fit_into_their_row(hamlet: Build) -> None:
    built = hamlet([MILL], {"mill": GREENGO})
    built.run(built.first_answers())
    days = (StayDates.of_nights(date(2027, 3, 2) + timedelta(days=2 * n), 1) for n in range(2000))
    built.web.answers[link("mill")] = calendar(*(("same", day) for day in days))
    assert not built.run(built.engine.poller.shard("0000", force=True)).errors
    built.web.answers[link("mill")] = calendar(("other", JULY))
    assert not built.run(built.engine.poller.shard("0000", force=True)).errors


def test_a_closure_for_ever_is_closed_as_far_as_it_goes(hamlet: Build) -> None:
    """Nine years of nights in one write."""
    built = hamlet([MILL], {"mill": GREENGO})
    built.run(built.first_answers())
    forever = StayDates(date(2027, 3, 2), date(2036, 3, 1))
    built.web.answers[link("mill")] = calendar(("forever", forever))
    built.run(built.engine.poller.shard("0000", force=True))
    assert built.booking.closed("mill") == set(forever.nights())


@pytest.mark.parametrize("uid", ["\U0001f3e0" * 100, "水" * 100, "é" * 100, "%" * 100, "|" * 100, "../" * 33])
def test_a_uid_of_any_letters_is_stored(hamlet: Build, uid: str) -> None:
    built = hamlet([replace(MILL, id="m" * 40)], {"m" * 40: GREENGO})
    built.run(built.first_answers())
    built.web.answers[link("m" * 40)] = calendar((uid, JULY))
    built.run(built.engine.poller.shard("0000", force=True))
    assert built.booking.closed("m" * 40) == nights(JULY)


def test_one_calendar_that_breaks_us_does_not_stop_the_others(hamlet: Build) -> None:
    """A fault of ours in one answer: the others of its shard are stored, and asked again when they are due."""
    built = hamlet([MILL, BARN], {"mill": GREENGO, "barn": GREENGO})
    built.run(built.first_answers())
    read = built.engine.world.feeds.read

    def broken(body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        if b"UID:bad" in body:
            raise ValueError("a fault of ours")
        return read(body, platform, zone, today)

    built.engine.world.feeds.read = broken  # type: ignore[method-assign]
    built.web.answers[link("mill")] = calendar(("bad", JULY))
    built.web.answers[link("barn")] = calendar(("good", JULY))
    with pytest.raises((ValueError, ExceptionGroup)):
        built.run(built.engine.poller.shard("0000", force=True))
    built.web.answers[link("barn")] = calendar(("good", JULY), ("more", AUGUST))
    with pytest.raises((ValueError, ExceptionGroup)):
        built.run(built.engine.poller.shard("0000", force=True))
    assert built.booking.closed("barn") == nights(JULY, AUGUST)


# ------------------------------------------------------------------------------ rows nobody can read


def spoiled_listing(village: Village, name: str) -> Callable[[], None]:
    """Make a listing's row unreadable; returns what mends it."""
    key = f"{site_codec.LISTING}{HOME}-{name}"
    row = village.run(village.tables.get(SITES, HOME, key))
    assert row is not None
    village.run(village.tables.upsert(SITES, replace(row, values={"link": "carrier pigeon"}, etag=None)))

    def mend() -> None:
        village.run(village.tables.upsert(SITES, replace(row, etag=None)))

    return mend


@pytest.mark.parametrize("broken", ["airbnb", "greengo"])
def test_with_an_unreadable_listing_the_others_are_still_closed(village: Village, broken: str) -> None:
    told(village, "booking", AUGUST)
    spoiled_listing(village, broken)
    other = "greengo" if broken == "airbnb" else "airbnb"
    sold(village, other, JULY)
    if other == "greengo":
        polled(village)
    else:
        deliver(village)
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(JULY)


def test_an_answer_for_an_unreadable_listing_is_read_again_when_it_is_mended(village: Village) -> None:
    mend = spoiled_listing(village, "greengo")
    sold(village, "greengo", JULY)
    polled(village)
    mend()
    polled(village, 60 * MINUTE)
    assert village.booking.calendar.closed == nights(JULY)


def test_a_stay_of_an_unreadable_listing_is_not_lost_with_its_acknowledgement(village: Village) -> None:
    mend = spoiled_listing(village, "booking")
    told(village, "booking", JULY)
    mend()
    after(village, MINUTE)
    village.run(village.engine.reconciler.reconcile(HOME, "mended"))
    assert village.airbnb.calendar.closed == nights(JULY)


# --------------------------------------------------------------------------------- lost answers, crashes


def test_a_commit_whose_answer_was_lost_and_that_was_overtaken_is_not_built_upon(village: Village) -> None:
    """Our commit went in, its answer did not come back, and another committed before we looked: what we hold is old."""
    plain = SiteStore(village.tables, lambda: f"w{next(village.serial)}")
    ours = village.run(plain.load(HOME))
    others: list[int] = []

    async def lose(operation: str, table: str, partition: str) -> None:
        if operation == "submit" and not others:
            others.append(1)
            await plain.commit(await plain.load(HOME), Changes())
            raise StoreUnavailable("the answer got lost")

    village.tables.after = lose
    head = village.run(plain.commit(ours, Changes()))
    village.tables.after = None
    now = village.run(plain.head(HOME))
    assert now.version == ours.head.version + 2
    assert head.version == ours.head.version + 1
    with pytest.raises(StaleWrite):
        village.run(plain.commit(replace(ours, head=head), Changes()))


def test_an_opening_is_not_sent_while_a_large_commit_is_half_done(village: Village) -> None:
    """The first part of a commit over 100 rows holds a new stay and not yet the next version."""
    mine = told(village, "airbnb", JULY)
    plain = SiteStore(village.tables, lambda: f"w{next(village.serial)}")

    async def half(operation: str, table: str, partition: str) -> None:
        if operation == "get" and table == SITES:
            village.tables.before = None
            state = await plain.load(HOME)
            await plain._one(HOME, state.head, [])

    async def armed(operation: str, table: str, partition: str) -> None:
        if operation == "submit" and table == SITES:
            village.tables.before = half

    village.tables.before = armed
    village.airbnb.calendar.cancel(mine)
    village.say("airbnb", mine, "modify")
    written = len(village.booking.writes)
    deliver(village)
    assert len(village.booking.writes) == written


def test_a_listing_is_complete_only_with_the_last_part_of_its_first_answer(hamlet: Build) -> None:
    """A crash after the first hundred rows: the export would have been served without the stays that follow."""
    built = hamlet([MILL], {"mill": GREENGO})
    built.run(built.engine.poller.observe("booking"))
    days = [date(2027, 4, 1) + timedelta(days=3 * n) for n in range(120)]
    built.web.answers[link("mill")] = calendar(
        *((f"u{n}", StayDates.of_nights(d, 2)) for n, d in enumerate(days))
    )
    submits: list[int] = []

    def die(operation: str, table: str, partition: str) -> None:
        if operation == "submit" and table == SITES:
            submits.append(1)
            if len(submits) == 2:
                raise Crash

    built.tables.inner.before = die  # type: ignore[attr-defined]
    with pytest.raises(Crash):
        built.run(built.engine.poller.shard("0000", force=True))
    built.tables.inner.before = None  # type: ignore[attr-defined]
    state = built.run(built.engine.world.sites.load("mill"))
    assert 0 < len(state.reservations) < 120
    assert not state.listings["mill-greengo"].complete
    for _ in range(2):
        built.run(built.engine.poller.shard("0000", force=True))
    state = built.run(built.engine.world.sites.load("mill"))
    assert state.listings["mill-greengo"].complete
    assert len(built.booking.closed("mill")) == 240


def test_the_record_of_a_large_change_can_be_read(village: Village) -> None:
    plain = SiteStore(village.tables, lambda: f"w{next(village.serial)}")
    lines = [{"what": "fact", "of": "\U0001f3e0" * 100, "nights": str(JULY)} for _ in range(400)]
    village.run(plain.commit(village.run(plain.load(HOME)), Changes(history=lines)))
    rows = village.run(village.tables.query(SITES, HOME, start=site_codec.HISTORY))
    assert history_lines(rows[-1])[0] == lines[0]
