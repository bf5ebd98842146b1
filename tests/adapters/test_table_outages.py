"""The table client when the store fails: lost answers, refusals, silence, rubbish."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import EntityProperty
from azure.data.tables.aio import TableClient

from local.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from local.ports import free_port
from shared.adapters.table_codec import FOREIGN
from shared.adapters.table_store import open_tables
from shared.domain.errors import NotFound, PermanentError, StoreUnavailable
from shared.ports.stores import Delete, Put, Row, Tables
from tests.loopback import Answer, Loopback, Seen, plain, raw

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
CANARY = "canary-9f31"
Do = Callable[[Tables, str, str], Coroutine[Any, Any, object]]


def connection(port: int) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
    )


@asynccontextmanager
async def opened(port: int, **options: Any) -> Any:
    settings = {"monotonic": time.monotonic, "wall": lambda: NOON, **options}
    store = open_tables(connection_string=connection(port), **settings)
    try:
        yield store
    finally:
        await store.close()


def relay(azurite: Azurite, lost: int = 0) -> Answer:
    """Hands requests on to the emulator; the first ``lost`` answers never reach the client."""
    left = [lost]

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        reader, out = await asyncio.open_connection("127.0.0.1", azurite.port)
        headers = {**seen.headers, "connection": "close"}
        lines = [f"{seen.method} {seen.target} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        out.write("\r\n".join(lines).encode() + b"\r\n\r\n" + seen.body)
        answered = await reader.read()
        out.close()
        left[0] -= 1
        if left[0] < 0:
            writer.write(answered)
            await writer.drain()
        writer.close()

    return answer


def row(key: str, **values: str | int) -> Row:
    return Row("site", key, values)


WRITES: dict[str, tuple[Do, dict[str, object] | None]] = {
    "insert": (lambda tables, table, etag: tables.insert(table, row("new", n=2)), {"there": 1, "new": 2}),
    "upsert": (lambda tables, table, etag: tables.upsert(table, row("there", n=2)), {"there": 2}),
    "update": (lambda tables, table, etag: tables.update(table, row("there", n=2), etag), {"there": 2}),
    "delete": (lambda tables, table, etag: tables.delete(table, "site", "there", etag), {}),
    "submit": (
        lambda tables, table, etag: tables.submit(
            table, "site", [Put(row("there", n=2), if_match=etag), Put(row("new", n=2), insert_only=True)]
        ),
        {"there": 2, "new": 2},
    ),
}


@pytest.mark.azurite
@pytest.mark.parametrize("name", WRITES)
async def test_a_write_whose_answer_is_lost_has_an_open_outcome_and_is_not_repeated(
    azurite: Azurite, name: str
) -> None:
    write, stored = WRITES[name]
    table = f"T{uuid.uuid4().hex}"
    requests: list[tuple[str, str]] = []
    async with Loopback(relay(azurite, lost=1)) as server, opened(azurite.port) as direct:
        etag = await direct.insert(table, row("there", n=1))
        async with opened(server.port, on_request=lambda *request: requests.append(request)) as tables:
            with pytest.raises(StoreUnavailable):
                await write(tables, table, etag)
        assert len(server.seen) == len(requests) == 1
        assert {found.key: found.values["n"] for found in await direct.query(table, "site")} == stored


def service(status: int, body: bytes, kind: str, **headers: str) -> Answer:
    """An answer that the service could have given."""
    return plain(status, body, Content_Type=kind, x_ms_request_id="1", **headers)


def error(code: str, status: int, **headers: str) -> Answer:
    body = f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en","value":"{CANARY}"}}}}}}'
    return service(status, body.encode(), "application/json", **headers)


OUTAGES: dict[str, Answer] = {
    "busy": error("ServerBusy", 503),
    "timed out": error("OperationTimedOut", 500),
    "too many": error("TooManyRequests", 429),
    "slow request": error("RequestTimeout", 408),
    "credentials": error("AuthenticationFailed", 403),
    "role": error("AuthorizationFailure", 401),
    "table going": error("TableBeingDeleted", 409),
    "page of a proxy": plain(200, b"<html>sign in</html>", Content_Type="text/html"),
    "page of a gateway": plain(404, b"<html>no such host</html>", Content_Type="text/html"),
    "nothing": plain(204),
    "page as json": service(200, b"<html>sign in</html>", "application/json"),
    "empty success": service(202, b"", "multipart/mixed; boundary=b"),
    "cut body": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-ms-request-id: 1\r\nContent-Length: 900\r\n\r\n{",
        close=True,
    ),
    "cut transaction": service(
        202,
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n\r\nHT",
        "multipart/mixed; boundary=b",
    ),
    "not http": raw(b"SSH-2.0-OpenSSH\r\n\r\n", close=True),
    "hung up": raw(b"", close=True),
}


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("call", ["get", "query", "insert", "upsert", "update", "delete", "submit"])
async def test_whatever_leaves_the_outcome_open_is_an_outage(outage: str, call: str) -> None:
    calls: dict[str, Do] = {
        "get": lambda tables, table, etag: tables.get(table, "site", "there"),
        "query": lambda tables, table, etag: tables.query(table, "site"),
        **{name: write for name, (write, _) in WRITES.items()},
    }
    async with Loopback(OUTAGES[outage]) as server, opened(server.port) as tables:
        with pytest.raises(StoreUnavailable) as caught:
            await calls[call](tables, "Sites", 'W/"1"')
    text = f"{caught.value} {caught.value!r}"
    assert call in text
    assert "Sites" in text
    assert CANARY not in text
    assert ACCOUNT_KEY not in text


@pytest.mark.azurite
async def test_a_read_is_tried_twice(azurite: Azurite) -> None:
    table = f"T{uuid.uuid4().hex}"

    async def once(seen: Seen, writer: asyncio.StreamWriter) -> None:
        server.answer = relay(azurite)
        await error("InternalError", 500)(seen, writer)

    async with Loopback(once) as server, opened(server.port) as tables:
        assert await tables.get(table, "site", "there") is None
        assert len(server.seen) == 2
        server.answer = once
        assert await tables.query(table, "site") == []
        assert len(server.seen) == 4
        server.answer = error("InternalError", 500)
        with pytest.raises(StoreUnavailable, match="500 InternalError"):
            await tables.get(table, "site", "there")
        assert len(server.seen) == 6
        with pytest.raises(StoreUnavailable, match="500 InternalError"):
            await tables.upsert(table, row("there"))
        assert len(server.seen) == 7


@pytest.mark.azurite
async def test_a_read_whose_answer_is_lost_is_asked_again_once(azurite: Azurite) -> None:
    table = f"T{uuid.uuid4().hex}"
    async with Loopback(relay(azurite, lost=1)) as server, opened(server.port) as tables:
        assert await tables.query(table, "site") == []
        server.answer = relay(azurite, lost=9)
        with pytest.raises(StoreUnavailable):
            await tables.get(table, "site", "there")
        assert len(server.seen) == 4


async def test_a_busy_store_says_when_and_is_not_asked_again() -> None:
    async with Loopback(error("ServerBusy", 503, Retry_After="7")) as server, opened(server.port) as tables:
        with pytest.raises(StoreUnavailable) as caught:
            await tables.get("Sites", "site", "head")
        assert caught.value.retry_after == 7.0
        assert len(server.seen) == 1


async def test_a_request_the_store_cannot_read_is_our_mistake() -> None:
    async with Loopback(error("InvalidInput", 400)) as server, opened(server.port) as tables:
        with pytest.raises(PermanentError, match="insert in Sites: 400 InvalidInput"):
            await tables.insert("Sites", row("k"))
        assert len(server.seen) == 1


async def test_a_table_that_cannot_be_made_is_an_error_not_a_loop() -> None:
    async with Loopback(error("TableNotFound", 404)) as server, opened(server.port) as tables:
        with pytest.raises(NotFound):
            await tables.insert("Sites", row("k"))
        assert len(server.seen) == 2


async def never(seen: Seen, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_silence_ends_at_the_deadline() -> None:
    async with Loopback(never) as server, opened(server.port, deadline=0.1) as tables:
        for call in (tables.get("Sites", "site", "k"), tables.insert("Sites", row("k"))):
            with pytest.raises(StoreUnavailable, match=r"no answer within 0\.1 s"):
                await call


async def test_a_cancelled_call_is_cancelled() -> None:
    async with Loopback(never) as server, opened(server.port) as tables:
        task = asyncio.create_task(tables.get("Sites", "site", "k"))
        while not server.seen:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_store_that_is_not_there_is_an_outage() -> None:
    async with opened(free_port()) as tables:
        with pytest.raises(StoreUnavailable):
            await tables.submit("Sites", "site", [Delete("k")])


async def test_rows_addresses_and_keys_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Loopback(error("InvalidInput", 400)) as server, opened(server.port) as tables:
        with pytest.raises(PermanentError) as caught:
            await tables.upsert("Sites", Row(CANARY, CANARY, {"name": CANARY}))
        with pytest.raises(PermanentError):
            await tables.query("Sites", CANARY)
    assert CANARY not in f"{caught.value!r} {caplog.text}"


# ------------------------------------------------------------------------------------------ round trips, time


@pytest.mark.azurite
async def test_requests_are_counted_where_they_leave(azurite: Azurite) -> None:
    table = f"T{uuid.uuid4().hex}"
    requests: list[tuple[str, str]] = []
    async with opened(azurite.port, on_request=lambda *request: requests.append(request)) as tables:
        await tables.submit(table, "site", [Put(row("head", n=1))])
        assert requests == [("BATCH", table), ("POST", table), ("BATCH", table)], (
            "the first write makes the table"
        )
        requests.clear()
        for part in range(11):
            await tables.submit(table, "site", [Put(row(f"{part:02}{at:02}")) for at in range(100)])
        assert requests == [("BATCH", table)] * 11
        requests.clear()
        assert len(await tables.query(table, "site")) == 1101
        assert requests == [("GET", table)] * 2, "a page has a thousand rows"
        requests.clear()
        found = await tables.get(table, "site", "head")
        await tables.update(table, found, found.etag)
        assert requests == [("GET", table), ("PATCH", table)]


async def test_time_comes_from_the_answers_whatever_the_host_believes() -> None:
    ticks = [1000.0]
    dated = error("TableNotFound", 404, Date="Wed, 01 Jul 2026 13:00:07 GMT")
    async with Loopback(dated) as server, opened(server.port, monotonic=lambda: ticks[0]) as tables:
        assert tables.now() == NOON, "nothing was read yet: the host's own time stands in"
        await tables.get("Sites", "site", "head")
        assert tables.now() == NOON + timedelta(hours=1, seconds=7)
        ticks[0] += 2.5
        assert tables.now() == NOON + timedelta(hours=1, seconds=9.5)


# ---------------------------------------------------------------------------------------- opening, foreign rows


@pytest.mark.azurite
async def test_a_row_of_another_program_is_shown_and_recognisable(azurite: Azurite) -> None:
    table = f"T{uuid.uuid4().hex}"
    guid = uuid.uuid4()
    async with TableClient.from_connection_string(azurite.connection_string, table) as client:
        await client.create_table()
        await client.create_entity(
            {
                "PartitionKey": "site",
                "RowKey": "a.b",
                "guid": guid,
                "n": 5,
                "f": EntityProperty("2.5", "Edm.Double"),
            }
        )
    async with opened(azurite.port) as tables:
        (found,) = await tables.query(table, "site")
    assert found.key == f"{FOREIGN}a.b"
    assert found.values == {"guid": str(guid), "n": 5, "f": 2.5}


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"connection_string": connection(1), "account_url": "https://a.table.core.windows.net"},
        {"connection_string": f"AccountKey={CANARY}"},
        {"connection_string": f"{CANARY};;="},
        {"account_url": f"http://{CANARY}.table.core.windows.net"},
    ],
    ids=["none", "both", "no account", "rubbish", "plain http"],
)
async def test_a_bad_address_is_refused_when_the_store_is_opened(address: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="connection string") as caught:
        open_tables(**address, monotonic=time.monotonic, wall=lambda: NOON)
    assert CANARY not in str(caught.value)


async def test_a_store_can_be_opened_by_role() -> None:
    store = open_tables(
        account_url="https://example.table.core.windows.net", monotonic=time.monotonic, wall=lambda: NOON
    )
    await store.close()


def test_importing_the_store_imports_no_sdk() -> None:
    code = (
        "import shared.adapters.table_store, sys; print([m for m in sys.modules if m.split('.')[0] in HEAVY])"
    )
    code = code.replace("HEAVY", "('azure', 'aiohttp', 'httpx')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
