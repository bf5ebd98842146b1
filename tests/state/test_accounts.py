"""What a process keeps of an account: its units, never older than what the account's row says of them, and the counter
it wrote last, never handed out twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.bells import Bells
from shared.domain.drift import drifted
from shared.domain.model import Account
from shared.domain.platform import AIRBNB
from shared.memory.tables import MemoryTables
from shared.ports.stores import Row, Value
from shared.state.accounts import UNITS_AGE, AccountState, AccountStore, Place
from shared.state.names import ACCOUNTS
from tests.engine.village import Clock

OLD, NEW = Place("moulin", "moulin-airbnb"), Place("phare", "phare-airbnb")


@dataclass
class Scene:
    """Two processes over one table; ``reads`` counts its queries."""

    clock: Clock = field(default_factory=Clock)
    reads: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.tables = MemoryTables(self.clock.now, before=self._asked)
        self.here, self.there = AccountStore(self.tables), AccountStore(self.tables)

    async def _asked(self, what: str, table: str, at: str) -> None:
        """Others get their turn at every request."""
        self.reads.update([what])
        await asyncio.sleep(0)

    async def units(self) -> dict[str, Place]:
        state = await self.here.load("airbnb")
        assert state is not None
        return dict(state.units)


async def scene() -> Scene:
    found = Scene()
    await found.there.put(Account("airbnb", AIRBNB, "owner"))
    await found.there.put_unit("airbnb", "1", OLD)
    assert await found.units() == {"1": OLD}
    found.reads.clear()
    return found


async def test_units_that_did_not_change_are_not_read_again() -> None:
    found = await scene()
    await found.there.put_unit("airbnb", "1", OLD)
    found.reads.clear()
    assert await found.units() == {"1": OLD}
    assert found.reads["query"] == 1


async def test_a_new_unit_and_a_moved_one_are_seen_at_once_by_every_process() -> None:
    found = await scene()
    await found.there.put_unit("airbnb", "2", OLD)
    assert await found.units() == {"1": OLD, "2": OLD}
    await found.there.put_unit("airbnb", "1", NEW)
    assert await found.units() == {"1": NEW, "2": OLD}


async def test_who_reads_in_the_middle_of_a_change_reads_again_after_it() -> None:
    found = await scene()
    seen: list[int] = []

    async def look(what: str, table: str, at: str) -> None:
        if what == "upsert" and at == "airbnb":
            found.tables.after = None
            seen.append(len(await found.units()))
            found.tables.after = look

    found.tables.after = look
    await found.there.put_unit("airbnb", "2", NEW)
    assert seen == [1, 2, 2]
    assert await found.units() == {"1": OLD, "2": NEW}


async def test_a_unit_written_without_a_stamp_is_found_within_a_minute() -> None:
    found = await scene()
    row = await found.tables.get(ACCOUNTS, "airbnb", "unit|1")
    assert row is not None
    await found.tables.upsert(ACCOUNTS, type(row)("airbnb", "unit|3", row.values))
    assert await found.units() == {"1": OLD}
    found.clock.advance(UNITS_AGE + timedelta(seconds=1))
    assert await found.units() == {"1": OLD, "3": OLD}


async def test_counters_are_never_given_twice_whoever_counts() -> None:
    found = await scene()
    here, there = found.here.next_observation, found.there.next_observation
    counted = [await here("airbnb"), await here("airbnb"), await there("airbnb"), await here("airbnb")]
    counted += await asyncio.gather(*(count("airbnb") for count in (here, there) * 5))
    assert sorted(counted) == list(range(1, 15))
    assert counted[:4] == [1, 2, 3, 4]


async def test_who_counts_alone_writes_and_does_not_read() -> None:
    found = await scene()
    await found.here.next_observation("airbnb")
    found.reads.clear()
    assert await found.here.next_observation("airbnb") == 2
    assert found.reads == {"update": 1}


async def test_a_counter_that_is_gone_begins_anew() -> None:
    found = await scene()
    await found.here.next_observation("airbnb")
    await found.tables.delete(ACCOUNTS, "airbnb", "counter")
    assert await found.here.next_observation("airbnb") == 1


async def test_many_who_count_at_once_in_one_process_write_once_each() -> None:
    found = await scene()
    await found.here.next_observation("airbnb")
    found.reads.clear()
    counted = await asyncio.gather(*(found.here.next_observation("airbnb") for _ in range(20)))
    assert sorted(counted) == list(range(2, 22))
    assert found.reads == {"update": 20}


def test_what_the_watch_wrote_in_another_release_hinders_nobody() -> None:
    """Rule 27: nobody decides about nights on these columns, so an account loads whatever stands in them."""
    scene = Scene()

    async def story() -> tuple[AccountState, AccountState]:
        await scene.here.put(Account("airbnb", AIRBNB, "owner"))
        before = await scene.here.load("airbnb")
        odd: dict[str, Value] = {
            "rung": "soon",
            "missed": "{}",
            "drift": '[{"listing":1}]',
            "key_ends": "2030",
        }
        await scene.tables.upsert(ACCOUNTS, Row("airbnb", "account", odd))
        after = await scene.here.load("airbnb")
        assert before is not None
        assert after is not None
        return before, after

    before, after = asyncio.run(story())
    assert (after.bells, after.drift, after.account) == (before.bells, before.drift, before.account)


def test_what_the_watch_writes_is_read_back() -> None:
    scene = Scene()
    now = scene.clock.now()
    bells = Bells(now, (now, now + timedelta(minutes=3)))
    drift = drifted((), "gite-booking", [now.date()], now, was_closed=False)

    async def story() -> AccountState | None:
        await scene.here.put(Account("airbnb", AIRBNB, "owner"))
        await scene.here.note_call("airbnb", now)
        await scene.here.note_missed("airbnb", bells.missed)
        await scene.here.note_drift("airbnb", drift)
        return await scene.here.load("airbnb")

    state = asyncio.run(story())
    assert state is not None
    assert (state.bells, state.drift) == (bells, drift)
