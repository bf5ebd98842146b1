"""Who is who: one stay under a new UID, on new nights, in two calendars, by API and by calendar, is still one stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.changes import apply_plan
from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates, nights_of
from shared.domain.facts import FeedAnswer, FeedEvent
from shared.domain.merge import merge_feed
from shared.domain.model import (
    BookingConflict,
    Busy,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Site,
    SiteState,
    Source,
    Status,
)
from shared.domain.occupancy import Occupancy, occupancies
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, Link, Platform
from shared.domain.release import SHORT
from shared.ports.stores import Row
from shared.state import site_codec

NOW = datetime(2027, 6, 1, 8, tzinfo=UTC)
TODAY = NOW.date()


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


# ------------------------------------------------------------------------------- inside one calendar

FEED = Listing("mill-link", "mill", BOOKING, "links", Link.ICAL, shard="0000", complete=True)
Known = tuple[Reservation, ...]


def event(uid: str, dates: StayDates, kind: Busy = Busy.CLOSED, code: str = "") -> FeedEvent:
    return FeedEvent(uid, kind, (dates,), code)


def read(known: Known, number: int, *events: FeedEvent, at: timedelta | None = None) -> Known:
    """The calendar's next complete answer, two minutes after the one before."""
    answer = FeedAnswer(events, NOW + (timedelta(minutes=2 * number) if at is None else at), number)
    merged = merge_feed(replace(FEED, observed=number - 1), known, answer, TODAY, lambda one, part: False)
    assert merged is not None
    return merged


def held(known: Iterable[Reservation]) -> set[date]:
    return nights_of(part.dates for one in known for part in one.held())


def keys(known: Iterable[Reservation]) -> set[str]:
    return {one.key for one in known}


def test_a_new_uid_on_the_same_nights_is_the_same_stay() -> None:
    first = read((), 1, event("one", july(10, 13)))
    (again,) = read(first, 2, event("two", july(10, 13)))
    assert keys(first) == {again.key}
    assert again.aliases == ("one", "two")
    assert again.fading == ()
    assert again.parts[0].since == first[0].parts[0].since


def test_a_moved_date_under_the_same_uid_is_the_same_stay_and_both_nights_stay_held_at_first() -> None:
    first = read((), 1, event("one", july(10, 13)))
    (moved,) = read(first, 2, event("one", july(12, 15)))
    assert keys(first) == {moved.key}
    assert held([moved]) == nights_of([july(10, 15)])


@pytest.mark.parametrize("dates", [july(12, 15), july(20, 22)])
def test_a_new_uid_and_new_nights_at_once_are_known_by_the_reservations_code(dates: StayDates) -> None:
    first = read((), 1, event("one", july(10, 13), Busy.STAY, "HMABCD1234"))
    (moved,) = read(first, 2, event("two", dates, Busy.STAY, "HMABCD1234"))
    assert keys(first) == {moved.key}
    assert (moved.parts[0].dates, moved.aliases) == (dates, ("one", "two"))


def test_a_new_uid_and_new_nights_at_once_without_a_code_are_two_stays_until_the_first_is_proved_gone() -> (
    None
):
    """Nobody can know better; no night opens before the proof, and one calendar does not clash with itself."""
    known = read((), 1, event("one", july(10, 13)))
    known = read(known, 2, event("two", july(11, 14)))
    assert held(known) == nights_of([july(10, 14)])
    assert clashes(known) == set()
    known = read(known, 3, event("two", july(11, 14)), at=timedelta(minutes=4) + SHORT)
    assert held(known) == nights_of([july(11, 14)])


def test_two_neighbours_that_swap_their_nights_stay_two_stays_and_no_night_opens() -> None:
    left, right = event("a", july(10, 13)), event("b", july(13, 16))
    first = read((), 1, left, right)
    swapped = read(first, 2, event("a", july(13, 16)), event("b", july(10, 13)))
    assert keys(swapped) == keys(first)
    assert {one.aliases[-1]: one.parts[0].dates for one in swapped} == {
        "a": july(13, 16),
        "b": july(10, 13),
    }
    assert held(swapped) == nights_of([july(10, 16)])
    assert clashes(swapped) == set()


