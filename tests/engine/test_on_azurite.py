"""The stories of one stay once more over the real table client, its wire and its codec; and what they cost there."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from local.azurite import Azurite
from shared.adapters.table_store import open_tables
from shared.ports.stores import Delete, Put, Row, Tables
from tests.engine import test_one_stay
from tests.engine.stories import AUGUST, JULY, deliver, nights, pulled, sold, told
from tests.engine.village import HOME, Village

pytestmark = pytest.mark.azurite

IN_MEMORY_ONLY = {"test_nothing_to_do_costs_one_read_and_no_write"}
"""Counts by a hook that only the twin has; counted on the wire below."""

STORIES = [
    story
    for name, story in vars(test_one_stay).items()
    if name.startswith("test_") and name not in IN_MEMORY_ONLY
]


class Own:
    """Tables of one village's own in an emulator that others use too. ``sent`` counts requests by method and table."""

    def __init__(self, connection_string: str) -> None:
        self.sent: list[tuple[str, str]] = []
        self._prefix = f"V{uuid.uuid4().hex}"
        self._inner: Tables = open_tables(
            connection_string=connection_string,
            monotonic=time.monotonic,
            wall=self.now,
            deadline=30,
            on_request=lambda method, table: self.sent.append((method, table.removeprefix(self._prefix))),
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        return await self._inner.get(self._prefix + table, partition, key)

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        return await self._inner.query(self._prefix + table, partition, start=start, stop=stop)

    async def insert(self, table: str, row: Row) -> str:
        return await self._inner.insert(self._prefix + table, row)

    async def upsert(self, table: str, row: Row) -> str:
        return await self._inner.upsert(self._prefix + table, row)

    async def update(self, table: str, row: Row, etag: str) -> str:
        return await self._inner.update(self._prefix + table, row, etag)

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        await self._inner.delete(self._prefix + table, partition, key, etag)

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        return await self._inner.submit(self._prefix + table, partition, changes)

    async def close(self) -> None:
        await self._inner.close()


@pytest.fixture
def own(azurite: Azurite) -> Own:
    return Own(azurite.connection_string)


@pytest.fixture
def village(own: Own) -> Iterator[Village]:
    built = Village(inner=own)
    yield built
    built.run(own.close())
    built.close()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__.removeprefix("test_"))
def test_the_story_ends_as_in_memory(story: Callable[[Village], None], village: Village) -> None:
    story(village)
    assert village.run(village.tables.query("Sites", HOME)) == [], "nothing of it was done in memory"


MOST = {"Inbox": 3, "Accounts": 4, "Reservations": 2, "Sites": 3, "FeedReads": 1, "Due": 2, "Runs": 1}
"""Requests of one new stay on its way from a webhook's body to confirmed closures, by table. ``FeedReads`` is asked
while a peer has not fetched an earlier closure yet; ``Runs`` takes the report, after everything else."""


def test_a_new_stay_costs_three_trips_to_its_site(village: Village, own: Own) -> None:
    """Load, commit facts and intents, confirm. The stay before it pays for what is done once: tables, first rows."""
    told(village, "airbnb", AUGUST)
    sold(village, "airbnb", JULY)
    own.sent.clear()
    deliver(village)
    assert village.booking.calendar.closed == nights(JULY, AUGUST)
    assert [method for method, table in own.sent if table == "Sites"] == ["GET", "BATCH", "BATCH"]
    spent = Counter(table for _, table in own.sent)
    assert spent.keys() <= MOST.keys()
    assert all(trips <= MOST[table] for table, trips in spent.items()), dict(spent)


def test_nothing_to_do_costs_one_read(village: Village, own: Own) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    own.sent.clear()
    village.run(village.engine.reconciler.reconcile(HOME, "test"))
    assert own.sent == [("GET", "Sites")]
