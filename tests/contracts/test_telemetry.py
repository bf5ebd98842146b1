"""Telemetry: both ways into Application Insights put the same numbers and events on the wire, and none of them can
hold up a synchronisation. The other side is a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.log_voice import LogTelemetry, SilentTelemetry
from shared.adapters.telemetry_azure import PATIENCE, PERIOD, TIMEOUT, AzureTelemetry, Sender
from shared.adapters.telemetry_points import MOST_EVENTS, SETTING, Batch, Points
from shared.correlation import correlated
from shared.memory.voices import MemoryTelemetry
from shared.ports.people import Telemetry
from tests.contracts.telemetry_once import KEY, KINDS, connected, sender, tell
from tests.loopback import Answer, Loopback, Seen, plain

ROOT = Path(__file__).resolve().parents[2]
GUEST, SECRET = "Giselle Montgolfier", "s3cr3t-PLANTED-token"

NUMBERS = [
    ("circuit_state", 1, 2, 0, 1, {"platform": "booking"}),
    ("conflicts_open", 0, 1, 0, 0, {}),
    ("sync_duration_ms", 15, 2, 2.5, 12.5, {"platform": "airbnb", "result": "done"}),
    ("sync_runs", 1, 1, None, None, {"platform": "booking", "result": "failed"}),
    ("sync_runs", 3, 1, None, None, {"platform": "airbnb", "result": "done"}),
]
"""What ``tell`` says, by hand: name, sum, readings, lowest, highest, dimensions."""

EVENTS = [
    ("conflict_detected", {"property": "moulin", "nights": "2027-07-10/2027-07-13"}),
    ("sync_completed", {"property": "moulin", "nights": "2027-07-10/2027-07-13", "changed": "1"}),
]


async def take_all(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answers as Application Insights does when it takes everything."""
    count = len(json.loads(seen.body))
    body = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
    await plain(200, body, Content_Type="application/json")(seen, writer)


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with Loopback(take_all) as found:
        yield found


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def built(kind: str, address: str, **wishes: Any) -> AzureTelemetry:
    return AzureTelemetry(lambda: sender(kind, address), **{"patience": 20, "period": 0, **wishes})


def envelopes(server: Loopback) -> list[dict[str, Any]]:
    assert {(one.method, one.target) for one in server.seen} <= {("POST", "/v2.1/track")}
    return [envelope for one in server.seen for envelope in json.loads(one.body)]


def numbers(server: Loopback) -> list[tuple[Any, ...]]:
    found = []
    for one in envelopes(server):
        data = one["data"]["baseData"]
        assert one["iKey"] == KEY
        assert one["tags"]["ai.cloud.role"] == "sync-test"
        for point in data.get("metrics", ()):
            assert one["name"] == "Microsoft.ApplicationInsights.Metric"
            spread = (point["count"], point.get("min"), point.get("max"))
            found.append((point["name"], point["value"], *spread, data["properties"]))
    return sorted(found, key=repr)


def events(server: Loopback) -> list[tuple[str, dict[str, str]]]:
    return [
        (one["data"]["baseData"]["name"], one["data"]["baseData"]["properties"])
        for one in envelopes(server)
        if one["name"] == "Microsoft.ApplicationInsights.Event"
    ]


async def sent() -> None:
    """Until no thread sends any more."""
    for thread in [one for one in threading.enumerate() if one.name == "telemetry"]:
        await asyncio.to_thread(thread.join)


