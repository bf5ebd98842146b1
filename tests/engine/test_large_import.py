"""An import of many homes: what it reads grows with what it brings, and its turn lasts as long as it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import PayloadRejected
from shared.domain.platform import GREENGO, Link
from shared.domain.portfolio import Home, PortfolioListing
from shared.engine.turn import LASTS, Taken, Turn, turn
from tests.engine.hamlet import Hamlet, portfolio
from tests.engine.village import Store


class Counting:
    """The tables; counts calls, and rows that came back; each call takes its time."""

    def __init__(self, hamlet: Hamlet, seconds: float = 0.0) -> None:
        self.inner, self.clock, self.seconds = hamlet.memory, hamlet.clock, seconds
        self.calls = self.rows = 0
        assert isinstance(hamlet.tables, Store)
        hamlet.tables.inner = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.seconds:
                await self.clock.sleep(self.seconds)
            found = await method(*args, **kwargs)
            self.rows += len(found) if isinstance(found, list) else 1
            return found

        return call


def homes(many: int) -> list[Home]:
    return [Home(f"home{number:03d}", f"Home {number}", "claire") for number in range(many)]


def links(many: int) -> Mapping[str, Any]:
    return {one.id: GREENGO for one in homes(many)}


def costs(many: int) -> list[tuple[int, int]]:
    """Calls and rows of a first import of so many homes, and of the same once more."""
    hamlet = Hamlet([])
    tables, found = Counting(hamlet), []
    for _ in range(2):
        tables.calls = tables.rows = 0
        hamlet.run(hamlet.engine.portfolio.run(portfolio(homes(many), links(many))))
        found.append((tables.calls, tables.rows))
    hamlet.close()
    return found


def test_twice_as_many_homes_cost_twice_as_much() -> None:
    """Each home used to read the whole directory of homes: rows grew with the square."""
    for once, twice in zip(costs(30), costs(60), strict=True):
        for few, many in zip(once, twice, strict=True):
            assert many <= 2.1 * few


def test_what_is_stored_is_the_same_in_one_import_and_in_many() -> None:
    def stored(steps: tuple[int, ...]) -> dict[Any, Any]:
        hamlet = Hamlet([])
        for many in steps:
            hamlet.run(hamlet.engine.portfolio.run(portfolio(homes(many), links(many))))
        directory = hamlet.run(hamlet.memory.query("Accounts", "~directory"))
        shards = hamlet.run(hamlet.memory.query("Feeds", "0000"))
        hamlet.close()
        kinds = [one.key for one in directory if not one.key.startswith("export|")]
        return {"directory": kinds, "links": [(one.key, one.values.get("url")) for one in shards]}

    assert stored((6,)) == stored((2, 4, 6))


def test_a_home_is_refused_a_second_site_also_within_one_import() -> None:
    hamlet = Hamlet(homes(2))
    named = portfolio(homes(2), {})
    first, second = named.sites
    moved = PortfolioListing("home001-more", "home001", first.id, GREENGO, "greengo", Link.ICAL, "", "")
    taken = type(first)(first.id, first.owner, {**first.properties, **second.properties}, first.rooms)
    for sites in ((taken,), (second, taken)):
        with pytest.raises(PayloadRejected, match="home001"):
            hamlet.run(
                hamlet.engine.portfolio.run(type(named)((), named.accounts, sites, (*named.listings, moved)))
            )
    hamlet.close()


def test_nobody_gets_his_turn_before_a_long_import_is_over() -> None:
    """It used to last 30 s, whatever was done in it: 200 homes take longer, and names were given twice."""
    hamlet = Hamlet([])
    Counting(hamlet, seconds=0.1)
    world, done, begun = hamlet.engine.world, [], hamlet.clock.peek()

    async def long() -> None:
        async with turn(world) as mine:
            await hamlet.engine.portfolio.run(portfolio(homes(40), links(40)), turn=mine)
            done.append("import")

    async def other() -> None:
        while not done:
            try:
                async with turn(world):
                    done.append("somebody else")
            except Taken:
                await asyncio.sleep(0)

    async def both() -> None:
        task = asyncio.create_task(long())
        await asyncio.sleep(1)
        await other()
        await task

    hamlet.run(both())
    assert hamlet.clock.peek() - begun > 2 * LASTS
    assert done[0] == "import"
    hamlet.close()


def test_whoever_lost_his_turn_changes_nothing_more() -> None:
    hamlet = Hamlet([])
    world = hamlet.engine.world

    async def lost() -> None:
        async with turn(world) as mine:
            hamlet.clock.advance(LASTS)
            async with turn(world):
                with pytest.raises(Taken):
                    await hamlet.engine.portfolio.run(portfolio(homes(2), {}), turn=mine)

    hamlet.run(lost())
    assert hamlet.run(world.accounts.directory("site")) == {}
    hamlet.close()


def test_a_turn_is_renewed_no_oftener_than_it_must() -> None:
    hamlet = Hamlet([])
    world = hamlet.engine.world
    tables = Counting(hamlet)

    async def ask() -> int:
        async with turn(world) as mine:
            assert isinstance(mine, Turn)
            before = tables.calls
            for _ in range(60):
                hamlet.clock.advance(timedelta(seconds=1))
                await mine.keep()
            return tables.calls - before

    assert hamlet.run(ask()) <= 2 * 60 // (LASTS.total_seconds() // 3)
    hamlet.close()
