"""The triggers of the real app, driven by the local host, against an engine that only writes down what it is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import azure.functions as func
import httpx
import pytest

from local.host.inputs import service_bus_message, timer_request
from local.host.invocations import call
from local.host.plan import Plan, Target
from shared import bootstrap, edge
from shared.correlation import current
from shared.domain.access import NOBODY
from shared.domain.errors import PayloadRejected, StaleWrite, StoreUnavailable
from shared.ports.bus import Message, Received
from shared.routes import ROUTES, Route
from shared.use_cases import Ask, Engine, HttpAnswer, WebhookCall
from tests.functions.tiny import NOON, running

PROBLEM = "application/problem+json"


class Recorder:
    """Answers 200 and remembers; with ``error`` every use case raises it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[object, ...]]] = []
        self.correlations: list[str] = []
        self.error: Exception | None = None

    def _write(self, name: str, *given: object) -> HttpAnswer:
        self.asked.append((name, given))
        self.correlations.append(current())
        if self.error:
            raise self.error
        return HttpAnswer(200, b"<p>", {"Content-Type": "text/html; charset=utf-8", "ETag": '"7"'})

    async def on_timer_poll_feeds(self) -> None:
        self._write("poll_feeds")

    async def on_timer_poll_accounts(self) -> None:
        self._write("poll_accounts")

    async def on_timer_sweep(self) -> None:
        self._write("sweep")

    async def on_timer_walk(self) -> None:
        self._write("walk")

    async def on_timer_deep(self) -> None:
        self._write("deep")

    async def on_timer_health(self) -> None:
        self._write("timer_health")

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        at = (call.platform, call.secret, call.path, call.method)
        return self._write("webhook", *at, call.headers["X-Name"], dict(call.query), call.body)

    async def work(self, body: bytes, deliveries: int, message_id: str) -> None:
        self._write("work", body, deliveries, message_id)

    async def conflict(self, body: bytes, deliveries: int, message_id: str) -> None:
        self._write("conflict", body, deliveries, message_id)

    async def export_calendar(self, token: str, headers: Mapping[str, str]) -> HttpAnswer:
        return self._write("export", token, headers.get("If-None-Match"))

    async def health(self) -> HttpAnswer:
        return self._write("health")


@dataclass
class Door:
    """The console's door: remembers what came to it, by route."""

    recorder: Recorder
    asked: list[tuple[str, Ask]] = field(default_factory=list)

    async def answer(self, route: Route, ask: Ask) -> HttpAnswer:
        self.asked.append((route.name, ask))
        return self.recorder._write(route.name)


class Counters:
    def __init__(self) -> None:
        self.counted: list[tuple[str, dict[str, str]]] = []

    def event(self, name: str, **fields: str | int | float) -> None: ...

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        self.counted.append((name, dimensions))

    def gauge(self, name: str, value: float, **dimensions: str) -> None: ...


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()

    def engine() -> Engine:
        return found

    monkeypatch.setattr(bootstrap, "engine", engine)
    monkeypatch.setattr(bootstrap, "receiver", engine)
    return found


