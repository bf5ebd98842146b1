"""What the pages name exists: links, files, modules, commands, settings, tables, functions. Cheap on purpose: a page
that is wrong about these is wrong about more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from local.portfolio_rules import portfolio_rules
from local.sandbox.asgi import Router
from local.sandbox.clock import Clock
from local.sandbox.config import sample
from local.sandbox.control import Control
from local.sandbox.desk import Desk
from local.sandbox.machine import Machine
from local.sandbox.world import World
from shared.adapters.portfolio_yaml import read_portfolio
from shared.connectors.ical_links import platform_of
from shared.routes import ROUTES
from shared.state import names
from shared.web.door import SAFE
from tests.test_repository_words import tracked

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY")]
    + [*(ROOT / "docs").rglob("*.md")]
)
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
README, ARCHITECTURE = ROOT / "README.md", ROOT / "docs" / "architecture.md"
OPERATIONS = ROOT / "docs" / "operations.md"

MADE_BY_THE_READER = {
    "portfolio.yaml",
    "live.yaml",
    ".local/live/",
    "report.md",
    "report.json",
    "local.settings.json",
    ".local/",  # of the first run
    "Docker-Compose-Template/docker-compose-default.yml",
}
NAMED_AS_ABSENT = {"function.json"}
OF_OTHERS = {"ACCEPT_EULA", "CONFIG_PATH", "SQL_PASSWORD", "SAS_KEY_VALUE"}
"""Names of Microsoft's emulator."""

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```.*?^```|(?:^ {4,}.*\n?)+", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|ya?ml|json|svg|toml|sh))")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|_?[a-z]+(?:_[a-z0-9]+)+|(?:[A-Z][a-z]+){2,}")
_MODULE = re.compile(r"\b(?:shared|local(?!\.settings)|bench|tests)(?:\.[a-z_]+)+\b")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(written: str) -> list[str]:
    """Code spans and the lines of code blocks. Lists are indented too: their spans are found, their words are not taken
    for code unless four blanks stand before them."""
    blocks = [line.strip() for block in _BLOCK.findall(written) for line in block.splitlines()]
    return [*_SPAN.findall(written), *blocks]


def anchors(written: str) -> set[str]:
    """The names GitHub gives the headings."""
    heads = re.findall(r"^#+ (.+)$", written, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path, written: str) -> Iterator[str]:
    for target in _LINK.findall(written):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (
            anchor and anchor not in anchors(written if there == page else text(there))
        ):
            yield target


def missing_paths(page: Path, written: str) -> Iterator[str]:
    """Files named in code spans: from the root, from beside the page, or (a bare name) anywhere."""
    for span in _SPAN.findall(written):
        if not _PATH.fullmatch(span) or span in MADE_BY_THE_READER | NAMED_AS_ABSENT:
            continue
        if "/" not in span and span in file_names():
            continue
        if not (ROOT / span).exists() and not (page.parent / span).exists():
            yield span


def missing_modules(written: str) -> Iterator[str]:
    for name in _MODULE.findall(" ".join(code(written))):
        path = ROOT.joinpath(*name.split("."))
        if not path.is_dir() and not path.with_suffix(".py").exists():
            yield name


def missing_targets(written: str) -> Iterator[str]:
    known = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    for piece in code(written):
        yield from (name for name in re.findall(r"(?:^|=\S+ )make ([a-z]+)", piece) if name not in known)


def missing_names(written: str) -> Iterator[str]:
    """Settings, constants, functions and classes named in code spans."""
    for span in _SPAN.findall(written):
        if _NAME.fullmatch(span) and span not in OF_OTHERS and span not in words():
            yield span


@cache
def file_names() -> frozenset[str]:
    return frozenset(path.name for path in tracked())


@cache
def words() -> frozenset[str]:
    kinds = {".py", ".example", ".toml", ".json", ".txt", ".bicep", ".kql", ".sh", ".yml"}
    others = {"package-lock.json", Path(__file__).name}
    sources = (path for path in tracked() if path.suffix in kinds and path.name not in others)
    return frozenset(word for path in sources for word in re.findall(r"\w+", text(path)))


