"""Two releases at once on one store and one bus (rule 27): this one, an imagined newer one and an imagined older one
take turns in the state machine's village. Nothing sold is opened, nothing is lost, and whoever cannot read a site whole
closes and never opens.

The newer one writes rows of a kind of its own, asks for its own reader, adds columns, and has a word for a closure that
was read back. The older one knows none of the columns that came since. Both are this code behind a store that rewrites
rows on their way, since code that is not written yet cannot be run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from shared.domain.facts import WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import AIRBNB, BOOKING
from shared.engine.operations import Operations
from shared.ports.stores import Delete, Put, Row, Value
from shared.state import names, site_codec
from shared.state.sites import SiteStore
from tests.engine.machine import SyncMachine
from tests.engine.stories import AUGUST, JULY, MINUTE, after, cancelled, nights, pulled, told
from tests.engine.village import HOME, ApiPlatform, Village
from tests.hypothesis_profiles import PROVING, budget

OWN_KIND = "h|newer"
OWN_COLUMN = "newer_column"
WORDS = {"seen": "beheld"}
"""What the newer release calls a closure that it read back."""

SINCE = frozenset({"certainty", "alerted_at", "verified_at", "acknowledged_by", "acknowledged_at", "error"})
"""Columns that the older release does not know: such as may be added without asking for a newer reader."""


class Newer:
    """The store as a newer release meets it: ``asks`` is the reader that its sites ask for, 0 for none."""

    def __init__(self, inner: Any, asks: int = 0, *, words: bool = True) -> None:
        self._inner = inner
        self._asks = asks
        self._words = words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        row = await self._inner.get(table, partition, key)
        return None if row is None else self._read(row)

    async def query(self, table: str, partition: str, **bounds: Any) -> list[Row]:
        found = await self._inner.query(table, partition, **bounds)
        return [self._read(row) for row in found if row.key != OWN_KIND]

    async def insert(self, table: str, row: Row) -> str:
        return str(await self._inner.insert(table, self._written(row)))

    async def upsert(self, table: str, row: Row) -> str:
        return str(await self._inner.upsert(table, self._written(row)))

    async def update(self, table: str, row: Row, etag: str) -> str:
        return str(await self._inner.update(table, self._written(row), etag))

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        news = [
            Put(self._written(one.row), one.if_match, one.insert_only) if isinstance(one, Put) else one
            for one in changes
        ]
        is_commit = any(isinstance(one, Put) and one.row.key == site_codec.HEAD for one in news)
        if self._asks and table == names.SITES and is_commit and len(news) < 100:
            news.append(Put(Row(partition, OWN_KIND, {"what": "unknown to others"})))
        found: dict[str, str] = await self._inner.submit(table, partition, news)
        return found

    def _read(self, row: Row) -> Row:
        values = {name: value for name, value in row.values.items() if name not in (OWN_COLUMN, "min_reader")}
        if "min_reader" in row.values:
            values["min_reader"] = names.READER
        if row.key.startswith(site_codec.BLOCK):
            back = {theirs: ours for ours, theirs in WORDS.items()}
            values["phase"] = back.get(str(values.get("phase")), values.get("phase", ""))
        return Row(row.partition, row.key, values, row.etag)

    def _written(self, row: Row) -> Row:
        values: dict[str, Value] = {**row.values, OWN_COLUMN: "kept"}
        if row.key == site_codec.HEAD and "version" in values and self._asks:
            values["min_reader"] = self._asks
        if row.key.startswith(site_codec.BLOCK) and self._words:
            values["phase"] = WORDS.get(str(values.get("phase")), values.get("phase", ""))
        return Row(row.partition, row.key, values, row.etag)


class Older:
    """The store as an older release meets it: it neither reads nor writes what came since."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        row = await self._inner.get(table, partition, key)
        return None if row is None else _without(row)

    async def query(self, table: str, partition: str, **bounds: Any) -> list[Row]:
        return [_without(row) for row in await self._inner.query(table, partition, **bounds)]

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        news = [
            Put(_without(one.row), one.if_match, one.insert_only) if isinstance(one, Put) else one
            for one in changes
        ]
        found: dict[str, str] = await self._inner.submit(table, partition, news)
        return found


def _without(row: Row) -> Row:
    values = {name: value for name, value in row.values.items() if name not in SINCE}
    return Row(row.partition, row.key, values, row.etag)


