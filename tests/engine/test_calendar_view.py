"""The calendar as a person sees it: whose homes, of when, and what a look at it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.dates import StayDates
from shared.domain.errors import NotFound
from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.domain.timeline import Bar, Row, Step, What
from shared.domain.why import Face
from shared.engine.calendar_view import DAYS, Asked, Calendar, CalendarView
from shared.engine.freshness import Freshness
from shared.engine.operations import Operations
from shared.engine.stamps import OLD, Stamp
from tests.engine.asking import asks, look
from tests.engine.hamlet import Hamlet, calendar, link, stay
from tests.engine.stories import JULY, LATER, MINUTE, after, cancelled, clashes, moved, polled, pulled, told
from tests.engine.village import HOME, START, Village

OWNER = Person("Camille", {"owner": Role.OPERATOR})
EVERYBODY = Person("Agency", {ALL_OWNERS: Role.VIEWER})
STRANGER = Person("Dominique", {"another": Role.OPERATOR})
IN_JULY = Asked(start=date(2027, 7, 1))

Build = Callable[..., Hamlet]


def view_of(engine: Operations) -> CalendarView:
    world = engine.world
    return CalendarView(world, engine.modes, Freshness(world, engine.modes, {}))


@pytest.fixture
def view(village: Village) -> CalendarView:
    return view_of(village.engine)


def shown(village: Village, view: CalendarView, asked: Asked = IN_JULY) -> Calendar:
    return village.run(view.show(OWNER, asked))


def row(village: Village, view: CalendarView, asked: Asked = IN_JULY) -> Row:
    (only,) = shown(village, view, asked).rows
    return only


def bars(village: Village, view: CalendarView, asked: Asked = IN_JULY) -> list[Bar]:
    return row(village, view, asked).bars()


def steps(bar: Bar) -> dict[str, str]:
    return {one.platform: one.step.value for one in bar.reach}


def reads(village: Village, doing: Callable[[], object]) -> Counter[str]:
    """Which tables were read or written meanwhile, and how often."""
    counted: Counter[str] = Counter()
    village.tables.before = lambda operation, table, partition: counted.update([f"{operation} {table}"])
    doing()
    village.tables.before = None
    return counted


# --------------------------------------------------------------------------------------- the stories


def test_a_stay_sold_on_airbnb_goes_step_by_step_to_seen_on_the_others(
    village: Village, view: CalendarView
) -> None:
    village.booking.faults.down = True
    told(village, "airbnb", JULY)
    (bar,) = bars(village, view)
    assert steps(bar) == {"airbnb": "own", "booking": "to_send", "greengo": "sent"}
    assert (bar.slowest, bar.exposed) == (Step.TO_SEND, True)
    village.booking.faults.down = False
    after(village, 2 * MINUTE)
    assert steps(bars(village, view)[0])["booking"] == "confirmed"
    pulled(village)
    (bar,) = bars(village, view)
    assert (steps(bar)["greengo"], bar.exposed) == ("confirmed", False)
    after(village, 2 * MINUTE)  # the calendars are read back
    assert steps(bars(village, view)[0])["booking"] == "seen"


def test_a_refused_closure_waits_to_be_sent_and_says_why(village: Village, view: CalendarView) -> None:
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    reach = {one.platform: one for one in bars(village, view)[0].reach}
    assert (reach["booking"].step, reach["booking"].tries) == (Step.TO_SEND, 1)
    assert "refused for the test" in reach["booking"].error


def test_a_stay_that_moves_over_the_months_end_moves_on_the_page(
    village: Village, view: CalendarView
) -> None:
    one = told(village, "airbnb", JULY)
    assert [bar.dates for bar in bars(village, view)] == [JULY]
    over = StayDates(date(2027, 7, 30), date(2027, 8, 3))
    moved(village, "airbnb", one, over)
    pulled(village)
    assert [(bar.what, bar.dates) for bar in bars(village, view)] == [(What.STAY, over)]
    assert [bar.dates for bar in bars(village, view, Asked(date(2027, 8, 1)))] == [over]


def test_a_promise_to_airbnb_is_on_the_page_until_it_ends(village: Village, view: CalendarView) -> None:
    village.run(look(village))
    assert village.run(asks(village.engine, JULY))
    (bar,) = bars(village, view)
    assert (bar.what, bar.platform, bar.dates) == (What.HOLD, "airbnb", JULY)
    village.clock.advance(16 * MINUTE)
    assert bars(village, view) == []


def test_a_promise_given_after_the_page_was_drawn_is_on_the_next_one_within_two_minutes(
    village: Village, view: CalendarView
) -> None:
    village.run(look(village))
    assert bars(village, view) == []
    assert village.run(asks(village.engine, JULY))
    village.clock.advance(OLD)
    assert [bar.what for bar in bars(village, view)] == [What.HOLD]


def test_a_double_booking_is_on_both_stays(village: Village, view: CalendarView) -> None:
    village.greengo.calendar.book(LATER)
    told(village, "airbnb", JULY)
    polled(village)
    (clash,) = clashes(village)
    assert [(bar.platform, bar.clashes) for bar in bars(village, view)] == [
        ("airbnb", (clash.id,)),
        ("greengo", (clash.id,)),
    ]


def test_what_vanished_from_a_calendar_is_there_until_it_is_proven(
    village: Village, view: CalendarView
) -> None:
    village.greengo.calendar.book(JULY)
    polled(village)
    village.greengo.hidden = set(village.greengo.calendar.sold)
    village.greengo.calendar.book(StayDates(date(2027, 9, 1), date(2027, 9, 3)))
    polled(village, 2 * MINUTE)
    (bar,) = bars(village, view)
    assert (bar.what, bar.dates) == (What.UNSURE, JULY)
    assert bar.gone is not None
    for _ in range(3):
        polled(village, 15 * MINUTE)
        village.run(village.drain())
    assert [bar.what for bar in bars(village, view) if bar.what is not What.REOPENING] == []


def test_a_cancelled_stays_nights_are_on_their_way_back_until_the_peer_has_them(
    village: Village, view: CalendarView
) -> None:
    one = told(village, "airbnb", JULY)
    pulled(village)
    cancelled(village, "airbnb", one)
    village.run(village.poll_booking())
    after(village, 2 * MINUTE)
    (bar,) = bars(village, view)
    assert (bar.what, bar.dates) == (What.REOPENING, JULY)
    assert "greengo" in steps(bar)
    pulled(village)
    assert bars(village, view) == []


def test_what_waits_for_an_account_that_is_manual_is_to_be_closed_by_hand(
    village: Village, view: CalendarView
) -> None:
    account = village.run(village.engine.world.accounts.load("booking"))
    assert account is not None
    village.run(village.engine.modes.choose(account, ModeSetting(SyncMode.MANUAL), "Camille"))
    told(village, "airbnb", JULY)
    reach = {one.platform: one for one in bars(village, view)[0].reach}
    assert (reach["booking"].step, reach["booking"].by_hand) == (Step.TO_SEND, "chosen by its owner")


def test_a_choice_of_mode_shows_on_bars_that_did_not_change(village: Village, view: CalendarView) -> None:
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    assert bars(village, view)[0].reach[1].by_hand == ""
    account = village.run(village.engine.world.accounts.load("booking"))
    assert account is not None
    village.run(village.engine.modes.choose(account, ModeSetting(SyncMode.MANUAL), "Camille"))
    village.run(view.stamps.note("choose"))
    assert bars(village, view)[0].reach[1].by_hand == "chosen by its owner"


def test_the_guests_short_name_is_with_the_stay(village: Village, view: CalendarView) -> None:
    told(village, "airbnb", JULY)
    world = village.engine.world
    state = village.run(world.sites.load(HOME))
    (key,) = state.reservations
    named = replace(state.reservations[key], guest="Zoé T.")
    from shared.state.sites import Changes

    village.run(world.sites.commit(state, Changes(reservations=[named])))
    assert [bar.guest for bar in bars(village, view)] == ["Zoé T."]


# ------------------------------------------------------------------------------------- the page itself


def test_without_a_day_it_begins_today_at_the_homes(village: Village, view: CalendarView) -> None:
    village.clock.advance(timedelta(hours=15, minutes=30))  # 23:30 UTC is tomorrow in Paris
    page = shown(village, view, Asked())
    assert page.today == START.date() + timedelta(days=1)
    assert (page.window.check_in, len(page.window)) == (page.today, DAYS)
    assert (page.zone, page.rows[0].today) == ("Europe/Paris", page.today)


def test_the_day_turns_on_a_page_that_nothing_else_changes(village: Village, view: CalendarView) -> None:
    assert row(village, view).today == START.date()
    village.clock.advance(timedelta(hours=15))  # midnight in Paris
    assert row(village, view).today == START.date() + timedelta(days=1)


def test_a_strangers_page_is_empty_and_names_no_home(village: Village, view: CalendarView) -> None:
    page = village.run(view.show(STRANGER, IN_JULY))
    assert (page.rows, page.homes, page.channels) == ((), (), ())
    for asked in (Asked(home=HOME), Asked(channel="airbnb"), Asked(page=2)):
        with pytest.raises(NotFound):
            village.run(view.show(STRANGER, asked))
    with pytest.raises(NotFound):
        village.run(view.home(STRANGER, HOME))


def test_a_home_that_is_anothers_is_refused_like_one_that_never_was(
    village: Village, view: CalendarView
) -> None:
    said = []
    for name in (HOME, "never-was"):
        with pytest.raises(NotFound) as refused:
            village.run(view.home(STRANGER, name))
        said.append(str(refused.value).replace(name, "*"))
    assert len(set(said)) == 1


def test_who_looks_after_everybodys_homes_sees_them(village: Village, view: CalendarView) -> None:
    assert [one.home for one in village.run(view.show(EVERYBODY, IN_JULY)).rows] == [HOME]


def test_a_channels_own_view(village: Village, view: CalendarView) -> None:
    told(village, "airbnb", JULY)
    page = shown(village, view, Asked(date(2027, 7, 1), channel="greengo"))
    assert [steps(bar) for bar in page.rows[0].bars()] == [{"greengo": "sent"}]
    assert [name for name, _ in page.channels] == ["airbnb", "booking", "greengo"]


def test_a_home_is_found_on_whatever_page_it_is(hamlet: Build) -> None:
    built = hamlet([Home(f"home{number:03}", f"Home {number}", "owner") for number in range(53)])
    view = view_of(built.engine)
    first, second = (built.run(view.show(OWNER, Asked(page=page))) for page in (1, 2))
    assert (len(first.rows), len(second.rows), first.pages) == (50, 3, 2)
    found = built.run(view.show(OWNER, Asked(home="home052")))
    assert ([one.home for one in found.rows], found.page) == (["home052"], 2)
    with pytest.raises(NotFound):
        built.run(view.show(OWNER, Asked(page=3)))


def test_a_calendar_link_gives_grey_bars(hamlet: Build) -> None:
    built = hamlet([Home("mill", "Mill", "owner")], {"mill": GREENGO})
    built.web.answers[link("mill")] = calendar(("uid", JULY))
    built.run(built.first_answers())
    built.booking.tell(stay("b1", ("mill", LATER)))
    built.run(built.poll())
    (one,) = built.run(view_of(built.engine).show(OWNER, IN_JULY)).rows
    assert [(bar.platform, bar.linked, bar.what) for bar in one.bars()] == [
        ("greengo", True, What.UNSURE),
        ("booking", False, What.STAY),
    ]


# ------------------------------------------------------------------------------------------- one home


def test_one_home_night_by_night_says_what_each_channel_shows_and_how_far_we_are(
    village: Village, view: CalendarView
) -> None:
    village.run(village.first_answers())
    told(village, "airbnb", JULY)
    village.run(village.poll_booking())
    page = village.run(view.home(OWNER, HOME, date(2027, 7, 1)))
    cells = {night.night: [(cell.face, cell.step) for cell in night.cells] for night in page.nights}
    assert [one.platform for one in page.row.channels] == ["airbnb", "booking", "greengo"]
    assert cells[JULY.check_in] == [
        (Face.SOLD, Step.NONE),
        (Face.CLOSED, Step.CONFIRMED),
        (Face.CLOSING, Step.SENT),
    ]
    assert cells[JULY.check_out] == [(Face.OPEN, Step.NONE)] * 3
    there = {night.night for night in page.nights if night.bars}
    assert there == set(JULY.nights())


def test_the_night_of_a_source_that_is_too_old_is_unknown(village: Village, view: CalendarView) -> None:
    village.clock.advance(timedelta(hours=5))
    page = village.run(view.home(OWNER, HOME, date(2027, 7, 1)))
    assert {cell.face for night in page.nights for cell in night.cells} == {Face.UNKNOWN}
    assert all(cell.doubt for night in page.nights for cell in night.cells)


# --------------------------------------------------------------------------------------- what it costs


def test_a_tick_is_one_read_and_says_whether_there_is_news(village: Village, view: CalendarView) -> None:
    stamp = str(shown(village, view).stamp)
    answers: list[bool] = []
    cost = reads(village, lambda: answers.append(village.run(view.still(stamp))))
    assert (answers, cost) == ([True], Counter({"query Runs": 1}))
    told(village, "airbnb", JULY)
    cost = reads(village, lambda: answers.append(village.run(view.still(stamp))))
    assert (answers, cost) == ([True, False], Counter({"query Runs": 1}))


def test_an_idle_run_is_no_news(village: Village, view: CalendarView) -> None:
    stamp = str(shown(village, view).stamp)
    village.run(village.poll_booking())
    village.run(village.poll_greengo())
    after(village, timedelta())
    assert village.run(view.still(stamp))


def test_a_run_that_began_before_the_page_and_ended_after_it_is_news(
    village: Village, view: CalendarView
) -> None:
    from shared import meter

    begun = village.clock.now()
    village.clock.advance(MINUTE)
    stamp = str(shown(village, view).stamp)
    with meter.metering() as counted:
        meter.count("airbnb", changed=1)
    village.run(village.engine.reports.keep("queue", "booking", begun, counted))
    assert not village.run(view.still(stamp))


def test_what_a_person_decides_is_news_to_everybody_else(village: Village, view: CalendarView) -> None:
    stamp = str(shown(village, view).stamp)
    village.run(view_of(village.another_host()).stamps.note("set_mode"))
    assert not village.run(view.still(stamp))


@pytest.mark.parametrize(
    "written", ["", "x", "1-", f"{'9' * 16}-{'0' * 12}", f"0-{'0' * 12}", "²-000000000000"]
)
def test_an_odd_stamp_is_news_and_costs_nothing(village: Village, view: CalendarView, written: str) -> None:
    answers: list[bool] = []
    cost = reads(village, lambda: answers.append(village.run(view.still(written))))
    assert (answers, cost) == ([False], Counter())


def test_an_old_stamp_is_news_without_a_read(village: Village, view: CalendarView) -> None:
    stamp = str(shown(village, view).stamp)
    village.clock.advance(OLD)
    assert reads(village, lambda: village.run(view.still(stamp))) == Counter()
    assert not village.run(view.still(stamp))


def test_a_stamp_of_yesterday_is_news_without_a_read(village: Village, view: CalendarView) -> None:
    """The reports of a day stand in a partition of their own: two would have to be read."""
    village.clock.advance(timedelta(hours=15, minutes=59, seconds=50))
    stamp = str(shown(village, view).stamp)
    assert village.run(view.still(stamp))
    village.clock.advance(timedelta(seconds=20))
    answers: list[bool] = []
    cost = reads(village, lambda: answers.append(village.run(view.still(stamp))))
    assert (answers, cost) == ([False], Counter())


def test_a_stamp_is_read_as_it_was_written(village: Village, view: CalendarView) -> None:
    stamp = shown(village, view).stamp
    assert Stamp.parse(str(stamp)) == stamp


def test_drawing_again_what_has_not_changed_reads_no_site(village: Village, view: CalendarView) -> None:
    told(village, "airbnb", JULY)
    first = shown(village, view)
    again: list[Calendar] = []
    cost = reads(village, lambda: again.append(shown(village, view)))
    assert cost == Counter({"query Runs": 1, "query Accounts": 1})
    assert again[0] == first


def test_when_something_changed_only_locks_are_read_of_the_sites_that_did_not(hamlet: Build) -> None:
    built = hamlet([Home(name, name, "owner") for name in ("barn", "mill", "tower")])
    view = view_of(built.engine)
    built.run(built.first_answers())
    built.run(view.show(OWNER, IN_JULY))
    built.booking.tell(stay("b1", ("mill", JULY)))
    built.clock.advance(OLD)
    built.run(built.poll())
    counted: Counter[str] = Counter()
    built.memory.before = lambda operation, table, partition: (
        counted.update([f"{operation} {partition}"]) if table == "Sites" else None
    )
    page = built.run(view.show(OWNER, IN_JULY))
    built.memory.before = None
    assert counted == Counter({"get barn": 1, "get mill": 1, "get tower": 1, "query mill": 1})
    assert {one.home: len(one.bars()) for one in page.rows} == {"barn": 0, "mill": 1, "tower": 0}


def test_what_another_host_changed_is_on_the_page(village: Village, view: CalendarView) -> None:
    assert bars(village, view) == []
    first, village.engine = village.engine, village.another_host()
    told(village, "airbnb", JULY)
    village.engine = first
    assert [bar.dates for bar in bars(village, view)] == [JULY]
