"""A leak planted in each place where texts leave is found, named by test and place, and not repeated."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import azure.functions as func
import pytest

from local.children import Child
from shared import edge
from shared.adapters.log_voice import LogNotify, LogTelemetry, SilentTelemetry
from shared.adapters.secrets import SettingSecrets
from shared.adapters.telemetry_azure import AzureTelemetry
from shared.connectors import ical_export
from shared.domain.dates import StayDates
from shared.domain.errors import PlatformDown
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.ports.people import Notice, Telemetry
from shared.use_cases import HttpAnswer
from tests import planted_plugin, planted_sinks, planted_sources
from tests.engine.village import HOME, Village
from tests.planted import GUEST, KEY, PERSONAL, SHOWN, Watch
from tests.web.support import Browser

ROOT = Path(__file__).resolve().parents[1]
KEPT = "kx7Vt0-of-this-test-alone"
"""A secret no fixed word of the watch is in."""

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """One of this test alone: what is planted here is no leak."""
    found = Watch()
    for module in (planted_sinks, planted_sources, planted_plugin):
        monkeypatch.setattr(module, "WATCH", found)
    return found


def places(watch: Watch) -> set[tuple[str, str]]:
    """Where something was found, and of what kind."""
    return {(one.sink, one.what) for one in watch.look("here")}


class Voice(SilentTelemetry):
    """A voice that a test defines."""

    def event(self, name: str, **fields: str | int | float) -> None:
        pass


VOICES: list[Telemetry] = [
    *(LogTelemetry(), MemoryTelemetry(), SilentTelemetry(), Voice()),
    AzureTelemetry(lambda: pytest.fail("nothing is sent"), log=SilentTelemetry()),
]


@pytest.mark.parametrize("voice", VOICES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("said", "sink"),
    [
        (lambda voice: voice.event("write", why=KEPT), "event"),
        (lambda voice: voice.count("sync_runs", platform=KEPT), "metric"),
        (lambda voice: voice.gauge("mode", 1.0, platform=KEPT), "metric"),
        (lambda voice: voice.duration("sync_duration_ms", 1.0, result=KEPT), "metric"),
    ],
)
def test_what_telemetry_is_told(
    watch: Watch, voice: Telemetry, said: Callable[[Telemetry], None], sink: str
) -> None:
    watch.plant(KEPT, lasting=True)
    said(voice)
    assert (sink, KEY) in places(watch)


def test_a_span(watch: Watch) -> None:
    watch.plant(KEPT, lasting=True)
    with MemoryTelemetry().span("walk_ms", platform=KEPT):
        pass
    assert places(watch) == {("metric", KEY)}


def test_a_line_of_any_logger_with_the_error_it_carries(watch: Watch) -> None:
    watch.plant(KEPT, lasting=True)
    alone = logging.Logger("alone")
    deaf = logging.getLogger("tests.deaf")
    deaf.propagate = False
    for logger in (alone, deaf, logging.getLogger("azure.core")):
        logger.warning("%s", KEPT)
        assert places(watch) == {("log", KEY)}, logger.name
    try:
        raise ValueError(KEPT)
    except ValueError:
        logging.getLogger("tests").exception("no word of it here")
    assert places(watch) == {("log", KEY)}


@dataclass
class Broken:
    """Cannot be written."""

    text: str = field(default="", repr=False)

    def __str__(self) -> str:
        raise ValueError


def test_a_line_that_cannot_be_written_is_no_reason_to_fail(watch: Watch) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%d", (KEPT,), None)
    assert KEPT in planted_sinks.line_of(record)
    planted_sinks.line_of(logging.LogRecord("x", logging.INFO, "", 0, "%s", (Broken(),), None))


@pytest.mark.parametrize("notify", [LogNotify("en"), MemoryNotify()], ids=lambda one: type(one).__name__)
async def test_a_notice(watch: Watch, notify: LogNotify | MemoryNotify) -> None:
    await notify.tell(Notice("new_stay", "k", "info", {"en": f"{GUEST} comes", "fr": "quelqu’un vient"}))
    assert ("notice", PERSONAL) in places(watch)


def test_the_text_of_an_error_and_an_answer_that_refuses(watch: Watch) -> None:
    watch.plant(KEPT, lasting=True)
    with pytest.raises(PlatformDown):
        raise PlatformDown(f"https://example.org/{KEPT}.ics: no answer")
    assert places(watch) == {("error", KEY)}
    edge.response(HttpAnswer(500, f"no {KEPT}".encode()))
    assert places(watch) == {("refusal", KEY)}
    assert isinstance(edge.response(HttpAnswer(200, KEPT.encode())), func.HttpResponse)
    assert places(watch) == set(), "what succeeds is a page's to answer for"


def test_a_calendar_and_who_asks_for_it(watch: Watch) -> None:
    body = ical_export.write_calendar(
        [(JULY, "seed")], seed="", name=GUEST, domain="example.org", language="en"
    )
    assert GUEST.split()[0].encode() in body
    assert places(watch) == {("feed", PERSONAL)}


def test_a_page_may_show_a_name_and_our_address_and_no_key(watch: Watch) -> None:
    village = Village()
    try:
        stay = village.book("airbnb", JULY)
        assert stay is not None
        village.run(village.webhook(village.deliveries.pop()))
        browser = Browser(village.engine, village.run)
        assert places(watch) == set()
        assert GUEST in browser.get("/calendar?start=2027-07-01").body.decode()
        assert places(watch) == set()
        watch.plant("Gîte du Moulin")
        browser.get("/calendar?start=2027-07-01")
        assert places(watch) == {("page or answer", KEY)}
        token = village.tokens[f"{HOME}-greengo"]
        watch.plant(token, SHOWN)
        village.run(village.engine.export_calendar(token, {}))
        assert places(watch) == set()
    finally:
        village.close()


def test_the_log_and_the_words_of_another_process(watch: Watch, tmp_path: Path) -> None:
    watch.plant(KEPT, lasting=True)
    child = Child("one", "none", [], tmp_path / "one.log")
    watch.files[child.log] = 0
    for _ in range(2):
        with child.log.open("a") as log:
            log.write(f"ready {KEPT}\n")
        watch.read(planted_sinks.HOST)
        assert places(watch) == {("log of a host", KEY)}
    watch.read(planted_sinks.HOST)
    assert places(watch) == set(), "each line once"
    code = f"print({KEPT!r})"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert places(watch) == {("output", KEY)}


def test_what_is_printed(watch: Watch, capsys: pytest.CaptureFixture[str]) -> None:
    watch.plant(KEPT, lasting=True)
    print(KEPT)
    capsys.readouterr()
    assert places(watch) == {("output", KEY)}


def test_what_is_secret_is_planted_where_it_comes_in(watch: Watch) -> None:
    SettingSecrets({"KEY": KEPT}).get("KEY")
    SettingSecrets({"KEY": "replace-me-with-24-random-characters"}).get("KEY")
    assert watch.fleeting == {KEPT: KEY}
    village = Village()
    village.close()
    assert {*village.tokens.values()} <= watch.fleeting.keys()
    watch.look("here")
    assert watch.fleeting == {}, "for one test alone"


def test_what_was_found_is_not_repeated_in_the_report(watch: Watch) -> None:
    watch.plant(KEPT, lasting=True)
    LogTelemetry().event("write", why=f"{KEPT} of {GUEST} and hunter2, told to Alma Dune")
    told = "\n".join(map(str, watch.look("tests/a.py::test_b")))
    assert "tests/a.py::test_b: a secret in log: " in told
    assert "tests/a.py::test_b: a guest in event: " in told
    for one in (KEPT, GUEST, "Quirina", "hunter2", "Alma Dune"):
        assert one not in told


def test_a_run_with_a_leak_fails_and_says_which_test_it_was(tmp_path: Path) -> None:
    (tmp_path / "test_leaks.py").write_text(
        "import logging\n"
        "def test_fine(): logging.getLogger('x').info('nothing')\n"
        "def test_leaks(): logging.getLogger('x').info('the word is hunter2')\n"
    )
    idle = [
        word for name in ("xdist", "hypothesispytest", "asyncio", "anyio") for word in ("-p", f"no:{name}")
    ]
    plugins = (*idle, "--show-capture", "no", "-p", "no:cacheprovider", "-p", "tests.planted_plugin")
    asked = [sys.executable, "-m", "pytest", "-q", *plugins, "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "test_leaks: a secret in log: x the word is <hu… of 7>" in done.stdout
    assert "2 passed, 1 error" in done.stdout
    assert "found 1" in done.stdout
    assert "the word is hunter2" not in done.stdout.replace(
        "INFO     x:test_leaks.py:3 the word is hunter2", ""
    )


def test_what_each_process_of_a_run_found_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    counts: Counter[str] = Counter()
    monkeypatch.setattr(planted_plugin, "_found", found)
    monkeypatch.setattr(planted_plugin, "_counts", counts)
    for name in ("gw0", "gw1"):
        said = {"planted": {"found": [name], "counts": {"log": 2}}}
        planted_plugin.pytest_testnodedown(SimpleNamespace(workeroutput=said))
    planted_plugin.pytest_testnodedown(SimpleNamespace())  # one that crashed
    assert (found, counts) == (["gw0", "gw1"], {"log": 4})


def test_exemptions_name_tests_there_are_and_their_reasons() -> None:
    for name, why in planted_plugin.EXEMPT.items():
        path, _, test = name.partition("::")
        assert f"def {test.partition('[')[0]}(" in (ROOT / path).read_text("utf-8")
        assert why
    assert len(planted_plugin.EXEMPT) < 10
