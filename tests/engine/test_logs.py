"""Logs: one id from the doorbell to the confirmation, one JSON object a line, no guest, no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from local.host.log_lines import JsonLines
from shared import meter
from shared.adapters.http_meter import MeteredHttp
from shared.adapters.log_voice import LogNotify, LogTelemetry
from shared.correlation import correlated, current
from shared.domain.dates import StayDates
from shared.domain.errors import PlatformDown
from shared.domain.model import SyncMode
from shared.domain.wish import Wanted
from shared.log_line import log_line
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.messages import encode
from shared.ports.http import Request, Response
from shared.ports.people import Notice
from shared.use_cases import WebhookCall
from tests.engine.people import LOCAL
from tests.engine.village import Village
from tests.functions.conftest import ROOT

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
STORY = "the-story-of-one-stay"


class SpokenTelemetry(MemoryTelemetry):
    """Kept and written to the log."""

    def event(self, name: str, **fields: str | int | float) -> None:
        super().event(name, **fields)
        LogTelemetry().event(name, **fields)


class SpokenNotify(MemoryNotify):
    """Kept and written to the log."""

    async def tell(self, notice: Notice) -> None:
        await super().tell(notice)
        await LogNotify("en").tell(notice)


@pytest.fixture
def told(village: Village, caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The log's lines as they come; the engine's own alone."""
    caplog.set_level(logging.INFO, "sync")
    village.telemetry, village.notify = SpokenTelemetry(), SpokenNotify()
    village.engine = village._engine()
    lines: list[dict[str, Any]] = []

    class Reading(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(record.getMessage()))

    handler = Reading()
    logging.getLogger("sync").addHandler(handler)
    yield lines
    logging.getLogger("sync").removeHandler(handler)


def drain(village: Village) -> None:
    """As the trigger's edge does it: each message under the id it carries."""

    async def work() -> None:
        for _ in range(50):
            busy = False
            for queue, handler in (("work", village.engine.work), ("conflicts", village.engine.conflict)):
                for one in await village.bus.receive(queue, 10, 0):
                    busy = True
                    with correlated(one.message.correlation):
                        await handler(encode(one.message), one.deliveries, one.message.message_id)
                    await village.bus.complete(queue, one)
            if not busy:
                return

    village.run(work())


def ring(village: Village, correlation: str) -> None:
    """Deliver what the platform said, under that id."""

    async def receive() -> None:
        with correlated(correlation):
            for body in village.deliveries:
                await village.engine.receive_webhook(
                    WebhookCall("airbnb", "secret", "notification", body=body)
                )
        village.deliveries.clear()

    village.run(receive())


def sweep(village: Village) -> None:
    async def tick() -> None:
        with correlated("a-timer-of-its-own"):
            await village.engine.on_timer_sweep()

    village.run(tick())


def events(lines: list[dict[str, Any]], correlation: str = STORY) -> list[str]:
    return [line["event"] for line in lines if line.get("correlation") == correlation]


def test_one_id_tells_the_whole_story_of_a_stay(village: Village, told: list[dict[str, Any]]) -> None:
    village.book("airbnb", JULY)
    ring(village, STORY)
    drain(village)
    assert events(told) == ["webhook_stored", "write", "notice", "reconciled", "run", "run"]
    write = next(line for line in told if line["event"] == "write")
    assert write["closed"] == "2027-07-10..2027-07-12 (3)"
    assert (write["listing"], write["ended"]) == ("gite-booking", "accepted")


def test_what_waits_for_hours_goes_on_under_the_id_it_began_with(
    village: Village, told: list[dict[str, Any]]
) -> None:
    village.booking.faults.down = True
    village.book("airbnb", JULY)
    ring(village, STORY)
    drain(village)
    assert village.booking.calendar.closed == set()
    village.booking.faults.down = False
    village.clock.advance(timedelta(hours=3))
    sweep(village)
    drain(village)
    assert village.booking.calendar.closed == set(JULY.nights())
    ends = [line["ended"] for line in told if line["event"] == "write" and line["correlation"] == STORY]
    assert ends[0] == "unknown"
    assert ends[-1] == "accepted"


def test_what_a_sweep_does_itself_goes_on_under_its_own_id_too(
    village: Village, told: list[dict[str, Any]]
) -> None:
    village.bus.down = True
    village.book("airbnb", JULY)
    ring(village, STORY)
    village.clock.advance(timedelta(seconds=30))
    sweep(village)
    assert village.booking.calendar.closed == set(JULY.nights())
    assert {"webhook_stored", "write", "reconciled"} <= set(events(told))


def test_a_delivery_nobody_heard_of_is_found_under_its_own_id(
    village: Village, told: list[dict[str, Any]]
) -> None:
    village.book("airbnb", JULY)
    ring(village, STORY)
    for one in village.run(village.bus.receive("work", 10, 0)):
        village.run(village.bus.complete("work", one))  # the message is lost
    village.clock.advance(timedelta(seconds=30))
    sweep(village)
    drain(village)
    assert {"webhook_stored", "write", "reconciled"} <= set(events(told))


