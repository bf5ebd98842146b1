"""A sale whose room the platform itself could not tell: closed where there is only one it can be, and always told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from shared.domain.dates import StayDates
from shared.domain.facts import SOME_ROOM
from shared.domain.model import Status
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from tests.engine.hamlet import Hamlet, stay

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
