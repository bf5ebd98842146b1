"""The local host: the same view as ``func start`` has, and the same treatment of the functions."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.functions as func
import httpx
import pytest

from local.host.errors import HostRefused
from local.host.indexing import load_app
from local.host.invocations import Invocations
from local.host.plan import HostJson, Plan
from local.host.server import listen
from local.host.settings import read_settings
from local.host.timers import TimerLoop
from local.servicebus.config import QueueConfig
from local.servicebus.standin import StandIn
from shared.adapters.service_bus import ServiceBus
from shared.ports import Message
from tests.functions.conftest import GOLDEN, ROOT
from tests.functions.tiny import (
    SETTINGS,
    Over,
    VirtualTime,
    new_app,
    plan_of,
    running,
    with_queue,
    with_routes,
    with_timer,
)

# ------------------------------------------------------------------------- agreement with ``func start``


def golden_triggers(kind: str) -> dict[str, dict[str, object]]:
    golden = json.loads(GOLDEN.read_text())
    return {name: b[0] for name, b in golden.items() if b[0]["type"] == kind}


def test_routes_are_those_of_host_json_and_the_bindings(plan: Plan) -> None:
    prefix = json.loads((ROOT / "host.json").read_text())["extensions"]["http"]["routePrefix"]
    expected = {
        (name, method, f"{prefix}/{trigger['route']}".strip("/"))
        for name, trigger in golden_triggers("httpTrigger").items()
        for method in trigger["methods"]  # type: ignore[attr-defined]
    }
    assert {(r.function, method, r.template) for r in plan.routes for method in r.methods} == expected


def test_schedules_are_those_of_the_settings(plan: Plan, sample_settings: dict[str, str]) -> None:
    expected = {
        name: sample_settings[str(trigger["schedule"]).strip("%")]
        for name, trigger in golden_triggers("timerTrigger").items()
    }
    assert {timer.target.name: str(timer.schedule) for timer in plan.timers} == expected


def test_queues_are_those_of_the_settings(plan: Plan, sample_settings: dict[str, str]) -> None:
    at_once = json.loads((ROOT / "host.json").read_text())["extensions"]["serviceBus"]["maxConcurrentCalls"]
    expected = {
        name: (trigger["connection"], sample_settings[str(trigger["queueName"]).strip("%")], at_once)
        for name, trigger in golden_triggers("serviceBusTrigger").items()
    }
    assert {q.target.name: (q.connection, q.queue, q.at_once) for q in plan.queues} == expected


def test_a_function_switched_off_in_the_settings_is_left_out() -> None:
    off = {**SETTINGS, "AzureWebJobs.tick.Disabled": "true"}
    assert plan_of(with_timer(nothing), off).timers == ()


# --------------------------------------------------------------------------------- refusals before the start


async def nothing(_: object) -> None:
    return None


def bound(decorate: Callable[[func.FunctionApp], Callable[..., object]], **settings: str) -> Plan:
    app = new_app()

    async def handler(message: func.ServiceBusMessage) -> None:
        return None

    decorate(app)(handler)
    return plan_of(app, {**SETTINGS, **settings})


def refused_queue(**options: object) -> Callable[[], Plan]:
    given = {"connection": "SERVICEBUS", "queue_name": "%QUEUE%", **options}
    return lambda: bound(lambda app: app.service_bus_queue_trigger("message", **given))  # type: ignore[arg-type]


def refused_timer(schedule: str) -> Callable[[], Plan]:
    return lambda: plan_of(with_timer(nothing), {**SETTINGS, "EVERY_MINUTE": schedule})


def refused_route(route: str, **settings: str) -> Callable[[], Plan]:
    return lambda: plan_of(with_routes({route: (["GET"], ok)}), {**SETTINGS, **settings})


def two_apps_share_a_route() -> Plan:
    return plan_of(with_routes({"a/{x}": (["GET"], ok), "A/{y}": (["GET", "POST"], ok)}))


def guarded_by_a_key() -> Plan:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

    @app.route(route="a")
    async def keyed(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse()

    return plan_of(app)


def unknown_parameter() -> Plan:
    app = new_app()

    @app.route(route="a")
    async def asks(req: func.HttpRequest, service: object = None) -> func.HttpResponse:
        return func.HttpResponse()

    return plan_of(app)


def blob_trigger() -> Plan:
    app = new_app()

    @app.blob_trigger("blob", path="a/b", connection="AzureWebJobsStorage")
    async def reads(blob: func.InputStream) -> None:
        return None

    return plan_of(app)


def on_start() -> Plan:
    app = new_app()

    @app.timer_trigger("timer", schedule="0 * * * * *", run_on_startup=True)
    async def starts(timer: func.TimerRequest) -> None:
        return None

    return plan_of(app)


REFUSED: list[tuple[Callable[[], Plan], str]] = [
    (refused_queue(queue_name="%NOWHERE%"), "the setting NOWHERE is missing"),
    (refused_queue(connection="OTHERBUS"), "the connection OTHERBUS is not in"),
    (refused_queue(is_sessions_enabled=True), "no sessions"),
    (refused_queue(cardinality="many"), "cardinality must be one"),
    (refused_timer(""), "the setting EVERY_MINUTE is missing"),
    (refused_timer("* * * * *"), "needs six fields"),
    (refused_timer("0 61 * * * *"), "Bad minute"),
    (refused_timer("0 0 0 1 * 1"), "restricts day and weekday"),
    (refused_timer("0 0 0 L * *"), "which NCRONTAB has not"),
    (refused_timer("0 0 0 * * 7"), "which NCRONTAB has not"),
    (refused_route("/", AzureWebJobsDisableHomepage="false"), "AzureWebJobsDisableHomepage=true"),
    (refused_route(""), 'write "/" for the root'),
    (refused_route("Admin/x"), "belong to the Functions host"),
    (refused_route("a/{id:int}"), "does not play the route part"),
    (refused_route("{*rest}/a"), "only the last part"),
    (refused_route("a", FUNCTIONS_WORKER_RUNTIME="node"), "must be python"),
    (refused_route("a", AzureWebJobsStorage=""), "AzureWebJobsStorage is missing"),
    (two_apps_share_a_route, "share the route GET"),
    (guarded_by_a_key, "must be ANONYMOUS"),
    (unknown_parameter, "its parameters and its bindings differ: service"),
    (blob_trigger, "does not play blobTrigger"),
    (on_start, "run_on_startup"),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_azure_refuses_or_reads_differently_is_refused(make: Callable[[], Plan], reason: str) -> None:
    with pytest.raises(HostRefused, match=re.escape(reason)):
        make()


def test_a_taken_port_says_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(HostRefused, match=r"taken .* --port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_two_names_for_the_app_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two_names.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\napplication = app\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HostRefused, match=r"found 2 \(app, application\)"):
        load_app("two_names")


BAD_FILES = [
    ("{", "line 1, column 2"),
    ("[]", 'with "Values"'),
    ('{"IsEncrypted": true, "Values": {}}', "func settings decrypt"),
    ('{"Values": {"A": true}}', "Values.A: write it as text"),
]


@pytest.mark.parametrize(("text", "reason"), BAD_FILES)
def test_a_bad_settings_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(text)
    with pytest.raises(HostRefused, match=re.escape(reason)):
        read_settings(file, {})


def test_a_missing_settings_file_says_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(HostRefused, match=r"copy local\.settings\.json\.example"):
        read_settings(tmp_path / "local.settings.json", {})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text('{"Values": {"A": "file", "B": "file"}}')
    assert read_settings(file, {"A": "environment", "C": "other"}) == {"A": "environment", "B": "file"}


def test_host_json_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "1.0"}')
    with pytest.raises(HostRefused, match="version"):
        HostJson.read(tmp_path / "host.json")


# ---------------------------------------------------------------------------------------------------- HTTP


async def ok(_req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


async def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "headers": dict(req.headers),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen), status_code=202, headers={"content-type": "application/json"})


@pytest.fixture
def routes() -> Plan:
    return plan_of(
        with_routes(
            {
                "/": (["GET"], ok),
                "export/{token}.ics": (["GET"], echo),
                "export/{anything}": (["GET"], ok),
                "hooks/{platform}/{secret}/{*path}": (["GET", "PUT"], echo),
            }
        )
    )


FOUND: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/export/abc.ics", {"token": "abc"}),
    ("GET", "/EXPORT/abc.ICS", {"token": "abc"}),
    ("GET", "/export/a.b.ics/", {"token": "a.b"}),
    ("GET", "/export/a%2Fb%20c.ics", {"token": "a%2Fb c"}),
    ("PUT", "/hooks/airbnb/s3cret/HMABC", {"platform": "airbnb", "secret": "s3cret", "path": "HMABC"}),
    ("GET", "/hooks/airbnb/s3cret/a/b%C3%A9", {"platform": "airbnb", "secret": "s3cret", "path": "a/bé"}),
    ("GET", "/hooks/airbnb/s3cret", {"platform": "airbnb", "secret": "s3cret"}),
]


async def test_routes_are_matched_as_azure_matches_them(routes: Plan) -> None:
    async with running(routes) as at, httpx.AsyncClient(base_url=at.base) as client:
        for method, path, params in FOUND:
            assert (await client.request(method, path)).json()["params"] == params
        assert (await client.get("/")).text == "ok"
        assert (await client.get("/export/plain")).text == "ok"


NOT_FOUND = [
    ("GET", "/nothing"),
    ("GET", "/export/.ics/x"),
    ("GET", "/hooks/airbnb"),
    ("POST", "/hooks/airbnb/s3cret"),
    ("HEAD", "/"),
    ("DELETE", "/"),
]


async def test_no_route_or_no_method_is_404_as_on_azure(routes: Plan) -> None:
    async with running(routes) as at, httpx.AsyncClient(base_url=at.base) as client:
        for method, path in NOT_FOUND:
            answer = await client.request(method, path)
            assert (answer.status_code, answer.content) == (404, b""), (method, path)


async def test_a_request_reaches_the_function_as_the_worker_gives_it(routes: Plan) -> None:
    headers = [("X-One", "a"), ("X-One", "b"), ("Content-Type", "application/json")]
    async with running(routes) as at, httpx.AsyncClient(base_url=at.base) as client:
        path = "/hooks/p/s/x?a=1&a=2&b=&c=d%20e"
        answer = await client.put(path, headers=headers, content=b'{"\xe9": 1}')
    seen = answer.json()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert (seen["method"], seen["url"]) == ("PUT", at.base + path)
    assert seen["query"] == {"a": "1,2", "c": "d e"}
    assert seen["headers"]["x-one"] == "a,b"
    assert seen["body"] == '{"\xe9": 1}'


async def test_a_failing_function_answers_500_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("guest Ada Sample")

    async def empty(_req: func.HttpRequest) -> None:
        return None

    plan = plan_of(with_routes({"fails/{secret}": (["GET"], fails), "empty": (["GET"], empty)}))
    async with running(plan) as at, httpx.AsyncClient(base_url=at.base) as client:
        with caplog.at_level(logging.INFO):
            answer = await client.get("/fails/hunter2")
        assert (answer.status_code, answer.content) == (500, b"")
        assert (await client.get("/empty")).status_code == 204
    assert "RuntimeError" in caplog.text
    assert "Ada" not in caplog.text
    assert "hunter2" not in "".join(r.getMessage() for r in caplog.records if r.name == "host")


async def test_a_plain_function_runs_beside_the_loop() -> None:
    app = new_app()

    @app.route(route="plain", methods=["GET"])
    def plain(req: func.HttpRequest, context: func.Context) -> str:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return context.function_name

    async with running(plan_of(app)) as at, httpx.AsyncClient(base_url=at.base) as client:
        assert (await client.get("/plain")).text == "plain"


# -------------------------------------------------------------------------------------------------- timers


def at_second(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 5, 1, hour, minute, second, tzinfo=UTC)


async def ticks(
    work: Callable[[VirtualTime], Awaitable[object]], lasts: timedelta
) -> list[tuple[datetime, bool]]:
    """When the function ran, and whether it was told to be late."""
    time = VirtualTime(lasts)
    seen: list[tuple[datetime, bool]] = []

    async def tick(timer: func.TimerRequest) -> object:
        seen.append((time.now(), timer.past_due))
        return await work(time)

    plan = plan_of(with_timer(tick)).timers[0]
    with pytest.raises(Over):
        await TimerLoop(plan, Invocations(), time.now, time.sleep).run()
    return seen


async def test_a_timer_runs_at_its_ticks() -> None:
    assert await ticks(nothing, timedelta(minutes=3)) == [
        (at_second(12, 1), False),
        (at_second(12, 2), False),
        (at_second(12, 3), False),
    ]


async def test_ticks_missed_by_a_long_run_become_one_late_run() -> None:
    long = iter([150.0])

    async def work(time: VirtualTime) -> None:
        time.time += timedelta(seconds=next(long, 0.0))

    assert await ticks(work, timedelta(minutes=5)) == [
        (at_second(12, 1), False),
        (at_second(12, 3, 30), True),
        (at_second(12, 4), False),
        (at_second(12, 5), False),
    ]


async def test_a_clock_that_wakes_early_serves_each_tick_once() -> None:
    class Early(VirtualTime):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds * 0.999 if seconds > 0.001 else seconds)

    time = Early(timedelta(minutes=3))
    seen: list[datetime] = []

    async def tick(_timer: func.TimerRequest) -> None:
        seen.append(time.now().replace(microsecond=0))

    with pytest.raises(Over):
        await TimerLoop(plan_of(with_timer(tick)).timers[0], Invocations(), time.now, time.sleep).run()
    assert seen == [at_second(12, 1), at_second(12, 2), at_second(12, 3)]


async def test_after_standby_one_late_run_remains() -> None:
    class Standby(VirtualTime):
        async def sleep(self, seconds: float) -> None:
            nap = 3600 if self.time == at_second(12, 1) else seconds
            await super().sleep(nap)

    time = Standby(timedelta(minutes=62))
    seen: list[tuple[datetime, bool]] = []

    async def tick(timer: func.TimerRequest) -> None:
        seen.append((time.now(), timer.past_due))

    with pytest.raises(Over):
        await TimerLoop(plan_of(with_timer(tick)).timers[0], Invocations(), time.now, time.sleep).run()
    assert seen == [(at_second(12, 1), False), (at_second(13, 1), True), (at_second(13, 2), False)]


async def test_a_failing_run_does_not_stop_the_schedule(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_time: VirtualTime) -> None:
        raise RuntimeError("guest Ada Sample")

    assert len(await ticks(fails, timedelta(minutes=3))) == 3
    assert caplog.text.count("tick: invocation failed: RuntimeError") == 3
    assert "Ada" not in caplog.text


async def test_a_returned_value_fails_the_invocation_as_in_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def returns(_time: VirtualTime) -> str:
        return "something"

    await ticks(returns, timedelta(minutes=1))
    assert "WrongReturn" in caplog.text


# -------------------------------------------------------------------------------------------------- queues


async def test_a_message_arrives_whole_counts_from_1_and_is_completed() -> None:
    seen: list[tuple[object, ...]] = []
    done = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        body = json.loads(message.get_body())
        seen.append((body["key"], message.delivery_count, message.message_id, message.correlation_id))
        done.set()

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa", "7", "correlation-1")])
        await done.wait()
    assert seen == [("villa", 1, "site|villa|7", "correlation-1")]
    assert await waiting(at.bus) == []


async def waiting(bus: object) -> list[str]:
    """Keys of what is still in the queue, locked or not."""
    return [json.loads(stored.body)["key"] for stored in bus._queues["work"].waiting.values()]  # type: ignore[attr-defined]


async def test_a_failure_gives_the_message_back_and_counts() -> None:
    counts: list[int | None] = []
    done = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        counts.append(message.delivery_count)
        if len(counts) < 3:
            raise RuntimeError
        done.set()

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await done.wait()
    assert counts == [1, 2, 3]
    assert await waiting(at.bus) == []


async def test_after_ten_failures_the_queue_itself_dead_letters() -> None:
    counts: list[int | None] = []
    tenth = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        counts.append(message.delivery_count)
        if len(counts) == 10:
            tenth.set()
        raise RuntimeError

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await tenth.wait()
    assert counts == list(range(1, 11))
    assert [dead.message.key for dead in await at.bus.dead_letters("work", 5)] == ["villa"]


async def test_no_more_run_at_once_than_host_json_says() -> None:
    running_now, most, total = 0, 0, 0
    release, all_done = asyncio.Event(), asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        nonlocal running_now, most, total
        running_now += 1
        most = max(most, running_now)
        if running_now == 3:
            release.set()
        await release.wait()
        running_now -= 1
        total += 1
        if total == 9:
            all_done.set()

    async with running(plan_of(with_queue(work), at_once=3)) as at:
        await at.bus.send("work", [Message("site", str(n)) for n in range(9)])
        await all_done.wait()
    assert most == 3


async def test_a_bus_that_was_away_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        done.set()

    async with running(plan_of(with_queue(work))) as at:
        at.bus.put("work", b'{"kind": "site", "key": "villa"}', "1")
        at.bus.down = True
        while "the bus is away" not in caplog.text:
            await asyncio.sleep(0)
        at.bus.down = False
        at.release()
        await done.wait()


async def test_a_lost_lock_does_not_stop_the_pump(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()
    keys: list[str] = []

    async def work(message: func.ServiceBusMessage) -> None:
        keys.append(json.loads(message.get_body())["key"])
        if keys[-1] == "first":
            at.bus._queues["work"].waiting.clear()
            await at.bus.send("work", [Message("site", "second")])
        else:
            done.set()

    async with running(plan_of(with_queue(work), at_once=1)) as at:
        await at.bus.send("work", [Message("site", "first")])
        await done.wait()
    assert keys == ["first", "second"]
    assert "not settled" in caplog.text


@pytest.mark.bus
async def test_the_same_through_the_sdk() -> None:
    counts: list[tuple[int | None, str]] = []
    done = asyncio.Event()

    async def work(message: func.ServiceBusMessage) -> None:
        counts.append((message.delivery_count, message.message_id))
        if len(counts) == 1:
            raise RuntimeError
        done.set()

    async with StandIn([QueueConfig("work")]) as service:
        bus = ServiceBus(connection_string=service.connection_string)
        async with running(plan_of(with_queue(work)), other=bus):
            await bus.send("work", [Message("site", "villa", "7")])
            await done.wait()
        left = service.broker.find("work").counts()
        await bus.close()
    assert counts == [(1, "site|villa|7"), (2, "site|villa|7")]
    assert set(left.values()) == {0}


# ------------------------------------------------------------------------------------------------ shutdown


async def test_a_stop_lets_running_work_come_to_its_end() -> None:
    begun, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        begun.set()
        await release.wait()
        ended.set()

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await begun.wait()
        at.stop()
        assert not at.served.done()
        release.set()
        await at.served
    assert ended.is_set()
    assert await waiting(at.bus) == []


async def test_a_stop_answers_the_request_that_runs() -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(_req: func.HttpRequest) -> func.HttpResponse:
        begun.set()
        await release.wait()
        return func.HttpResponse("done")

    plan = plan_of(with_routes({"slow": (["GET"], slow)}))
    async with running(plan) as at, httpx.AsyncClient(base_url=at.base) as client:
        asked = asyncio.create_task(client.get("/slow"))
        await begun.wait()
        at.stop()
        release.set()
        assert (await asked).text == "done"
        await at.served
        with pytest.raises(httpx.ConnectError):
            await client.get("/slow")


async def test_what_does_not_end_is_cancelled_named_and_not_completed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with running(plan_of(with_queue(work)), grace=0.05) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await begun.wait()
    assert cancelled.is_set()
    assert "worker did not end" in caplog.text
    assert await waiting(at.bus) == ["villa"]


# ---------------------------------------------------------------------------------------------- the command

APP = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="hello/{name}", methods=["GET"])
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    import os
    return func.HttpResponse(os.environ["GREETING"] + " " + req.route_params["name"])
"""


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    values = {**SETTINGS, "GREETING": "hello"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    return tmp_path


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "local.host", *arguments],
        cwd=folder,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_command_serves_and_stops_cleanly(app_folder: Path) -> None:
    with start(app_folder, "--port", "0") as process:
        assert process.stdout is not None
        base = next(line.split()[1] for line in process.stdout if line.startswith("ready "))
        # Without routePrefix in host.json the prefix is the Functions host's own: api.
        assert httpx.get(f"{base}/api/hello/you").text == "hello you"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "stopped\n"), err


def test_the_command_refuses_a_taken_port(app_folder: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        process = start(app_folder, "--port", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert err.startswith("the host does not start: port ")
