"""Once reads are back, writes are tried at once: what was sold elsewhere does not wait for the pause of a circuit."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.errors import PlatformDown
from shared.domain.facts import WriteOutcome
from shared.domain.health import Weight
from shared.domain.health_lag import ByApi
from shared.domain.health_state import OneCircuit, of_circuits
from shared.domain.model import Account, Listing, SyncMode, Write
from shared.domain.modes import ModeSetting, Rung, standing
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.engine.probes import Probes
from shared.memory.tables import MemoryTables
from shared.ports.platforms import CircuitView
from tests.engine.hamlet import Hamlet, calendar, link
from tests.engine.test_guarded_village import circuits, dates, nights, sell_on_airbnb, tick
from tests.engine.village import START, Store, Village

SPAN = dates(1, 3)


def minute(village: Village, *, health: bool = True) -> None:
    for _ in range(3):
        tick(village)
    if health:
        village.run(village.engine.on_timer_health())


def outage(minutes: int, sale: int = 0) -> Village:
    """Booking.com is away; a stay is sold on Airbnb in the meantime. Then it is back."""
    village = Village(guarded=True)
    village.booking.faults.down = True
    for number in range(minutes):
        if number == sale:
            sell_on_airbnb(village, SPAN)
        minute(village)
    village.booking.faults.down = False
    return village


def waited(village: Village, *, health: bool) -> timedelta:
    """From the moment reads are back until the nights are closed."""
    while circuits(village)["read"].state != "closed":
        minute(village, health=health)
    back = circuits(village)["read"].since
    assert back is not None
    while not nights(SPAN) <= village.booking.calendar.closed:
        minute(village, health=health)
        assert village.clock.peek() - back < timedelta(hours=1)
    return village.clock.peek() - back


@pytest.mark.parametrize(("minutes", "sale"), [(10, 2), (12, 4), (16, 8)])
def test_writes_are_back_a_minute_after_reads_at_most(minutes: int, sale: int) -> None:
    village = outage(minutes, sale)
    assert waited(village, health=True) <= timedelta(minutes=1, seconds=1)
    assert circuits(village)["write"].state == "closed"
    village.close()


def test_without_the_health_timer_they_wait_for_their_own_trial() -> None:
    """What the timer spares: else the test above could not fail."""
    village = outage(12, 4)
    assert waited(village, health=False) >= timedelta(minutes=3)
    village.close()


def trials(village: Village, *, health: bool) -> int:
    """How often it is written to in 20 minutes by a platform that answers every read and no write."""
    tried: list[Write] = []

    async def write(account: Account, listing: Listing, write: Write) -> WriteOutcome:
        tried.append(write)
        raise PlatformDown("Booking.com: HTTP 503")

    village.booking.write = write  # type: ignore[method-assign]
    for _ in range(20):
        minute(village, health=health)
    village.close()
    return len(tried)


def test_a_platform_that_answers_and_takes_nothing_is_tried_once_more_and_no_oftener() -> None:
    usual = trials(outage(12, 4), health=False)
    assert 3 <= usual <= 6
    assert trials(outage(12, 4), health=True) <= usual + 1


def test_where_nothing_is_sent_no_trial_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    village = outage(12, 4)
    village.run(village.engine.world.accounts.choose("booking", ModeSetting(SyncMode.MANUAL)))
    asked: list[str] = []

    async def try_now(account: str, operation: str) -> bool:
        asked.append(operation)
        return False

    monkeypatch.setattr(village.engine.world.circuits, "try_now", try_now)
    for _ in range(10):
        minute(village)
    assert circuits(village)["read"].state == "closed"
    assert asked == []
    village.close()


def test_a_circuit_nobody_has_anything_for_is_shown_and_not_told() -> None:
    due = START - timedelta(minutes=3)
    account = ByApi(
        *("booking", "booking", "owner"),
        *(timedelta(seconds=20), timedelta(minutes=15), START, standing(ModeSetting(), Rung())),
    )

    def weight(operation: str, state: str, since: datetime) -> Weight:
        (found,) = of_circuits(account, [OneCircuit(operation, state, since, None)], START)
        return found.weight

    assert weight("write", "half_open", due) is Weight.SHOWN
    assert weight("write", "half_open", START - timedelta(minutes=1)) is Weight.TOLD
    assert weight("write", "open", due) is Weight.TOLD
    assert weight("read", "half_open", due) is Weight.TOLD, "the clock would have tried it"


def test_a_quiet_day_asks_for_no_trial() -> None:
    village = Village(guarded=True)
    breakers = village.engine.world.circuits
    assert breakers is not None
    assert not village.run(breakers.try_now("booking", "write"))
    for _ in range(5):
        minute(village)
    assert {one.state for one in circuits(village).values()} == {"closed"}
    village.close()


class Back:
    """Circuits of an account whose reads are back after its writes went: each may be tried now."""

    def told(self, notes: object) -> tuple[CircuitView, ...]:
        return (
            CircuitView("write", "open", since=START),
            CircuitView("read", "closed", since=START + timedelta(minutes=1)),
        )

    async def try_now(self, account: str, operation: str) -> bool:
        return operation == "write"


def many_that_wait(homes: int) -> Hamlet:
    """Homes whose nights could not be closed at Booking.com; each look into the tables takes a tenth of a second."""
    names = [f"home{number:02d}" for number in range(homes)]
    hamlet = Hamlet([Home(one, one, "claire") for one in names], dict.fromkeys(names, GREENGO))
    hamlet.run(hamlet.first_answers())
    hamlet.booking.down = True
    for one in names:
        hamlet.web.answers[link(one)] = calendar(("a", SPAN))
    hamlet.clock.advance(timedelta(minutes=5))
    hamlet.run(hamlet.engine.calendars.shard("0000", force=True))
    assert len(waiting(hamlet)) == homes
    object.__setattr__(hamlet.engine.world, "circuits", Back())
    assert isinstance(hamlet.tables, Store)
    hamlet.tables.inner = Slow(hamlet.memory)  # type: ignore[assignment]
    return hamlet


def waiting(hamlet: Hamlet) -> list[str]:
    """Sites with a closure that is not tried before its pause ends."""
    sites = hamlet.run(hamlet.engine.world.accounts.directory("site"))
    states = [hamlet.run(hamlet.engine.world.sites.load(site)) for site in sites]
    return [one.site.id for one in states if any(row.next_try for row in one.blocks.values())]


class Slow:
    """Tables that take their time."""

    def __init__(self, inner: MemoryTables) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0.1)
            return await method(*args, **kwargs)

        return call


def tend(hamlet: Hamlet) -> timedelta:
    """How long the probes take."""
    engine, begun = hamlet.engine, hamlet.clock.peek()
    hamlet.run(Probes(engine.world, engine.reconciler, engine.modes).tend())
    return hamlet.clock.peek() - begun


def test_fifty_sites_that_wait_are_let_go_within_seconds() -> None:
    """One after another they took half a minute, and the last of two hundred more than the timer has."""
    hamlet = many_that_wait(50)
    assert tend(hamlet) < timedelta(seconds=5)
    assert waiting(hamlet) == []
    hamlet.close()


def test_what_is_not_begun_in_time_is_left_to_its_own_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.engine.probes.SPAN", timedelta(seconds=0.5))
    hamlet = many_that_wait(40)
    assert tend(hamlet) < timedelta(seconds=2)
    left = waiting(hamlet)
    assert 0 < len(left) < 40
    (said,) = (fields for name, fields in hamlet.telemetry.events if name == "probe_failed")
    assert said == {"account": "booking", "why": f"{len(left)} sites wait for their own pauses"}
    hamlet.close()