@EACH_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page, text(page))) == []


@EACH_PAGE
def test_every_file_module_and_command_exists(page: Path) -> None:
    written = text(page)
    assert list(missing_paths(page, written)) == []
    assert list(missing_modules(written)) == []
    assert list(missing_targets(written)) == []


@EACH_PAGE
def test_every_setting_and_name_stands_in_the_code(page: Path) -> None:
    assert list(missing_names(text(page))) == []


def first_column(heading: str) -> set[str]:
    """The code spans of a table's first column, under one heading of the architecture."""
    section = text(ARCHITECTURE).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = (line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    return {span for cell in rows for span in _SPAN.findall(cell)}


def test_the_tables_are_those_of_the_code() -> None:
    stored = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and value[0] != "~"
    }
    assert first_column("Tables") == stored


def test_the_queues_carry_what_is_rung_and_the_accounts_hold_every_partition_of_ours() -> None:
    """Kinds and partitions that came later used to be missing: ``reread``, ``~mail`` and others."""
    code = "".join(text(file) for file in sorted((ROOT / "shared").rglob("*.py")))
    queues = text(ARCHITECTURE).partition("\n## Queues\n")[2].partition("\nA message is")[0]
    rung = set(re.findall(r'(?:Message|_ring_once)\(\s*"(\w+)"', code))
    assert set(_SPAN.findall(queues)) - {"work", "conflicts"} == rung
    tables = text(ARCHITECTURE).partition("\n## Tables\n")[2].partition("\n## ")[0]
    no_partitions = {"~asker", "~cleaned"}  # who asks in a question, and how far reports were taken away
    assert set(re.findall(r'"(~[a-z]+)"', code)) - no_partitions <= set(_SPAN.findall(tables))


def test_the_functions_are_those_that_azure_indexes() -> None:
    golden = json.loads(text(ROOT / "tests" / "functions" / "golden.json"))
    assert first_column("Functions") == set(golden) - {route.name for route in ROUTES}


_OURS = re.compile(r"(?:-X (\w+) )?(?:-d '[^']*' )?\"?\$E(/[^\s\"'?]+)")
_COMMAND = re.compile(r"^ {4}(?:(?:JOB|ID|SECRET)=\$\()?(?:curl|grep|make|jq) .*$", re.MULTILINE)


def routes() -> list[tuple[set[str], re.Pattern[str]]]:
    """Methods and path of every HTTP trigger that Azure indexes."""
    golden = json.loads(text(ROOT / "tests" / "functions" / "golden.json"))
    ways = [way for bindings in golden.values() for way in bindings if way["type"] == "httpTrigger"]
    return [(set(way["methods"]), _pattern(way["route"])) for way in ways]


def _pattern(route: str) -> re.Pattern[str]:
    path = re.sub(r"\{\*\w+\}", ".*", route.lstrip("/"))
    return re.compile("/" + re.sub(r"\{\w+\}", "[^/]+", path))


def wrong_routes(written: str) -> Iterator[str]:
    """Calls of our own API that no function answers, in the commands of a page."""
    for command in _COMMAND.findall(written):
        for method, path in _OURS.findall(command):
            asked = method or ("POST" if " -d " in command else "GET")
            job = re.sub(r"^\$JOB$", "/api/jobs/x", path)
            if not any(asked in methods and route.fullmatch(job) for methods, route in routes()):
                yield f"{asked} {path}"


@cache
def sandbox_routes() -> Router:
    """The control API of the simulated platforms."""
    world, router = World(sample(), Clock(lambda: datetime(2027, 3, 1, tzinfo=UTC))), Router()
    Machine(world).routes(router)
    Control(world, Desk(world)).routes(router)
    return router


