"""How a calendar link's day went is kept beside its visits, at no further call of the store."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.strip import Slot, from_text
from shared.ports.stores import Row
from shared.state.feeds import Visit
from shared.state.names import FEEDS
from tests.engine.village import HOME, Village

LISTING = f"{HOME}-greengo"
HOUR = timedelta(hours=1)


def visit(village: Village) -> Visit:
    return village.run(village.engine.world.shards.load("0000")).visits[LISTING]


def test_the_day_of_a_link_tells_its_good_and_its_bad_hours(village: Village) -> None:
    village.clock.advance(HOUR)
    village.greengo.faults.down = True
    village.run(village.poll_greengo())
    village.greengo.faults.down = False
    village.clock.advance(HOUR)
    village.greengo.faults.down = True
    village.run(village.poll_greengo())
    village.greengo.faults.down = False
    village.run(village.engine.calendars.one("0000", LISTING))
    slots = from_text(visit(village).day).at(village.clock.peek())
    assert slots[-4:] == (Slot.NOTHING, Slot.OK, Slot.FAILED, Slot.SOME)


def test_a_pass_over_a_shard_is_still_one_read_and_one_write(village: Village) -> None:
    called: list[str] = []

    async def note(operation: str, table: str, partition: str) -> None:
        if table == FEEDS:
            called.append(operation)

    village.tables.before = note
    village.run(village.poll_greengo())
    assert called == ["query", "update"]


def test_a_release_that_knows_no_days_reads_the_visits(village: Village) -> None:
    known = visit(village)
    village.run(village.tables.upsert(FEEDS, Row("0000", "~pass", {"days": ""})))
    assert visit(village) == Visit(known.good, known.due)
    visits = village.run(village.engine.world.shards.visits("0000"))
    assert visits[LISTING].good == known.good
