"""The local host has the same view of the app as ``func start``; and its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local.host.plan import Plan
from local.host.server import listen
from tests.functions.conftest import GOLDEN, ROOT
from tests.functions.tiny import (
    SETTINGS,
    nothing,
    plan_of,
    with_timer,
)


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
        assert httpx.get(f"{base}/api/hello/you", timeout=60).text == "hello you"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "stopped\n"), err


def test_the_command_refuses_a_taken_port(app_folder: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        process = start(app_folder, "--port", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("the host does not start: port ")
