"""Ways to lose a sale that a review found in the pure functions, each by the story it would have ended in."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.changes import apply_plan
from shared.domain.confirm import Result, confirm
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates, ranges_of
from shared.domain.echo import echoes
from shared.domain.facts import FeedAnswer, FeedEvent, WriteOutcome
from shared.domain.merge import merge_feed
from shared.domain.model import (
    Block,
    Busy,
    Fading,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.occupancy import all_echoes, full, level, occupancies
from shared.domain.plan import Plan, plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
TODAY = NOW.date()
FEED = Listing("gite-greengo", "gite", GREENGO, "greengo", Link.ICAL, shard="0000", complete=True)


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


# ------------------------------------------------------------------------------------------- feeds


def poll(known: tuple[Reservation, ...], number: int, *events: FeedEvent) -> tuple[Reservation, ...]:
    answer = FeedAnswer(events, NOW + timedelta(minutes=2 * number), number)
    merged = merge_feed(replace(FEED, observed=number - 1), known, answer, TODAY, lambda one, part: False)
    assert merged is not None
    return merged


def busy(uid: str, dates: StayDates) -> FeedEvent:
    return FeedEvent(uid, Busy.CLOSED, (dates,))


def test_a_uid_that_comes_back_beside_its_heir_is_a_fact_of_its_own() -> None:
    """One stay moved away while the feed hid it, another was sold on its old nights and taken for it under a new UID.
    When the first came back, both had one key, and the second was dropped: its nights would have been opened."""
    known = poll((), 1, busy("one", july(10, 13)))
    known = poll(known, 2, busy("two", july(10, 13)))
    known = poll(known, 3, busy("two", july(10, 13)), busy("one", july(20, 23)))
    by_key = {one.key: one for one in known}
    held = {part.dates for one in by_key.values() for part in one.held()}
    assert held == {july(10, 13), july(20, 23)}
    known = poll(tuple(by_key.values()), 4, busy("one", july(21, 24)), busy("two", july(10, 13)))
    assert {part.dates for one in known for part in one.parts} == {july(21, 24), july(10, 13)}
    assert len({one.key for one in known}) == len(known)


# ------------------------------------------------------------------------------------------- counts


def studios(units: int, *stays: Reservation) -> SiteState:
    home = Property("studio", "Studio", frozenset({"studio"}))
    listings = {
        name: Listing(name, "studio", platform, str(platform), Link.API, unit=name, complete=True)
        for name, platform in (("a", AIRBNB), ("b", BOOKING))
    }
    site = Site("studio", "owner", {"studio": home}, {"studio": units})
    return SiteState(site, Head(1), listings, {one.key: one for one in stays})


def stay(name: str, listing: str, rooms: int, since: datetime = NOW) -> Reservation:
    parts = tuple(Part(str(number), listing, july(10, 12), since) for number in range(rooms))
    return Reservation(listing, name, Busy.STAY, Status.CONFIRMED, parts)


def levels(decided: Plan, listing: str) -> set[int]:
    return {level for name, write in decided.writes if name == listing for level in write.levels.values()}


def done(state: SiteState, decided: Plan) -> SiteState:
    """The site when every write of the plan was accepted."""
    state = apply_plan(state, decided)
    for name, write in decided.writes:
        rows = [row for row in state.blocks.values() if row.listing == name]
        after = confirm(state.listings[name], write, rows, Result(WriteOutcome(frozenset(write.levels))), NOW)
        blocks = {key: row for key, row in state.blocks.items() if key not in after.spent}
        blocks |= {row.key: row for row in after.blocks}
        state = replace(state, listings={**state.listings, name: after.listing}, blocks=blocks)
    return state


def test_a_second_unit_of_one_reservation_lowers_the_other_counts_too() -> None:
    """A reservation of one unit became one of two on the same nights: the ledger's row was the same, and the other
    platforms went on selling the second unit."""
    state = studios(3, stay("r", "b", 1))
    decided = plan(state, NOW)
    assert levels(decided, "a") == {2}
    state = done(state, decided)
    more = stay("r", "b", 2)
    decided = plan(replace(state, reservations={more.key: more}), NOW)
    assert levels(decided, "a") == {1}
    state = done(replace(state, reservations={more.key: more}), decided)
    less = stay("r", "b", 1)
    state = replace(state, reservations={less.key: less})
    state = done(state, plan(state, NOW))
    later = NOW + timedelta(minutes=1)
    assert levels(plan(state, later, polled={"airbnb": later}), "a") == {2}


def test_two_units_of_one_reservation_clash_with_the_one_that_came_before() -> None:
    """The last that fits and the first that does not were the same reservation, which clashes with itself never."""
    first = stay("first", "a", 1)
    both = stay("both", "b", 2, since=NOW + timedelta(hours=1))
    state = studios(2, first, both)
    found = ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), NOW)
    assert [set(one.conflicting_bookings) for one in found.values()] == [{first.key, both.key}]


def test_a_calendar_of_a_home_sold_by_count_shows_one_closure_whoever_is_behind_it() -> None:
    """Each of two stays explained an event: the closure that came back, and a third guest's sale of the same nights."""
    state = studios(2, stay("one", "a", 1), stay("other", "b", 1))
    peer = Listing("g", "studio", GREENGO, "greengo", Link.ICAL, complete=True)
    state = replace(state, listings={**state.listings, "g": peer})
    rows = [row for row in plan(state, NOW).blocks if row.listing == "g"]
    assert len(rows) == 2
    state = replace(state, blocks={row.key: replace(row, taken_at=NOW) for row in rows})
    parts = (Part("", "g", july(10, 12), NOW + timedelta(minutes=minutes)) for minutes in (1, 2))
    shown = [
        Reservation("greengo", f"g:{n}", Busy.CLOSED, Status.CONFIRMED, (part,), feed="g")
        for n, part in enumerate(parts)
    ]
    facts = {**state.reservations, **{one.key: one for one in shown}}
    assert all_echoes(replace(state, reservations=facts)) == {(shown[1].key, july(10, 12))}


