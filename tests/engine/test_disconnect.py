"""A calendar that is not read any more, as its owner wished: nothing opens by it, nothing is asked of it, and it can be
taken up again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.domain.dates import StayDates
from shared.domain.errors import NotAllowed, NotFound
from shared.domain.model import Busy, Certainty, SiteState
from shared.domain.occupancy import occupancies
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.domain.removals import Doubt, removals
from shared.engine.link_view import LinkView
from shared.engine.turn import Taken, turn
from shared.ports.http import Request, Response
from tests.engine.hamlet import Hamlet, calendar, link, portfolio, stay
from tests.engine.test_connect import CLAIRE, LOOKER, MARC, nights
from tests.engine.test_links import MOULIN, NEW, fetch, only
from tests.engine.village import Crash, Store, unheard
from tests.hypothesis_profiles import PROVING
from tests.web.support import Browser

SOLD = nights(10, 4)
NAME = "moulin-greengo"


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    """One home, sold once on Greengo by link, once on Booking.com by API; Greengo shows our closure as its own."""
    found = Hamlet([MOULIN], {"moulin": GREENGO})
    found.run(found.first_answers())
    found.web.answers[link("moulin")] = calendar(("a", SOLD))
    look(found)
    yield found
    found.close()


def look(hamlet: Hamlet) -> None:
    hamlet.clock.advance(timedelta(minutes=3))
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    hamlet.run(hamlet.drain())


def cut(hamlet: Hamlet) -> LinkView:
    done = hamlet.run(hamlet.engine.links.disconnect(CLAIRE, only(hamlet).id))
    hamlet.run(hamlet.drain())
    assert done is not None
    return done


def state_of(hamlet: Hamlet) -> SiteState:
    return hamlet.run(hamlet.engine.world.sites.load("moulin"))


def held(hamlet: Hamlet) -> set[StayDates]:
    return {part.dates for fact in state_of(hamlet).reservations.values() for part in fact.held()}


def test_nothing_opens_and_nothing_is_asked_any_more(hamlet: Hamlet) -> None:
    view = cut(hamlet)
    assert (view.host, view.stays, view.error, view.silent) == ("", 1, "", ())
    asked = len(hamlet.web.asked)
    hamlet.web.answers[link("moulin")] = calendar()
    for _ in range(3):
        hamlet.clock.advance(timedelta(hours=7))
        look(hamlet)
        hamlet.run(hamlet.engine.on_timer_walk())
    assert len(hamlet.web.asked) == asked
    assert held(hamlet) == {SOLD}
    assert hamlet.booking.closed("moulin") == set(SOLD.nights())


def test_no_part_of_its_address_is_kept(hamlet: Hamlet) -> None:
    cut(hamlet)
    rows = hamlet.run(hamlet.memory.query("Feeds", "0000"))
    assert link("moulin") not in repr(rows)
    assert hamlet.run(hamlet.engine.world.shards.get("0000", NAME)) is None
    assert NAME not in hamlet.run(hamlet.engine.world.shards.load("0000")).feeds


def test_a_stay_it_had_shown_waits_for_a_persons_word_and_for_nothing_else(hamlet: Hamlet) -> None:
    cut(hamlet)
    hamlet.clock.advance(timedelta(days=2))
    (one,) = removals(state_of(hamlet), hamlet.clock.now())
    assert (one.doubt, one.needed, one.by, one.stay) == (Doubt.CUT, None, None, SOLD)
    (shown,) = hamlet.run(hamlet.engine.vanished.waiting(state_of(hamlet)))
    hamlet.run(hamlet.engine.vanished.let_go(CLAIRE, shown.id))
    hamlet.run(hamlet.drain())
    assert held(hamlet) == set()
    assert hamlet.booking.closed("moulin") == set()


def test_todays_page_does_not_ask_about_it_each_day(hamlet: Hamlet) -> None:
    before = hamlet.run(hamlet.engine.today.show(CLAIRE)).needs
    cut(hamlet)
    hamlet.clock.advance(timedelta(minutes=1))
    today = hamlet.run(hamlet.engine.today.show(CLAIRE))
    assert (today.removals, today.needs) == ((), before)


def test_our_calendar_goes_on_being_given_and_says_what_is_sold_elsewhere(hamlet: Hamlet) -> None:
    cut(hamlet)
    other = nights(30, 2)
    hamlet.booking.tell(stay("B1", ("moulin", other)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    answer = fetch(hamlet, only(hamlet).token)
    assert answer.status == 200
    assert f"{other.check_in:%Y%m%d}" in answer.body.decode()
    assert f"{SOLD.check_in:%Y%m%d}" not in answer.body.decode()


def test_our_own_closures_in_it_are_no_stays_to_keep(hamlet: Hamlet) -> None:
    other = nights(30, 2)
    hamlet.booking.tell(stay("B1", ("moulin", other)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    fetch(hamlet, only(hamlet).token)
    hamlet.run(hamlet.drain())
    hamlet.web.answers[link("moulin")] = calendar(("a", SOLD), ("echo", other))
    look(hamlet)
    cut(hamlet)
    facts = [one.feed for one in state_of(hamlet).reservations.values()]
    assert sorted(facts) == ["", NAME]
    assert not state_of(hamlet).conflicts


def test_a_calendar_that_never_answered_no_longer_keeps_the_home_from_its_others(hamlet: Hamlet) -> None:
    grange = Home("grange", "La Grange", "claire")
    hamlet.run(
        hamlet.engine.portfolio.run(portfolio([MOULIN, grange], {"moulin": GREENGO, "grange": GREENGO}))
    )
    hamlet.run(hamlet.engine.observer.observe("booking"))
    look(hamlet)
    (silent,) = [v for v in hamlet.run(hamlet.engine.link_views.listed(CLAIRE)) if v.home == "grange"]
    assert (silent.servable, silent.silent) == (False, ("greengo",))
    done = hamlet.run(hamlet.engine.links.disconnect(CLAIRE, silent.id))
    assert done is not None
    assert (done.servable, done.silent) == (True, ())


def test_a_link_given_again_is_read_anew_and_finds_its_stays(hamlet: Hamlet) -> None:
    look(hamlet)
    cut(hamlet)
    hamlet.web.answers[NEW] = calendar(("a", SOLD), ("b", nights(50, 2)))
    again = hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW))
    assert isinstance(again, LinkView)
    hamlet.run(hamlet.drain())
    look(hamlet)
    assert held(hamlet) == {SOLD, nights(50, 2)}
    assert not any(fact.fading for fact in state_of(hamlet).reservations.values())
    hamlet.web.answers[NEW] = calendar(("b", nights(50, 2)), ("c", nights(60, 2)), ("d", nights(70, 2)))
    for _ in range(12):
        look(hamlet)
    assert held(hamlet) == {nights(50, 2), nights(60, 2), nights(70, 2)}


def test_the_first_answer_of_a_link_given_again_proves_no_cancellation(hamlet: Hamlet) -> None:
    cut(hamlet)
    hamlet.clock.advance(timedelta(days=1))  # in which nobody looked
    hamlet.run(hamlet.engine.observer.observe("booking"))
    hamlet.web.answers[NEW] = calendar(("b", nights(50, 2)))
    again = hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW, sure=True))
    assert isinstance(again, LinkView)
    for _ in range(10):
        hamlet.run(hamlet.drain())
        look(hamlet)
    assert SOLD in held(hamlet)
    assert set(SOLD.nights()) <= hamlet.booking.closed("moulin")
    hamlet.clock.advance(timedelta(hours=6))
    look(hamlet)
    assert held(hamlet) == {nights(50, 2)}


def test_what_was_sold_while_nobody_read_is_no_echo_of_a_closure_taken_meanwhile(hamlet: Hamlet) -> None:
    early, late = nights(30, 2), nights(50, 2)
    hamlet.booking.tell(stay("B1", ("moulin", early)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    fetch(hamlet, only(hamlet).token)
    hamlet.run(hamlet.drain())
    cut(hamlet)
    hamlet.clock.advance(timedelta(days=1))  # Greengo sells the later nights now, and so does Booking.com
    hamlet.booking.tell(stay("B2", ("moulin", late)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    fetch(hamlet, only(hamlet).token)
    hamlet.run(hamlet.drain())
    hamlet.web.answers[NEW] = calendar(("a", SOLD), ("echo", early), ("sale", late))
    hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW, sure=True))
    hamlet.run(hamlet.drain())
    look(hamlet)
    (clash,) = state_of(hamlet).conflicts.values()
    assert clash.exact == (late,)
    assert clash.certainty is not Certainty.SURE


def test_a_fetch_nobody_had_heard_of_before_the_first_answer_was_made_while_nobody_read_too(
    hamlet: Hamlet,
) -> None:
    """The bell of the fetch is still under way, or lost, when the link given again gives its first answer."""
    late = nights(50, 2)
    cut(hamlet)
    hamlet.clock.advance(timedelta(days=1))
    hamlet.booking.tell(stay("B2", ("moulin", late)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    fetch(hamlet, only(hamlet).token)
    hamlet.web.answers[NEW] = calendar(("a", SOLD), ("sale", late))
    hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW, sure=True))
    hamlet.run(unheard(hamlet.bus))
    look(hamlet)
    (clash,) = state_of(hamlet).conflicts.values()
    assert clash.exact == (late,)
    assert clash.certainty is not Certainty.SURE


def test_nor_does_a_fetch_that_nobody_looked_before_come_true_once_what_was_missing_is_believed_gone(
    hamlet: Hamlet,
) -> None:
    """The stay the old link had shown is in doubt for six hours, and the peer fetches our closure meanwhile."""
    late = nights(50, 2)
    cut(hamlet)
    hamlet.clock.advance(timedelta(minutes=10))
    hamlet.booking.tell(stay("B2", ("moulin", late)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    fetch(hamlet, only(hamlet).token)
    hamlet.run(hamlet.drain())
    hamlet.web.answers[NEW] = calendar(("sale", late))
    hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW, sure=True))
    look(hamlet)
    for _ in range(2):
        hamlet.clock.advance(timedelta(hours=4))
        hamlet.run(hamlet.engine.observer.observe("booking"))
        look(hamlet)
    (clash,) = state_of(hamlet).conflicts.values()
    assert (clash.exact, clash.ended_at) == ((late,), None)


def test_what_was_sold_before_a_link_was_first_given_is_no_echo_of_a_closure_taken_then() -> None:
    """The listing only took our calendar until now."""
    known = portfolio([MOULIN], {"moulin": GREENGO})
    takes = tuple(replace(one, import_url="") for one in known.listings)
    hamlet, late = Hamlet([], {}), nights(30, 2)
    try:
        hamlet.run(hamlet.engine.portfolio.run(replace(known, listings=takes)))
        hamlet.run(hamlet.first_answers())
        hamlet.booking.tell(stay("B1", ("moulin", late)))
        hamlet.run(hamlet.poll())
        hamlet.run(hamlet.drain())
        fetch(hamlet, only(hamlet).token)
        hamlet.run(hamlet.drain())
        hamlet.web.answers[NEW] = calendar(("sale", late))
        hamlet.run(hamlet.engine.links.replace(CLAIRE, only(hamlet).id, NEW, sure=True))
        hamlet.run(hamlet.drain())
        look(hamlet)
        (clash,) = state_of(hamlet).conflicts.values()
        assert clash.exact == (late,)
    finally:
        hamlet.close()


def test_importing_the_portfolio_again_connects_it_again(hamlet: Hamlet) -> None:
    cut(hamlet)
    hamlet.run(hamlet.engine.portfolio.run(portfolio([MOULIN], hamlet.links)))
    assert only(hamlet).host == "calendars.example/…"
    look(hamlet)
    assert not any(fact.fading for fact in state_of(hamlet).reservations.values())


def test_an_import_that_names_no_link_leaves_the_one_that_is_there(hamlet: Hamlet) -> None:
    """It was written over with nothing: the calendar was read no more, its new sales were closed nowhere, and unlike a
    disconnection nobody had wished it or was told."""
    named = portfolio([MOULIN], hamlet.links)
    without = tuple(replace(one, import_url="") for one in named.listings)
    hamlet.run(hamlet.engine.portfolio.run(replace(named, listings=without)))
    assert only(hamlet).host == "calendars.example/…"
    hamlet.web.answers[link("moulin")] = calendar(("a", SOLD), ("b", nights(30, 2)))
    look(hamlet)
    assert {SOLD, nights(30, 2)} == held(hamlet)


def test_an_answer_that_comes_after_the_click_changes_nothing(hamlet: Hamlet) -> None:
    name, really = only(hamlet).id, hamlet.web.send

    async def send(request: Request) -> Response:
        hamlet.web.send = really  # type: ignore[method-assign]
        await hamlet.engine.links.disconnect(CLAIRE, name)
        return await really(request)

    hamlet.web.answers[link("moulin")] = calendar(("z", nights(80, 2)))
    hamlet.web.send = send  # type: ignore[method-assign]
    look(hamlet)
    assert held(hamlet) == {SOLD}
    assert only(hamlet).host == ""
    grange = Home("grange", "La Grange", "claire")
    hamlet.run(hamlet.engine.portfolio.run(portfolio([grange], {"grange": GREENGO})))
    look(hamlet)
    assert list(hamlet.run(hamlet.engine.world.shards.visits("0000"))) == ["grange-greengo"]


@pytest.mark.parametrize("calls", range(1, 16))
def test_a_crash_on_the_way_is_ended_by_the_same_click(hamlet: Hamlet, calls: int) -> None:
    assert isinstance(hamlet.tables, Store)
    name = only(hamlet).id
    hamlet.tables.crash_in = calls
    with contextlib.suppress(Crash):
        hamlet.run(hamlet.engine.links.disconnect(CLAIRE, name))
    hamlet.tables.crash_in = -1
    hamlet.clock.advance(timedelta(minutes=2))
    hamlet.engine = hamlet._engine()
    look(hamlet)
    assert held(hamlet) == {SOLD}
    assert cut(hamlet).stays == 1
    assert held(hamlet) == {SOLD}
    (one,) = removals(state_of(hamlet), hamlet.clock.now())
    assert one.doubt is Doubt.CUT


def test_what_it_sold_leaves_the_partition_days_after_the_departure(hamlet: Hamlet) -> None:
    cut(hamlet)
    hamlet.clock.advance(timedelta(days=40))
    hamlet.run(hamlet.engine.observer.observe("booking"))
    hamlet.run(hamlet.engine.reconciler.reconcile("moulin", "asked"))
    assert held(hamlet) == set()
    assert hamlet.booking.closed("moulin") == set(SOLD.nights())  # they have passed: nobody writes there


def test_only_who_decides_may_do_it_and_one_at_a_time_with_imports(hamlet: Hamlet) -> None:
    links, name = hamlet.engine.links, only(hamlet).id
    for person, no in ((LOOKER, NotAllowed), (MARC, NotFound)):
        with pytest.raises(no):
            hamlet.run(links.disconnect(person, name))

    async def both() -> None:
        async with turn(hamlet.engine.world):
            with pytest.raises(Taken):
                await links.disconnect(CLAIRE, name)

    hamlet.run(both())
    assert only(hamlet).host
    cut(hamlet)
    assert hamlet.run(links.disconnect(CLAIRE, name)).id == name  # twice is once
    told = Browser(hamlet.engine, hamlet.run, CLAIRE).call("GET", "/api/history").body.decode()
    assert told.count('"what": "calendar disconnected"') == 1


STRETCHES = st.lists(st.builds(nights, st.integers(-6, 40), st.integers(1, 5)), max_size=5)


def taken(state: SiteState) -> set[tuple[str, StayDates]]:
    """What takes nights that are not over, without a platform's own rules."""
    found = (one for one in occupancies(state) if one.kind is not Busy.LIMIT)
    return {(one.cause, one.dates) for one in found}


