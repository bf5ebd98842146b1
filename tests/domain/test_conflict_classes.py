"""The classes of busy time, each with its own trust: stay, doubtful closure, owner's block, rule limit, hold, echo,
buffer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.availability import Availability, judge
from shared.domain.changes import apply_plan
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates, nights_of
from shared.domain.exposure import exposure
from shared.domain.facts import FeedAnswer, FeedEvent
from shared.domain.holds import placed
from shared.domain.merge import merge_feed
from shared.domain.model import (
    Block,
    BookingConflict,
    Busy,
    Head,
    Listing,
    Part,
    Phase,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.occupancy import level, occupancies
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link
from shared.domain.portfolio import Home, PortfolioRefused
from shared.domain.site_groups import resolve
from shared.state import site_codec

NOW = datetime(2027, 6, 1, 8, tzinfo=UTC)
TODAY = NOW.date()
MINUTE = timedelta(minutes=1)


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


def fact(
    name: str, listing: str, dates: StayDates, kind: Busy = Busy.STAY, *, feed: bool = False
) -> Reservation:
    part = Part("", listing, dates, NOW)
    return Reservation(listing, name, kind, Status.CONFIRMED, (part,), feed=listing if feed else "")


def mill(*facts: Reservation, turnover: int = 0, units: int = 1) -> SiteState:
    """A home by API on Airbnb and by calendar links on the two others."""
    links = {"airbnb": (AIRBNB, Link.API), "booking": (BOOKING, Link.ICAL), "greengo": (GREENGO, Link.ICAL)}
    listings = {
        name: Listing(
            name, "mill", platform, name, link, shard="" if link is Link.API else "0000", complete=True
        )
        for name, (platform, link) in links.items()
    }
    home = Property("mill", "Mill", frozenset({"mill"}), turnover=turnover)
    site = Site("mill", "owner", {"mill": home}, {"mill": units})
    return SiteState(site, Head(1), listings, {one.key: one for one in facts})


def clashes(state: SiteState) -> list[BookingConflict]:
    found = ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), NOW)
    return list(found.values())


def closed_on(state: SiteState) -> dict[str, set[date]]:
    decided = apply_plan(state, plan(state, NOW))
    return {
        name: nights_of(row.dates for row in decided.blocks.values() if row.listing == name and row.wanted)
        for name in state.listings
    }


# ------------------------------------------------------------------------------------------ their trust


@pytest.mark.parametrize(
    ("kind", "closes", "conflict"),
    [
        (Busy.STAY, True, True),
        (Busy.CLOSED, True, True),  # may be a sale
        (Busy.BLOCK, True, False),  # the owner's own
        (Busy.LIMIT, False, False),  # a rule of that platform alone
    ],
)
def test_what_a_class_closes_elsewhere_and_whether_it_can_be_sold_twice(
    kind: Busy, closes: bool, conflict: bool
) -> None:
    busy = fact("busy", "greengo", july(10, 13), kind, feed=True)
    assert closed_on(mill(busy))["booking"] == (set(july(10, 13).nights()) if closes else set())
    assert bool(clashes(mill(busy, fact("guest", "airbnb", july(12, 14))))) is conflict


def test_a_hold_refuses_others_closes_nothing_and_clashes_with_nobody() -> None:
    state = placed(mill(fact("guest", "airbnb", july(20, 22))), "airbnb", july(10, 13), NOW)
    assert judge(state, "booking", july(12, 14), NOW).availability is Availability.TAKEN
    assert judge(state, "airbnb", july(10, 13), NOW).availability is Availability.FREE
    assert closed_on(state)["booking"] == set(july(20, 22).nights())
    assert clashes(placed(state, "booking", july(10, 13), NOW)) == []


def test_an_echo_is_ours_and_the_stay_it_repeats_is_no_double_sale() -> None:
    guest = fact("guest", "airbnb", july(10, 13))
    echo = fact("echo", "greengo", july(10, 13), Busy.CLOSED, feed=True)
    row = Block("greengo", guest.key, july(10, 13), phase=Phase.ACCEPTED, taken_at=NOW - MINUTE)
    state = replace(mill(guest, echo), blocks={row.key: row})
    assert clashes(state) == []
    assert {one.cause for one in occupancies(state)} == {guest.key}


def test_equal_nights_on_two_channels_that_neither_had_from_us_are_a_conflict() -> None:
    """The purest double sale: no closure of ours was anywhere before the two appeared."""
    pair = [fact(name, name, july(10, 13), Busy.CLOSED, feed=True) for name in ("booking", "greengo")]
    (clash,) = clashes(mill(*pair))
    assert clash.exact == (july(10, 13),)
    taken_later = {
        row.key: row
        for name, cause in (("booking", pair[1].key), ("greengo", pair[0].key))
        for row in [Block(name, cause, july(10, 13), phase=Phase.ACCEPTED, taken_at=NOW + MINUTE)]
    }
    assert len(clashes(replace(mill(*pair), blocks=taken_later))) == 1


# ------------------------------------------------------------------------------------------ feeds


def read(
    known: tuple[Reservation, ...], number: int, *events: FeedEvent, day: int = 0
) -> tuple[Reservation, ...]:
    begun = NOW + timedelta(days=day, minutes=number)
    listing = Listing("booking", "mill", BOOKING, "booking", Link.ICAL, observed=number - 1)
    merged = merge_feed(
        listing,
        known,
        FeedAnswer(events, begun, number),
        TODAY + timedelta(days=day),
        lambda one, part: False,
    )
    assert merged is not None
    return merged


def test_a_real_night_that_is_not_available_right_before_another_stay_is_a_stay() -> None:
    """One night "CLOSED - Not available" that ends where the next begins: no shape is evidence against a sale."""
    one = FeedEvent("one", Busy.CLOSED, (july(9, 10),))
    following = FeedEvent("two", Busy.CLOSED, (july(10, 13),))
    known = read((), 1, one, following)
    state = mill(*known)
    assert sorted(one.dates for one in occupancies(state)) == [july(9, 10), july(10, 13)]
    assert closed_on(state)["airbnb"] == set(july(9, 13).nights())
    (clash,) = clashes(mill(*known, fact("guest", "airbnb", july(9, 10))))
    assert clash.exact == (july(9, 10),)


def test_thirty_days_of_a_sliding_limit_are_no_stay_and_take_no_night_but_at_first() -> None:
    known: tuple[Reservation, ...] = ()
    for day in range(30):
        start = TODAY + timedelta(days=day)
        notice = FeedEvent(f"uid{day}", Busy.BLOCK, (StayDates.of_nights(start, 2),))
        known = read(known, day + 1, notice, day=day)
        assert len(known) == 1
    assert known[0].kind is Busy.LIMIT
    assert occupancies(mill(*known)) == []
    assert clashes(mill(*known, fact("guest", "airbnb", known[0].parts[0].dates))) == []


# ------------------------------------------------------------------------------------------ buffers


def test_a_buffer_keeps_the_nights_beside_a_stay_free_on_every_channel_that_can_be_told() -> None:
    state = mill(fact("guest", "airbnb", july(10, 13)), turnover=2)
    found = closed_on(state)
    assert found["booking"] == found["greengo"] == set(july(8, 15).nights())
    assert found["airbnb"] == set(july(8, 10).nights()) | set(
        july(13, 15).nights()
    )  # sold it, and is told the rest


def test_a_calendar_we_publish_never_holds_the_buffer_of_its_own_readers_stay() -> None:
    """Its reader might join the two to one longer stay, which would grow a buffer of its own, day after day."""
    state = mill(fact("busy", "greengo", july(10, 13), Busy.CLOSED, feed=True), turnover=1)
    found = closed_on(state)
    assert found["greengo"] == set()
    assert found["airbnb"] == found["booking"] == set(july(9, 14).nights())


def test_a_sale_on_a_buffers_night_is_no_conflict_and_its_nights_are_not_free() -> None:
    before = fact("before", "airbnb", july(10, 13))
    state = mill(before, fact("after", "booking", july(13, 15), feed=True), turnover=1)
    assert clashes(state) == []
    alone = mill(before, turnover=1)
    assert judge(alone, "booking", july(13, 15), NOW).availability is Availability.TAKEN
    assert judge(alone, "booking", july(14, 16), NOW).availability is Availability.FREE
    assert judge(alone, "booking", july(9, 10), NOW).availability is Availability.TAKEN


def test_a_stay_that_moves_does_not_meet_its_own_buffer() -> None:
    guest = fact("guest", "airbnb", july(10, 13))
    state = mill(guest, turnover=2)
    assert judge(state, "airbnb", july(13, 16), NOW, mine=guest.key).availability is Availability.FREE


def test_an_owners_block_and_a_home_without_turnover_have_no_buffer() -> None:
    block = fact("block", "greengo", july(10, 13), Busy.BLOCK, feed=True)
    assert closed_on(mill(block, turnover=3))["booking"] == set(july(10, 13).nights())
    assert closed_on(mill(fact("guest", "airbnb", july(10, 13))))["booking"] == set(july(10, 13).nights())


def test_a_buffer_of_counted_rooms_takes_one_unit() -> None:
    state = mill(fact("guest", "airbnb", july(10, 13)), turnover=1, units=3)
    home = state.site.properties["mill"]
    nights = [date(2027, 7, day) for day in (8, 9, 10, 13, 14)]
    assert [level(state.site, home, night, occupancies(state)) for night in nights] == [3, 2, 2, 2, 3]


def test_the_buffer_on_the_listing_that_sold_the_stay_can_be_exposed_too() -> None:
    state = mill(fact("guest", "airbnb", july(10, 13)), turnover=1)
    state = apply_plan(state, plan(state, NOW))
    own = [one.dates for one in exposure(state, NOW) if one.listing == "airbnb"]
    assert own == [july(9, 10), july(13, 14)]


def test_turnover_comes_from_the_portfolio_and_is_stored() -> None:
    (site,) = resolve([Home("mill", "Mill", "claire", turnover=2)])
    assert site.properties["mill"].turnover == 2
    assert site_codec.to_site(site_codec.site_row(site)) == site
    for turnover in (-1, 31):
        with pytest.raises(PortfolioRefused, match="turnover"):
            resolve([Home("mill", "Mill", "claire", turnover=turnover)])


def test_the_last_day_of_the_calendar_has_no_buffer_after_it() -> None:
    """Some calendars say 9999 where a date is missing: the site must be planned all the same."""
    last = StayDates(date(9999, 12, 30), date(9999, 12, 31))
    first = StayDates(date(1, 1, 1), date(1, 1, 2))
    state = mill(
        *(fact(str(one), "greengo", one, Busy.CLOSED, feed=True) for one in (last, first)), turnover=2
    )
    assert closed_on(state)["airbnb"] == {date(9999, 12, day) for day in (28, 29, 30)}
