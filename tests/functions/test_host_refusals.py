"""What the local host refuses before it starts: what Azure would refuse, or would read differently."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import azure.functions as func
import pytest

from local.host.errors import HostRefused
from local.host.indexing import load_app
from local.host.plan import HostJson, Plan
from local.host.server import listen
from local.host.settings import read_settings
from tests.functions.tiny import (
    SETTINGS,
    new_app,
    nothing,
    ok,
    plan_of,
    with_routes,
    with_timer,
)


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