SECOND = nights(38, 3)
"""Sold on Greengo and, in two stays, on Booking.com; Greengo shows our closure of the later one beside it."""


def clashing(hamlet: Hamlet) -> dict[str, bool]:
    """Each conflict, and whether it is over."""
    return {one.id: one.ended_at is not None for one in state_of(hamlet).conflicts.values()}


@pytest.mark.parametrize("end", ["disconnected", "empty", "ours gone"])
def test_a_clash_of_a_stay_that_vanished_outlives_our_closure_beside_it(hamlet: Hamlet, end: str) -> None:
    """The closure gone, it was the vanished stay that passed for it, and the clash for over."""
    for serial, dates in enumerate((nights(38, 1), nights(39, 2))):
        hamlet.booking.tell(stay(f"B{serial}", ("moulin", dates)))
    hamlet.run(hamlet.poll())
    hamlet.run(hamlet.drain())
    fetch(hamlet, only(hamlet).token)
    hamlet.run(hamlet.drain())
    sale, ours = ("sale", SECOND), ("ours", nights(39, 2))
    for shown in ([sale], [sale, ours], [ours]):
        hamlet.web.answers[link("moulin")] = calendar(("a", SOLD), *shown)
        look(hamlet)
    before = clashing(hamlet)
    assert before
    assert not any(before.values())
    if end == "disconnected":
        cut(hamlet)
    else:
        hamlet.web.answers[link("moulin")] = calendar() if end == "empty" else calendar(("a", SOLD))
        look(hamlet)
    assert clashing(hamlet) == before


