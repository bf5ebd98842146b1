"""A sale whose room the platform itself could not tell: closed where there is only one it can be, and always told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.facts import SOME_ROOM, SeenStay
from shared.domain.model import Account, Status
from shared.domain.platform import BOOKING, GREENGO, Link
from shared.domain.portfolio import Home, Portfolio, PortfolioListing
from tests.engine.hamlet import Hamlet, portfolio, stay

NIGHTS = StayDates.of_nights(date(2027, 7, 10), 3)
ALONE, ONE, OTHER = "101:1", "102:1", "102:2"


@pytest.fixture
def hamlet() -> Iterator[Hamlet]:
    """A place with one unit and one with two, each home with a calendar link besides."""
    homes = [Home(name, "Gîte", "owner") for name in (ALONE, ONE, OTHER)]
    built = Hamlet(homes, dict.fromkeys((ALONE, ONE, OTHER), GREENGO))
    built.run(built.first_answers())
    yield built
    built.close()


def closed(hamlet: Hamlet, home: str) -> list[StayDates]:
    """What our calendar for the home's other platform holds closed."""
    site = hamlet.run(hamlet.engine.world.sites.load(home))
    return [row.dates for row in site.blocks.values() if row.listing == f"{home}-{GREENGO}" and row.wanted]


def told(hamlet: Hamlet) -> list[str]:
    """What a person is to mend."""
    return [notice.text["en"] for notice in hamlet.notify.notices if notice.kind == "unplaced"]


def test_the_only_unit_of_a_place_is_closed_and_a_person_told(hamlet: Hamlet) -> None:
    hamlet.booking.tell(stay("r1", (f"101:{SOME_ROOM}", NIGHTS)))
    hamlet.run(hamlet.poll())
    assert closed(hamlet, ALONE) == [NIGHTS]
    assert closed(hamlet, ONE) == closed(hamlet, OTHER) == []
    [text] = told(hamlet)
    assert str(NIGHTS) in text
    assert hamlet.booking.waiting == {}


def test_its_cancellation_opens_it_again(hamlet: Hamlet) -> None:
    hamlet.booking.tell(stay("r1", (f"101:{SOME_ROOM}", NIGHTS)))
    hamlet.run(hamlet.poll())
    hamlet.booking.tell(stay("r1", status=Status.CANCELLED))
    hamlet.run(hamlet.poll())
    assert closed(hamlet, ALONE) == []


@pytest.mark.parametrize("unit", [f"102:{SOME_ROOM}", f"999:{SOME_ROOM}", SOME_ROOM, "101:2"])
def test_where_it_may_be_several_or_none_a_person_is_told_alone(hamlet: Hamlet, unit: str) -> None:
    hamlet.booking.tell(stay("r1", (unit, NIGHTS)))
    hamlet.run(hamlet.poll())
    assert [closed(hamlet, home) for home in (ALONE, ONE, OTHER)] == [[], [], []]
    assert len(told(hamlet)) == 1


def test_a_mapping_that_was_mended_moves_it_to_its_room(hamlet: Hamlet) -> None:
    hamlet.booking.tell(stay("r1", (f"101:{SOME_ROOM}", NIGHTS)))
    hamlet.run(hamlet.poll())
    hamlet.booking.tell(stay("r1", (ONE, NIGHTS)))
    hamlet.run(hamlet.poll())
    assert (closed(hamlet, ALONE), closed(hamlet, ONE)) == ([], [NIGHTS])


# ----------------------------------------------------------------- a stay whose room cannot be told any more


ELSEWHERE = "201:1"
"""The unit of another listing of the same home, into which we write."""


@pytest.fixture
def house() -> Iterator[Hamlet]:
    """A place of two units, ``p1:a`` and ``p1:b``; the first one's home is sold as ``201:1`` besides."""
    homes = [Home(name, "Gîte", "owner") for name in ("a", "b")]
    built = Hamlet(homes, {"a": GREENGO})
    built.run(built.engine.portfolio.run(mapped(homes)))
    built.run(built.first_answers())
    yield built
    built.close()


def mapped(homes: list[Home]) -> Portfolio:
    """The homes' portfolio with their units in the place ``p1``, and the first one's other listing."""
    named = portfolio(homes, {"a": GREENGO})
    other = PortfolioListing("a-other", "a", "a", BOOKING, "booking", Link.API, ELSEWHERE)
    listings = (replace(one, unit=f"p1:{one.unit}") if one.unit else one for one in named.listings)
    return replace(named, listings=(*listings, other))


def live(hamlet: Hamlet, minutes: int) -> None:
    for _ in range(minutes):
        hamlet.clock.advance(timedelta(minutes=1))
        hamlet.run(hamlet.engine.on_timer_poll_accounts())
        hamlet.run(hamlet.engine.on_timer_sweep())
        hamlet.run(hamlet.drain())


def test_a_stay_whose_room_is_told_no_more_stays_where_it_was_and_moves_with_its_nights(
    house: Hamlet,
) -> None:
    """A lost mapping passed for a move: the nights of the room it had been in were opened on the other platforms."""
    house.booking.tell(stay("r1", ("p1:a", NIGHTS)))
    live(house, 2)
    house.booking.tell(stay("r1", (f"p1:{SOME_ROOM}", NIGHTS)))
    live(house, 15)
    assert house.booking.closed(ELSEWHERE) == set(NIGHTS.nights())
    [text] = told(house)
    assert "closed where this stay was known" in text
    later = StayDates.of_nights(date(2027, 7, 11), 4)
    house.booking.tell(stay("r1", (f"p1:{SOME_ROOM}", later)))
    live(house, 15)
    assert house.booking.closed(ELSEWHERE) == set(later.nights())
    house.booking.tell(stay("r1", ("p1:b", later)))
    live(house, 15)
    assert house.booking.closed(ELSEWHERE) == set()
    assert len(told(house)) == 2


def test_a_second_unit_imported_opens_no_night_that_the_first_ones_place_had_sold() -> None:
    """A stay that named no room closed the place's only unit. Once the place had two, the look after the import found
    no room for the stay, took it for moved away, and opened its nights; nobody was told."""
    homes = [Home("a", "Gîte", "owner")]
    alone = Hamlet(homes, {"a": GREENGO})
    alone.run(alone.engine.portfolio.run(mapped(homes)))
    alone.run(alone.first_answers())
    right = alone.booking.stays

    async def stays(account: Account, unit: str) -> tuple[SeenStay, ...]:
        """As Channex's list does, what names no room is in that of each unit of its place."""
        found = [one for name in (unit, f"{unit.partition(':')[0]}:*") for one in await right(account, name)]
        return tuple({one.id: one for one in found}.values())

    alone.booking.stays = stays  # type: ignore[method-assign]
    alone.booking.said["r1"] = stay("r1", (f"p1:{SOME_ROOM}", NIGHTS))  # only the list tells of it
    live(alone, 5)
    assert alone.booking.closed(ELSEWHERE) == set(NIGHTS.nights())
    assert len(told(alone)) == 1
    alone.run(alone.engine.portfolio.run(mapped([*homes, Home("b", "Gîte", "owner")])))
    live(alone, 30)
    alone.run(alone.engine.on_timer_deep())
    live(alone, 30)
    assert alone.booking.closed(ELSEWHERE) == set(NIGHTS.nights())
    assert len(told(alone)) == 1
    alone.close()
