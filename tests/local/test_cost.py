"""What a month costs: the arithmetic by hand, and that the page shows what it gives."""

from __future__ import annotations

import asyncio

import pytest

from bench.cost import CALM_API, CALM_LINKS, SCENARIOS, count
from bench.cost_ledger import charged
from bench.cost_town import Rhythm, Town
from bench.trouble import virtual
from local.cost import Setup, bill, counted, month, prices
from local.cost_page import PAGE, tables, written
from shared.domain.dates import StayDates
from shared.domain.platform import BOOKING
from tests.engine.village import Clock

NOTHING = {"longest accounts": 3.0}
PARTS = {
    "hour": {"executions tick": 720.0, "seconds tick": 720.0, "tables reads": 1_000.0, "messages": 100.0}
    | {"log bytes": 0.0, "log lines": 0.0, "points": 0.0, "events": 0.0}
    | NOTHING,
    "walk": {"seconds walk": 24.0},
    "night": {"seconds deep": 1.0},
    "stay": {"seconds http": 1.0, "executions webhook": 1.0},
    "fetch": {"seconds http": 1.0},
    "health": {"seconds http": 1.0},
    "held": {"rows": 1_000.0},
}


def line(setup: Setup, what: str) -> float:
    return next(one.amount for one in bill(setup, PARTS, prices()) if one.what == what)


def test_what_overlaps_is_charged_once_and_nothing_below_a_second() -> None:
    assert charged([(0.0, 0.2)]) == 1.0
    assert charged([(0.0, 0.2), (0.1, 0.9)]) == 1.0
    assert charged([(0.0, 0.2), (5.0, 5.2)]) == 2.0
    assert charged([(0.0, 1.01)]) == 1.1
    assert charged([(1.0, 3.0), (0.0, 2.0), (2.5, 2.6)]) == 3.0
    assert charged([]) == 0.0


def test_a_month_is_its_hours_nights_stays_and_fetches() -> None:
    ask = prices()
    figures = month(Setup("x", homes=2, links=1), PARTS, ask)
    assert figures["seconds tick"] == 720 * 730
    assert figures["seconds walk"] == pytest.approx(24 * 365 / 12)
    assert figures["executions webhook"] == 12  # six stays a home
    fetches, pages = 12 * 365 / 12 * 2, 60 * 2
    assert figures["seconds http"] == pytest.approx(12 + fetches + 8_760 + pages)


def test_time_costs_memory_times_seconds_above_the_grant() -> None:
    figures = month(Setup("x", 1, 1), PARTS, prices())
    seconds = sum(value for name, value in figures.items() if name.startswith("seconds "))
    whole = line(Setup("x", 1, 1), "time of executions")
    assert whole == pytest.approx((seconds * 2 - 100_000) * 0.000026)
    small = line(Setup("x", 1, 1, memory=512), "time of executions")
    assert small == pytest.approx((seconds / 2 - 100_000) * 0.000026)


def test_an_instance_that_never_sleeps_is_paid_for_all_month_and_has_no_grant() -> None:
    setup = Setup("x", 1, 1, memory=512, ready=1)
    http = month(setup, PARTS, prices())["seconds http"]
    awake = 730 * 3_600 * 0.5 * 0.000004 + http * 0.5 * 0.000016
    assert line(setup, "an instance for HTTP that never sleeps") == pytest.approx(awake)


def test_the_page_shows_what_counts_and_prices_give() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page, tables()) == page, "run: make cost"


def test_a_page_without_a_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="<!-- months -->"):
        written("nothing", {"months": "| |"})


def test_every_scenario_holds_every_part() -> None:
    for name, parts in counted().items():
        assert parts.keys() == PARTS.keys(), name
        assert parts["hour"]["executions sync_worker"] > 0, name


@pytest.mark.parametrize("kind", ["api", "links"])
def test_the_counts_are_those_of_the_engine_as_it_is(kind: str) -> None:
    """One home's hour again, as it is counted; what was written down may differ by a quarter before it misleads."""
    one = next(scenario for scenario in SCENARIOS if scenario.name == f"1 {kind}")
    now, then = count(one)["hour"], counted()[one.name]["hour"]
    for name in ("messages", "calls", "tables reads", "tables writes", "log bytes", "points"):
        assert now[name] == pytest.approx(then[name], rel=0.25), f"{name}: run python -m bench.cost --write"
    ticks = {
        "sync_scheduler_accounts": 720,
        "sync_scheduler_sweep": 240,
        "sync_scheduler_feeds": 60,
        "health_monitor": 60,
    }
    assert {name: now[f"executions {name}"] for name in ticks} == ticks
    assert now["seconds sync_scheduler_accounts"] == 720, "each tick is charged as a second"


def test_a_home_of_links_alone_costs_less_than_one_by_api_and_small_instances_a_fraction() -> None:
    counts, ask = counted(), prices()

    def amount(name: str, memory: int) -> float:
        homes, kind = name.split()[:2]
        return sum(
            one.amount
            for one in bill(Setup(name, int(homes), 3 if kind == "links" else 1, memory), counts[name], ask)
        )

    assert amount("1 links", 2_048) < amount("1 api", 2_048)
    assert amount("1 api", 512) < amount("1 api", 2_048) / 1.5
    assert amount("1 links calm", 512) < amount("1 links", 512)


@pytest.mark.parametrize(("links", "rhythm"), [(False, CALM_API), (True, CALM_LINKS)], ids=["api", "links"])
def test_in_the_calm_rhythm_all_is_well_and_sales_are_closed(links: bool, rhythm: Rhythm) -> None:
    """The page advises it: nothing may count as late in it, and a sale must be closed elsewhere within minutes."""

    async def day(town: Town) -> tuple[int, bytes, int]:
        await town.open()
        town.tick(rhythm)
        await asyncio.sleep(1_800)
        await town.sale(0, BOOKING, StayDates.parse("2027-06-01/2027-06-04"))
        await asyncio.sleep(300)
        state = await town.engine.world.sites.load("home00000")
        closed = [one for one in state.blocks.values() if one.wanted]
        await asyncio.sleep(1_800)
        answer = await town.engine.health()
        await town.shut()
        return answer.status, answer.body, len(closed)

    clock = Clock()
    status, body, closed = virtual(day(Town(1, links=links, clock=clock)), clock)
    assert (status, closed) == (200, 2), body