def wrong_sandbox_routes(written: str) -> Iterator[str]:
    """Calls of the simulated platforms' control API that they do not know."""
    for command in _COMMAND.findall(written):
        for path in re.findall(r"\$P(/[^\s\"'?|]+)", command):
            method = "DELETE" if "-X DELETE" in command else "POST" if " -d " in command else "GET"
            if sandbox_routes().find(method, f"/sandbox{path}") is None:
                yield f"{method} {path}"


def test_operations_ask_what_is_answered() -> None:
    written = text(OPERATIONS)
    assert len(_COMMAND.findall(written)) > 40
    assert list(wrong_routes(written)) == []
    assert list(wrong_sandbox_routes(written)) == []


def test_operations_show_every_route_a_person_asks() -> None:
    written = "\n".join(_COMMAND.findall(text(OPERATIONS)))
    for shown in ("/health", "/api/status", "/api/sync", "/api/runs", "/mode", "/circuits/", "/api/jobs/"):
        assert shown in written, shown


def test_operations_name_the_settings_of_the_sample() -> None:
    sample = json.loads(text(ROOT / "local.settings.json.example"))["Values"]
    named = {span for span in _SPAN.findall(text(OPERATIONS)) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", span)}
    assert {"RETRY_MAX", "SWEEP_SCHEDULE"} <= named
    assert named <= sample.keys()


def test_operations_name_the_test_of_each_promise() -> None:
    tests = re.findall(
        r"^async def (test_\w+)", text(ROOT / "tests" / "e2e" / "test_promises.py"), re.MULTILINE
    )
    assert [name for name in tests if f"`{name}`" not in text(OPERATIONS)] == []


def test_pages_stay_short() -> None:
    assert len(text(ARCHITECTURE).splitlines()) <= 140
    assert len(text(README).splitlines()) <= 200


def test_the_security_page_names_every_header_of_an_answer() -> None:
    written = text(ROOT / "SECURITY.md")
    assert [name for name in SAFE if f"`{name}`" not in written] == []


def test_every_decision_stands_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    named = set(_LINK.findall(text(folder / "README.md")))
    assert named == {page.name for page in folder.glob("*.md")} - {"README.md"}


def test_the_sample_portfolio_of_the_readme_can_be_used() -> None:
    found = re.search(r"^```yaml\n(.*?)^```", text(README), re.MULTILINE | re.DOTALL)
    assert found is not None
    portfolio = read_portfolio(found[1].encode(), portfolio_rules())
    assert [str(one.platform) for one in portfolio.listings] == ["airbnb", "greengo"]


def test_the_links_of_the_readme_are_recognised_as_their_platforms() -> None:
    rows = re.findall(r"^\|.*\| `(\w+)` \| `(https://[^`]+)` \|$", text(README), re.MULTILINE)
    assert {name: platform_of(link) for name, link in rows} == {name: name for name, _ in rows}
    assert len(rows) == 5


@pytest.mark.parametrize("wrong", ["curl -s $E/api/nothing", "curl -s $E/api/sync", 'curl -d "{}" $E/health'])
def test_a_call_nobody_answers_is_found(wrong: str) -> None:
    assert list(wrong_routes(f"    {wrong}\n"))


def test_a_control_call_nobody_answers_is_found() -> None:
    assert list(wrong_sandbox_routes("    curl -s -d '{}' $P/airbnb/dance\n")) == ["POST /airbnb/dance"]


@pytest.mark.parametrize(
    "wrong",
    [
        "[no such page](docs/nowhere.md)",
        "[no such heading](README.md#nowhere)",
        "see `shared/nowhere.py`",
        "see `nowhere.py`",
        "    python -m bench.nowhere\n",
        "run `make nowhere`",
        "    NAME=value make nowhere\n",
        "set `NO_SUCH_SETTING`",
        "see `no_such_function`",
    ],
)
def test_what_is_not_there_is_found(wrong: str) -> None:
    page = ROOT / "PAGE.md"
    found = [
        *(*broken_links(page, wrong), *missing_paths(page, wrong), *missing_modules(wrong)),
        *(*missing_targets(wrong), *missing_names(wrong)),
    ]
    assert len(found) == 1
