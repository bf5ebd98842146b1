"""A stay closes what it must on every home it touches, and only that: against the plainest oracle there is, over random
houses with homes inside homes, rooms in two of them, and identical units sold by count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.dates import StayDates
from shared.domain.model import Busy, Head, Listing, Part, Reservation, SiteState, Status
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, Link, Platform
from shared.domain.portfolio import Home, PortfolioRefused
from shared.domain.site_groups import resolve

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = date(2027, 3, 10)
NAMES = [f"h{number}" for number in range(6)]
ROOMS = ["r0", "r1", "r2"]
PLATFORMS = (AIRBNB, BOOKING)


@dataclass(frozen=True)
class Stay:
    """A guest in a home, sold on one platform."""

    home: str
    platform: Platform
    dates: StayDates


def home(name: str, **fields: object) -> Home:
    return Home(id=name, name=name, owner="claire", **fields)  # type: ignore[arg-type]


def stay(name: str, start: int = 0, nights: int = 2, platform: Platform = AIRBNB) -> Stay:
    return Stay(name, platform, StayDates.of_nights(FIRST + start * DAY, nights))


# ----------------------------------------------------------------------------------------------- the engine's plan


def written(homes: Sequence[Home], stays: Sequence[Stay]) -> dict[tuple[str, Platform], dict[date, int]]:
    """What is written into each calendar once these stays are known: the units left for sale, by night."""
    levels: dict[tuple[str, Platform], dict[date, int]] = {}
    for site in resolve(homes):
        listings = {
            f"{name}-{platform}": Listing(
                f"{name}-{platform}", name, platform, str(platform), Link.API, complete=True
            )
            for name in site.properties
            for platform in PLATFORMS
        }
        facts = [_fact(n, one) for n, one in enumerate(stays) if one.home in site.properties]
        state = SiteState(site, Head(), listings, {one.key: one for one in facts})
        for listing, write in plan(state, NOW).writes:
            one = listings[listing]
            levels.setdefault((one.property, one.platform), {}).update(write.levels)
    return levels


def _fact(number: int, one: Stay) -> Reservation:
    part = Part("1", f"{one.home}-{one.platform}", one.dates, NOW)
    return Reservation(str(one.platform), f"s{number}", Busy.STAY, Status.CONFIRMED, (part,))


# --------------------------------------------------------------------------------------------------- the oracle


def rooms_of(homes: Sequence[Home]) -> dict[str, set[str]]:
    """Rooms by following every path, from what the owner wrote."""
    by_id = {one.id: one for one in homes}

    def rooms(name: str) -> set[str]:
        found = by_id[name]
        own = set(found.rooms) if found.rooms or found.contains else {name}
        return own.union(*(rooms(inner) for inner in found.contains))

    return {name: rooms(name) for name in by_id}


def expected(homes: Sequence[Home], stays: Sequence[Stay]) -> dict[tuple[str, Platform], dict[date, int]]:
    """Night by night: a calendar hears of a night when a stay that it did not sell itself needs one of its rooms; it
    then says how many are left."""
    rooms = rooms_of(homes)
    levels: dict[tuple[str, Platform], dict[date, int]] = {}
    for one in homes:
        for platform in PLATFORMS:
            touching = [other for other in stays if rooms[other.home] & rooms[one.id]]
            foreign = [other for other in touching if (other.home, other.platform) != (one.id, platform)]
            for night in {night for other in foreign for night in other.dates.nights()}:
                there = [other for other in touching if other.dates.check_in <= night < other.dates.check_out]
                left = min(
                    one.units - sum(room in rooms[other.home] for other in there) for room in rooms[one.id]
                )
                levels.setdefault((one.id, platform), {})[night] = max(0, left)
    return levels


@st.composite
def houses(draw: st.DrawFn) -> list[Home]:
    """Homes that hold only later ones, so that no circle arises; some kinds of room sold by count beside them."""
    made = []
    for at, name in enumerate(NAMES):
        later = NAMES[at + 1 :]
        contains = draw(st.lists(st.sampled_from(later), unique=True, max_size=2)) if later else []
        rooms = draw(st.sets(st.sampled_from(ROOMS), max_size=2))
        shares = draw(st.sets(st.sampled_from(["garden", "pool"]), max_size=2))
        made.append(
            home(
                name,
                contains=tuple(contains),
                rooms=dict.fromkeys(sorted(rooms), 1),
                shares=tuple(sorted(shares)),
            )
        )
    units = draw(st.integers(2, 3))
    return [
        *made,
        home("plain", units=units, rooms={"kind": units}),
        home("meal", units=units, rooms={"kind": units}),
    ]


STAYS = st.lists(
    st.builds(
        stay,
        st.sampled_from([*NAMES, "plain", "meal"]),
        st.integers(0, 8),
        st.integers(1, 4),
        st.sampled_from(PLATFORMS),
    ),
    max_size=7,
)


@given(houses(), STAYS)
def test_a_stay_closes_what_it_must_on_every_home_it_touches_and_only_that(
    homes: list[Home], stays: list[Stay]
) -> None:
    assert written(homes, stays) == expected(homes, stays)


@given(houses(), STAYS, st.data())
def test_what_is_shared_without_excluding_closes_nothing(
    homes: list[Home], stays: list[Stay], data: st.DataObject
) -> None:
    """The same houses with their gardens and without them are the same sites with the same calendars."""
    bare = [
        Home(one.id, one.name, one.owner, contains=one.contains, rooms=one.rooms, units=one.units)
        for one in homes
    ]
    assert resolve(homes) == resolve(bare)
    assert written(homes, stays) == written(bare, stays)


# --------------------------------------------------------------------------------------------------- by name


def closed(levels: Mapping[tuple[str, Platform], Mapping[date, int]]) -> set[str]:
    """The homes of which any calendar hears."""
    return {name for name, _ in levels}


HOUSE = [home("house", contains=("blue", "green")), home("blue"), home("green")]


def test_a_stay_in_the_house_closes_each_room_and_one_in_a_room_the_house_alone() -> None:
    assert closed(written(HOUSE, [stay("house")])) == {"house", "blue", "green"}
    assert closed(written(HOUSE, [stay("blue")])) == {"house", "blue"}


def test_a_room_two_floors_down_closes_every_house_around_it() -> None:
    homes = [home("estate", contains=("house",), rooms={"pool": 1}), *HOUSE, home("hut")]
    assert closed(written(homes, [stay("blue")])) == {"estate", "house", "blue"}
    assert closed(written(homes, [stay("estate")])) == {"estate", "house", "blue", "green"}


def test_a_room_shared_by_two_suites_is_one_stays_alone() -> None:
    homes = [home("east", rooms={"bed1": 1, "salon": 1}), home("west", rooms={"bed2": 1, "salon": 1})]
    levels = written(homes, [stay("east")])
    assert closed(levels) == {"east", "west"}
    assert {level for nights in levels.values() for level in nights.values()} == {0}


def test_two_homes_that_share_a_garden_may_both_be_sold() -> None:
    homes = [home("east", shares=("garden",)), home("west", shares=("garden",))]
    assert [site.id for site in resolve(homes)] == ["east", "west"]
    assert closed(written(homes, [stay("east")])) == {"east"}


def test_two_homes_that_exclude_each_other_by_a_garden_name_it_as_a_room() -> None:
    homes = [home("east", rooms={"east": 1, "garden": 1}), home("west", rooms={"west": 1, "garden": 1})]
    assert closed(written(homes, [stay("east")])) == {"east", "west"}


def test_rooms_of_a_house_may_be_let_together_or_not_as_their_owner_says() -> None:
    """Children side by side are co-bookable; a kitchen that only one stay may have makes them exclusive."""
    apart = [home("house", contains=("a", "b")), home("a"), home("b")]
    either = [
        home("house", contains=("a", "b")),
        home("a", rooms={"a": 1, "kitchen": 1}),
        home("b", rooms={"b": 1, "kitchen": 1}),
    ]
    assert closed(written(apart, [stay("a")])) == {"a", "house"}
    assert closed(written(either, [stay("a")])) == {"a", "house", "b"}


def test_identical_units_are_counted_down_and_closed_with_the_last() -> None:
    homes = [home("studio", units=3)]
    for guests, left in ((1, 2), (2, 1), (3, 0), (4, 0)):
        levels = written(homes, [stay("studio") for _ in range(guests)])
        assert set(levels["studio", BOOKING].values()) == {left}
        assert ("studio", AIRBNB) not in levels, "it sold them itself"


@pytest.mark.parametrize(
    ("homes", "field", "text"),
    [
        (
            [home("a", rooms={"garden": 1}), home("b", shares=("garden",))],
            "shares",
            "garden is a room of a: under shares stands what two stays may use on one night, under rooms or contains "
            "what only one may",
        ),
        (
            [home("a"), home("b", shares=("a",))],
            "shares",
            "a is a home: under shares stands what two stays may use on one night, under rooms or contains "
            "what only one may",
        ),
    ],
)
def test_what_excludes_and_what_is_shared_are_not_mixed_up(homes: list[Home], field: str, text: str) -> None:
    with pytest.raises(PortfolioRefused) as refused:
        resolve(homes)
    assert [(one.field, one.text) for one in refused.value.problems] == [(field, text)]
