"""What a conflict remembers: both sides, who was first and how surely, how bad it is, and what people did about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.changes import apply_plan
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.errors import Unreadable
from shared.domain.model import (
    Acknowledgement,
    BookingConflict,
    Busy,
    Certainty,
    ConflictResolution,
    ConflictSeverity,
    Decision,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Side,
    Site,
    SiteState,
    Source,
    Status,
)
from shared.domain.occupancy import occupancies
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link
from shared.ports.stores import Row
from shared.state import site_codec

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def nights(start: int, length: int) -> StayDates:
    """So many nights, the first so many days from now."""
    return StayDates.of_nights(date(2027, 7, 1) + timedelta(days=start), length)


def stay(
    name: str,
    listing: str,
    *dates: StayDates,
    at: datetime = NOW - 24 * HOUR,
    status: Status = Status.CONFIRMED,
    feed: str = "",
    kind: Busy = Busy.STAY,
) -> Reservation:
    parts = tuple(Part(str(number), listing, one, at) for number, one in enumerate(dates))
    return Reservation(listing, name, kind, status, parts, feed=feed)


def mill(*stays: Reservation) -> SiteState:
    home = Property("mill", "Mill", frozenset({"mill"}))
    listings = {
        name: Listing(name, "mill", platform, name, link, complete=True)
        for name, platform, link in (
            ("airbnb", AIRBNB, Link.API),
            ("booking", BOOKING, Link.API),
            ("greengo", GREENGO, Link.ICAL),
        )
    }
    site = Site("mill", "owner", {"mill": home}, {"mill": 1})
    return SiteState(site, Head(1), listings, {one.key: one for one in stays})


def found(state: SiteState, now: datetime = NOW) -> list[BookingConflict]:
    clashes = ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), now)
    return sorted(clashes.values(), key=lambda one: one.conflicting_bookings)


def only(state: SiteState, now: datetime = NOW) -> BookingConflict:
    (clash,) = found(state, now)
    return clash


# ------------------------------------------------------------------------------------------ sides


def test_each_side_is_remembered_as_its_source_showed_it() -> None:
    hinted = stay("claimed", "booking", nights(22, 3), status=Status.PENDING)
    hinted = replace(hinted, parts=(), hinted=hinted.parts)
    feed = stay("busy", "greengo", nights(20, 4), at=NOW, feed="greengo", kind=Busy.CLOSED)
    clash = only(mill(hinted, feed))
    assert clash.sides == (
        Side("booking|claimed", "booking", BOOKING, "mill", nights(22, 3), Busy.STAY, Status.PENDING, NOW - 24 * HOUR,
        Source.HINT), Side("greengo|busy", "greengo", GREENGO, "mill", nights(20, 4), Busy.CLOSED, Status.CONFIRMED,
        NOW, Source.FEED),
    )  # fmt: skip
    assert clash.conflicting_bookings == ("booking|claimed", "greengo|busy")


def test_a_pair_that_meets_twice_is_one_conflict_with_exactly_its_nights() -> None:
    group = stay("group", "airbnb", nights(20, 3), nights(30, 3))
    long = stay("long", "booking", nights(21, 10), at=NOW)
    clash = only(mill(group, long))
    assert clash.nights == (nights(21, 2), nights(30, 1))
    assert clash.conflict_dates == nights(21, 10)
    assert [side.dates for side in clash.sides] == [nights(20, 3), nights(30, 3), nights(21, 10)]


# ------------------------------------------------------------------------------------------ who was first


def test_who_came_long_after_what_its_channel_told_before_was_surely_second() -> None:
    early = stay("early", "airbnb", nights(20, 3))
    before = stay("before", "booking", nights(60, 3), at=NOW - 48 * HOUR)
    late = stay("late", "booking", nights(21, 3), at=NOW)
    clash = only(mill(early, before, late))
    assert clash.conflicting_bookings[0] == early.key
    assert clash.certainty is Certainty.SURE


@pytest.mark.parametrize(
    ("others", "gap", "expected"),
    [
        ([], HOUR, Certainty.LIKELY),  # the first thing its channel ever told
        (
            [
                stay("before", "booking", nights(70, 3), at=NOW - 48 * HOUR),
                stay("beside", "booking", nights(60, 3), at=NOW),
            ],
            HOUR,
            Certainty.LIKELY,  # told together with others
        ),
        (
            [stay("before", "booking", nights(60, 3), at=NOW - 48 * HOUR)],
            timedelta(minutes=1),
            Certainty.UNKNOWN,
        ),
    ],
)
def test_who_was_first_is_told_no_surer_than_it_is_known(
    others: list[Reservation], gap: timedelta, expected: Certainty
) -> None:
    early = stay("early", "airbnb", nights(20, 3), at=NOW - gap)
    late = stay("late", "booking", nights(21, 3), at=NOW)
    assert only(mill(early, late, *others)).certainty is expected


def test_a_calendar_may_be_half_an_hour_behind() -> None:
    before = stay("before", "greengo", nights(60, 3), at=NOW - 48 * HOUR, feed="greengo")
    late = stay("late", "greengo", nights(21, 3), at=NOW, feed="greengo")
    for minutes, expected in ((29, Certainty.UNKNOWN), (30, Certainty.SURE)):
        early = stay("early", "airbnb", nights(20, 3), at=NOW - timedelta(minutes=minutes))
        assert only(mill(early, before, late)).certainty is expected


# ------------------------------------------------------------------------------------------ severity


@pytest.mark.parametrize(
    ("start", "pending", "third", "expected"),
    [
        (-2, False, False, ConflictSeverity.CRITICAL),  # a guest is in the house
        (2, True, False, ConflictSeverity.CRITICAL),
        (3, False, False, ConflictSeverity.HIGH),
        (3, True, False, ConflictSeverity.MEDIUM),
        (3, False, True, ConflictSeverity.CRITICAL),
        (14, False, False, ConflictSeverity.HIGH),
        (15, False, False, ConflictSeverity.MEDIUM),
        (15, True, False, ConflictSeverity.LOW),
        (15, False, True, ConflictSeverity.HIGH),
        (15, True, True, ConflictSeverity.MEDIUM),
    ],
)
def test_severity_is_time_to_arrival_what_can_be_declined_and_how_many_guests(
    start: int, pending: bool, third: bool, expected: ConflictSeverity
) -> None:
    status = Status.PENDING if pending else Status.CONFIRMED
    pair = [stay("one", "airbnb", nights(start, 5)), stay("two", "booking", nights(start, 5), status=status)]
    if third:  # one that clashes with one of them on the nights after
        pair[0] = stay("one", "airbnb", nights(start, 8))
        pair.append(stay("three", "greengo", nights(start + 6, 5)))
    assert (
        next(one.severity for one in found(mill(*pair)) if "booking|two" in one.conflicting_bookings)
        is expected
    )


# ------------------------------------------------------------------------------------------ its life

PAIR = (stay("early", "airbnb", nights(20, 3)), stay("late", "booking", nights(21, 3), at=NOW))


def planned(state: SiteState, now: datetime) -> SiteState:
    return apply_plan(state, plan(state, now))


def handled(state: SiteState) -> SiteState:
    """Somebody was told, has seen it and decided."""
    ((name, clash),) = state.conflicts.items()
    done = replace(
        clash,
        told=True,
        acknowledged=Acknowledgement("claire", NOW),
        decision=Decision("move-1", "claire", NOW),
    )
    return replace(state, conflicts={name: done})


def test_what_people_did_stays_while_the_facts_move_on_and_after_they_are_gone() -> None:
    state = handled(planned(mill(*PAIR), NOW))
    longer = replace(PAIR[1], parts=(replace(PAIR[1].parts[0], dates=nights(21, 5), since=NOW + HOUR),))
    state = planned(replace(state, reservations={one.key: one for one in (PAIR[0], longer)}), NOW + HOUR)
    (clash,) = state.conflicts.values()
    assert {side.dates for side in clash.sides} == {nights(20, 3), nights(21, 5)}
    assert (clash.detected_at, clash.told, clash.acknowledged, clash.ended_at) == (
        NOW,
        True,
        Acknowledgement("claire", NOW),
        None,
    )
    state = planned(replace(state, reservations={PAIR[0].key: PAIR[0]}), NOW + 2 * HOUR)
    (over,) = state.conflicts.values()
    assert (over.ended_at, over.told, over.sides) == (NOW + 2 * HOUR, False, clash.sides)
    assert over.decision == Decision("move-1", "claire", NOW)


def test_a_pair_that_clashes_anew_is_a_new_story_under_the_same_id() -> None:
    state = handled(planned(mill(*PAIR), NOW))
    state = planned(replace(state, reservations={PAIR[0].key: PAIR[0]}), NOW + HOUR)
    state = planned(replace(state, reservations={one.key: one for one in PAIR}), NOW + 2 * HOUR)
    (clash,) = state.conflicts.values()
    assert (clash.detected_at, clash.ended_at, clash.decision, clash.acknowledged, clash.told) == (
        NOW + 2 * HOUR,
        None,
        None,
        None,
        False,
    )


def test_a_look_that_finds_the_same_writes_nothing() -> None:
    state = handled(planned(mill(*PAIR), NOW))
    assert plan(state, NOW + HOUR).conflicts == ()


def test_who_was_first_does_not_change_because_another_stay_departed() -> None:
    before = stay("before", "booking", nights(-2, 3), at=NOW - 48 * HOUR)
    state = planned(mill(*PAIR, before), NOW)
    (clash,) = state.conflicts.values()
    assert clash.certainty is Certainty.SURE
    state = planned(replace(state, reservations={one.key: one for one in PAIR}), NOW + HOUR)
    assert next(iter(state.conflicts.values())).certainty is Certainty.SURE


# ------------------------------------------------------------------------------------------ its row

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MAYBE = st.none() | INSTANTS
TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30)
DATES = st.builds(nights, st.integers(-5, 400), st.integers(1, 30))
SIDES = st.builds(
    Side,
    TEXT,
    TEXT,
    st.sampled_from([AIRBNB, BOOKING, GREENGO]),
    TEXT,
    DATES,
    st.sampled_from(Busy),
    st.sampled_from(Status),
    INSTANTS,
    st.sampled_from(Source),
    st.booleans(),
)
CONFLICTS = st.builds(
    BookingConflict,
    id=st.just("0123456789abcdef"),
    property_id=TEXT,
    conflict_dates=DATES,
    conflicting_bookings=st.tuples(TEXT, TEXT),
    severity=st.sampled_from(ConflictSeverity),
    suggested_resolution=st.sampled_from(ConflictResolution),
    detected_at=MAYBE,
    ended_at=MAYBE,
    told=st.booleans(),
    nights=st.lists(DATES, max_size=3).map(tuple),
    sides=st.lists(SIDES, max_size=3).map(tuple),
    certainty=st.sampled_from(Certainty),
    acknowledged=st.none() | st.builds(Acknowledgement, TEXT, INSTANTS),
    decision=st.none() | st.builds(Decision, TEXT, TEXT, INSTANTS, TEXT),
    verified_at=MAYBE,
)


@given(CONFLICTS)
def test_a_row_reads_as_it_was_written(clash: BookingConflict) -> None:
    assert site_codec.to_conflict(site_codec.conflict_row("mill", clash)) == clash


def test_a_row_of_an_older_release_reads_well() -> None:
    old = {"property", "dates", "bookings", "severity", "proposal", "detected_at", "ended_at", "told"}
    row = site_codec.conflict_row("mill", only(mill(*PAIR)))
    read = site_codec.to_conflict(
        Row(row.partition, row.key, {k: v for k, v in row.values.items() if k in old})
    )
    assert (read.nights, read.sides, read.certainty) == ((), (), Certainty.UNKNOWN)
    assert (read.acknowledged, read.decision, read.verified_at) == (None, None, None)
    assert read.exact == (read.conflict_dates,)


def test_what_was_undone_is_not_read_again_after_a_merge() -> None:
    """A merge leaves columns it is not given: each must be written even when it says nothing."""
    decided = replace(only(mill(*PAIR)), decision=Decision("p", "claire", NOW, "note"), verified_at=NOW)
    stored = dict(site_codec.conflict_row("mill", decided).values)
    fresh = site_codec.conflict_row("mill", only(mill(*PAIR)))
    read = site_codec.to_conflict(Row(fresh.partition, fresh.key, {**stored, **fresh.values}))
    assert read == only(mill(*PAIR))


def test_a_note_is_in_no_repr_and_unreadable_sides_are_refused() -> None:
    decided = replace(only(mill(*PAIR)), decision=Decision("p", "claire", NOW, "Zoé wants July"))
    assert "Zoé" not in repr(decided)
    row = site_codec.conflict_row("mill", decided)
    with pytest.raises((Unreadable, ValueError, LookupError)):
        site_codec.to_conflict(Row(row.partition, row.key, {**row.values, "sides": '[{"key":"a"}]'}))
