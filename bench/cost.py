"""What the engine would be charged for, counted: the figures under docs/cost.md.

    python -m bench.cost [--write]

Homes by API and by links alone, on a virtual clock with every timer of a deployment (``bench.cost_town``): an hour in
which nothing is sold, an hour with sales, a night's deep pass, a day's walk, each peer's fetch of our calendar, a call
of ``/health`` and a page. ``--write`` keeps them in docs/cost-counts.json, from which ``make cost`` makes a month.
Counts have no noise: the same code gives the same figures. Three minutes of a machine with nothing else to do.

5,000 homes are not run: reading their import back takes an hour here. What 1,000 homes cost more than 500 is taken
nine times over (``local.cost``); 750 homes are run as well, and must lie on the same line within a fifth, since links
come in waves. Below 500 the line is another one: hosts of calendars are not yet asked as often as they bear.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bench.cost_ledger import HTTP, Figures
from bench.cost_town import PLATFORMS, Rhythm, Town
from bench.trouble import virtual
from shared.domain.dates import StayDates
from tests.engine.village import Clock

FILE = Path(__file__).resolve().parents[1] / "docs" / "cost-counts.json"

HOUR, WARM = 3_600, 600
"""Seconds: what is counted, and what passes before it, so that nothing of the beginning is in it."""

WITHIN = 0.2
"""How far from the line between 500 and 1,000 homes the run with 750 may lie."""

EXACT = ("messages", "calls", "tables reads", "tables writes", "log bytes")
"""What is held against that line."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """So many homes with their timers' rhythm; ``minutes`` of it are counted and taken for an hour."""

    name: str
    homes: int
    links: bool
    rhythm: Rhythm = field(default_factory=Rhythm)
    minutes: int = 60


CALM_API = Rhythm(accounts=20, sweep=60, feeds=120, health=300)
CALM_LINKS = Rhythm(accounts=3_600, sweep=60, feeds=120, health=300)

SCENARIOS = (
    Scenario("1 api", 1, links=False),
    Scenario("1 api calm", 1, links=False, rhythm=CALM_API),
    Scenario("1 links", 1, links=True),
    Scenario("1 links calm", 1, links=True, rhythm=CALM_LINKS),
    Scenario("50 api", 50, links=False),
    Scenario("50 links", 50, links=True),
    Scenario("500 api", 500, links=False, minutes=10),
    Scenario("500 links", 500, links=True, minutes=10),
    Scenario("1000 api", 1_000, links=False, minutes=10),
    Scenario("1000 links", 1_000, links=True, minutes=10),
)
BETWEEN = (
    Scenario("750 api", 750, links=False, minutes=10),
    Scenario("750 links", 750, links=True, minutes=10),
)

Parts = dict[str, Figures]


def count(scenario: Scenario) -> Parts:
    """Everything of one scenario: an hour at rest and what is added to it. Figures by part and name."""
    clock = Clock()
    log = logging.getLogger("sync")
    before = (log.level, log.propagate)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        return virtual(
            _count(Town(scenario.homes, links=scenario.links, clock=clock), scenario, clock), clock
        )
    finally:
        log.setLevel(before[0])
        log.propagate = before[1]


async def _count(town: Town, scenario: Scenario, clock: Clock) -> Parts:
    await town.open()
    town.tick(scenario.rhythm)
    await asyncio.sleep(WARM)
    town.take()
    found: Parts = {"hour": await _for(town, scenario.minutes, sales=0)}
    sales = len(PLATFORMS) * (1 if scenario.minutes < 60 else min(scenario.homes, 5))
    busy = await _for(town, scenario.minutes, sales=sales)
    found["stay"] = scaled(less(busy, found["hour"]), 1 / sales)
    found["hour"] = scaled(found["hour"], 60 / scenario.minutes)
    await town.quiet()
    town.take()
    for _ in range(2):  # the first one looks further back than any other
        clock.advance(timedelta(days=1))
        town.take()
        await town.invoke("sync_scheduler_deep", town.engine.on_timer_deep)
        await town.idle()
    found["night"] = town.take()
    found["fetch"] = scaled_by(await town.fetched(range(min(scenario.homes, 50))), town.take())
    await town.invoke("console_health", town.engine.health, HTTP)
    found["health"] = town.take()
    found["walk"] = await _walk(town, clock)
    found["held"] = {"rows": float(town.rows())}
    await town.shut()
    return found


async def _for(town: Town, minutes: int, sales: int) -> Figures:
    """So many minutes with so many sales, a minute apart; each peer fetches what was sold elsewhere a little later."""
    begun = town.seconds()
    for number in range(sales):
        home, platform = number // len(PLATFORMS), PLATFORMS[number % len(PLATFORMS)]
        nights = StayDates.of_nights(town.now().date() + timedelta(days=20 + 4 * number), 3)
        await town.sale(home, platform, nights)
        await asyncio.sleep(60)
    await asyncio.sleep(60 * minutes - (town.seconds() - begun))
    return town.take()


async def _walk(town: Town, clock: Clock) -> Figures:
    """The hourly walk, once for each hour of a day: every site is visited once."""
    for _ in range(24):
        await town.invoke("sync_scheduler_walk", town.engine.on_timer_walk)
        await town.idle()
        clock.advance(timedelta(hours=1))
    return town.take()


def less(one: Mapping[str, float], other: Mapping[str, float]) -> Figures:
    """What one has more than the other; never below nothing, since a sale may save an idle second."""
    names = sorted({*one, *other} - {name for name in (*one, *other) if name.startswith("longest")})
    return {name: max(0.0, one.get(name, 0.0) - other.get(name, 0.0)) for name in names}


def scaled(figures: Mapping[str, float], factor: float) -> Figures:
    """Each figure so many times; how long the longest execution took stays what it is."""
    return {
        name: value if name.startswith("longest") else round(value * factor, 3)
        for name, value in figures.items()
    }


def scaled_by(times: int, figures: Mapping[str, float]) -> Figures:
    """The figures of one of so many times."""
    return scaled(figures, 1 / times) if times else {}


def off_the_line(found: Mapping[str, Parts], kind: str) -> dict[str, float]:
    """How far 750 homes lie from the line between 500 and 1,000, by figure, as a share; what lies too far."""
    low, middle, high = (found[f"{homes} {kind}"]["hour"] for homes in (500, 750, 1_000))
    shares = {}
    for name in EXACT:
        line = (low[name] + high[name]) / 2
        shares[name] = round(abs(middle[name] / line - 1), 3)
    return {name: share for name, share in shares.items() if share > WITHIN}


def main() -> int:
    """Count everything; 1 when 750 homes do not lie between 500 and 1,000 as claimed."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {FILE.name}")
    options = parser.parse_args()
    found: dict[str, Parts] = {}
    for scenario in (*SCENARIOS, *BETWEEN):
        print(f"{scenario.name} ...", file=sys.stderr, flush=True)
        found[scenario.name] = count(scenario)
    wrong = {kind: off_the_line(found, kind) for kind in ("api", "links")}
    for one in BETWEEN:
        del found[one.name]
    if options.write:
        FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    else:
        print(json.dumps(found, indent=1, sort_keys=True))
    if any(wrong.values()):
        print(f"750 homes do not lie between 500 and 1,000: {wrong}", file=sys.stderr)
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