class Careful:
    """A platform's connector in the hands of a release that cannot read a site whole: an opening is its fault."""

    def __init__(self, village: Village, platform: ApiPlatform) -> None:
        self._village = village
        self._platform = platform

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        head = await self._village.tables.get(names.SITES, HOME, site_codec.HEAD)
        asks = 0 if head is None else int(str(head.values["min_reader"]))
        assert not (write.opens and asks > names.READER), (
            "an older release opened nights of a site that it cannot read"
        )
        return await self._platform.write(account, listing, write)


def engine_over(village: Village, store: Any, *, careful: bool) -> Operations:
    """An engine of another release on the village's tables and queues."""
    usual = village.store, village.airbnb, village.booking
    village.store = store
    if careful:
        village.airbnb, village.booking = (Careful(village, one) for one in usual[1:])  # type: ignore[assignment]
    try:
        return village.another_host()
    finally:
        village.store, village.airbnb, village.booking = usual


def releases(village: Village, asks: int) -> dict[str, Operations]:
    """The three, on one store and one bus; ``asks`` is the reader that the newer one's sites ask for, 0 for none."""
    inner = village.store
    return {
        "newer": engine_over(village, Newer(inner, asks, words=bool(asks)), careful=False),
        "this": engine_over(village, inner, careful=bool(asks)),
        "older": engine_over(village, Older(inner), careful=bool(asks)),
    }


@pytest.mark.parametrize("late", ["this", "older"])
def test_rule_27_who_cannot_read_a_site_closes_and_never_opens(village: Village, late: str) -> None:
    there = releases(village, asks=2)
    village.engine = there["newer"]
    stay = told(village, AIRBNB, JULY)
    pulled(village)
    village.engine = there[late]
    cancelled(village, AIRBNB, stay)
    told(village, AIRBNB, AUGUST)
    for _ in range(3):
        after(village, 25 * MINUTE)
    assert village.booking.calendar.closed == nights(JULY, AUGUST)
    assert village.run(village.greengo_pulls()) == 503
    rows = {row.key: row.values for row in village.run(village.tables.query(names.SITES, HOME))}
    assert rows[OWN_KIND] == {"what": "unknown to others"}
    assert rows[site_codec.HEAD][OWN_COLUMN] == "kept"
    assert rows[site_codec.HEAD]["min_reader"] == 2
    village.engine = there["newer"]
    village.run(village.settle())
    assert village.booking.calendar.closed == village.greengo.calendar.closed == nights(AUGUST)


def test_rule_27_after_columns_alone_whoever_has_the_turn_opens(village: Village) -> None:
    """Going back by one release: what the newer one wrote beside ours stands, and stays."""
    there = releases(village, asks=0)
    village.engine = there["newer"]
    stay = told(village, AIRBNB, JULY)
    village.engine = there["this"]
    cancelled(village, AIRBNB, stay)
    assert village.booking.calendar.closed == set()
    again = told(village, BOOKING, JULY)
    village.engine = there["older"]
    cancelled(village, BOOKING, again)
    assert village.airbnb.calendar.closed == set()
    rows = {row.key: row.values for row in village.run(village.tables.query(names.SITES, HOME))}
    assert rows[f"{site_codec.RESERVATION}airbnb|{stay.id}"][OWN_COLUMN] == "kept"


class TwoReleases(SyncMachine):
    """The machine, with whose turn it is. ``asks``: the newer one's sites can be read by itself alone."""

    asks = 2

    def __init__(self) -> None:
        super().__init__()
        self.plain = SiteStore(Newer(self.village.tables, self.asks), lambda: "never")
        self.releases = releases(self.village, self.asks)
        self.village.engine = self.releases["this"]

    @rule(release=st.sampled_from(["newer", "newer", "this", "older"]))
    def another_takes_over(self, release: str) -> None:
        self.village.engine = self.releases[release]

    def teardown(self) -> None:
        self.village.engine = self.releases["newer"]  # the upgrade is done
        super().teardown()


class OnlyColumns(TwoReleases):
    """A newer release that adds columns alone: each of the three may do everything."""

    asks = 0


RUNS = budget(test=10, prove=600)


def run_machine(machine: type[SyncMachine], runs: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not PROVING,
            database=None,
            phases=[Phase.generate, Phase.shrink] if PROVING else [Phase.generate],
        ),
    )


def test_rule_27_releases_that_cannot_read_each_other_take_turns_and_no_calendar_is_wrong() -> None:
    run_machine(TwoReleases, RUNS)


def test_rule_27_releases_that_differ_by_columns_take_turns_and_no_calendar_is_wrong() -> None:
    run_machine(OnlyColumns, RUNS)
