"""Once reads are back, writes are tried at once: what was sold elsewhere does not wait for the pause of a circuit."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.domain.errors import PlatformDown
from shared.domain.facts import WriteOutcome
from shared.domain.health import Weight
from shared.domain.health_lag import ByApi
from shared.domain.health_state import OneCircuit, of_circuits
from shared.domain.model import Account, Listing, SyncMode, Write
from shared.domain.modes import ModeSetting, Rung, standing
from tests.engine.test_guarded_village import circuits, dates, nights, sell_on_airbnb, tick
from tests.engine.village import START, Village

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