@pytest.mark.parametrize("kind", KINDS)
async def test_name_value_and_dimensions_arrive_and_events_with_their_properties(
    kind: str, server: Loopback
) -> None:
    telemetry = built(kind, server.url())
    tell(telemetry)
    await telemetry.flush()
    assert numbers(server) == sorted(NUMBERS, key=repr)
    assert events(server) == EVENTS
    assert (len(server.seen), telemetry.lost) == (2, 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_setting_the_libraries_read_for_themselves_may_end_in_a_semicolon(
    kind: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, f"InstrumentationKey={KEY};IngestionEndpoint={server.url()};")
    telemetry = built(kind, server.url())
    telemetry.count("sync_runs")
    await telemetry.flush()
    assert (len(server.seen), telemetry.lost) == (1, 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_counter_sends_what_was_added_since_and_nothing_when_nothing_was(
    kind: str, server: Loopback
) -> None:
    telemetry = built(kind, server.url())
    for added in (3, 4):
        telemetry.count("quarantined", added)
        await telemetry.flush()
    await telemetry.flush()
    assert sorted(numbers(server)) == [("quarantined", added, 1, None, None, {}) for added in (3, 4)]
    assert len(server.seen) == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_an_event_carries_when_it_happened_and_what_set_it_off(kind: str, server: Loopback) -> None:
    telemetry = built(kind, server.url(), wall=lambda: 1_800_000_000.0)
    with correlated("the-story-of-one-stay"):
        telemetry.event("mode_changed", account="a", **{"from": "realtime", "to": "manual"})
    telemetry.count("quarantined")
    await telemetry.flush()
    expected = {"account": "a", "from": "realtime", "to": "manual", "correlation": "the-story-of-one-stay"}
    assert events(server) == [("mode_changed", expected)]
    assert {one["time"][:19] for one in envelopes(server)} == {"2027-01-15T08:00:00"}


@pytest.mark.parametrize("kind", KINDS)
async def test_no_guest_and_no_secret_is_sent_nor_logged_by_a_library(
    kind: str, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    log = MemoryTelemetry()
    telemetry = built(kind, server.url(), log=log, rest=0)
    for answer in (take_all, plain(500, GUEST.encode()), plain(206, _partial(400))):
        server.answer = answer
        telemetry.event("sync_completed", property="moulin", why=SECRET, reason=GUEST, guest=GUEST)
        telemetry.event("reconcile_failed", why=SECRET)
        telemetry.count("platform_calls", platform="airbnb", url=SECRET, account=GUEST)
        telemetry.gauge("healthy", 1.0, why=GUEST)
        await telemetry.flush()
    written = b"".join(one.target.encode() + one.body for one in server.seen).decode()
    for planted in (GUEST, SECRET, "guest", "why", "reconcile_failed", "healthy"):
        assert planted not in written
    assert len(log.events) == 6, "the log has them all"
    foreign = [one for one in caplog.records if one.name.startswith(("opencensus", "azure"))]
    assert foreign == []


def _partial(status: int) -> bytes:
    refused = [{"index": 0, "statusCode": status, "message": "too old"}]
    return json.dumps({"itemsReceived": 1, "itemsAccepted": 0, "errors": refused}).encode()


async def _never(seen: Seen, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


JSON = {"Content_Type": "application/json"}
FAULTS: dict[str, Answer] = {
    "partly taken": plain(206, _partial(500), **JSON),
    "206 that is no JSON": plain(206, b"<html>", **JSON),
    "too many": plain(429, b"{}", Retry_After="30", **JSON),
    "monthly quota": plain(439, b"{}", **JSON),
    "no right": plain(401, b"{}", **JSON),
    "server error": plain(500, b"oops"),
    "redirect to nowhere": plain(307),
    "silence": _never,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_is_counted_and_neither_raises_nor_waits(
    kind: str, fault: str, server: Loopback
) -> None:
    server.answer = FAULTS[fault]
    log = MemoryTelemetry()
    ready = sender(kind, server.url(), timeout=0.15)
    telemetry = AzureTelemetry(lambda: ready, log=log, patience=0.1)
    telemetry.count("sync_runs")
    begun = time.monotonic()
    await telemetry.flush()
    assert time.monotonic() - begun < 0.6, "the patience, and what a busy machine adds"
    await sent()
    assert (telemetry.lost, log.counts["telemetry_lost"]) == (1, 1)
    assert len(server.seen) == 1, "nothing is repeated"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_region_that_the_host_names_takes_everything_once_and_from_then_on(
    kind: str, server: Loopback
) -> None:
    async with Loopback(take_all) as region:
        server.answer = plain(308, Location=region.url("/v2.1/track"))
        telemetry = built(kind, server.url())
        for _ in range(2):
            telemetry.count("sync_runs")
            await telemetry.flush()
        assert [one[:2] for one in numbers(region)] == [("sync_runs", 1)] * 2
        assert (len(server.seen), telemetry.lost) == (1, 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_where_one_was_sent_on_to_is_forgotten_when_nobody_answers_there(
    kind: str, server: Loopback
) -> None:
    async with Loopback() as gone:
        elsewhere = gone.url("/v2.1/track")
    server.answer = plain(308, Location=elsewhere)
    telemetry = built(kind, server.url(), rest=0)
    telemetry.count("sync_runs")
    await telemetry.flush()
    assert telemetry.lost == 1
    server.answer = take_all
    telemetry.count("sync_runs")
    await telemetry.flush()
    assert telemetry.lost == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_hosts_that_send_each_other_on_are_given_up(kind: str, server: Loopback) -> None:
    server.answer = plain(307, Location=server.url("/v2.1/track"))
    telemetry = built(kind, server.url())
    telemetry.count("sync_runs")
    await telemetry.flush()
    assert telemetry.lost == 1
    assert len(server.seen) <= 30, "as often as the libraries follow, which has an end"


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_that_never_ends_holds_up_one_invocation_and_no_more(
    kind: str, server: Loopback
) -> None:
    """No silence is long enough for a timeout here, and no thread can be ended."""
    end = asyncio.Event()

    async def drips(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        while not end.is_set():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()

    server.answer = drips
    ready = sender(kind, server.url(), timeout=0.5)
    patience = 0.4
    telemetry = AzureTelemetry(lambda: ready, log=SilentTelemetry(), patience=patience, rest=0)
    try:
        telemetry.event("mode_changed", account="a")
        await telemetry.flush()
        begun = time.monotonic()
        for _ in range(20):
            telemetry.event("mode_changed", account="a")
            await telemetry.flush()
        assert time.monotonic() - begun < patience, "less than that for all of them"
    finally:
        end.set()
        server.answer = take_all
    await sent()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_closed_port_is_counted_and_neither_raises_nor_waits(kind: str) -> None:
    async with Loopback() as gone:
        address = gone.url()
    telemetry = built(kind, address)
    tell(telemetry)
    await telemetry.flush()
    assert telemetry.lost == len(NUMBERS) + len(EVENTS)


@pytest.mark.parametrize("kind", KINDS)
async def test_after_a_failure_numbers_add_up_until_it_is_tried_again(kind: str, server: Loopback) -> None:
    clock = [100.0]
    telemetry = built(kind, server.url(), rest=30, monotonic=lambda: clock[0])
    server.answer = plain(500)
    telemetry.count("sync_runs")
    await telemetry.flush()
    server.answer = take_all
    for _ in range(3):
        telemetry.count("sync_runs")
        await telemetry.flush()
    assert len(server.seen) == 1, "nobody waits for a host that just failed"
    clock[0] += 30
    await telemetry.flush()
    assert numbers(server)[-1][:2] == ("sync_runs", 3)
    assert telemetry.lost == 1


async def test_numbers_wait_half_a_minute_for_others_and_an_event_takes_them_along(server: Loopback) -> None:
    clock = [100.0]
    telemetry = built("application_insights", server.url(), period=PERIOD, monotonic=lambda: clock[0])
    steps = [(0, 1), (PERIOD - 1, 1), (1, 2)]
    for seconds, requests in steps:
        clock[0] += seconds
        telemetry.count("sync_runs")
        await telemetry.flush()
        assert len(server.seen) == requests
    telemetry.count("sync_runs")
    telemetry.event("conflict_detected", property="moulin")
    await telemetry.flush()
    telemetry.count("sync_runs")
    await telemetry.flush(everything=True)
    assert [one[1] for one in numbers(server)] == [1, 1, 1, 2]
    assert len(events(server)) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("connection", ["", "InstrumentationKey=none", "nonsense;;="])
async def test_a_connection_string_that_is_none_costs_numbers_only(kind: str, connection: str) -> None:
    def build() -> Sender:
        found: Sender = connected(kind, connection)
        return found

    def broken() -> Sender:
        raise ValueError(SECRET)

    log = MemoryTelemetry()
    for one in (build, broken):
        telemetry = AzureTelemetry(one, log=log, patience=20)
        telemetry.count("sync_runs")
        await telemetry.flush()
        assert telemetry.lost == 1
    assert log.events == [("telemetry_failed", {"why": "ValueError"})] * 2
    assert SECRET not in repr(log)


async def test_many_invocations_at_once_share_one_sending_and_no_thread_stays(server: Loopback) -> None:
    telemetry = built("application_insights", server.url())
    before = set(threading.enumerate())
    for _ in range(3):
        telemetry.count("sync_runs")
        await asyncio.gather(*(telemetry.flush() for _ in range(20)))
    await sent()
    stayed = [one.name for one in set(threading.enumerate()) - before]
    assert [name for name in stayed if not name.startswith("asyncio_")] == [], "the test's own joining aside"
    assert sum(one[1] for one in numbers(server)) == 3
    assert len(server.seen) == 3


def test_threads_that_count_at_once_lose_nothing() -> None:
    points = Points()

    def add() -> None:
        for _ in range(2_000):
            points.add("sync_runs", 1, {"platform": "airbnb"}, 0.0)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.value for one in points.take().points] == [8_000]


async def test_what_finds_no_room_is_counted() -> None:
    class Taking:
        def send(self, batch: Batch) -> int:
            self.taken = len(batch)
            return 0

    taking = Taking()
    telemetry = AzureTelemetry(lambda: taking, log=SilentTelemetry(), patience=20)
    for _ in range(MOST_EVENTS + 5):
        telemetry.event("sync_completed", property="moulin")
    await telemetry.flush()
    assert (taking.taken, telemetry.lost) == (MOST_EVENTS, 5)


def test_an_invocation_waits_a_second_at_most() -> None:
    assert PATIENCE <= 1.0
    assert TIMEOUT < PATIENCE


class Credential:
    """An ``azure-identity`` credential, as far as the libraries ask."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: object) -> Any:
        from azure.core.credentials import AccessToken

        self.scopes += scopes
        return AccessToken("token-of-this-app", 4_000_000_000)


async def test_opencensus_sends_the_token_of_the_process_when_there_is_no_key(server: Loopback) -> None:
    credential = Credential()
    telemetry = AzureTelemetry(
        lambda: sender("application_insights", server.url(), 2.0, lambda: credential), patience=20
    )
    telemetry.count("sync_runs")
    await telemetry.flush()
    assert server.seen[0].headers["authorization"] == "Bearer token-of-this-app"
    assert credential.scopes == ["https://monitor.azure.com//.default"]


async def test_otel_takes_the_credential_and_gives_its_token_to_no_server_without_tls(
    server: Loopback,
) -> None:
    telemetry = AzureTelemetry(lambda: sender("otel", server.url(), 2.0, Credential), patience=20)
    telemetry.count("sync_runs")
    await telemetry.flush()
    assert (server.seen, telemetry.lost) == ([], 1)


def voices() -> list[Telemetry]:
    return [LogTelemetry(), SilentTelemetry(), MemoryTelemetry(), AzureTelemetry(lambda: sender("otel", ""))]


@pytest.mark.parametrize("voice", voices(), ids=lambda one: type(one).__name__)
async def test_every_voice_takes_all_there_is_to_say(voice: Telemetry) -> None:
    tell(voice)
    with pytest.raises(KeyError), voice.span("walk_ms"):
        raise KeyError
    await voice.flush()


def test_a_span_is_a_duration_that_says_how_it_ended() -> None:
    telemetry = MemoryTelemetry()
    with telemetry.span("walk_ms", platform="airbnb"):
        pass
    with pytest.raises(ValueError, match="no"), telemetry.span("walk_ms"):
        raise ValueError("no")
    ended = [(name, dimensions) for name, value, dimensions in telemetry.numbers if 0 <= value < 1000]
    assert ended == [
        ("walk_ms", {"platform": "airbnb", "result": "done"}),
        ("walk_ms", {"result": "ValueError"}),
    ]


def test_no_library_is_imported_before_the_first_sending() -> None:
    code = f"""
import sys
import function_app
from shared.bootstrap import voices
from types import SimpleNamespace
for kind in ("log", "off", "application_insights", "otel"):
    settings = SimpleNamespace(telemetry=kind, telemetry_connection="InstrumentationKey={KEY}", telemetry_keyless=True)
    voices.voice(settings).count("sync_runs")
heavy = ("opencensus", "opentelemetry", "azure.monitor", "azure.identity", "requests", "google")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def pythons() -> list[str]:
    """Every other Python of 3.11 to 3.13 on this machine: by the path, or where pyenv keeps them."""
    found = {}
    homes = sorted(Path.home().glob(".pyenv/versions/3.1*/bin"))
    for minor in (11, 12, 13):
        if sys.version_info[:2] == (3, minor):
            continue
        name = f"python3.{minor}"
        for candidate in [*(home / name for home in homes), shutil.which(name)]:
            if candidate and os.access(candidate, os.X_OK) and _runs(str(candidate), minor):
                found[minor] = str(candidate)
                break
    return list(found.values())


def _runs(python: str, minor: int) -> bool:
    ask = [python, "-c", "import sys; print(sys.version_info[1])"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    return done.stdout.strip() == str(minor)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_other_python_sends_the_same(kind: str, server: Loopback) -> None:
    """With this Python's packages: what the two libraries need of them is written in Python, or built for all."""
    others = pythons()
    if not others:
        pytest.skip("no second Python of 3.11 to 3.13 here")
    packages = sysconfig.get_paths()["purelib"]
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}",
        "PYTHONPYCACHEPREFIX": str(ROOT / ".local" / "pycache"),
    }
    for python in others:
        server.seen.clear()
        running = await asyncio.create_subprocess_exec(
            *(python, "-W", "ignore", "-m", "tests.contracts.telemetry_once", kind, server.url()),
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await running.communicate()
        assert out.decode().strip() == "lost=0 threads=1", f"{python}: {out.decode()}{err.decode()}"
        assert numbers(server) == sorted(NUMBERS, key=repr), python
        assert events(server) == EVENTS, python
