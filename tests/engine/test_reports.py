"""Reports: what a run did and cost, told once; nothing is written for runs that did nothing."""

from __future__ import annotations

from datetime import date, timedelta

from shared import meter
from shared.domain.dates import StayDates
from shared.domain.platform import Platform
from shared.domain.reports import Figures, RunReport
from shared.memory.tables import MemoryTables
from shared.ports.bus import Message
from shared.state.names import RUNS
from shared.state.runs import KEPT, RunStore
from tests.engine.village import START, Clock, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


def reports(village: Village, platform: str = "") -> list[RunReport]:
    day = village.clock.peek().date()
    return village.run(village.engine.world.runs.newest(day, platform))


def deliver(village: Village) -> None:
    while village.deliveries:
        village.run(village.webhook(village.deliveries.pop(0)))


def test_a_webhook_is_one_run_with_a_report_for_each_platform_it_touched(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    told = {one.platform: one for one in reports(village) if one.kind == "inbox"}
    assert set(told) == {"airbnb", "booking"}
    assert len({one.run for one in told.values()}) == 1
    assert told[Platform("airbnb")].figures.changed == 1
    assert told[Platform("airbnb")].figures.seen == 1
    assert told[Platform("booking")].figures.sent == 1
    assert told[Platform("booking")].figures.confirmed == 1
    assert all(one.figures.failed == 0 for one in told.values())


def test_a_failed_write_is_told_with_its_error(village: Village) -> None:
    village.booking.faults.down = True
    village.book("airbnb", JULY)
    deliver(village)
    booking = next(one for one in reports(village, "booking") if one.kind == "inbox")
    assert (booking.figures.sent, booking.figures.failed, booking.figures.confirmed) == (1, 1, 0)
    assert booking.error


def test_idle_runs_write_no_row_and_are_told_once_an_hour(village: Village) -> None:
    work = village.engine.worker
    before = len(reports(village))
    for _ in range(5):
        village.run(work.do(Message("site", "gite")))
        village.clock.advance(timedelta(seconds=30))
    assert len(reports(village)) == before
    village.clock.advance(timedelta(hours=1))
    village.run(work.do(Message("site", "gite")))
    rows = [one for one in reports(village) if one.kind == "site"]
    assert [(one.runs, one.why) for one in rows] == [(5, "5 idle runs")]
    assert rows[0].begun == START.replace(minute=0)


def test_the_newest_run_is_listed_first_and_a_platform_alone(village: Village) -> None:
    for month in (7, 8, 9):
        village.book("airbnb", StayDates.of_nights(date(2027, month, 1), 2))
        deliver(village)
        village.clock.advance(timedelta(hours=2))
    begun = [one.begun for one in reports(village)]
    assert begun == sorted(begun, reverse=True)
    assert {one.platform for one in reports(village, "booking")} == {"booking"}
    some = village.run(village.engine.world.runs.newest(START.date(), "", 2))
    assert [one.begun for one in some] == begun[:2]


def report(at: int, day: date) -> RunReport:
    begun = START.replace(year=day.year, month=day.month, day=day.day) + timedelta(seconds=at)
    figures = Figures(changed=1)
    return RunReport(f"r{at}", "site", "gite", Platform("airbnb"), begun, timedelta(seconds=1), figures)


async def test_what_was_stored_is_read_back_as_it_was() -> None:
    runs = RunStore(MemoryTables(Clock().now))
    one = report(7, START.date())
    await runs.put([one])
    assert await runs.newest(START.date()) == [one]


async def test_an_instant_on_the_edge_of_a_day_belongs_to_it() -> None:
    runs = RunStore(MemoryTables(Clock().now))
    midnight = report(-8 * 3600, START.date())
    assert midnight.begun.hour == midnight.begun.minute == 0
    await runs.put([midnight])
    assert await runs.newest(START.date()) == [midnight]
    assert await runs.newest(START.date() - timedelta(days=1)) == []


async def test_reports_are_kept_for_ninety_days_and_taken_away_a_bounded_number_at_a_time() -> None:
    tables = MemoryTables(Clock().now)
    runs = RunStore(tables)
    today = START.date()
    old = today - timedelta(days=KEPT + 1)
    await runs.put(report(at, old) for at in range(250))
    kept = report(1, today - timedelta(days=KEPT))
    await runs.put([kept])
    assert await runs.clean(today, most=120) == 120
    assert await runs.clean(today, most=120) == 120
    assert await runs.clean(today, most=120) == 10
    assert await runs.newest(kept.begun.date()) == [kept]
    assert await tables.query(RUNS, old.isoformat()) == []
    assert await runs.clean(today + timedelta(days=1)) == 1


async def test_cleaning_again_on_the_same_day_costs_one_read() -> None:
    tables = MemoryTables(Clock().now)
    runs = RunStore(tables)
    await runs.clean(START.date())
    asked: list[str] = []
    tables.before = lambda operation, table, partition: asked.append(operation)
    await runs.clean(START.date())
    assert asked == ["get"]


def test_calls_are_counted_for_the_run_they_belong_to_and_for_no_other() -> None:
    meter.count("airbnb", calls=1)  # outside of a run: nowhere
    with meter.metering() as first:
        meter.count("airbnb", calls=1, bytes=10)
        with meter.metering() as second:
            meter.count("booking", calls=3)
        meter.transaction()
    assert first.figures == {"airbnb": {"calls": 1, "bytes": 10}}
    assert first.transactions == 1
    assert second.figures == {"booking": {"calls": 3}}


def test_a_table_that_does_not_answer_loses_a_report_and_no_work(village: Village) -> None:
    async def refuse(operation: str, table: str, partition: str) -> None:
        from shared.domain.errors import StoreUnavailable

        if table == RUNS:
            raise StoreUnavailable("the table store did not answer")

    village.book("airbnb", JULY)
    village.tables.before = refuse
    deliver(village)
    village.tables.before = None
    assert village.booking.calendar.closed == set(JULY.nights())
    assert "report_lost" in [name for name, _ in village.telemetry.events]
