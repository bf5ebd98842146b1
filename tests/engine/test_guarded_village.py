"""The engine with its guard: a platform that is away is asked seldom, the others notice nothing, and when it is back
its closures come first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import TransientError
from shared.domain.platform import AIRBNB, GREENGO
from shared.domain.portfolio import Home
from shared.ports.platforms import CircuitView
from tests.engine.hamlet import Hamlet, calendar, link
from tests.engine.village import Village

OUTAGE = timedelta(minutes=10)
LONGEST = timedelta(minutes=6)
"""How long after a return everything is closed there: an open time of 5 min at most, and the rhythm of the sweep."""


@pytest.fixture
def village() -> Iterator[Village]:
    village = Village(guarded=True)
    yield village
    village.close()


def dates(day: int, nights: int) -> StayDates:
    return StayDates(date(2027, 4, day), date(2027, 4, day) + timedelta(days=nights))


def nights(*spans: StayDates) -> set[date]:
    return {night for span in spans for night in span.nights()}


def tick(village: Village) -> None:
    """20 seconds of an ordinary day: the queue is polled, the sweep looks, the workers work."""

    async def go() -> None:
        await village.poll_booking()
        await village.engine.on_timer_sweep()
        await village.drain()

    village.run(go())


def pass_time(village: Village, span: timedelta) -> None:
    until = village.clock.peek() + span
    while village.clock.peek() < until:
        tick(village)


def sell_on_airbnb(village: Village, span: StayDates) -> None:
    assert village.book(AIRBNB, span) is not None
    while village.deliveries:
        village.run(village.webhook(village.deliveries.pop(0)))


def circuits(village: Village) -> dict[str, CircuitView]:
    breakers = village.engine.world.circuits
    assert breakers is not None
    return {view.operation: view for view in village.run(breakers.views("booking"))}


def test_a_platform_away_for_ten_minutes_is_asked_seldom(village: Village) -> None:
    village.booking.faults.down = True
    village.booking.asked.clear()
    sell_on_airbnb(village, dates(1, 3))
    pass_time(village, OUTAGE)
    # 30 polls and 30 sweeps: three calls open each circuit, then trials after 30, 60, 120 and 240 s.
    assert 4 <= village.booking.asked["poll"] <= 8
    assert 4 <= village.booking.asked["write"] <= 8
    assert circuits(village)["write"].state in ("open", "half_open")
    assert not nights(dates(1, 3)) & village.booking.calendar.closed


def test_without_the_guard_it_is_asked_much_more_often() -> None:
    """What the guard spares: else the test above could not fail."""
    village = Village()
    try:
        village.booking.faults.down = True
        village.booking.asked.clear()
        sell_on_airbnb(village, dates(1, 3))
        pass_time(village, OUTAGE)
        assert village.booking.asked["poll"] >= 12
    finally:
        village.close()


def test_the_others_notice_nothing(village: Village) -> None:
    village.booking.faults.down = True
    sell_on_airbnb(village, dates(1, 3))
    pass_time(village, timedelta(minutes=3))
    begun = village.clock.peek()
    assert village.book(GREENGO, dates(10, 2)) is not None

    async def read() -> None:
        await village.poll_greengo()
        await village.drain()

    village.run(read())
    assert nights(dates(10, 2)) <= village.airbnb.calendar.closed
    assert village.clock.peek() - begun < timedelta(seconds=1)
    breakers = village.engine.world.circuits
    assert breakers is not None
    assert {view.state for view in village.run(breakers.views("airbnb"))} == {"closed"}


@pytest.mark.parametrize("minutes", [2, 10, 33])
def test_it_recovers_by_itself(village: Village, minutes: int) -> None:
    village.booking.faults.down = True
    wanted = [dates(1, 3), dates(10, 2), dates(20, 1)]
    for span in wanted:
        sell_on_airbnb(village, span)
    pass_time(village, timedelta(minutes=minutes))
    village.booking.faults.down = False
    back = village.clock.peek()
    while not nights(*wanted) <= village.booking.calendar.closed:
        tick(village)
        assert village.clock.peek() - back < LONGEST
    while circuits(village)["read"].state != "closed":
        tick(village)
        assert village.clock.peek() - back < LONGEST
    assert circuits(village)["write"].state == "closed"
    names = [name for name, about in village.telemetry.events if about.get("operation") == "write"]
    assert names[0] == "circuit_opened"
    assert names[-1] == "circuit_closed"


def test_rule_18_closures_come_first(village: Village) -> None:
    old, new = dates(1, 3), dates(20, 2)
    sell_on_airbnb(village, old)
    assert nights(old) <= village.booking.calendar.closed
    village.booking.faults.down = True
    stay = next(iter(village.airbnb.calendar.sold.values()))
    village.airbnb.calendar.cancel(stay)
    village.say(AIRBNB, stay, "cancelled")
    village.run(village.webhook(village.deliveries.pop(0)))
    sell_on_airbnb(village, new)
    pass_time(village, OUTAGE)
    village.booking.faults.down = False
    sent = len(village.booking.writes)
    back = village.clock.peek()
    while nights(old) & village.booking.calendar.closed or not nights(new) <= village.booking.calendar.closed:
        tick(village)
        assert village.clock.peek() - back < 2 * LONGEST
    assert set(village.booking.writes[sent].values()) == {0}


def test_of_many_homes_none_waits_long_after_the_return() -> None:
    """One trial for an account of 30 homes: what it held up goes out as soon as it told that all is well, not after
    pauses that grew while nothing could be sent."""
    homes = [Home(f"home{number:02d}", f"Home {number}", "owner") for number in range(30)]
    hamlet = Hamlet(homes, dict.fromkeys((home.id for home in homes), GREENGO), guarded=True)
    try:
        hamlet.run(hamlet.first_answers())
        hamlet.booking.down = True
        for home in homes:
            hamlet.web.answers[link(home.id)] = calendar(("sold", dates(1, 2)))
        hamlet.run(hamlet.engine.calendars.shard("0000", force=True))

        def closed() -> int:
            return sum(nights(dates(1, 2)) <= hamlet.booking.closed(home.id) for home in homes)

        def turn() -> None:
            async def go() -> None:
                hamlet.clock.advance(timedelta(seconds=20))
                with contextlib.suppress(TransientError):
                    await hamlet.engine.queues.poll("booking")
                await hamlet.engine.on_timer_sweep()
                await hamlet.drain()

            hamlet.run(go())

        for _ in range(90):
            turn()
        # 16 are under way side by side when it breaks, one more for each trial.
        assert len(hamlet.booking.did("write")) <= 30
        hamlet.booking.down = False
        back = hamlet.clock.peek()
        while not closed():
            turn()
        first = hamlet.clock.peek()
        assert first - back <= LONGEST
        while closed() < len(homes):
            turn()
        assert hamlet.clock.peek() - first <= timedelta(seconds=60)
    finally:
        hamlet.close()


def test_what_a_circuit_refuses_was_not_sent_and_comes_back_in_time(village: Village) -> None:
    """An open circuit is a wait, not a lost write: nothing may land late, so nothing has to be waited for."""
    breakers = village.engine.world.circuits
    assert breakers is not None
    village.run(breakers.force("booking", "write", "forced_open"))
    village.booking.asked.clear()
    sell_on_airbnb(village, dates(1, 3))
    assert village.booking.asked["write"] == 0
    site = village.run(village.engine.world.sites.load("gite"))
    listing = site.listings["gite-booking"]
    row = next(row for row in site.blocks.values() if row.listing == listing.id)
    assert listing.writes == ()
    assert row.attempts == 0
    assert "nothing was sent" in row.error
    assert row.next_try is not None
    assert row.next_try - village.clock.peek() <= timedelta(seconds=60)
    village.run(breakers.force("booking", "write", "closed"))
    pass_time(village, timedelta(seconds=100))
    assert nights(dates(1, 3)) <= village.booking.calendar.closed


def test_rule_25_a_quiet_day_writes_no_circuit(village: Village) -> None:
    sell_on_airbnb(village, dates(1, 3))
    pass_time(village, timedelta(minutes=5))
    for account in ("airbnb", "booking"):
        rows = village.run(
            village.tables.query("Accounts", account, start="note|circuit", stop="note|circuit~")
        )
        assert rows == []


def test_a_new_process_knows_what_the_old_one_found_out(village: Village) -> None:
    village.booking.faults.down = True
    sell_on_airbnb(village, dates(1, 3))
    pass_time(village, timedelta(minutes=1))
    village.restart()
    village.booking.asked.clear()
    sell_on_airbnb(village, dates(10, 2))
    assert circuits(village)["write"].state == "open"
    assert village.booking.asked["write"] == 0
