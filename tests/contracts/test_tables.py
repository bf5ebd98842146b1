"""One contract, two stores: the twin in memory and the real client on the emulator."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
import pytest_asyncio

from shared.adapters.azure_tables import AzureTables
from shared.adapters.table_store import open_tables
from shared.domain.errors import AlreadyExists, NotFound, StaleWrite
from shared.memory.tables import MemoryTables
from shared.ports.stores import Delete, Put, Row, Tables, Value
from shared.state.table_keys import MOST_KEY_CHARACTERS, encode
from tests.security.corpus import load

SUMMER = datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=UTC)


def machine_time() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.azurite)])
def opened(request: pytest.FixtureRequest) -> Callable[[], MemoryTables | AzureTables]:
    if request.param == "memory":
        return lambda: MemoryTables(machine_time)
    string = request.getfixturevalue("azurite").connection_string
    return lambda: open_tables(
        connection_string=string, monotonic=time.monotonic, wall=machine_time, deadline=30
    )


@pytest_asyncio.fixture
async def tables(opened: Callable[[], Tables]) -> AsyncIterator[Tables]:
    store = opened()
    yield store
    await store.close()


@pytest.fixture
def table() -> str:
    return f"T{uuid.uuid4().hex}"


def row(key: str, partition: str = "site", **values: Value) -> Row:
    return Row(partition, key, values)


async def keys(tables: Tables, table: str, **bounds: str) -> list[str]:
    return [found.key for found in await tables.query(table, "site", **bounds)]


# ------------------------------------------------------------------------------------ a table not yet made


async def test_a_table_nobody_wrote_to_is_empty(tables: Tables, table: str) -> None:
    assert await tables.get(table, "site", "head") is None
    assert await tables.query(table, "site") == []
    await tables.delete(table, "site", "head")
    with pytest.raises(NotFound):
        await tables.update(table, row("head", n=1), 'W/"1"')
    with pytest.raises(StaleWrite):
        await tables.delete(table, "site", "head", 'W/"1"')
    with pytest.raises(NotFound):
        await tables.submit(table, "site", [Delete("head")])


@pytest.mark.parametrize("write", ["insert", "upsert", "submit"])
async def test_the_first_write_makes_the_table(tables: Tables, table: str, write: str) -> None:
    if write == "submit":
        await tables.submit(table, "site", [Put(row("head", n=1))])
    else:
        await getattr(tables, write)(table, row("head", n=1))
    assert await keys(tables, table) == ["head"]


async def test_many_first_writers_make_one_table(tables: Tables, table: str) -> None:
    await asyncio.gather(*(tables.insert(table, row(f"k{number}")) for number in range(8)))
    assert len(await keys(tables, table)) == 8


# ---------------------------------------------------------------------------------------------- single rows


async def test_a_row_comes_back_as_it_went_in(tables: Tables, table: str) -> None:
    values: dict[str, Value] = {
        "text": "Gîte d'été № 5 🏡\r\n\t\x00end",
        "empty": "",
        "spaces": "  a  ",
        "whole": 7,
        "large": 2**63 - 1,
        "small": -(2**63),
        "half": 0.5,
        "one": 1.0,
        "huge": 1.5e300,
        "yes": True,
        "no": False,
        "at": SUMMER,
        "at_zero": SUMMER.replace(microsecond=0),
        "first": datetime(1601, 1, 1, tzinfo=UTC),
        "last": datetime.max.replace(tzinfo=UTC),
        "raw": bytes(range(256)),
        "nothing": b"",
    }
    etag = await tables.insert(table, Row("site", "head", values))
    found = await tables.get(table, "site", "head")
    assert found == Row("site", "head", values, etag)
    assert {name: type(value) for name, value in found.values.items()} == {
        name: type(value) for name, value in values.items()
    }
    assert (await tables.query(table, "site")) == [found]


async def test_values_come_back_as_plain_types(tables: Tables, table: str) -> None:
    class Mode(StrEnum):
        BATCH = "batch"

    paris = timezone(timedelta(hours=2))
    await tables.upsert(table, row("head", mode=Mode.BATCH, at=SUMMER.astimezone(paris)))
    found = await tables.get(table, "site", "head")
    assert found is not None
    assert found.values == {"mode": "batch", "at": SUMMER}
    assert type(found.values["mode"]) is str
    assert type(found.values["at"]) is datetime
    assert found.values["at"].tzinfo is UTC


async def test_what_was_read_is_the_readers_own(tables: Tables, table: str) -> None:
    await tables.insert(table, row("head", n=1))
    found = await tables.get(table, "site", "head")
    assert found is not None
    found.values["n"] = 2  # type: ignore[index]
    again = await tables.get(table, "site", "head")
    assert again is not None
    assert again.values == {"n": 1}


async def test_insert_refuses_a_row_that_is_there(tables: Tables, table: str) -> None:
    await tables.insert(table, row("head", n=1))
    with pytest.raises(AlreadyExists):
        await tables.insert(table, row("head", n=2))
    found = await tables.get(table, "site", "head")
    assert found is not None
    assert found.values == {"n": 1}


async def test_every_write_changes_the_etag_even_with_equal_content(tables: Tables, table: str) -> None:
    same = row("head", n=1)
    etags = [await tables.insert(table, same)]
    etags.append(await tables.upsert(table, same))
    etags.append(await tables.update(table, same, etags[-1]))
    etags.append((await tables.submit(table, "site", [Put(same)]))["head"])
    etags.append((await tables.submit(table, "site", [Put(same, if_match=etags[-1])]))["head"])
    assert len(set(etags)) == len(etags)
    found = await tables.get(table, "site", "head")
    assert found is not None
    assert found.etag == etags[-1]


async def test_updates_merge_and_keep_columns_they_do_not_know(tables: Tables, table: str) -> None:
    etag = await tables.insert(table, row("head", kept="from a newer release", n=1))
    etag = await tables.update(table, row("head", n=2), etag)
    await tables.upsert(table, row("head", m=3))
    etag = (await tables.submit(table, "site", [Put(row("head", o=4))]))["head"]
    await tables.submit(table, "site", [Put(row("head", p=5), if_match=etag)])
    found = await tables.get(table, "site", "head")
    assert found is not None
    assert found.values == {"kept": "from a newer release", "n": 2, "m": 3, "o": 4, "p": 5}


async def test_a_stale_etag_writes_nothing(tables: Tables, table: str) -> None:
    old = await tables.insert(table, row("head", n=1))
    new = await tables.update(table, row("head", n=2), old)
    with pytest.raises(StaleWrite):
        await tables.update(table, row("head", n=3), old)
    with pytest.raises(StaleWrite):
        await tables.delete(table, "site", "head", old)
    found = await tables.get(table, "site", "head")
    assert found is not None
    assert (found.values, found.etag) == ({"n": 2}, new)


async def test_deleting(tables: Tables, table: str) -> None:
    etag = await tables.insert(table, row("head", n=1))
    await tables.delete(table, "site", "head", etag)
    await tables.delete(table, "site", "head")
    assert await tables.get(table, "site", "head") is None
    with pytest.raises(StaleWrite):
        await tables.delete(table, "site", "head", etag)
    with pytest.raises(NotFound):
        await tables.update(table, row("head", n=2), etag)
    again = await tables.insert(table, row("head", n=3))
    assert again != etag, "a new row under an old key must not pass for the old one"
    await tables.delete(table, "site", "head")
    assert await keys(tables, table) == []


# -------------------------------------------------------------------------------------------------- ranges


async def test_a_range_is_half_open_and_in_key_order(tables: Tables, table: str) -> None:
    names = [
        "head",
        "hold|1",
        "res|a",
        "res|a/b",
        "res|a.b",
        "res|b",
        "res|é",
        "res}",
        "s",
        "",
        "\x00",
        "~",
        "Z",
    ]
    await tables.submit(
        table, "site", [Put(row(name)) for name in random.Random(7).sample(names, len(names))]
    )
    await tables.insert(table, row("res|other", partition="site2"))
    assert await keys(tables, table) == sorted(names)
    assert await keys(tables, table, start="res|", stop="res|\U0010ffff") == [
        "res|a",
        "res|a.b",
        "res|a/b",
        "res|b",
        "res|é",
    ]
    assert await keys(tables, table, start="res|b") == ["res|b", "res|é", "res}", "s", "~"]
    assert await keys(tables, table, stop="Z") == ["", "\x00"]
    assert await keys(tables, table, start="") == sorted(names)
    assert await keys(tables, table, start="s", stop="s") == []
    assert await keys(tables, table, start="t", stop="s") == []


async def test_a_bound_may_be_longer_than_a_key(tables: Tables, table: str) -> None:
    await tables.insert(table, row("k" * 512))
    assert await keys(tables, table, start="k" * 512, stop="k" * 512 + "\x00") == ["k" * 512]
    assert await keys(tables, table, start="k" * 512 + "\x00") == []


async def test_a_query_reads_every_page(tables: Tables, table: str) -> None:
    names = [f"row|{number:05}" for number in range(1250)]
    parts = [names[at : at + 100] for at in range(0, len(names), 100)]
    for part in parts:
        await tables.submit(table, "site", [Put(row(name, n=1)) for name in part])
    assert await keys(tables, table) == names
    assert await keys(tables, table, start="row|00100", stop="row|01200") == names[100:1200]


# --------------------------------------------------------------------------------------------- transactions


async def test_a_transaction_writes_all_of_it(tables: Tables, table: str) -> None:
    head = await tables.insert(table, row("head", version=1))
    await tables.insert(table, row("old"))
    held = await tables.insert(table, row("held"))
    etags = await tables.submit(
        table,
        "site",
        [
            Put(row("head", version=2), if_match=head),
            Put(row("new", n=1), insert_only=True),
            Put(row("any", n=2)),
            Delete("old"),
            Delete("held", if_match=held),
        ],
    )
    found = await tables.query(table, "site")
    assert {each.key: each.values for each in found} == {
        "head": {"version": 2},
        "new": {"n": 1},
        "any": {"n": 2},
    }
    assert {each.key: each.etag for each in found} == etags


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (Put(row("there", n=9), insert_only=True), AlreadyExists),
        (Put(row("there", n=9), if_match="W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""), StaleWrite),
        (Delete("there", if_match="W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""), StaleWrite),
        (Put(row("gone", n=9), if_match="W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""), NotFound),
        (Delete("gone"), NotFound),
        (Delete("gone", if_match="W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""), NotFound),
    ],
    ids=["insert", "stale put", "stale delete", "put of none", "delete of none", "guarded delete of none"],
)
async def test_a_transaction_that_cannot_be_made_writes_nothing(
    tables: Tables, table: str, last: Put | Delete, error: type[Exception]
) -> None:
    await tables.insert(table, row("there", n=1))
    await tables.insert(table, row("away", n=1))
    before = await tables.query(table, "site")
    changes = [Put(row("new")), Put(row("away", n=2)), last, Put(row("newer"))]
    with pytest.raises(error):
        await tables.submit(table, "site", changes)
    assert await tables.query(table, "site") == before


async def test_an_empty_transaction_is_nothing(tables: Tables, table: str) -> None:
    assert await tables.submit(table, "site", []) == {}


async def test_a_hundred_changes_and_not_one_more(tables: Tables, table: str) -> None:
    changes = [Put(row(f"k{number:03}", n=number)) for number in range(101)]
    with pytest.raises(ValueError, match="101 changes"):
        await tables.submit(table, "site", changes)
    assert await tables.query(table, "site") == []
    assert len(await tables.submit(table, "site", changes[:100])) == 100
    assert len(await tables.query(table, "site")) == 100


async def test_a_transaction_that_contradicts_itself_is_refused(tables: Tables, table: str) -> None:
    with pytest.raises(ValueError, match="'head' twice"):
        await tables.submit(table, "site", [Put(row("head")), Delete("head")])
    with pytest.raises(ValueError, match="another partition"):
        await tables.submit(table, "site", [Put(row("head", partition="site2"))])
    with pytest.raises(ValueError, match="contradict"):
        await tables.submit(table, "site", [Put(row("head"), if_match="x", insert_only=True)])
    assert await tables.query(table, "site") == []


# ---------------------------------------------------------------------------------------------------- races


async def test_racing_increments_all_count(tables: Tables, table: str) -> None:
    await tables.insert(table, row("head", n=0))

    async def increment() -> None:
        while True:
            found = await tables.get(table, "site", "head")
            assert found is not None
            assert found.etag is not None
            n = found.values["n"]
            assert isinstance(n, int)
            try:
                await tables.update(table, row("head", n=n + 1), found.etag)
            except StaleWrite:
                continue
            return

    await asyncio.gather(*(increment() for _ in range(12)))
    found = await tables.get(table, "site", "head")
    assert found is not None
    assert found.values == {"n": 12}


@pytest.mark.parametrize("how", ["insert", "submit"])
async def test_of_racing_inserts_one_wins(tables: Tables, table: str, how: str) -> None:
    async def take(number: int) -> int | None:
        lock = row("lock", owner=number)
        try:
            if how == "insert":
                await tables.insert(table, lock)
            else:
                await tables.submit(table, "site", [Put(row(f"log{number}")), Put(lock, insert_only=True)])
        except AlreadyExists:
            return None
        return number

    winners = [number for number in await asyncio.gather(*map(take, range(8))) if number is not None]
    assert len(winners) == 1
    found = await tables.get(table, "site", "lock")
    assert found is not None
    assert found.values == {"owner": winners[0]}
    logs = await keys(tables, table, start="log", stop="lon")
    assert logs == ([] if how == "insert" else [f"log{winners[0]}"])


# ----------------------------------------------------------------------------------------- strangers' text


async def test_hostile_text_is_only_text(tables: Tables, table: str) -> None:
    odata = load("odata/filter_values.json")
    naughty = load("strings/blns.json")
    characters = odata["key_characters"]
    awkward = [f"a{each}b" for each in characters["refused_by_the_service"] + characters["troublesome"]]
    literals = [value for each in odata["legal_literals"] for value in each.values()]
    texts = sorted({*odata["hostile_values"], *literals, *awkward, *naughty})
    fits = [text for text in texts if _fits(text)]
    assert len(fits) > 400
    assert len(texts) - len(fits) < 15, "only a few are too long to be keys"

    for at in range(0, len(fits), 100):
        changes = [Put(row(text, value=text), insert_only=True) for text in fits[at : at + 100]]
        await tables.submit(table, "site", changes)
    found = await tables.query(table, "site")
    assert [(each.key, each.values) for each in found] == [(text, {"value": text}) for text in fits]

    turns = asyncio.Semaphore(8)

    async def alone(text: str) -> None:
        async with turns:
            etag = await tables.upsert(table, Row(text, text, {"value": text}))
            assert await tables.get(table, text, text) == Row(text, text, {"value": text}, etag)

    await asyncio.gather(*map(alone, fits))


def _fits(text: str) -> bool:
    return len(encode(text)) <= MOST_KEY_CHARACTERS


async def test_looking_for_what_is_not_stored_finds_nothing(tables: Tables, table: str) -> None:
    await tables.submit(table, "zz", [Put(row(f"k{number}", partition="zz")) for number in range(20)])
    for hostile in load("odata/filter_values.json")["hostile_values"]:
        assert await tables.query(table, hostile) == []
        assert await tables.query(table, hostile, start=hostile, stop=hostile + "~") == []
        assert await tables.query(table, "zz", start=hostile, stop=hostile) == []
        assert await tables.get(table, hostile, hostile) is None
        assert await tables.get(table, "zz", hostile) is None


# --------------------------------------------------------------------------------------------------- limits


async def test_the_largest_legal_row_is_stored(tables: Tables, table: str) -> None:
    wide = {f"c{number:03}": number for number in range(252)}
    tall = {f"c{number:02}": "x" * 32_000 for number in range(16)}
    await tables.insert(table, Row("site", "wide", wide))
    await tables.insert(table, Row("site", "tall", tall))
    await tables.insert(table, Row("p" * 512, "k" * 512, {"text": "é" * 32_768, "raw": b"r" * 65_536}))
    found = await tables.get(table, "site", "wide")
    assert found is not None
    assert found.values == wide
    assert await tables.get(table, "p" * 512, "k" * 512) is not None


TOO_MUCH: dict[str, tuple[Row, str]] = {
    "columns": (Row("site", "wide", {f"c{number}": 1 for number in range(253)}), "253 columns"),
    "row": (Row("site", "tall", {f"c{number}": "x" * 32_000 for number in range(17)}), "'tall': .* bytes"),
    "text": (row("k", note="x" * 32_769), "'k', column 'note': 65538 bytes"),
    "emoji": (row("k", note="🏡" * 16_385), "'k', column 'note'"),
    "bytes": (row("k", raw=b"x" * 65_537), "'k', column 'raw'"),
    "integer": (row("k", n=2**63), "'k', column 'n': an integer of more than 64 bits"),
    "key": (row("/" * 171), "key too long"),
    "partition": (row("k", partition="p" * 513), "key too long"),
    "naive": (row("k", at=SUMMER.replace(tzinfo=None)), "without a time zone"),
    "early": (row("k", at=datetime(1600, 12, 31, tzinfo=UTC)), "1601 to 9999"),
    "not a number": (row("k", f=float("nan")), "not a finite number"),
    "surrogate": (row("k", note="a\ud800"), "lone surrogate"),
    "system column": (Row("site", "k", {"Timestamp": SUMMER}), "'Timestamp': not a column name"),
    "odd column": (Row("site", "k", {"a-b": 1}), "'a-b': not a column name"),
    "nothing": (Row("site", "k", {"a": None}), "NoneType cannot be stored"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", TOO_MUCH)
async def test_what_the_service_would_refuse_is_refused_here(tables: Tables, table: str, name: str) -> None:
    bad, text = TOO_MUCH[name]
    writes = [
        tables.insert(table, bad),
        tables.upsert(table, bad),
        tables.update(table, bad, 'W/"1"'),
        tables.submit(table, bad.partition, [Put(row("other", partition=bad.partition)), Put(bad)]),
    ]
    for write in writes:
        with pytest.raises(ValueError, match=text):
            await write
    assert await tables.query(table, "site") == []


async def test_a_transaction_over_four_mebibytes_is_refused(tables: Tables, table: str) -> None:
    plain = {f"c{number}": "x" * 30_000 for number in range(15)}
    with pytest.raises(ValueError, match=r"transaction of 10 changes: .* bytes"):
        await tables.submit(table, "site", [Put(Row("site", f"k{number}", plain)) for number in range(10)])
    accents = {f"c{number}": "é" * 30_000 for number in range(5)}  # six bytes each on the wire
    with pytest.raises(ValueError, match=r"transaction of 5 changes: .* bytes"):
        await tables.submit(table, "site", [Put(Row("site", f"k{number}", accents)) for number in range(5)])
    assert await tables.query(table, "site") == []
    await tables.submit(table, "site", [Put(Row("site", f"k{number}", plain)) for number in range(9)])
    assert len(await tables.query(table, "site")) == 9


@pytest.mark.parametrize("name", ["ab", "1abc", "a-b-c", "Tables", "x" * 64, "a/b", ""])
async def test_a_table_needs_a_legal_name(tables: Tables, name: str) -> None:
    calls = [
        tables.get(name, "site", "k"),
        tables.query(name, "site"),
        tables.insert(name, row("k")),
        tables.upsert(name, row("k")),
        tables.update(name, row("k"), "x"),
        tables.delete(name, "site", "k"),
        tables.submit(name, "site", [Delete("k")]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="not a table name"):
            await call


async def test_the_stores_time_is_near_ours_on_one_machine(tables: Tables, table: str) -> None:
    await tables.get(table, "site", "head")
    off = machine_time() - tables.now()
    assert timedelta(seconds=-0.5) < off < timedelta(seconds=3)


# --------------------------------------------------------------------------------------------- everything


async def test_everything_is_every_row_partition_by_partition_in_order(
    opened: Callable[[], MemoryTables | AzureTables], table: str
) -> None:
    """More than a page of the service (1,000 rows), and keys that are stored in another spelling."""
    store = opened()
    try:
        assert [one async for one in store.everything(table)] == []
        partitions = ("b", "a/é", "~x")
        for partition in partitions:
            for start in range(0, 500, 100):
                part = [Put(row(f"{n:03d}/", partition, n=n)) for n in range(start, start + 100)]
                await store.submit(table, partition, part)
        found = [one async for one in store.everything(table)]
        assert [one.partition for one in found[::500]] == sorted(partitions)
        assert [(one.key, one.values) for one in found] == [(f"{n:03d}/", {"n": n}) for n in range(500)] * 3
        assert all(one.etag for one in found)
    finally:
        await store.close()
