"""What the calendar of fifty homes costs: weight at a first visit, time beside a trivial page's, and a tick's reads.

    python -m bench.calendar_page

The pages go through the door as a browser's requests do, packed; the tables are those in memory, counted. The trivial
page is the one on which a code is typed: the frame, the menu and one form, and nothing read. The two take turns, the
ratio is taken inside each round and the median is told. The weight is all that a first visit loads: page, style sheet,
scripts and picture, as they travel.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from urllib.parse import parse_qsl, urlsplit

from bench.counting import CountingTables
from bench.fifty import furnished
from bench.home import wall
from bench.score import Score, missed, table
from shared.domain.access import Person, Role
from shared.engine.operations import Operations
from shared.memory.tables import MemoryTables
from shared.routes import ROUTES
from shared.use_cases import Ask, HttpAnswer
from shared.web.assets import assets
from shared.web.desk import Desk
from shared.web.door import Door
from shared.web.limit import Limit
from shared.web.render import Pages

ROUNDS = 60
WEIGHT, RATIO, READS = 60, 10.0, 1
_HEADERS = {"accept-encoding": "gzip", "accept-language": "fr", "cookie": f"csrf={'0' * 48}"}


@dataclass(frozen=True)
class Manager:
    """A sign-in that knows one person, who looks after all homes of one owner."""

    where: str = "/sign-in"

    async def person(self, headers: object, now: datetime, most: timedelta = timedelta()) -> Person:
        """Always the same."""
        return Person("manager", {"owner": Role.VIEWER})


class Console:
    """The door of an engine."""

    def __init__(self, engine: Operations) -> None:
        free = Limit(1_000_000, 1, lambda: 0.0)
        self._door = Door(Desk(engine, Pages(), "https://console.example"), Manager(), free, free)

    async def get(self, where: str, **headers: str) -> HttpAnswer:
        """One request of a browser; a page with a parameter in its path is not asked for here."""
        parts = urlsplit(where)
        route = next(one for one in ROUTES if one.method == "GET" and f"/{one.path.strip('/')}" == parts.path)
        ask = Ask("GET", parts.path, {}, dict(parse_qsl(parts.query)), {**_HEADERS, **headers})
        return await self._door.answer(route, ask)


async def _measure() -> list[Score]:
    tables = CountingTables(MemoryTables(wall))
    engine = await furnished(tables)
    console = Console(engine)
    tables.trips.clear()
    begun = time.perf_counter()
    first = await console.get("/calendar")
    cold, cold_reads = time.perf_counter() - begun, len(tables.trips)
    found = [await _round(console) for _ in range(ROUNDS)]
    tables.trips.clear()
    await console.get("/calendar")
    warm_reads = len(tables.trips)
    ticks = [await _tick(engine, console, tables, news=news) for news in (False, True)]
    page, trivial = (median(one[n] for one in found) * 1e3 for n in (0, 1))
    what = f"{page:.1f} ms beside {trivial:.2f} ms"
    return [
        Score("calendar page", "50 homes, first visit: kB packed", weight(first), WEIGHT, note=_parts(first)),
        Score(
            "calendar page", "server time / trivial page", median(a / b for a, b in found), RATIO, note=what
        ),
        Score("calendar page", "a tick without news: reads", ticks[0], READS),
        Score("calendar page", "finding that there is news: reads", ticks[1], READS),
        Score("calendar page", "drawn again, nothing changed: reads", warm_reads),
        Score("calendar page", "drawn for the first time: ms", cold * 1e3, note=f"{cold_reads} reads"),
    ]


async def _round(console: Console) -> tuple[float, float]:
    """Seconds of the calendar and of the trivial page, of this process's own time: who else runs on the machine makes
    the longer of the two wait more often."""
    begun = time.process_time()
    page = await console.get("/calendar")
    between = time.process_time()
    trivial = await console.get("/sign-in")
    end = time.process_time()
    assert (page.status, trivial.status) == (200, 200)
    return between - begun, end - between


async def _tick(engine: Operations, console: Console, tables: CountingTables, *, news: bool) -> int:
    """Trips to the tables until it is known whether there is news."""
    stamp = str(await engine.calendar.stamps.take())
    if news:
        await engine.calendar.stamps.note("bench")
    tables.trips.clear()
    if news:
        assert not await engine.calendar.still(stamp)
    else:
        answer = await console.get(f"/calendar?stamp={stamp}", **{"hx-request": "true"})
        assert answer.status == 204, answer.status
    return len(tables.trips)


def weight(page: HttpAnswer) -> float:
    """Thousands of bytes that travel at a first visit."""
    return sum(_sizes(page).values()) / 1e3


def _sizes(page: HttpAnswer) -> dict[str, int]:
    text = gzip.decompress(page.body).decode()
    own = {name: one for name, one in assets().items() if one.name in text}
    packed: Callable[[bytes], int] = lambda body: len(gzip.compress(body, 5, mtime=0))  # noqa: E731
    return {"page": len(page.body)} | {name: packed(one.body) for name, one in own.items()}


def _parts(page: HttpAnswer) -> str:
    return ", ".join(f"{name} {size / 1e3:.1f}" for name, size in _sizes(page).items())


def scores() -> list[Score]:
    """All of them."""
    return asyncio.run(_measure())


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    found = scores()
    print(table(found))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
