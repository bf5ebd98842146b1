"""The control endpoint, and the process that carries both ports."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.servicebus.amqp.frames import AMQP_HEADER, SASL_HEADER
from local.servicebus.amqp.message import SCHEDULED_TIME, Parcel, timestamp
from local.servicebus.config import QueueConfig
from local.servicebus.standin import HOST, StandIn

ROOT = Path(__file__).parents[3]


@pytest_asyncio.fixture
async def standin() -> AsyncIterator[StandIn]:
    async with StandIn([QueueConfig("work", max_delivery_count=1)], clock=lambda: 1_000_000.0) as running:
        yield running


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    answer = await raw(port, head.encode() + content)
    return int(answer.split(b" ")[1]), json.loads(answer.partition(b"\r\n\r\n")[2])


async def test_queues_are_shown_by_state(standin: StandIn) -> None:
    queue = standin.broker.find("work")
    for name in ("a", "b", "c"):
        queue.send(Parcel(properties=[name]))
    queue.send(Parcel(properties=["later"], annotations={SCHEDULED_TIME: timestamp(1_000_060)}))
    dying, locked = queue.take(), queue.take()
    assert dying is not None
    assert dying.token is not None
    assert locked is not None
    queue.abandon(dying.token)
    status, answer = await ask(standin.control_port, "GET", "/queues")
    assert status == 200
    assert answer["queues"] == {
        "work": {
            "active": 1,
            "locked": 1,
            "scheduled": 1,
            "dead": 1,
            "ids": {"active": ["c"], "locked": ["b"], "scheduled": ["later"], "dead": ["a"]},
            "reasons": ["MaxDeliveryCountExceeded"],
        }
    }


async def test_the_clock_moves_and_reset_empties(standin: StandIn) -> None:
    queue = standin.broker.find("work")
    queue.send(Parcel(properties=["later"], annotations={SCHEDULED_TIME: timestamp(1_000_060)}))
    assert await ask(standin.control_port, "POST", "/advance", {"seconds": 60}) == (200, {"now": 1_000_060.0})
    assert queue.counts() == {"active": 1, "locked": 0, "scheduled": 0}
    assert (await ask(standin.control_port, "POST", "/reset"))[0] == 200
    assert queue.counts() == {"active": 0, "locked": 0, "scheduled": 0}


async def test_faults_are_forgotten_and_queues_are_not(standin: StandIn) -> None:
    await ask(standin.control_port, "POST", "/faults", {"kind": "send", "action": "fail", "count": 3})
    assert await ask(standin.control_port, "DELETE", "/faults") == (200, {"waiting": 0})
    assert len(standin.faults) == 0


async def test_faults_are_asked_for(standin: StandIn) -> None:
    wanted = {"kind": "send", "action": "delay", "seconds": 2, "count": 3, "queue": "Work"}
    assert await ask(standin.control_port, "POST", "/faults", wanted) == (200, {"waiting": 3})
    fault = standin.faults.take("send", "work")
    assert fault is not None
    assert (fault.action, fault.seconds, fault.queue) == ("delay", 2, "work")
    assert standin.faults.take("settle", "work") is None


async def test_connections_are_cut(standin: StandIn) -> None:
    reader, writer = await asyncio.open_connection(HOST, standin.port)
    writer.write(SASL_HEADER)
    await reader.readexactly(8)
    assert await ask(standin.control_port, "POST", "/drop") == (200, {"dropped": 1})
    async with asyncio.timeout(60):
        await reader.read()
    assert reader.at_eof()
    writer.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "peek", "action": "fail"}),
        ("/faults", {"kind": "send", "action": "explode"}),
        ("/faults", {"kind": "send", "action": "fail", "count": -1}),
        ("/faults", {"kind": "send", "action": "fail", "queue": 7}),
        ("/advance", {"seconds": "soon"}),
        ("/advance", []),
    ],
)
async def test_a_bad_request_is_told_why(standin: StandIn, path: str, body: object) -> None:
    status, answer = await ask(standin.control_port, "POST", path, body)
    assert status == 400
    assert answer["error"]


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"POST /advance HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /advance HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /advance HTTP/1.1\r\nContent-Length: 1\r\n\r\n{",
    ],
)
async def test_what_is_no_request_gets_400(standin: StandIn, request_: bytes) -> None:
    assert (await raw(standin.control_port, request_)).startswith(b"HTTP/1.1 400 ")


async def test_an_unknown_path_lists_the_known_ones(standin: StandIn) -> None:
    status, answer = await ask(standin.control_port, "DELETE", "/queues")
    assert status == 404
    assert "GET /queues" in str(answer["known"])


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", AMQP_HEADER + b"\xff" * 64, SASL_HEADER + b"\x00" * 16]
)
async def test_garbage_on_the_amqp_port_closes_that_connection_only(standin: StandIn, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection(HOST, standin.port)
    writer.write(garbage)
    async with asyncio.timeout(60):
        await reader.read()
    writer.close()
    assert (await ask(standin.control_port, "GET", "/queues"))[0] == 200


async def test_two_cannot_share_a_port(standin: StandIn) -> None:
    with pytest.raises(OSError, match="in use"):
        async with StandIn([QueueConfig("work")], port=standin.port):
            pass


# --------------------------------------------------------------------------------------------- the process


async def start(*arguments: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "local.servicebus", *arguments)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_tells_its_ports_and_stops_when_asked(number: signal.Signals) -> None:
    process = await start("--port", "0", "--control", "0")
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    status, answer = await ask(told["control_port"], "GET", "/queues")
    assert status == 200
    assert set(answer["queues"]) == {"work", "conflicts"}  # type: ignore[call-overload]
    assert f"sb://127.0.0.1:{told['port']};" in told["connection_string"]
    process.send_signal(number)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


async def test_a_taken_port_and_a_bad_file_are_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        process = await start("--port", str(taken.getsockname()[1]))
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.count(b"\n") == 1
    assert b"in use" in errors
    process = await start("--config", str(tmp_path / "absent.json"))
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"absent.json" in errors
