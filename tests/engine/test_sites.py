"""Homes that touch, through the whole engine: what is sold in one closes in the tables and calendars of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from tests.engine.hamlet import Hamlet, calendar, link, stay
from tests.engine.stories import AUGUST, JULY, nights

Build = Callable[..., Hamlet]


def home(name: str, **fields: object) -> Home:
    return Home(name, name.title(), "owner", **fields)  # type: ignore[arg-type]


def closed_by_a_guest_in(hamlet: Build, room: str, homes: Sequence[Home]) -> set[str]:
    """The homes that Booking.com no longer sells in July once a calendar link shows a guest in one of them."""
    built = hamlet(homes, {room: GREENGO})
    built.run(built.first_answers())
    built.web.answers[link(room)] = calendar(("guest", JULY))
    built.run(built.engine.calendars.shard("0000", force=True))
    closed = {one.id for one in homes if built.booking.closed(one.id)}
    assert all(built.booking.closed(name) == nights(JULY) for name in closed)
    return closed


ESTATE = [
    home("estate", contains=("house",), rooms={"pool": 1}),
    home("house", contains=("blue", "green")),
    *(home(name) for name in ("blue", "green", "hut")),
]
SUITES = [home("east", rooms={"bed1": 1, "salon": 1}), home("west", rooms={"bed2": 1, "salon": 1})]
GARDEN = [home("left", shares=("garden",)), home("right", shares=("garden",))]


def test_a_guest_in_a_room_closes_every_house_around_it_and_no_other_room(hamlet: Build) -> None:
    assert closed_by_a_guest_in(hamlet, "blue", ESTATE) == {"blue", "house", "estate"}


def test_a_guest_in_the_whole_house_closes_its_rooms_and_what_holds_it(hamlet: Build) -> None:
    assert closed_by_a_guest_in(hamlet, "house", ESTATE) == {"blue", "green", "house", "estate"}


def test_a_guest_in_one_suite_closes_the_other_that_needs_the_same_room(hamlet: Build) -> None:
    assert closed_by_a_guest_in(hamlet, "east", SUITES) == {"east", "west"}


def test_a_guest_beside_the_same_garden_closes_nothing_of_the_neighbour(hamlet: Build) -> None:
    assert closed_by_a_guest_in(hamlet, "left", GARDEN) == {"left"}


def test_identical_units_are_counted_down_by_each_guest_and_up_again(hamlet: Build) -> None:
    """Three studios under one name: two guests of another platform leave one, and the third closes it."""
    built = hamlet([home("studio", units=3)], {"studio": GREENGO})
    built.run(built.first_answers())
    events = [("one", JULY), ("two", JULY), ("other", AUGUST)]
    built.web.answers[link("studio")] = calendar(*events)
    built.run(built.engine.calendars.shard("0000", force=True))
    assert {built.booking.levels["studio"][night] for night in JULY.nights()} == {1}
    built.booking.tell(stay("mine", ("studio", JULY)))
    built.run(built.poll())
    assert {built.booking.levels["studio"][night] for night in JULY.nights()} == {0}
    assert {built.booking.levels["studio"][night] for night in AUGUST.nights()} == {2}
