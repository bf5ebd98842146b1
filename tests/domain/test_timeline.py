"""Timeline: what a calendar shows of a site, from its stored values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.changes import apply_plan
from shared.domain.dates import StayDates
from shared.domain.model import (
    Busy,
    Fading,
    Head,
    Hold,
    Listing,
    Part,
    Phase,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link
from shared.domain.removals import Doubt
from shared.domain.timeline import MOST_LANES, Bar, Row, Step, What, for_channel, timeline

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = StayDates(date(2027, 7, 1), date(2027, 8, 1))
LINKS = {"airbnb": (AIRBNB, Link.API), "booking": (BOOKING, Link.API), "greengo": (GREENGO, Link.ICAL)}


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


def fact(name: str, listing: str, dates: StayDates, kind: Busy = Busy.STAY) -> Reservation:
    feed = listing if listing == "greengo" else ""
    return Reservation(
        listing, name, kind, Status.CONFIRMED, (Part("", listing, dates, NOW),), feed=feed, guest="Zoé T."
    )


def listings(home: str = "mill") -> dict[str, Listing]:
    return {
        name: Listing(name, home, platform, name, link, complete=True)
        for name, (platform, link) in LINKS.items()
    }


def mill(*facts: Reservation, units: int = 1, home: Property | None = None) -> SiteState:
    """A home on three platforms, everything planned at NOW and nothing answered yet."""
    place = home or Property("mill", "Mill", frozenset({"mill"}))
    site = Site("mill", "owner", {"mill": place}, {"mill": units})
    return planned(SiteState(site, Head(1), listings(), {one.key: one for one in facts}))


def planned(state: SiteState) -> SiteState:
    return apply_plan(state, plan(state, NOW))


def at_phase(state: SiteState, listing: str, phase: Phase) -> SiteState:
    taken = NOW + MINUTE if phase in (Phase.ACCEPTED, Phase.SEEN) else None
    rows = {
        key: replace(row, phase=phase, taken_at=taken) if row.listing == listing else row
        for key, row in state.blocks.items()
    }
    return replace(state, blocks=rows)


def row(state: SiteState, window: StayDates = WINDOW, now: datetime = NOW) -> Row:
    (only,) = timeline(state, window, now)
    return only


def bars(state: SiteState, window: StayDates = WINDOW, now: datetime = NOW) -> list[Bar]:
    return row(state, window, now).bars()


def steps(bar: Bar) -> dict[str, Step]:
    return {one.listing: one.step for one in bar.reach}


GUEST = fact("guest", "airbnb", july(10, 13))


@pytest.mark.parametrize(
    ("phase", "step", "exposed"),
    [
        (Phase.INTENDED, Step.TO_SEND, True),
        (Phase.SENT, Step.SENT, True),
        (Phase.ACCEPTED, Step.CONFIRMED, False),
        (Phase.SEEN, Step.SEEN, False),
    ],
)
def test_a_stay_is_one_bar_that_says_how_far_each_other_channel_is(
    phase: Phase, step: Step, *, exposed: bool
) -> None:
    (bar,) = bars(at_phase(mill(GUEST), "booking", phase))
    assert (bar.what, bar.dates, bar.platform, bar.guest) == (What.STAY, july(10, 13), AIRBNB, "Zoé T.")
    assert steps(bar) == {"airbnb": Step.OWN, "booking": step, "greengo": Step.SENT}
    assert {one.listing: one.exposed for one in bar.reach}["booking"] is exposed
    assert bar.slowest is min(step, Step.SENT, key=list(Step).index)


def test_a_bar_is_seen_only_when_every_channel_is() -> None:
    state = at_phase(at_phase(mill(GUEST), "booking", Phase.SEEN), "greengo", Phase.ACCEPTED)
    (bar,) = bars(state)
    assert (bar.slowest, bar.exposed) == (Step.CONFIRMED, False)
    (bar,) = bars(at_phase(state, "greengo", Phase.SEEN))
    assert bar.slowest is Step.SEEN


def test_a_peer_that_took_an_older_closure_of_the_same_nights_still_has_them() -> None:
    state = mill(GUEST)
    rows = {
        key: replace(one, heir_taken=NOW) if one.listing == "greengo" else one
        for key, one in state.blocks.items()
    }
    assert steps(bars(replace(state, blocks=rows))[0])["greengo"] is Step.CONFIRMED


def test_a_closure_that_fails_says_how_often_and_why() -> None:
    state = at_phase(mill(GUEST), "booking", Phase.INTENDED)
    rows = {
        key: replace(one, attempts=3, error="no answer") if one.listing == "booking" else one
        for key, one in state.blocks.items()
    }
    reach = bars(replace(state, blocks=rows))[0].reach[1]
    assert (reach.listing, reach.step, reach.tries, reach.error) == (
        "booking",
        Step.TO_SEND,
        3,
        "no answer",
    )


def test_where_nothing_is_sent_the_reason_stands_beside_what_waits_and_nowhere_else() -> None:
    silent = dict.fromkeys(LINKS, "chosen by its owner")
    (waiting,) = timeline(mill(GUEST), WINDOW, NOW, silent)
    told = {one.listing: one.by_hand for one in waiting.bars()[0].reach}
    assert told == {"airbnb": "", "booking": "chosen by its owner", "greengo": "chosen by its owner"}
    (done,) = timeline(at_phase(mill(GUEST), "booking", Phase.SEEN), WINDOW, NOW, silent)
    assert done.bars()[0].reach[1].by_hand == ""


def test_two_guests_on_the_same_nights_are_two_lanes_and_both_name_the_double_booking() -> None:
    state = mill(GUEST, fact("other", "booking", july(12, 15)), fact("third", "airbnb", july(20, 22)))
    (clash,) = state.conflicts
    shown = row(state)
    assert [[bar.dates for bar in lane] for lane in shown.lanes] == [
        [july(10, 13), july(20, 22)],
        [july(12, 15)],
    ]
    assert {bar.key: bar.clashes for bar in shown.bars()} == {
        "airbnb|guest": (clash,),
        "booking|other": (clash,),
        "airbnb|third": (),
    }


def test_a_double_booking_that_is_over_is_not_red_any_more() -> None:
    state = mill(GUEST, fact("other", "booking", july(12, 15)))
    over = {key: replace(one, ended_at=NOW) for key, one in state.conflicts.items()}
    assert all(not bar.clashes for bar in bars(replace(state, conflicts=over)))


def two_rooms() -> Reservation:
    """One reservation, two rooms of it on nights of their own."""
    parts = (Part("1", "airbnb", july(10, 13), NOW), Part("2", "airbnb", july(20, 22), NOW))
    return replace(GUEST, parts=parts)


def test_each_part_of_a_stay_is_told_by_the_closures_of_its_own_nights() -> None:
    state = mill(two_rooms())
    rows = {
        key: replace(one, phase=Phase.SEEN) if one.dates == july(10, 13) else one
        for key, one in state.blocks.items()
    }
    first, second = bars(replace(state, blocks=rows))
    assert (first.slowest, second.slowest) == (Step.SEEN, Step.SENT)


def test_only_the_part_of_a_stay_that_is_sold_twice_is_red() -> None:
    state = mill(two_rooms(), fact("other", "booking", july(12, 15)))
    assert {bar.dates: bool(bar.clashes) for bar in bars(state)} == {
        july(10, 13): True,
        july(12, 15): True,
        july(20, 22): False,
    }


def test_what_vanished_is_still_held_and_says_so() -> None:
    part = Part("", "greengo", july(20, 23), NOW - timedelta(days=30))
    gone = Reservation(
        "greengo",
        "g1",
        Busy.CLOSED,
        Status.CONFIRMED,
        fading=(Fading(part, part.dates, NOW - 5 * MINUTE),),
        feed="greengo",
    )
    (bar,) = bars(mill(gone))
    assert (bar.what, bar.dates, bar.linked) == (What.UNSURE, july(20, 23), True)
    assert bar.gone is not None
    assert (bar.gone.doubt, bar.gone.since) == (Doubt.NONE, NOW - 5 * MINUTE)


def test_a_claim_that_nothing_confirmed_yet_says_so() -> None:
    claim = replace(GUEST, parts=(), hinted=GUEST.parts, status=Status.PENDING)
    (bar,) = bars(mill(claim))
    assert (bar.what, bar.claimed) == (What.REQUEST, True)


def test_an_owners_block_is_told_from_a_sale_and_a_rule_of_the_platform_is_no_bar() -> None:
    state = mill(
        fact("mine", "greengo", july(5, 8), Busy.BLOCK), fact("rule", "greengo", july(1, 3), Busy.LIMIT)
    )
    assert [(bar.what, bar.dates) for bar in bars(state)] == [(What.BLOCK, july(5, 8))]


def test_our_own_closure_that_a_peer_shows_back_is_no_bar_of_its_own() -> None:
    state = at_phase(mill(GUEST), "greengo", Phase.ACCEPTED)
    echo = replace(
        fact("echo", "greengo", july(10, 13), Busy.CLOSED),
        parts=(Part("", "greengo", july(10, 13), NOW + 5 * MINUTE),),
    )
    shown = replace(state, reservations={**state.reservations, echo.key: echo})
    assert [bar.key for bar in bars(shown)] == ["airbnb|guest"]


def test_a_hold_stands_until_it_ends() -> None:
    hold = Hold("h", "airbnb", july(17, 19), NOW + 15 * MINUTE)
    state = replace(mill(), holds={"h": hold})
    (bar,) = bars(state)
    assert (bar.what, bar.platform, bar.until, bar.reach) == (What.HOLD, AIRBNB, hold.expires, ())
    assert bars(state, now=NOW + 16 * MINUTE) == []


def test_nights_kept_free_stand_beside_their_stay_and_never_on_another() -> None:
    home = Property("mill", "Mill", frozenset({"mill"}), turnover=2)
    state = mill(GUEST, fact("next", "booking", july(14, 16)), home=home)
    kept = [bar.dates for bar in bars(state) if bar.what is What.BUFFER]
    assert kept == [july(8, 10), july(13, 14), july(16, 18)]
    assert len(row(state).lanes) == 1
    beside = next(bar for bar in bars(state) if bar.what is What.BUFFER)
    assert (
        steps(beside)["airbnb"] is Step.SENT
    )  # also closed where the stay was sold, which sells them otherwise


def test_nights_on_their_way_back_to_sale_stand_until_every_channel_has_them() -> None:
    state = at_phase(at_phase(mill(GUEST), "booking", Phase.ACCEPTED), "greengo", Phase.ACCEPTED)
    freed = planned(replace(state, reservations={}))
    (bar,) = bars(freed)
    assert (bar.what, bar.dates, bar.key) == (What.REOPENING, july(10, 13), "")
    assert {one.listing for one in bar.reach} == {"booking", "greengo"}
    done = {key: replace(one, cleared_at=NOW) for key, one in freed.blocks.items()}
    assert bars(replace(freed, blocks=done)) == []


def test_nights_on_their_way_back_that_are_sold_again_are_the_new_stays() -> None:
    state = at_phase(mill(GUEST), "booking", Phase.ACCEPTED)
    again = fact("next", "airbnb", july(10, 12))
    sold = planned(replace(state, reservations={again.key: again}))
    assert [(bar.what, bar.dates) for bar in bars(sold)] == [
        (What.STAY, july(10, 12)),
        (What.REOPENING, july(12, 13)),
    ]


def house() -> SiteState:
    """A house that is sold whole and by its upper room, which is sold."""
    house = Property("house", "House", frozenset({"up", "down"}))
    up = Property("up", "Upper", frozenset({"up"}))
    site = Site("house", "owner", {"house": house, "up": up}, {"up": 1, "down": 1})
    there = {
        "whole": Listing("whole", "house", AIRBNB, "airbnb", Link.API, complete=True),
        "room": Listing("room", "up", BOOKING, "booking", Link.API, complete=True),
    }
    stay = fact("r", "room", july(10, 13))
    return planned(SiteState(site, Head(1), there, {stay.key: stay}))


def test_a_room_shows_the_houses_stay_as_taken_elsewhere_and_the_house_the_rooms() -> None:
    shown_house, shown_up = timeline(house(), WINDOW, NOW)
    (in_house,), (in_up,) = shown_house.bars(), shown_up.bars()
    assert (in_house.home, shown_house.home, steps(in_house)) == ("up", "house", {"whole": Step.SENT})
    assert (in_up.home, steps(in_up)) == ("up", {"room": Step.OWN})


def test_a_kind_of_room_shows_its_units_in_lanes_and_counts_what_has_none() -> None:
    units = MOST_LANES + 2
    facts = [fact(f"s{n}", "airbnb", july(10, 12 + n)) for n in range(units)]
    shown = row(mill(*facts, units=units))
    assert (shown.units, len(shown.lanes)) == (units, MOST_LANES - 1)
    assert not any(bar.clashes for bar in shown.bars())
    hidden = units - sum(len(lane) for lane in shown.lanes)
    assert (hidden, len(shown.rest), len(shown.bars())) == (3, 3, units)
    assert shown.more[0] == (july(10, shown.more[0][0].check_out.day), hidden)
    assert [count for _, count in shown.more] == [3, 2, 1]
    assert shown.more[-1][0].check_out == july(10, 12 + units - 1).check_out


def test_a_double_booking_always_has_a_lane() -> None:
    units = MOST_LANES
    facts = [fact(f"s{n}", "airbnb", july(9, 14)) for n in range(units)]
    late = replace(
        fact("late", "booking", july(10, 12)), parts=(Part("", "booking", july(10, 12), NOW + MINUTE),)
    )
    state = mill(*facts, late, units=units)
    assert len(state.conflicts) == 1
    shown = [bar for lane in row(state).lanes for bar in lane if bar.clashes]
    assert {bar.listing for bar in shown} == {"airbnb", "booking"}


def test_while_units_are_left_a_calendar_link_has_nothing_to_close() -> None:
    first, second = fact("a", "airbnb", july(10, 13)), fact("b", "booking", july(12, 15))
    state = mill(first, second, units=2)
    told = {bar.key: steps(bar) for bar in bars(state)}
    assert told["airbnb|a"]["greengo"] is Step.SENT  # both units are gone on the night of the 12th
    assert steps(bars(mill(first, units=2))[0]) == {
        "airbnb": Step.OWN,
        "booking": Step.SENT,  # an API takes the count
        "greengo": Step.NONE,
    }


def test_each_unit_of_one_stay_sold_by_count_is_told_by_its_own_closures() -> None:
    two = replace(
        GUEST, parts=(Part("1", "airbnb", july(10, 13), NOW), Part("2", "airbnb", july(10, 13), NOW))
    )
    state = mill(two, units=3)
    assert [steps(bar)["booking"] for bar in bars(state)] == [Step.SENT, Step.SENT]
    half = {
        key: replace(one, phase=Phase.ACCEPTED, taken_at=NOW)
        if one.listing == "booking" and not one.cause.endswith("#2")
        else one
        for key, one in state.blocks.items()
    }
    assert bars(replace(state, blocks=half))[0].reach[1].step is Step.SENT  # the least far speaks for all


def test_a_channels_own_view_tells_of_that_channel_alone() -> None:
    shown = row(at_phase(mill(GUEST), "booking", Phase.SEEN))
    narrow = for_channel(shown, "booking")
    assert narrow is not None
    assert [one.listing for one in narrow.channels] == ["booking"]
    (bar,) = narrow.bars()
    assert (bar.platform, steps(bar)) == (AIRBNB, {"booking": Step.SEEN})
    assert for_channel(shown, "gites") is None


def test_a_window_shows_what_reaches_into_it_whole() -> None:
    state = mill(fact("over", "airbnb", StayDates(date(2027, 7, 29), date(2027, 8, 3))))
    for window in (WINDOW, StayDates(date(2027, 8, 2), date(2027, 9, 1))):
        assert [bar.dates for bar in bars(state, window)] == [StayDates(date(2027, 7, 29), date(2027, 8, 3))]
    assert bars(state, StayDates(date(2027, 8, 3), date(2027, 9, 1))) == []  # the day of departure is free


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2027, 3, 27, 22, 59, tzinfo=UTC), date(2027, 3, 27)),
        (datetime(2027, 3, 27, 23, 0, tzinfo=UTC), date(2027, 3, 28)),  # the day that has 23 hours
        (datetime(2027, 3, 28, 21, 59, tzinfo=UTC), date(2027, 3, 28)),
        (datetime(2027, 3, 28, 22, 0, tzinfo=UTC), date(2027, 3, 29)),
    ],
)
def test_today_is_the_homes_own_day_also_when_the_clocks_change(now: datetime, day: date) -> None:
    stay = fact("s", "airbnb", StayDates(date(2027, 3, 27), date(2027, 3, 30)))
    shown = row(mill(stay), StayDates(date(2027, 3, 20), date(2027, 4, 20)), now)
    assert shown.today == day
    assert len(shown.bars()[0].dates) == 3  # nights, whatever the clocks did


def test_a_site_with_a_row_that_cannot_be_read_says_so() -> None:
    assert row(mill(GUEST)).whole
    assert not row(replace(mill(GUEST), whole=False)).whole


def test_homes_stand_by_name_whatever_its_accents_and_capitals() -> None:
    names = ("Zoé", "abri", "Grange", "Gîte", "Gare", "Élan")
    homes = {f"h{n}": Property(f"h{n}", name, frozenset({f"h{n}"})) for n, name in enumerate(names)}
    state = SiteState(Site("s", "owner", homes, dict.fromkeys(homes, 1)), Head(1), {})
    shown = [one.name for one in timeline(state, WINDOW, NOW)]
    assert shown == ["abri", "Élan", "Gare", "Gîte", "Grange", "Zoé"]