def test_two_neighbours_that_swap_under_new_uids_are_told_apart_by_their_codes() -> None:
    first = read(
        (),
        1,
        event("a", july(10, 13), Busy.STAY, "HMAAAA1111"),
        event("b", july(13, 16), Busy.STAY, "HMBBBB2222"),
    )
    swapped = read(
        first,
        2,
        event("c", july(13, 16), Busy.STAY, "HMAAAA1111"),
        event("d", july(10, 13), Busy.STAY, "HMBBBB2222"),
    )
    by_code = {one.code: (one.key, one.parts[0].dates) for one in swapped}
    before = {one.code: one.key for one in first}
    assert by_code == {
        "HMAAAA1111": (before["HMAAAA1111"], july(13, 16)),
        "HMBBBB2222": (before["HMBBBB2222"], july(10, 13)),
    }


def test_a_code_beats_a_uid_that_was_given_to_another_stay() -> None:
    """The calendar numbers its events anew: the first UID now belongs to the second stay."""
    first = read(
        (),
        1,
        event("1", july(10, 13), Busy.STAY, "HMAAAA1111"),
        event("2", july(20, 23), Busy.STAY, "HMBBBB2222"),
    )
    renumbered = read(first, 2, event("1", july(20, 23), Busy.STAY, "HMBBBB2222"))
    there = {one.code: [part.dates for part in one.parts] for one in renumbered}
    assert there == {"HMBBBB2222": [july(20, 23)], "HMAAAA1111": []}
    assert held(renumbered) == nights_of([july(10, 13), july(20, 23)])


def clashes(known: Known) -> set[frozenset[str]]:
    site = Site("mill", "owner", {"mill": Property("mill", "Mill", frozenset({"mill"}))}, {"mill": 1})
    state = SiteState(site, Head(1), {FEED.id: FEED}, {one.key: one for one in known})
    return {frozenset(one.conflicting_bookings) for one in found(state)}


# ----------------------------------------------------------------------- by API and by calendar at once


def found(state: SiteState) -> Iterable[BookingConflict]:
    return ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), NOW).values()


def mill(*facts: Reservation, platform: Platform = AIRBNB, units: tuple[str, str] = ("", "")) -> SiteState:
    """One home, connected to a platform by API and by its calendar link besides, and to another one."""
    listings = {
        "api": Listing("api", "mill", platform, "airbnb", Link.API, units[0], complete=True),
        "link": Listing("link", "mill", platform, "links", Link.ICAL, units[1], shard="0000", complete=True),
        "other": Listing("other", "mill", BOOKING, "booking", Link.API, complete=True),
    }
    site = Site("mill", "owner", {"mill": Property("mill", "Mill", frozenset({"mill"}))}, {"mill": 1})
    return SiteState(site, Head(1), listings, {one.key: one for one in facts})


def by_api(dates: StayDates, name: str = "HMABCD1234", status: Status = Status.CONFIRMED) -> Reservation:
    return Reservation("airbnb", name, Busy.STAY, status, (Part("", "api", dates, NOW),), version=1)


def by_link(
    dates: StayDates, code: str = "HMABCD1234", name: str = "link:one", kind: Busy = Busy.STAY
) -> Reservation:
    part = Part("", "link", dates, NOW + timedelta(minutes=2))
    return Reservation("links", name, kind, Status.CONFIRMED, (part,), feed="link", code=code)


def taken(state: SiteState) -> list[tuple[str, StayDates]]:
    return [(one.cause, one.dates) for one in occupancies(state)]


def test_one_stay_by_api_and_by_calendar_is_one_stay() -> None:
    state = mill(by_api(july(10, 13)), by_link(july(10, 13)))
    assert taken(state) == [("airbnb|HMABCD1234", july(10, 13))]
    assert list(found(state)) == []
    closed = {(row.listing, row.dates) for row in plan(state, NOW).blocks}
    assert closed == {("other", july(10, 13))}  # its own two faces show the stay themselves