@settings(max_examples=1000 if PROVING else 30)
@example(shown=[nights(9, 2)], gone=[nights(8, 3)], sold=[nights(8, 1), nights(9, 2)])
@given(shown=STRETCHES, gone=STRETCHES, sold=STRETCHES)
def test_whatever_it_shows_no_night_opens_and_no_clash_ends(
    shown: list[StayDates], gone: list[StayDates], sold: list[StayDates]
) -> None:
    hamlet = Hamlet([MOULIN], {"moulin": GREENGO})
    try:
        hamlet.run(hamlet.first_answers())
        for serial, dates in enumerate(sold):
            hamlet.booking.tell(stay(f"B{serial}", ("moulin", dates)))
        hamlet.run(hamlet.poll())
        hamlet.run(hamlet.drain())
        fetch(hamlet, only(hamlet).token)
        hamlet.run(hamlet.drain())
        for dates in ([*shown, *gone], shown):
            hamlet.web.answers[link("moulin")] = calendar(*((f"u{one}", one) for one in dates))
            look(hamlet)
        before, closed = state_of(hamlet), hamlet.booking.closed("moulin")
        cut(hamlet)
        hamlet.clock.advance(timedelta(hours=8))
        hamlet.run(hamlet.poll())
        hamlet.run(hamlet.drain())
        after = state_of(hamlet)
        today = after.today(NAME, hamlet.clock.now())
        ahead = {(cause, dates) for cause, dates in taken(before) if dates.check_out > today}
        assert {night for _, dates in ahead for night in dates.nights() if night >= today} <= {
            night for _, dates in taken(after) for night in dates.nights()
        }
        assert {night for night in closed if night >= today} <= hamlet.booking.closed("moulin")
        assert {one.id for one in before.conflicts.values() if one.ended_at is None} <= {
            one.id for one in after.conflicts.values() if one.ended_at is None
        }
    finally:
        hamlet.close()