@pytest.fixture
def door(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Door:
    found = Door(recorder)
    monkeypatch.setattr(bootstrap, "console", lambda: found)
    return found


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Counters:
    found = Counters()
    monkeypatch.setattr(bootstrap, "telemetry", lambda: found)
    return found


async def test_http_functions_hand_over_the_request_and_the_answer(recorder: Recorder, plan: Plan) -> None:
    web = Plan(plan.routes, plan.targets, (), ())
    async with running(web) as at, httpx.AsyncClient(base_url=at.base, headers={"x-name": "n"}) as client:
        answer = await client.get("/export/tok.en.ics", headers={"if-none-match": '"6"'})
        assert (answer.status_code, answer.text) == (200, "<p>")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["etag"] == '"7"'
        await client.head("/health")
        await client.put("/webhooks/airbnb/s3cret/HMABC?a=1", content=b"\x00\xff")
        await client.get("/webhooks/airbnb/s3cret?action=check_availability")
    assert recorder.asked == [
        ("export", ("tok.en", '"6"')),
        ("health", ()),
        ("webhook", ("airbnb", "s3cret", "HMABC", "PUT", "n", {"a": "1"}, b"\x00\xff")),
        ("webhook", ("airbnb", "s3cret", "", "GET", "n", {"action": "check_availability"}, b"")),
    ]
    assert len(set(recorder.correlations)) == 4


async def test_every_route_of_the_table_leads_to_the_door(door: Door, plan: Plan) -> None:
    web = Plan(plan.routes, plan.targets, (), ())
    async with running(web) as at, httpx.AsyncClient(base_url=at.base) as client:
        for route in ROUTES:
            path = re.sub(r"{(\w+)}", r"the-\1", route.path).lstrip("/")
            body = b"\x00\xff" if route.changes else b""
            answer = await client.request(
                route.method, f"/{path}?a=1", content=body, headers={"X-Name": route.name}
            )
            assert (answer.status_code, answer.text) == (200, "<p>"), route
            name, ask = door.asked[-1]
            assert (name, ask.method, ask.path, ask.body) == (route.name, route.method, f"/{path}", body)
            assert dict(ask.params) == {one: f"the-{one}" for one in re.findall(r"{(\w+)}", route.path)}
            assert (dict(ask.query), ask.headers["x-name"]) == ({"a": "1"}, route.name)
            assert ask.person is NOBODY
    assert [name for name, _ in door.asked] == [route.name for route in ROUTES]


def timers(plan: Plan) -> dict[str, Target]:
    return {timer.target.name: timer.target for timer in plan.timers}


async def test_each_timer_asks_for_its_use_case(recorder: Recorder, plan: Plan) -> None:
    for target in timers(plan).values():
        await call(target, timer_request(None, NOON, past_due=False))
    asked = dict(zip(timers(plan), (name for name, _ in recorder.asked), strict=True))
    assert asked == {
        "sync_scheduler_feeds": "poll_feeds",
        "sync_scheduler_accounts": "poll_accounts",
        "sync_scheduler_sweep": "sweep",
        "sync_scheduler_walk": "walk",
        "sync_scheduler_deep": "deep",
        "health_monitor": "timer_health",
    }


async def test_each_queue_hands_over_body_count_and_id(recorder: Recorder, plan: Plan) -> None:
    message = Message("site", "villa", "7", "from-the-message")
    delivery = Received(message, 3, 1, raw=b'{"kind":"site"}')
    for queue in plan.queues:
        await call(queue.target, service_bus_message(delivery))
    expected = (b'{"kind":"site"}', 3, "site|villa|7")
    assert recorder.asked == [("work", expected), ("conflict", expected)]
    assert recorder.correlations == ["from-the-message"] * 2


# ------------------------------------------------------------------------------------------------ the edge


def request() -> func.HttpRequest:
    return func.HttpRequest("GET", "http://localhost/x", body=b"")


@edge.http
async def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return edge.response(await bootstrap.engine().health())


async def test_a_failure_is_500_with_a_problem_that_says_nothing(
    recorder: Recorder, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.error = ValueError("https://example.org/feed?token=hunter2")
    answer = await guarded(request())
    problem = json.loads(answer.get_body())
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert problem["correlation"] == recorder.correlations[0]
    assert set(problem) == {"type", "title", "status", "correlation"}
    assert counters.counted == [("trigger_failed", {"function": "guarded", "error": "ValueError"})]
    assert recorder.correlations[0] in caplog.text
    assert "ValueError at test_handlers.py:" in caplog.text
    assert "hunter2" not in caplog.text


async def test_what_may_pass_is_503_with_retry_after(recorder: Recorder, counters: Counters) -> None:
    recorder.error = StoreUnavailable("the table store did not answer", retry_after=7.4)
    answer = await guarded(request())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_others_that_keep_being_first_are_something_to_wait_for(
    recorder: Recorder, counters: Counters
) -> None:
    recorder.error = StaleWrite("site mill: others were first 8 times")
    answer = await guarded(request())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("<script>hunter2"), 500, ("n’a pas pu être montrée", "could not be shown")),
        (StoreUnavailable("no answer", retry_after=7), 503, ("Un instant", "One moment")),
    ],
)
async def test_a_page_that_fails_is_a_calm_page_in_both_languages(
    door: Door,
    recorder: Recorder,
    counters: Counters,
    plan: Plan,
    error: Exception,
    status: int,
    said: tuple[str, str],
) -> None:
    recorder.error = error
    web = Plan(plan.routes, plan.targets, (), ())
    async with running(web) as at, httpx.AsyncClient(base_url=at.base) as client:
        page = await client.get("/")
        programs = await client.get("/api/status")
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == "default-src 'none'"
    assert page.headers.get("retry-after") == ("7" if status == 503 else None)
    assert all(words in page.text for words in (*said, recorder.correlations[0]))
    assert "hunter2" not in page.text
    assert (programs.status_code, programs.headers["content-type"]) == (status, PROBLEM)


