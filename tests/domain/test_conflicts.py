"""Double sales are found pair by pair, against the plainest oracle there is: every pair, every night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.model import Busy, ConflictResolution, ConflictSeverity, Property, Site, Status
from shared.domain.occupancy import Occupancy, level

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
HOUSE = Property("house", "Maison", frozenset({"blue", "green"}))
BLUE, GREEN = (Property(name, name, frozenset({name})) for name in ("blue", "green"))
SITE = Site("house", "owner", {"house": HOUSE, "blue": BLUE, "green": GREEN}, {"blue": 1, "green": 1})


def stay(
    cause: str, start: int, length: int, home: Property = BLUE, listing: str = "", **kwargs: object
) -> Occupancy:
    dates = StayDates.of_nights(date(2027, 7, 10) + timedelta(days=start), length)
    kind, status = kwargs.get("kind", Busy.STAY), kwargs.get("status", Status.CONFIRMED)
    assert isinstance(kind, Busy)
    assert isinstance(status, Status)
    since = NOW + timedelta(minutes=len(cause) + start)
    return Occupancy(cause, listing or f"{home.id}-{cause}", home, dates, kind, status, since)


def found(*stays: Occupancy, site: Site = SITE) -> set[frozenset[str]]:
    clashes = ConflictDetector().detect_overlapping_bookings(site, stays, NOW).values()
    return {frozenset(one.conflicting_bookings) for one in clashes}


STAYS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 8), st.sampled_from([HOUSE, BLUE, GREEN])), max_size=9
)


@given(STAYS)
def test_every_pair_that_shares_a_room_and_a_night_and_no_other(
    drawn: list[tuple[int, int, Property]],
) -> None:
    stays = [stay(f"s{n}", start, length, home) for n, (start, length, home) in enumerate(drawn)]
    pairs = {
        frozenset((one.cause, other.cause))
        for one, other in combinations(stays, 2)
        if one.property.rooms & other.property.rooms and one.dates.overlaps(other.dates)
    }
    assert found(*stays) == pairs


def test_one_long_stay_meets_all_it_covers_not_only_its_neighbour() -> None:
    long = stay("long", 0, 30)
    short = [stay(f"s{n}", 3 * n, 2) for n in range(8)]
    assert found(long, *short) == {frozenset(("long", one.cause)) for one in short}


def test_two_units_clash_only_with_the_third_guest() -> None:
    site = Site("rooms", "owner", {"blue": BLUE}, {"blue": 2})
    first, second, third = stay("a", 0, 3), stay("bb", 1, 3), stay("ccc", 2, 3)
    assert found(first, second, site=site) == set()
    assert found(first, second, third, site=site) == {frozenset(("bb", "ccc"))}
    nights = [date(2027, 7, 10) + timedelta(days=n) for n in range(5)]
    assert [level(site, BLUE, night, (first, second, third)) for night in nights] == [1, 0, 0, 0, 1]


def test_a_house_is_full_when_one_of_its_rooms_is() -> None:
    taken = [stay("guest", 0, 2, BLUE)]
    night = date(2027, 7, 10)
    assert level(SITE, HOUSE, night, taken) == 0
    assert level(SITE, GREEN, night, taken) == 1


def test_an_owners_block_is_no_sale_and_a_doubtful_closure_is() -> None:
    guest = stay("guest", 0, 3)
    assert found(guest, stay("block", 0, 3, kind=Busy.BLOCK)) == set()
    assert found(guest, stay("closed", 0, 3, kind=Busy.CLOSED)) == {frozenset(("guest", "closed"))}


def test_a_pending_request_is_proposed_to_be_declined_and_a_near_arrival_is_critical() -> None:
    near = datetime(2027, 7, 9, tzinfo=UTC)
    pair = (stay("guest", 0, 3), stay("request", 1, 2, status=Status.PENDING))
    (clash,) = ConflictDetector().detect_overlapping_bookings(SITE, pair, near).values()
    assert clash.suggested_resolution is ConflictResolution.DECLINE_PENDING
    assert clash.severity is ConflictSeverity.CRITICAL
    assert clash.conflict_dates == StayDates.parse("2027-07-11/2027-07-13")


def test_detecting_twice_is_one_conflict() -> None:
    pair = (stay("guest", 0, 3), stay("other", 1, 3))
    detector = ConflictDetector()
    first = detector.detect_overlapping_bookings(SITE, pair, NOW)
    again = detector.detect_overlapping_bookings(SITE, pair[::-1], NOW + timedelta(hours=1))
    assert first.keys() == again.keys()
