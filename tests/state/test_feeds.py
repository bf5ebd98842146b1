"""The rows of calendar links: since when each is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.platform import GREENGO
from shared.memory.tables import MemoryTables
from shared.state.feeds import Feed, FeedStore

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
FEED = Feed("h-greengo", "h", "g", GREENGO, "https://calendars.example/x")


def test_a_link_knows_since_when_it_is_there_and_another_address_is_another_link() -> None:
    now = [START]
    store = FeedStore(MemoryTables(lambda: now[0]))

    async def added() -> datetime | None:
        found = await store.get("0000", "h-greengo")
        return found.added if found else None

    async def story() -> None:
        await store.put("0000", FEED)
        assert await added() == START
        now[0] += timedelta(days=1)
        await store.put("0000", replace(FEED, period=300))
        assert await added() == START, "an import of the same file is nothing new"
        await store.put("0000", replace(FEED, url="https://calendars.example/y"))
        assert await added() == START + timedelta(days=1)

    asyncio.run(story())