async def failing(plan: Plan) -> edge.InvocationFailed:
    target = next(queue.target for queue in plan.queues if queue.target.name == "sync_worker")
    delivery = Received(Message("site", "villa"), 1, 1)
    with pytest.raises(edge.InvocationFailed) as caught:
        await call(target, service_bus_message(delivery))
    return caught.value


async def test_a_failed_message_fails_the_invocation_without_foreign_text(
    recorder: Recorder, counters: Counters, plan: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.error = RuntimeError("guest Ada Sample")
    raised = await failing(plan)
    # A host logs the exception with its causes: neither may show the foreign text.
    logging.getLogger("host").error("failed", exc_info=raised)
    assert "Ada" not in caplog.text
    assert "RuntimeError" in str(raised)
    assert counters.counted[0][1]["function"] == "sync_worker"


async def test_our_own_errors_keep_their_text(recorder: Recorder, counters: Counters, plan: Plan) -> None:
    recorder.error = PayloadRejected("message without a kind")
    assert "PayloadRejected: message without a kind" in str(await failing(plan))


async def test_of_several_failures_each_is_told_and_counted(
    recorder: Recorder, counters: Counters, plan: Plan
) -> None:
    recorder.error = ExceptionGroup("2 chores failed", [PayloadRejected("one odd row"), KeyError("Ada")])
    said = str(await failing(plan))
    assert "PayloadRejected: one odd row; KeyError at " in said
    assert "Ada" not in said
    assert [fields["error"] for _, fields in counters.counted] == ["PayloadRejected", "KeyError"]


async def test_a_late_timer_says_so(recorder: Recorder, plan: Plan, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    target = timers(plan)["sync_scheduler_sweep"]
    await call(target, timer_request(None, NOON, past_due=False))
    assert "runs_late" not in caplog.text
    await call(target, timer_request(None, NOON, past_due=True))
    assert json.loads(caplog.messages[-1])["event"] == "runs_late"
    assert json.loads(caplog.messages[-1])["function"] == "sweep"


async def test_a_cancelled_invocation_is_not_a_failure(
    recorder: Recorder, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled() -> NoReturn:
        raise asyncio.CancelledError

    monkeypatch.setattr(recorder, "health", cancelled)
    with pytest.raises(asyncio.CancelledError):
        await guarded(request())
    assert counters.counted == []


async def test_a_strange_correlation_id_is_not_taken_over(recorder: Recorder, plan: Plan) -> None:
    target = plan.queues[0].target
    for strange in ("short", "line\nbreak-line", "x" * 65):
        delivery = Received(Message("site", "villa", correlation=strange), 1, 1)
        await call(target, service_bus_message(delivery))
        assert recorder.correlations[-1] != strange
        assert len(recorder.correlations[-1]) == 32
