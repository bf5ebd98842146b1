"""The truth by itself: what can be sold is sold once, and everything is released to whom it belongs."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from local.sandbox.calendar import Imported
from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Listing, Platform, sample
from local.sandbox.errors import BadAsk, Closed, Unknown
from local.sandbox.stays import NightState
from local.sandbox.truth import Truth
from shared.domain.dates import StayDates
from tests.hypothesis_profiles import budget

NOW = datetime(2027, 5, 2, 10, 15, tzinfo=UTC)


def truth(*listings: Listing, seed: int = 1) -> Truth:
    return Truth(listings or sample().listings, Clock(frozen(NOW)), seed)


def july(first: int, last: int) -> StayDates:
    return StayDates(date(2027, 7, first), date(2027, 7, last))


def booking_room(room: str = "1", **quirks: object) -> Listing:
    return Listing(Platform.BOOKING, room, "home", **quirks)  # type: ignore[arg-type]


def test_a_sold_night_is_refused_and_named_and_nothing_is_half_sold() -> None:
    books = truth()
    books.book(Platform.AIRBNB, [("9876543", july(10, 13))])
    with pytest.raises(Closed) as refused:
        books.book(Platform.AIRBNB, [("9876543", july(11, 15))])
    assert refused.value.nights == (date(2027, 7, 11), date(2027, 7, 12))
    assert books.night("airbnb/9876543", date(2027, 7, 13)).state is NightState.OPEN


def test_the_day_of_departure_is_free_for_the_next_guest() -> None:
    books = truth()
    books.book(Platform.GREENGO, [("greengo-1", july(10, 13))])
    books.book(Platform.GREENGO, [("greengo-1", july(13, 14))])
    assert len(books.stays_on("greengo/greengo-1")) == 2


@pytest.mark.parametrize("layer", ["host", "partner", "imported", "room closed"])
def test_every_kind_of_closure_sends_the_guest_away(layer: str) -> None:
    books = truth(booking_room())
    calendar = books.calendars["booking/1"]
    match layer:
        case "host":
            books.block(Platform.BOOKING, "1", july(10, 11))
        case "partner":
            books.partner_counts("booking/1", date(2027, 7, 10), 0)
        case "imported":
            calendar.imported["x"] = (Imported("u", july(10, 11)),)
        case _:
            books.partner_closes_room("booking/1", date(2027, 7, 10), True)
    assert not books.bookable(Platform.BOOKING, "1", july(9, 11))
    assert books.bookable(Platform.BOOKING, "1", july(11, 12))


def test_opening_a_night_sold_on_airbnb_leaves_it_sold_and_is_written_down() -> None:
    books = truth()
    stay = books.book(Platform.AIRBNB, [("9876543", july(10, 11))])
    books.partner_sets("airbnb/9876543", date(2027, 7, 10), True)
    books.partner_sets("airbnb/9876543", date(2027, 7, 10), False)
    assert books.night("airbnb/9876543", date(2027, 7, 10)).by == (stay.id,)
    assert [item.night for item in books.contradictions] == [date(2027, 7, 10)]
    books.cancel(stay.id)
    assert books.bookable(Platform.AIRBNB, "9876543", july(10, 11))


@pytest.mark.parametrize(("restocks", "reopened"), [(True, True), (False, False)])
def test_whether_a_cancelled_night_opens_again_on_booking_is_the_propertys_setting(
    restocks: bool, reopened: bool
) -> None:
    books = truth(booking_room(restocks=restocks))
    stay = books.book(Platform.BOOKING, [("1", july(10, 12))])
    books.cancel(stay.id)
    assert books.bookable(Platform.BOOKING, "1", july(10, 12)) is reopened


def test_restocking_reopens_a_night_the_partner_closed_while_it_was_sold() -> None:
    books = truth(booking_room(restocks=True))
    stay = books.book(Platform.BOOKING, [("1", july(10, 11))])
    books.partner_counts("booking/1", date(2027, 7, 10), 0)
    books.cancel(stay.id)
    assert books.bookable(Platform.BOOKING, "1", july(10, 11))


@pytest.mark.parametrize(("oversells", "sold"), [(False, 1), (True, 2)])
def test_a_limit_above_what_is_left_sells_twice_only_where_the_property_trusts_it(
    oversells: bool, sold: int
) -> None:
    books = truth(booking_room(oversells=oversells))
    books.book(Platform.BOOKING, [("1", july(10, 11))])
    books.partner_counts("booking/1", date(2027, 7, 10), 1)
    if oversells:
        books.book(Platform.BOOKING, [("1", july(10, 11))])
    else:
        with pytest.raises(Closed):
            books.book(Platform.BOOKING, [("1", july(10, 11))])
    assert books.calendars["booking/1"].sold_on(date(2027, 7, 10)) == sold
    assert len(books.contradictions) == 1
    assert bool(books.double_sold()) is oversells


def test_several_units_are_sold_one_by_one() -> None:
    books = truth(booking_room(units=2))
    books.book(Platform.BOOKING, [("1", july(10, 11))])
    books.book(Platform.BOOKING, [("1", july(10, 11))])
    with pytest.raises(Closed):
        books.book(Platform.BOOKING, [("1", july(10, 11))])
    assert not books.double_sold()


def test_two_rooms_of_one_type_need_two_units() -> None:
    books = truth(booking_room(units=1))
    with pytest.raises(Closed):
        books.book(Platform.BOOKING, [("1", july(10, 11)), ("1", july(10, 11))])
    assert not books.stays


def test_a_moved_stay_keeps_the_nights_it_has_and_frees_the_rest() -> None:
    books = truth()
    stay = books.book(Platform.AIRBNB, [("9876543", july(10, 13))])
    moved = books.modify(stay.id, [books.new_part(Platform.AIRBNB, "9876543", july(11, 15))])
    assert moved.updated_at > stay.updated_at
    calendar = books.calendars["airbnb/9876543"]
    assert sorted(calendar.sold) == list(july(11, 15).nights())


def test_a_move_onto_a_closed_night_changes_nothing() -> None:
    books = truth()
    stay = books.book(Platform.AIRBNB, [("9876543", july(10, 13))])
    books.partner_sets("airbnb/9876543", date(2027, 7, 14), False)
    with pytest.raises(Closed):
        books.modify(stay.id, [books.new_part(Platform.AIRBNB, "9876543", july(12, 15))])
    assert books.stay(stay.id) == stay


def test_two_stays_of_one_home_on_two_platforms_are_a_double_sale() -> None:
    books = truth()
    first = books.book(Platform.AIRBNB, [("9876543", july(10, 13))])
    second = books.book(Platform.BOOKING, [("123456701", july(12, 14))])
    assert books.double_sold() == {"home-1": {date(2027, 7, 12): tuple(sorted((first.id, second.id)))}}


def test_a_house_and_its_room_are_the_same_walls() -> None:
    house = Listing(Platform.AIRBNB, "1", "house", occupies=("blue", "green"))
    room = Listing(Platform.BOOKING, "2", "blue")
    books = truth(house, room)
    books.book(Platform.AIRBNB, [("1", july(10, 11))])
    books.book(Platform.BOOKING, [("2", july(10, 11))])
    assert list(books.double_sold()) == ["blue"]


def test_a_finished_reservation_cannot_be_changed_again() -> None:
    books = truth()
    stay = books.book(Platform.AIRBNB, [("9876543", july(10, 13))])
    books.cancel(stay.id)
    with pytest.raises(BadAsk):
        books.cancel(stay.id)
    with pytest.raises(Unknown):
        books.stay("HMNOWHERE")


def test_notice_and_horizon_close_nights_that_nobody_closed() -> None:
    books = truth(Listing(Platform.AIRBNB, "1", "home", notice_days=2, horizon_days=100))
    assert books.night("airbnb/1", date(2027, 5, 3)).state is NightState.OUTSIDE
    assert books.night("airbnb/1", date(2027, 5, 4)).state is NightState.OPEN
    assert books.night("airbnb/1", date(2027, 8, 10)).state is NightState.OUTSIDE


def test_the_same_seed_gives_the_same_ids_and_guests() -> None:
    def life(seed: int) -> list[tuple[str, str]]:
        books = truth(seed=seed)
        stays = [books.book(Platform.AIRBNB, [("9876543", july(day, day + 1))]) for day in (1, 5, 9)]
        return [(stay.id, stay.guest.name) for stay in stays]

    assert life(3) == life(3)
    assert life(3) != life(4)


def test_a_guests_name_is_in_no_repr() -> None:
    books = truth()
    stay = books.book(Platform.AIRBNB, [("9876543", july(10, 13))])
    assert stay.guest.first not in repr(stay)


LISTINGS = (
    Listing(Platform.AIRBNB, "1", "home"),
    Listing(Platform.BOOKING, "2", "home", units=2, restocks=True),
    Listing(Platform.BOOKING, "3", "home"),
    Listing(Platform.GREENGO, "4", "home"),
)
some_listing = st.sampled_from(LISTINGS)
some_dates = st.builds(
    lambda first, count: StayDates.of_nights(date(2027, 7, first), count),
    st.integers(1, 8),
    st.integers(1, 4),
)


class Books(RuleBasedStateMachine):
    """Guests, hosts and partners in any order: no night is sold beyond its units, none is lost or invented."""

    def __init__(self) -> None:
        super().__init__()
        self.books = truth(*LISTINGS)

    @rule(listing=some_listing, dates=some_dates)
    def book(self, listing: Listing, dates: StayDates) -> None:
        free = self.books.bookable(listing.platform, listing.id, dates)
        try:
            self.books.book(listing.platform, [(listing.id, dates)])
        except Closed:
            assert not free
        else:
            assert free

    @precondition(lambda self: self.books.stays)
    @rule(data=st.data(), dates=some_dates, listing=some_listing)
    def move(self, data: st.DataObject, dates: StayDates, listing: Listing) -> None:
        stay = data.draw(st.sampled_from(sorted(self.books.stays.values(), key=lambda item: item.id)))
        to = listing if listing.platform is stay.platform else LISTINGS[0]
        if to.platform is not stay.platform or not stay.live:
            return
        part = self.books.new_part(to.platform, to.id, dates)
        try:
            self.books.modify(stay.id, [part])
        except Closed:
            assert self.books.stay(stay.id) == stay

    @precondition(lambda self: any(stay.live for stay in self.books.stays.values()))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        live = sorted(stay.id for stay in self.books.stays.values() if stay.live)
        self.books.cancel(data.draw(st.sampled_from(live)))

    @rule(listing=some_listing, dates=some_dates, is_open=st.booleans(), rooms=st.integers(0, 3))
    def partner(self, listing: Listing, dates: StayDates, is_open: bool, rooms: int) -> None:
        for night in dates.nights():
            if listing.counts:
                self.books.partner_counts(listing.key, night, rooms)
            elif listing.platform is Platform.AIRBNB:
                self.books.partner_sets(listing.key, night, is_open)

    @rule(listing=some_listing, dates=some_dates)
    def block(self, listing: Listing, dates: StayDates) -> None:
        self.books.block(listing.platform, listing.id, dates)

    @invariant()
    def no_night_is_sold_beyond_its_units(self) -> None:
        for calendar in self.books.calendars.values():
            for night in calendar.sold:
                assert 0 < calendar.sold_on(night) <= calendar.listing.units

    @invariant()
    def the_calendars_hold_exactly_the_live_stays(self) -> None:
        held = [
            (key, night, stay, rooms)
            for key, calendar in self.books.calendars.items()
            for night, stays in calendar.sold.items()
            for stay, rooms in stays.items()
        ]
        wanted = [
            (key, night, stay.id, rooms)
            for stay in self.books.stays.values()
            for (key, night), rooms in stay.nights.items()
        ]
        assert sorted(held) == sorted(wanted)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=budget(40, 1000), stateful_step_count=30)


@given(st.lists(st.tuples(st.sampled_from(["airbnb/1", "greengo/4"]), some_dates), max_size=12))
def test_what_could_be_booked_is_what_is_not_sold(asks: list[tuple[str, StayDates]]) -> None:
    books = truth(*LISTINGS)
    sold: set[tuple[str, date]] = set()
    for key, dates in asks:
        platform, _, listing_id = key.partition("/")
        wanted = {(key, night) for night in dates.nights()}
        assert books.bookable(Platform(platform), listing_id, dates) is not bool(wanted & sold)
        if not wanted & sold:
            books.book(Platform(platform), [(listing_id, dates)])
            sold |= wanted