@pytest.mark.parametrize("seed", range(50))
def test_a_home_is_full_on_exactly_the_nights_of_level_zero(seed: int) -> None:
    chance = random.Random(seed)
    many = [stay(str(n), chance.choice("ab"), 1) for n in range(chance.randrange(9))]
    spans = (
        july(first, first + chance.randrange(1, 8)) for first in iter(lambda: chance.randrange(1, 20), 0)
    )
    stays = [replace(one, parts=(replace(one.parts[0], dates=next(spans)),)) for one in many]
    state = studios(chance.choice([1, 2, 3]), *stays)
    taken, home = occupancies(state), state.site.properties["studio"]
    closed = full(state.site, home, taken)
    assert closed == ranges_of(n for n in july(1, 30).nights() if level(state.site, home, n, taken) == 0)


def test_what_is_left_of_a_stay_that_vanished_is_no_echo_of_a_closure_as_long() -> None:
    """A guest was in the house and another platform had sold the last night; his stay vanished from its calendar, and
    the one night left of it passed for our closure of the other: the clash was over, and a cancellation of the other
    would have opened the night."""
    night = StayDates(TODAY, TODAY + timedelta(days=1))
    whole = StayDates(TODAY - timedelta(days=1), TODAY + timedelta(days=1))
    closure = Block(FEED.id, "airbnb|a", night, taken_at=NOW - timedelta(hours=1))
    left = Part("", FEED.id, night, NOW)
    gone = Reservation("greengo", "g", Busy.CLOSED, Status.CONFIRMED, feed=FEED.id)
    assert echoes([replace(gone, fading=(Fading(left, whole, NOW),))], [closure]) == frozenset()
    assert echoes([replace(gone, parts=(left,))], [closure]) == {(gone.key, night)}


def test_a_sale_that_vanished_is_no_echo_once_our_closure_has_vanished_too() -> None:
    """Two events on the nights of one closure: the earlier was the sale. It vanished, then the closure; what was left
    to be explained was the sale, and its clash was said to be over."""
    nights = StayDates(TODAY + timedelta(days=5), TODAY + timedelta(days=7))
    closure = Block(FEED.id, "airbnb|a", nights, taken_at=NOW - timedelta(hours=1))
    shown = Part("", FEED.id, nights, NOW)
    sale = Reservation("greengo", "s", Busy.CLOSED, Status.CONFIRMED, feed=FEED.id)
    echo = replace(sale, id="e", parts=(replace(shown, since=NOW + timedelta(minutes=1)),))
    gone = replace(sale, fading=(Fading(shown, nights, NOW),))
    assert echoes([replace(sale, parts=(shown,)), echo], [closure]) == {(echo.key, nights)}
    assert echoes([gone], [closure]) == frozenset()
