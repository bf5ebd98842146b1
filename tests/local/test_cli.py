"""The command line: how it finds the app, what it says when it cannot, in which language, with which code it ends."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import httpx
import pytest

from local import run_settings
from local.children import ROOT
from local.cli import place
from local.cli.app import app, in_front, language_of
from local.cli.place import Place, find
from local.cli.session import Tools
from local.cli.trouble import A_PERSON, NO_ANSWER, OK, WRONG_USE, Trouble
from local.cli.words import MODULES, words
from local.run_pieces import write_pieces
from local.run_settings import write_settings
from shared.web.api.models_state import Need
from shared.web.words import words as console_words
from tests.engine.village import HOME
from tests.local.cli_bench import KEY, PORT, Bench, answering
from tests.web.support import VIEWER, As
from tests.web.test_words import _NARROW, places

# ------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_both_languages_have_the_same_keys_and_places(module: object) -> None:
    french: dict[str, str] = module.FR  # type: ignore[attr-defined]
    english: dict[str, str] = module.EN  # type: ignore[attr-defined]
    assert french.keys() == english.keys()
    for key in french:
        assert places(french[key]) == places(english[key]), key


def test_no_key_is_said_twice() -> None:
    keys = [key for module in MODULES for key in module.FR]
    assert len(keys) == len(set(keys))


def test_french_signs_have_their_narrow_space() -> None:
    wrong = {key: text for key, text in words("fr").items() if _NARROW.search(text) or "'" in text}
    assert not wrong


def texts_in(node: ast.AST) -> tuple[set[str], set[str]]:
    """The whole texts below a node, and the beginnings of those that are put together."""
    whole, begun = set[str](), set[str]()
    for one in ast.walk(node):
        if isinstance(one, ast.JoinedStr) and isinstance(one.values[0], ast.Constant):
            begun.add(str(one.values[0].value))
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            whole.add(one.value)
    return whole, begun


def test_every_text_the_commands_ask_for_is_there_and_none_is_left_over() -> None:
    known, pages = words("fr").keys(), console_words("fr").keys()
    groups = {key.partition(".")[0] for key in known}
    asked, begins, of_pages = set[str](), set[str](), set[str]()
    for file in Path(place.__file__).parent.rglob("*.py"):
        if file.parent.name == "words":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        whole, begun = texts_in(tree)
        asked |= {one for one in whole if re.fullmatch(r"[a-z-]+(\.[a-zA-Z_-]+)+", one)}
        begins |= {one for one in begun if one.endswith(".") and one[:-1] in groups}
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "console":
                of_pages |= texts_in(call.args[0])[0] - {"utf-8"}
    asked = {one for one in asked if one.partition(".")[0] in groups} - of_pages
    headings = get_args(Need.model_fields["kind"].annotation)
    of_pages |= {f"today.{one}" for one in headings}
    assert len(set(headings)) == 7
    assert {one for one in of_pages if "." in one and not one.endswith((".", "_"))} - pages == set()
    assert asked - known == set()
    assert {one for one in known - asked if not one.startswith(tuple(begins))} == set()


def test_the_language_is_that_of_the_line_then_of_the_machine_then_french() -> None:
    assert language_of(["status", "--language", "en"], {"LANG": "fr_FR.UTF-8"}) == "en"
    assert language_of(["--language=fr", "status"], {"LANG": "en_US.UTF-8"}) == "fr"
    assert language_of([], {"LANG": "en_US.UTF-8"}) == "en"
    assert language_of([], {"LC_ALL": "fr_FR", "LANG": "en_US.UTF-8"}) == "fr"
    assert language_of([], {"LANG": "C.UTF-8"}) == "fr"
    assert language_of([], {}) == "fr"


def test_options_of_all_commands_may_stand_anywhere() -> None:
    line = ["why", "--json", "moulin", "--language", "en", "2027-01-01", "--at=https://x.example"]
    assert in_front(line) == [
        "--json",
        "--language",
        "en",
        "--at=https://x.example",
        "why",
        "moulin",
        "2027-01-01",
    ]
    assert in_front(["resolve", "--", "--json"]) == ["resolve", "--", "--json"]


def test_help_is_in_the_readers_language(bench: Bench) -> None:
    french, english = bench("--help"), bench("--help", language="en")
    assert french.exit_code == english.exit_code == OK
    assert "double réservation" in french.stdout
    assert "double booking" in english.stdout
    assert "Show this message" not in french.stdout + english.stdout
    assert "help." not in french.stdout + bench("sync", "--help").stdout


def test_the_page_names_each_command_and_no_other() -> None:
    page = (place.ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {span.split()[0] for row in rows for span in re.findall(r"`([^`]+)`", row)}
    single = {str(one.name) for one in app.registered_commands}
    assert named == single | {str(one.name) for one in app.registered_groups}


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "local.cli", "--settings", str(tmp_path / "none.json"), "status"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, cwd=place.ROOT)
    assert (done.returncode, done.stdout) == (NO_ANSWER, "")
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------- where it is


def test_the_newest_run_is_found_with_its_port_and_its_token(bench: Bench) -> None:
    assert bench("status").exit_code == A_PERSON
    request = bench.way.asked[0]
    assert str(request.url) == f"http://127.0.0.1:{PORT}/api/status"
    assert request.headers["authorization"] == f"Bearer {bench.keys.token}"
    assert request.headers["accept-language"] == "fr"


def test_the_token_of_this_machine_never_leaves_it(tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"Values": {"SIGN_IN": "local", "SIGN_IN_KEY": KEY}}))
    assert find("http://localhost:7072", "", settings).token
    with pytest.raises(Trouble, match="no_token"):
        find("https://engine.example", "", settings)
    with pytest.raises(Trouble, match="not_https"):
        find("http://engine.example", "given", settings)
    assert find("https://engine.example/api?x=1", "given", settings) == Place(
        "https://engine.example", "given"
    )
    assert find("engine.example", "given").address == "https://engine.example"


@pytest.mark.parametrize(
    "at",
    [
        "ftp://engine.example",
        "https://",
        "https://me:pass@engine.example",
        "https://[",
        "http://127.0.0.1:99999",
    ],
)
def test_an_address_that_is_none_is_named_and_not_repeated(bench: Bench, at: str) -> None:
    result = bench("status", "--at", at)
    assert result.exit_code == WRONG_USE
    assert "--at" in result.stderr
    assert "pass" not in result.stderr.replace("passe", "")


def test_what_to_do_is_said_when_nothing_ever_ran(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ROOT", tmp_path / "nowhere")
    with pytest.raises(Trouble, match="never_run"):
        find()
    bench.settings.unlink()
    result = bench("status")
    assert result.exit_code == NO_ANSWER
    assert "settings.json" in result.stderr


def test_the_newest_settings_are_those_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ROOT", tmp_path)
    for folder, port, at in (("example", 7071, 2_000), ("own", 7072, 3_000)):
        file = tmp_path / ".local" / folder / "settings.json"
        file.parent.mkdir(parents=True)
        file.write_text(
            json.dumps({"Host": {"LocalHttpPort": port}, "Values": {"SIGN_IN": "local", "SIGN_IN_KEY": KEY}})
        )
        os.utime(file, (at, at))
    assert find().address == "http://127.0.0.1:7072"
    sample = tmp_path / "local.settings.json"  # edited while a run is up: its key is nobody's yet
    sample.write_text((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))
    assert find().address == "http://127.0.0.1:7072"


def test_a_run_that_goes_on_is_found_before_one_that_was_started_later_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ROOT", tmp_path)
    monkeypatch.setattr(run_settings, "ROOT", tmp_path)
    monkeypatch.setattr(run_settings, "_OWN", tmp_path / "local.settings.json")
    ended = subprocess.Popen(["true"])
    ended.wait()
    for folder, port, tables in (
        ("older", 7071, os.getpid()),
        ("killed", 7072, ended.pid),
        ("ended", 7073, None),
    ):
        file = tmp_path / ".local" / folder / "settings.json"
        write_settings(file, {"SIGN_IN": "local", "SIGN_IN_KEY": KEY, "PUBLIC_BASE_URL": folder}, port)
        os.utime(file, (port, port))
        if tables:
            write_pieces(file.parent, {"TABLES": tables, "HOST_1": 1})
    assert find().address == "http://127.0.0.1:7071"
    assert run_settings.app_values()["PUBLIC_BASE_URL"] == "older"


def test_a_run_writes_down_where_it_listens_since_its_public_address_may_be_a_tunnels(tmp_path: Path) -> None:
    values = {"SIGN_IN": "local", "SIGN_IN_KEY": KEY, "PUBLIC_BASE_URL": "https://tunnel.example"}
    write_settings(tmp_path / "settings.json", values, 7123)
    assert find("", "", tmp_path / "settings.json").address == "http://127.0.0.1:7123"


def test_settings_without_a_key_of_ours_say_so(tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    sample = json.loads((place.ROOT / "local.settings.json.example").read_text())["Values"]["SIGN_IN_KEY"]
    for key in (sample, ""):
        settings.write_text(json.dumps({"Values": {"SIGN_IN": "local", "SIGN_IN_KEY": key}}))
        with pytest.raises(Trouble, match="no_key"):
            find("", "", settings)
    settings.write_text("no json")
    with pytest.raises(Trouble, match="settings"):
        find("", "", settings)


# --------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (httpx.ConnectError("refused"), "make run"),
        (httpx.ReadTimeout("late"), "status"),
        (httpx.RemoteProtocolError("odd"), "make run"),
    ],
)
def test_an_app_that_does_not_answer_ends_with_3_and_what_to_do(
    bench: Bench, broken: Exception, said: str
) -> None:
    bench.way.broken = [broken]
    result = bench("status")
    assert result.exit_code == NO_ANSWER
    assert said in result.stderr
    assert result.stdout == ""


def test_a_token_that_is_not_this_apps_is_told_apart_from_silence(bench: Bench) -> None:
    bench.settings.write_text(json.dumps({"Values": {"SIGN_IN": "local", "SIGN_IN_KEY": f"another-{KEY}"}}))
    result = bench("status")
    assert result.exit_code == NO_ANSWER
    assert "jeton" in result.stderr
    assert "another" not in result.output
    far = bench("status", "--at", "https://engine.example", "--token", "s3cret-t0ken")
    assert far.exit_code == NO_ANSWER
    assert "SYNC_TOKEN" in far.stderr
    assert "s3cret" not in far.output


def test_whoever_may_only_look_is_told_so(bench: Bench) -> None:
    bench.sign_in(As(VIEWER))
    assert bench("status").exit_code == A_PERSON
    result = bench("sync")
    assert result.exit_code == NO_ANSWER
    assert "Refusé" in result.stderr


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_answer_that_is_not_the_engines_is_told(bench: Bench, status: int) -> None:
    page = httpx.Response(status, text="{oops", headers={"content-type": "text/json"})
    bench.tools = Tools(answering(page))
    result = bench("status")
    assert (result.exit_code, "n’est pas le moteur" in result.stderr) == (NO_ANSWER, True)


@pytest.mark.parametrize("status", [302, 303])
def test_being_sent_to_a_sign_in_page_is_a_missing_token(bench: Bench, status: int) -> None:
    bench.tools = Tools(answering(httpx.Response(status, headers={"location": "https://login.example"})))
    result = bench("status", "--at", "https://engine.example", "--token", "t")
    assert (result.exit_code, "SYNC_TOKEN" in result.stderr) == (NO_ANSWER, True)


@pytest.mark.parametrize("name", ["../status", "a/b", "x?y=1", "x#y", "é", ".."])
def test_a_name_that_was_typed_stays_one_name(bench: Bench, name: str) -> None:
    for line in (["resolve", name], ["replay", name], ["sync", "--job", name]):
        assert bench(*line).exit_code == WRONG_USE, line
        for request in bench.way.asked:
            assert request.url.raw_path.count(b"/") <= 4
            assert b"?" not in request.url.raw_path


def test_too_many_requests_say_how_long_to_wait(bench: Bench) -> None:
    busy = httpx.Response(429, json={"detail": "slow"}, headers={"retry-after": "7"})
    bench.tools = Tools(answering(busy))
    result = bench("status", language="en")
    assert (result.exit_code, "in 7 s" in result.stderr) == (NO_ANSWER, True)


def test_a_failure_of_the_engine_names_what_to_look_for_in_its_log(bench: Bench) -> None:
    bench.tools = Tools(
        answering(httpx.Response(500, json={"title": "Internal error", "correlation": "c0ffee"}))
    )
    result = bench("status")
    assert (result.exit_code, "c0ffee" in result.stderr) == (NO_ANSWER, True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["nothing"], "n’est pas une commande"),
        (["--json"], "il manque la commande"),
        (["links", "show"], "il manque LINK"),
        (["why"], "il manque HOME"),
        (["why", HOME], "il manque DATE"),
        (["status", "--nope"], "pas d’option --nope"),
        (["status", "--language", "de"], "fr ou en"),
        (["why", HOME, "tomorrow"], "2027-07-10"),
        (["why", "nowhere", "2027-07-10"], "Gîte du Moulin"),
        (["sync", "--mode", "nope"], "mode"),
        (["sync", "--home", "nowhere"], "nowhere"),
        (["resolve", "nope"], "n’existe pas"),
        (["resolve", "nope", "--acknowledge"], "n’existe pas"),
        (["replay", "nope"], "rien en quarantaine"),
        (["replay", "3"], "3"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_is_wrong(bench: Bench, line: list[str], said: str) -> None:
    result = bench(*line)
    assert result.exit_code == WRONG_USE
    assert said in result.output.replace("\u202f", " ").replace("\n", " ")