def test_after_a_move_the_calendars_old_nights_stay_held_until_it_has_followed() -> None:
    state = mill(by_api(july(12, 16)), by_link(july(10, 13)))
    one, rest = occupancies(state)
    assert (one.cause, one.dates, rest.cause, rest.dates) == (
        "airbnb|HMABCD1234",
        july(12, 16),
        "airbnb|HMABCD1234",
        july(10, 12),
    )
    assert (one.source, rest.source) == (Source.API, Source.FEED)
    assert list(found(state)) == []
    closed = {(row.listing, row.dates) for row in plan(state, NOW).blocks}
    assert {("other", july(12, 16)), ("other", july(10, 12))} <= closed


def test_without_a_code_the_same_nights_of_the_same_home_are_one_stay() -> None:
    state = mill(by_api(july(10, 13)), by_link(july(10, 13), "", kind=Busy.CLOSED))
    assert taken(state) == [("airbnb|HMABCD1234", july(10, 13))]
    assert list(found(state)) == []


@pytest.mark.parametrize(
    ("link", "units"),
    [
        (by_link(july(10, 13), "HMZZZZ9999"), ("", "")),  # another code: another guest
        (by_link(july(10, 14), ""), ("", "")),  # other nights
        (by_link(july(10, 13), ""), ("111", "222")),  # two advertisements of one home
    ],
)
def test_what_is_not_the_same_stay_is_a_double_sale(link: Reservation, units: tuple[str, str]) -> None:
    assert len(list(found(mill(by_api(july(10, 13)), link, units=units)))) == 1


def test_one_stay_explains_one_event_and_the_second_is_another_guest() -> None:
    """Two events of the same nights in the calendar and one stay by API: the excess is a sale."""
    two = (by_link(july(10, 13), ""), by_link(july(10, 13), "", "link:two"))
    assert len(taken(mill(by_api(july(10, 13)), *two))) == 2


def test_the_code_is_stored_with_the_stay_and_absent_in_rows_that_are_older() -> None:
    (known,) = read((), 1, event("one", july(10, 13), Busy.STAY, "HMABCD1234"))
    row = site_codec.reservation_row("mill", known)
    assert site_codec.to_reservation(row) == known
    old = Row(row.partition, row.key, {name: cell for name, cell in row.values.items() if name != "code"})
    assert site_codec.to_reservation(old) == replace(known, code="")
    (named,) = read((replace(known, code=""),), 2, event("one", july(10, 13), Busy.STAY, "HMABCD1234"))
    assert named.code == "HMABCD1234"


def test_equal_nights_on_two_platforms_are_two_guests() -> None:
    state = mill(by_api(july(10, 13)))
    elsewhere = Reservation(
        "booking",
        "42",
        Busy.STAY,
        Status.CONFIRMED,
        (Part("", "other", july(10, 13), NOW + timedelta(hours=1)),),
    )
    state = replace(state, reservations={**state.reservations, elsewhere.key: elsewhere})
    assert len(list(found(state))) == 1


def test_a_stay_the_api_takes_back_stays_held_for_as_long_as_the_calendar_shows_it() -> None:
    state = mill(by_api(july(10, 13)), by_link(july(10, 13)))
    state = apply_plan(state, plan(state, NOW))
    gone = by_api(july(10, 13), status=Status.CANCELLED)
    state = replace(state, reservations={**state.reservations, gone.key: gone})
    assert taken(state) == [("links|link:one", july(10, 13))]
    after = apply_plan(state, plan(state, NOW + timedelta(minutes=1)))
    wanted = {row.dates for row in after.blocks.values() if row.wanted and row.listing == "other"}
    assert wanted == {july(10, 13)}


def test_a_room_known_by_calendar_is_not_freed_by_a_stay_the_api_puts_into_another_room() -> None:
    """A mistake in the portfolio must not open a night: what the API does not cover stays held."""
    homes = {name: Property(name, name, frozenset({name})) for name in ("mill", "barn")}
    site = Site("mill", "owner", homes, {"mill": 1, "barn": 1})
    state = mill(by_api(july(10, 13)), by_link(july(10, 13)))
    link = replace(state.listings["link"], property="barn")
    state = replace(state, site=site, listings={**state.listings, "link": link})
    rooms: set[tuple[str, StayDates]] = {(one.property.id, one.dates) for one in occupancies(state)}
    assert rooms == {("mill", july(10, 13)), ("barn", july(10, 13))}
    causes: list[Occupancy] = occupancies(state)
    assert {one.cause for one in causes} == {"airbnb|HMABCD1234"}
