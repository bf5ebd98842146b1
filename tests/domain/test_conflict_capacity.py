"""Detection with rooms and counts against the plainest oracle there is: every room, every night, everybody who is
there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.conflicts import SOLD, ConflictDetector, conflict_id, may_clash
from shared.domain.dates import StayDates
from shared.domain.model import Busy, Property, Site, Status
from shared.domain.occupancy import Occupancy
from tests.hypothesis_profiles import budget

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
FIRST = date(2027, 7, 10)
ROOMS = {"blue": 1, "green": 1, "bath": 1, "studio": 2, "bed": 3}
HOMES = {
    name: Property(name, name, frozenset(rooms.split()))
    for name, rooms in {
        "house": "blue green bath",
        "upper": "blue bath",  # two suites that share a bath
        "lower": "green bath",
        "blue": "blue",
        "studio": "studio",
        "standard": "bed",  # two room types drawn from the same beds
        "breakfast": "bed",
    }.items()
}
SITE = Site("site", "owner", HOMES, ROOMS)

STAYS = st.lists(
    st.builds(
        lambda cause, listing, home, start, nights, kind, since, fading: Occupancy(
            f"cause{cause}",
            f"{home}-{listing}",
            HOMES[home],
            StayDates.of_nights(FIRST + timedelta(days=start), nights),
            kind,
            Status.CONFIRMED,
            NOW + timedelta(minutes=since),
            fading,
        ),
        st.integers(0, 12),
        st.integers(0, 2),
        st.sampled_from(sorted(HOMES)),
        st.integers(0, 8),
        st.integers(1, 6),
        st.sampled_from(Busy),
        st.integers(0, 4),
        st.booleans(),
    ),
    max_size=14,
)


def oracle(stays: Sequence[Occupancy]) -> dict[str, set[date]]:
    """The nights of each conflict, by its id."""
    nights: defaultdict[str, set[date]] = defaultdict(set)
    for room, units in ROOMS.items():
        for offset in range(20):
            night = FIRST + timedelta(days=offset)
            there = [
                one
                for one in stays
                if one.kind in SOLD
                and room in one.property.rooms
                and one.dates.check_in <= night < one.dates.check_out
            ]
            for one, other in _pairs(there, units):
                nights[conflict_id(one.cause, other.cause)].add(night)
    return dict(nights)


def _pairs(there: Sequence[Occupancy], units: int) -> list[tuple[Occupancy, Occupancy]]:
    """Of one unit everybody clashes with everybody; of several each who is too many with the last who is not."""
    if units == 1:
        return [
            (one, other)
            for place, one in enumerate(there)
            for other in there[:place]
            if may_clash(one, other)
        ]
    queue = sorted(there, key=lambda one: (one.since, one.cause))
    found = []
    for late in queue[units:]:
        fits = [one for one in queue[:units] if may_clash(one, late)]
        found += [(fits[-1], late)] if fits else []
    return found


@settings(max_examples=budget(200, 3000))
@given(STAYS)
def test_rooms_and_counts_as_the_oracle_has_them(stays: list[Occupancy]) -> None:
    found = ConflictDetector().detect_overlapping_bookings(SITE, stays, NOW)
    nights = {
        key: {night for dates in clash.nights for night in dates.nights()} for key, clash in found.items()
    }
    assert nights == oracle(stays)


@given(STAYS)
def test_the_order_in_which_facts_stand_in_the_store_changes_nothing(stays: list[Occupancy]) -> None:
    one = ConflictDetector().detect_overlapping_bookings(SITE, stays, NOW)
    other = ConflictDetector().detect_overlapping_bookings(SITE, stays[::-1], NOW)
    assert {key: clash.nights for key, clash in one.items()} == {
        key: clash.nights for key, clash in other.items()
    }


def test_as_many_as_there_are_units_do_not_clash_and_one_more_is_one_conflict() -> None:
    def guest(name: str, minute: int) -> Occupancy:
        dates = StayDates.of_nights(FIRST, 3)
        since = NOW + timedelta(minutes=minute)
        return Occupancy(name, name, HOMES["standard"], dates, Busy.STAY, Status.CONFIRMED, since)

    three = [guest("a", 0), guest("b", 1), guest("c", 2)]
    detect = ConflictDetector().detect_overlapping_bookings
    assert detect(SITE, three, NOW) == {}
    (clash,) = detect(SITE, [*three, guest("d", 3)], NOW).values()
    assert clash.conflicting_bookings == ("c", "d")
    assert len(clash.exact) == 1


def test_two_suites_that_share_a_bath_clash_and_their_rooms_do_not() -> None:
    dates = StayDates.of_nights(FIRST, 2)

    def guest(name: str) -> Occupancy:
        return Occupancy(name, name, HOMES[name], dates, Busy.STAY, Status.CONFIRMED, NOW)

    detect = ConflictDetector().detect_overlapping_bookings
    (clash,) = detect(SITE, [guest("upper"), guest("lower")], NOW).values()
    assert set(clash.conflicting_bookings) == {"upper", "lower"}
    assert detect(SITE, [guest("blue"), guest("lower")], NOW) == {}
