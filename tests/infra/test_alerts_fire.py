"""The alerts over what our own telemetry says: an hour of a whole village, and one planted fault each. Which alert must
speak was worked out beforehand: the fault, and how long it lasts against how long the query waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared import edge
from shared.domain.dates import StayDates
from tests.engine.village import START, Village
from tests.infra.kql import Row
from tests.infra.test_alerts import QUERIES, speaks
from tests.infra.workspace import Workspace

MINUTE = timedelta(minutes=1)
ALL = "booking,greengo"
"""Watched. The village's Airbnb answers without HTTP, so a look at it that brings nothing is not counted."""


class Watched(Village):
    """The village, behind circuits, and its workspace."""

    def __init__(self) -> None:
        super().__init__(guarded=True)
        self.workspace = Workspace()
        self.telemetry = self.workspace
        self.restart()

    async def pass_minutes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.clock.advance(MINUTE)
            await self.engine.on_timer_poll_feeds()
            await self.engine.on_timer_poll_accounts()
            await self.engine.on_timer_sweep()
            await self.drain()
            self.workspace.at(self.clock.peek())

    def spoken(self) -> set[str]:
        """The alerts that speak now."""
        now = self.clock.peek()
        return {
            name
            for name in QUERIES
            if speaks(name, *self.workspace.rows, watched=ALL if name == "stale_sync" else "", now=now)
        }


@pytest.fixture
def village() -> Iterator[Watched]:
    village = Watched()
    yield village
    village.close()


def test_an_hour_with_a_stay_sold_and_cancelled_wakes_nobody(village: Watched) -> None:
    async def story() -> None:
        await village.pass_minutes(20)
        stay = village.book("booking", StayDates.parse("2027-07-10/2027-07-12"))
        assert stay is not None
        await village.pass_minutes(20)
        village.booking.calendar.cancel(stay)
        village.say("booking", stay, "cancelled")
        await village.pass_minutes(25)

    village.run(story())
    heard = {
        str(row["Properties"]["platform"])
        for row in village.workspace.rows
        if row["Name"] == "sync_completed"
    }
    assert heard >= {"booking", "greengo"}
    assert village.spoken() == set()


def test_a_platform_that_died_is_told_as_circuit_then_as_silence(village: Watched) -> None:
    async def dies() -> None:
        await village.pass_minutes(10)
        village.booking.faults.down = True
        await village.pass_minutes(25)

    village.run(dies())
    assert village.spoken() == {"circuit_open"}
    village.run(village.pass_minutes(50))
    assert village.spoken() == {"circuit_open", "stale_sync"}
    now = village.clock.peek()
    silent = speaks("stale_sync", *village.workspace.rows, watched=ALL, now=now)
    assert {"platform": "booking"} in silent
    assert {"platform": "greengo"} not in silent
    village.booking.faults.down = False
    village.run(village.pass_minutes(40))
    assert "circuit_open" not in village.spoken()
    now = village.clock.peek()
    assert {"platform": "booking"} not in speaks("stale_sync", *village.workspace.rows, watched=ALL, now=now)


def test_a_double_booking_is_told_with_its_home_and_nights(village: Watched) -> None:
    dates = StayDates.parse("2027-07-10/2027-07-12")

    async def story() -> None:
        await village.pass_minutes(5)
        assert village.book("airbnb", dates)
        assert village.book("booking", dates)
        await village.webhook(village.deliveries.pop(0))
        await village.pass_minutes(5)

    village.run(story())
    found = speaks("conflict", *village.workspace.rows, now=village.clock.peek())
    assert [one["nights"] for one in found] == [str(dates)]
    assert village.spoken() == {"conflict"}
    village.run(village.pass_minutes(70))
    assert village.spoken() == {"conflict"}, "as long as it stands"
    (stay,) = village.booking.calendar.live()
    village.booking.calendar.cancel(stay)
    village.say("booking", stay, "cancelled")
    village.run(village.pass_minutes(5))
    assert village.spoken() == set(), "and no longer"


@pytest.mark.parametrize(("timer", "times"), [("sweep", 3), ("walk", 1)])
async def test_a_function_that_fails_is_told_by_the_line_that_its_edge_writes(
    timer: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> None:
        raise OSError("no disk")

    fails.__name__ = timer
    rows: list[Row] = []
    for _ in range(times):
        assert speaks("failures", *rows, now=START) == []
        caplog.clear()
        with pytest.raises(edge.InvocationFailed):
            await edge.timer(fails)()
        rows += [{"TimeGenerated": START, "Message": one.getMessage()} for one in caplog.records]
    assert speaks("failures", *rows, now=START) == [{"failed": timer}]
    assert speaks("failures", *rows, now=START + 31 * MINUTE) == []
