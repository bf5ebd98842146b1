"""Homes become sites: whatever shares a room is one site, and nothing else is."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.model import Site
from shared.domain.portfolio import Home, PortfolioRefused, masked
from shared.domain.site_groups import resolve


def home(name: str, **fields: object) -> Home:
    return Home(id=name, name=name.title(), owner=str(fields.pop("owner", "claire")), **fields)  # type: ignore[arg-type]


def problems(*homes: Home) -> list[tuple[str, str, str]]:
    with pytest.raises(PortfolioRefused) as refused:
        resolve(homes)
    return [(homes[problem.home].id, problem.field, problem.text) for problem in refused.value.problems]


def shape(sites: tuple[Site, ...]) -> dict[str, dict[str, set[str]]]:
    return {site.id: {name: set(found.rooms) for name, found in site.properties.items()} for site in sites}


def test_a_lone_home_is_a_site_of_one_room_named_like_itself() -> None:
    (site,) = resolve([home("moulin")])
    assert shape((site,)) == {"moulin": {"moulin": {"moulin"}}}
    assert (site.owner, dict(site.rooms)) == ("claire", {"moulin": 1})


def test_a_house_and_the_rooms_inside_it_are_one_site_and_exclude_each_other() -> None:
    sites = resolve([home("villa", contains=("bleue", "verte")), home("verte"), home("bleue")])
    assert shape(sites) == {
        "bleue": {"bleue": {"bleue"}, "verte": {"verte"}, "villa": {"bleue", "verte"}},
    }


def test_containing_reaches_through_homes_that_contain_others() -> None:
    sites = resolve(
        [
            home("domaine", contains=("villa",), rooms={"piscine": 1}),
            home("villa", contains=("a",)),
            home("a"),
        ]
    )
    assert shape(sites) == {"a": {"a": {"a"}, "villa": {"a"}, "domaine": {"a", "piscine"}}}


def test_a_room_named_like_a_home_is_that_home() -> None:
    sites = resolve([home("annexe"), home("maison", rooms={"annexe": 1, "salon": 1})])
    assert shape(sites) == {"annexe": {"annexe": {"annexe"}, "maison": {"annexe", "salon"}}}


def test_identical_units_are_one_room_with_a_count() -> None:
    (site,) = resolve([home("studio", units=3)])
    assert dict(site.rooms) == {"studio": 3}


def test_two_homes_may_draw_on_the_same_identical_units() -> None:
    (site,) = resolve(
        [home("plain", units=3, rooms={"double": 3}), home("meal", units=3, rooms={"double": 3})]
    )
    assert dict(site.rooms) == {"double": 3}
    assert site.id == "meal"


def test_the_sites_name_is_the_one_given_or_the_smallest_home() -> None:
    homes = [home("b", rooms={"r": 1}), home("a", rooms={"r": 1})]
    assert [site.id for site in resolve(homes)] == ["a"]
    assert [site.id for site in resolve([*homes, home("c", rooms={"r": 1}, site="hameau")])] == ["hameau"]


@pytest.mark.parametrize(
    ("homes", "expected"),
    [
        ([home("a"), home("a")], [("a", "id", "home a stands there twice")]),
        (
            [home("a", contains=("b",))],
            [("a", "contains", "contains a home that is not in this portfolio: b")],
        ),
        (
            [home("a", contains=("a",))],
            [("a", "contains", "a home cannot be inside itself: a contains a")],
        ),
        (
            [home("c", contains=("a",)), home("a", contains=("b",)), home("b", contains=("c",))],
            [("a", "contains", "a home cannot be inside itself: a contains b contains c contains a")],
        ),
        (
            [home("flat", rooms={"bedroom": 2})],
            [
                (
                    "flat",
                    "rooms",
                    "rooms has 2 of bedroom, so this home could be sold 2 times at once while units says 1: "
                    "say units: 2 if that is meant, or give each room a name of its own",
                )
            ],
        ),
        (
            [home("flat", units=2, rooms={"bedroom": 2, "kitchen": 2})],
            [
                (
                    "flat",
                    "units",
                    "a home sold 2 times at once is one kind of room: it contains no homes and needs no second room",
                )
            ],
        ),
        (
            [home("flat", units=0)],
            [("flat", "units", "units must be a whole number from 1 to 254")],
        ),
        (
            [home("house", contains=("studio",)), home("studio", units=3)],
            [
                (
                    "house",
                    "contains",
                    "studio is sold by count (units: 3) and cannot be inside another home: "
                    "give each of its units a home of its own",
                )
            ],
        ),
        (
            [home("plain", units=3, rooms={"double": 3}), home("meal", rooms={"double": 1})],
            [("meal", "rooms", "has 1 of double, but plain has 3: they share it and must agree")],
        ),
        (
            [home("house", rooms={"annexe": 1}), home("annexe", rooms={"a": 1, "b": 1})],
            [("house", "rooms", "annexe is a home with rooms of its own: say contains: [annexe]")],
        ),
        (
            [
                home("a", rooms={"salon": 1}),
                home("b", rooms={"salon": 1}, owner="marc", zone="Indian/Reunion"),
            ],
            [
                (
                    "b",
                    field,
                    f"shares rooms with a, which has another {field}: if these are other rooms, give them other names",
                )
                for field in ("owner", "zone")
            ],
        ),
        (
            [home("a", rooms={"r": 1}, site="haut"), home("b", rooms={"r": 1}, site="bas")],
            [("a", "site", "shares rooms with homes of the site bas and is of that site too: give one name")],
        ),
        (
            [home("a", site="b"), home("b")],
            [("a", "site", "another site is called b too, and they share no room: give it another name")],
        ),
    ],
)
def test_what_could_sell_a_night_twice_is_refused(
    homes: list[Home], expected: list[tuple[str, str, str]]
) -> None:
    assert problems(*homes) == expected


def test_every_problem_is_told_at_once_in_the_order_of_the_homes() -> None:
    found = problems(home("a", contains=("x", "b")), home("b", contains=("a",)), home("c", units=900))
    assert [(name, field) for name, field, _ in found] == [
        ("a", "contains"),
        ("a", "contains"),
        ("c", "units"),
    ]


def test_two_circles_are_both_named() -> None:
    found = problems(*(home(name, contains=(inner,)) for name, inner in ("ab", "ba", "cd", "dc")))
    assert [text for _, _, text in found] == [
        "a home cannot be inside itself: a contains b contains a",
        "a home cannot be inside itself: c contains d contains c",
    ]


def test_a_site_has_at_most_fifty_homes() -> None:
    rooms = [home(f"r{number:02}") for number in range(50)]
    assert len(resolve([home("house", contains=tuple(room.id for room in rooms[:49])), *rooms[:49]])) == 1
    assert problems(home("house", contains=tuple(room.id for room in rooms)), *rooms) == [
        (
            "house",
            "rooms",
            "51 homes are joined by the rooms they share, from house to r49: a site has at most 50",
        )
    ]


def test_a_long_chain_of_homes_is_refused_without_hanging() -> None:
    count = 5000
    chain = [home(f"h{n:05}", contains=(f"h{n + 1:05}",) if n + 1 < count else ()) for n in range(count)]
    assert [text.partition(" homes")[0] for _, _, text in problems(*chain)] == [str(count)]


NAMES = [f"h{number}" for number in range(7)]
ROOMS = ["r0", "r1", "r2", "r3"]


@st.composite
def homes_without_circles(draw: st.DrawFn) -> list[Home]:
    """A home contains only homes that come later in the alphabet, so no circle can arise."""
    made = []
    for at, name in enumerate(NAMES):
        later = NAMES[at + 1 :]
        contains = draw(st.lists(st.sampled_from(later), unique=True, max_size=2)) if later else []
        rooms = draw(st.sets(st.sampled_from(ROOMS), max_size=2))
        made.append(home(name, contains=tuple(contains), rooms=dict.fromkeys(sorted(rooms), 1)))
    return draw(st.permutations(made))


def oracle_rooms(homes: list[Home]) -> dict[str, set[str]]:
    """Rooms by following every path, as slow and as plain as can be."""
    by_id = {item.id: item for item in homes}

    def rooms(name: str) -> set[str]:
        found = by_id[name]
        own = set(found.rooms) if found.rooms or found.contains else {name}
        return own.union(*(rooms(inner) for inner in found.contains))

    return {name: rooms(name) for name in by_id}


@given(homes_without_circles())
def test_sites_are_the_connected_components_of_shared_rooms(homes: list[Home]) -> None:
    sites = resolve(homes)
    site_of = {name: site.id for site in sites for name in site.properties}
    rooms = oracle_rooms(homes)

    assert {name: set(found.rooms) for site in sites for name, found in site.properties.items()} == rooms
    assert sorted(site_of) == sorted(NAMES)
    joined = {(a, b) for a, b in itertools.combinations(NAMES, 2) if rooms[a] & rooms[b]}
    assert all(site_of[a] == site_of[b] for a, b in joined)
    for site in sites:
        reached, ahead = {site.id}, [site.id]
        while ahead:
            name = ahead.pop()
            for a, b in joined:
                other = b if a == name else a if b == name else name
                if other not in reached:
                    reached.add(other)
                    ahead.append(other)
        assert reached == set(site.properties)


@given(homes_without_circles(), st.randoms(use_true_random=False))
def test_sites_do_not_depend_on_the_order_of_the_homes(homes: list[Home], random: object) -> None:
    shuffled = sorted(homes, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert shape(resolve(homes)) == shape(resolve(shuffled))


@given(homes_without_circles(), st.data())
def test_every_circle_is_refused(homes: list[Home], data: st.DataObject) -> None:
    circle = data.draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4))
    follower = dict(zip(circle, [*circle[1:], circle[0]], strict=True))
    bent = [
        home(item.id, contains=(*item.contains, follower[item.id]), rooms=item.rooms)
        if item.id in follower
        else item
        for item in homes
    ]
    found = problems(*bent)
    assert any("a home cannot be inside itself" in text for _, _, text in found)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.airbnb.fr/calendar/ical/1.ics?s=0123", "www.airbnb.fr/…"),
        ("https://[::1/secret", "…"),
        ("secret", "…"),
        ("", ""),
    ],
)
def test_a_calendar_link_is_shown_by_its_host_alone(url: str, shown: str) -> None:
    assert masked(url) == shown
