"""Passes over calendars that die half way, or meet each other: no calendar passes for unchanged that is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.occupancy import occupancies
from tests.engine.village import HOME, Crash, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
AUGUST = StayDates.of_nights(date(2027, 8, 1), 2)


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    built.book("greengo", AUGUST)
    built.run(built.poll_greengo())
    yield built
    built.close()


def held(village: Village) -> dict[str, bool]:
    """What the feed's stays hold, and whether it fades."""
    state = village.run(village.engine.world.sites.load(HOME))
    return {str(one.dates): one.fading for one in occupancies(state)}


def test_a_stay_merged_by_a_pass_that_died_fades_when_the_calendar_is_as_it_was_before(
    village: Village,
) -> None:
    stay = village.book("greengo", JULY)
    assert stay is not None
    finish = village.engine.world.shards.finish

    async def die(*args: object) -> bool:
        raise Crash

    object.__setattr__(village.engine.world.shards, "finish", die)
    with pytest.raises(Crash):
        village.run(village.poll_greengo())
    object.__setattr__(village.engine.world.shards, "finish", finish)
    assert held(village) == {str(JULY): False, str(AUGUST): False}
    village.greengo.calendar.cancel(stay)
    for _ in range(2):  # the first still carries the dead pass's counter, and is overtaken by it
        village.run(village.poll_greengo())
    assert held(village) == {str(JULY): True, str(AUGUST): False}


def test_a_stay_merged_beside_a_pass_that_saw_the_calendar_before_it_fades_too(village: Village) -> None:
    shards, calendars = village.engine.world.shards, village.engine.calendars
    early = village.run(shards.load("0000"))
    stay = village.book("greengo", JULY)
    assert stay is not None
    load = shards.load

    async def loaded(name: str) -> object:
        object.__setattr__(shards, "load", load)
        return early

    async def overtaken(shard: object, *_: object) -> bool:
        return await finish(early, {}, [])  # the other pass was first: it had nothing to say

    finish = shards.finish
    object.__setattr__(shards, "load", loaded)
    object.__setattr__(shards, "finish", overtaken)
    village.run(calendars.shard("0000", force=True))
    object.__setattr__(shards, "finish", finish)
    village.greengo.calendar.cancel(stay)
    village.clock.advance(timedelta(seconds=30))
    village.run(village.poll_greengo())
    assert held(village) == {str(JULY): True, str(AUGUST): False}


def test_an_answer_that_is_read_again_and_tells_nothing_new_writes_no_fact(village: Village) -> None:
    """Found in the story of a kill: a watched calendar rewrote each of its facts at every look."""
    before = village.run(village.engine.world.sites.load(HOME))
    village.run(village.engine.world.shards.watch("0000", f"{HOME}-greengo"))
    village.run(village.poll_greengo())
    after = village.run(village.engine.world.sites.load(HOME))
    assert after.listings[f"{HOME}-greengo"].observed > before.listings[f"{HOME}-greengo"].observed
    assert before.reservations
    assert after.reservations == before.reservations