def test_a_double_sale_is_told_under_the_id_of_the_sale_that_made_it(
    village: Village, told: list[dict[str, Any]]
) -> None:
    village.book("greengo", JULY)
    village.book("airbnb", JULY)
    village.run(village.poll_greengo())
    drain(village)
    ring(village, STORY)
    drain(village)
    names = events(told)
    assert "conflict_told" in names
    assert names.index("webhook_stored") < names.index("reconciled") < names.index("conflict_told")
    notice = next(line for line in told if line["event"] == "notice" and line["notice"] == "conflict")
    assert (notice["correlation"], notice["level"]) == (STORY, "warning")


def test_a_job_and_all_its_steps_carry_one_id(village: Village, told: list[dict[str, Any]]) -> None:
    async def ask() -> None:
        with correlated(STORY):
            await village.engine.sync_desk.start(LOCAL, Wanted(SyncMode.MANUAL))

    village.book("greengo", JULY)
    village.run(ask())
    drain(village)
    assert "write" in events(told)
    assert {line.get("correlation") for line in told if line["event"] in ("write", "run")} == {STORY}


def test_no_line_shows_a_secret_or_a_body(village: Village, told: list[dict[str, Any]]) -> None:
    village.book("airbnb", JULY)
    ring(village, STORY)
    drain(village)
    village.run(village.greengo_pulls())
    drain(village)
    written = json.dumps(told)
    tokens = [*village.tokens.values(), "greengo.example/x", '"secret"']
    assert told
    assert [token for token in tokens if token in written] == []


# ------------------------------------------------------------------------------------------- the line itself


def test_a_line_is_one_json_object_with_time_level_and_event() -> None:
    with correlated(STORY):
        line = log_line("info", "write", {"platform": "airbnb", "time": "of the field"}, 0.25)
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "info",
        "event": "write",
        "correlation": STORY,
        "platform": "airbnb",
    }


@pytest.mark.parametrize("sign", ["\n", "\r", "\u0085", "\u2028", "\u202e", "\x1b"])
def test_nothing_in_a_field_breaks_the_line(sign: str) -> None:
    line = log_line("info", "odd", {"why": f"a{sign}b"})
    assert line.isprintable()
    assert json.loads(line)["why"] == f"a{sign}b"


def test_the_hosts_own_lines_have_the_same_form() -> None:
    formatter = JsonLines()
    app = logging.LogRecord("sync", logging.INFO, "", 0, "%s", ('{"event": "x"}',), None)
    assert formatter.format(app) == '{"event": "x"}'
    other = logging.LogRecord("uvicorn", logging.WARNING, "", 0, "two\nlines", (), None)
    line = json.loads(formatter.format(other))
    assert (line["level"], line["event"], line["text"]) == ("warning", "log", "two\nlines")
    assert line["time"].endswith("Z")
    forged = logging.LogRecord("uvicorn", logging.INFO, "", 0, '{"event": "forged"}', (), None)
    assert json.loads(formatter.format(forged))["event"] == "log"


# ------------------------------------------------------------------------------------------------- calls


class Wire:
    """Answers 200, or does not."""

    def __init__(self, answer: Response | None) -> None:
        self.answer = answer

    async def send(self, request: Request) -> Response:
        if self.answer is None:
            raise PlatformDown("example.org: no complete answer within 10 s")
        return self.answer

    async def close(self) -> None: ...


REQUEST = Request("POST", "https://example.org/hunter2?token=hunter2", {"x-key": "hunter2"}, b"hunter2!")


@pytest.mark.parametrize(
    ("answer", "ended", "status", "moved"),
    [(Response(201, {}, b"1234"), "2xx", 201, 12), (None, "PlatformDown", 0, 8)],
)
async def test_each_call_is_one_line_and_counted_for_its_run(
    answer: Response | None, ended: str, status: int, moved: int
) -> None:
    telemetry, ticks = MemoryTelemetry(), iter((10.0, 10.25))
    http = MeteredHttp(Wire(answer), telemetry, lambda: next(ticks))
    with meter.metering(wanted=True) as run, meter.calling("airbnb", "main", "write calendar"):
        try:
            await http.send(REQUEST)
        except PlatformDown:
            assert answer is None
    [(name, fields)] = telemetry.events
    assert name == "platform_call"
    assert fields == {
        "platform": "airbnb",
        "account": "main",
        "operation": "write calendar",
        "ended": ended,
        "status": status,
        "duration_ms": 250,
        "bytes": moved,
    }
    assert run.figures == {"airbnb": {"calls": 1, "bytes": moved}}
    assert [line["what"] for line in run.lines] == ["call"]
    assert "hunter2" not in json.dumps([telemetry.events, [dict(line) for line in run.lines]])


def test_outside_of_a_trigger_there_is_no_id() -> None:
    assert current() == ""
    assert "correlation" not in json.loads(log_line("info", "start", {}))


def test_the_azure_host_keeps_addresses_out_of_its_telemetry_and_samples_no_line_away() -> None:
    """Webhooks and exports carry a secret in their path."""
    written = json.loads((ROOT / "host.json").read_text())["logging"]
    insights = written["applicationInsights"]
    assert written["logLevel"]["Host.Results"] == "None"
    assert written["logLevel"]["Microsoft.AspNetCore"] == "Warning"
    assert insights["httpAutoCollectionOptions"] == {"enableHttpTriggerExtendedInfoCollection": False}
    assert "Trace" in insights["samplingSettings"]["excludedTypes"].split(";")
