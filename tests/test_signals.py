"""Every word by which the engine tells of trouble stands on the page of words, with what it is and what to do; and
where that page says "try it", the commands there show that very word (typed by ``tests/e2e/test_operations_page.py``).

The words are gathered from the code: alerts from the Bicep, notices, events and problems from the calls that make them,
states from their enumerations. A word somebody adds fails here until it has its row.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest

from local.cli import trouble
from local.run import _REFUSALS
from shared.domain.conflict_alerts import Stage
from shared.domain.errors import SyncError
from shared.domain.health import Code
from shared.domain.model import Phase, SyncMode
from shared.domain.pulse import Pulse
from shared.domain.quiet import DIGEST
from shared.domain.removals import Doubt
from shared.engine.look_text import Why
from shared.engine.notice_desk import TEST
from shared.engine.today_needs import Trouble
from shared.resilience.circuit_breaker import State
from shared.state.inbox import SetAside
from shared.web.answers import TITLES
from shared.web.words import words
from tests.e2e.page import Section, sections
from tests.test_docs import anchors

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "signals.md"
TYPED = tuple(PAGE.with_stem(name) for name in ("operations", "operations-rare", "operations-beside"))

_SPAN = re.compile(r"`([^`]+)`")
_ROW = re.compile(r"^\| (`.*?) \| (.*) \| (.*) \|$", re.MULTILINE)
_LINK = re.compile(r"\((operations(?:-rare|-beside)?\.md#[^)]+)\)$")
_NOT_HERE = "pas ici / not here"

Row = tuple[frozenset[str], str, str]
"""Its words, what it says of them, where to try it."""


@cache
def rows() -> tuple[Row, ...]:
    found = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return tuple((frozenset(_SPAN.findall(named)), says, tried) for named, says, tried in found)


@cache
def sources() -> tuple[tuple[Path, ast.Module], ...]:
    folders = (
        "shared",
        "sync_scheduler",
        "webhook_receiver",
        "sync_worker",
        "conflict_resolver",
        "health_monitor",
    )
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in files)


def said_to(names: Iterable[str], place: int = 0) -> Iterator[str]:
    """The texts that calls of these names are given in that place, of both where a condition chooses."""
    wanted = set(names)
    for _, tree in sources():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in wanted and len(call.args) > place:
                yield from _texts(call.args[place])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))


def alerts() -> set[str]:
    """The alerts by their names in Azure, without the installation's."""
    text = (ROOT / "infra" / "alerts.bicep").read_text(encoding="utf-8")
    rules = re.findall(
        r"'Microsoft\.Insights/(?:scheduledQueryRules|metricAlerts)@[^']*' = \{\s*name: '\$\{name\}-([a-z-]+)'",
        text,
    )
    return set(rules)


def notices() -> set[str]:
    unknown = {f"unknown_{kind}" for kind in ("status", "action")}
    return {DIGEST, TEST, "conflict", "conflict_over", *unknown, *said_to(["Notice"])}


def events() -> set[str]:
    """What a line of the log may be."""
    return {*said_to(["event"]), *said_to(["log_line"], 1), "circuit_opened", "circuit_closed"}


def states() -> set[str]:
    every: tuple[type[StrEnum], ...] = (
        SyncMode,
        State,
        Pulse,
        Phase,
        Stage,
        Trouble,
        Doubt,
        SetAside,
        Why,
        Code,
    )
    return {one.value for kind in every for one in kind} | {"waiting", "running", "done", "failed"}


def problems() -> set[str]:
    """Statuses, and the reasons that programs get."""
    reasons = {*said_to(["problem_in_words"], 1)}
    said = {key.removeprefix("refused.") for key in words("en") if key.startswith("refused.")}
    refusals = {one for one in said if one != "back" and not one.startswith("title_")}
    return {*map(str, TITLES), "500", "503", "sign_in", *reasons, *refusals}


def endings() -> set[str]:
    codes = (trouble.OK, trouble.A_PERSON, trouble.WRONG_USE, trouble.NO_ANSWER, trouble.STOPPED)
    return {f"code {code}" for code in codes}


def refusals() -> set[str]:
    named = {kind.__name__ for kind in _REFUSALS if kind is not SyncError}
    return {*named, "SettingsRefused"}


ALL = (alerts, notices, events, states, problems, endings, refusals)


@pytest.mark.parametrize("gather", ALL, ids=lambda one: one.__name__)
def test_every_word_has_its_row(gather: object) -> None:
    assert callable(gather)
    known = frozenset[str]().union(*(named for named, _, _ in rows()))
    wanted: set[str] = gather()
    assert len(wanted) >= 5
    assert sorted(wanted - known) == []


def test_no_row_tells_of_a_word_that_is_gone() -> None:
    """Words of libraries, of programs and of a shell stand beside those of ours."""
    ours = {word for gather in ALL for word in gather()}
    assert [sorted(named) for named, _, _ in rows() if not named & ours] == []


@cache
def typed() -> dict[str, Section]:
    return {
        f"{page.name}#{anchor}": section
        for page in TYPED
        for section in sections(page)
        for anchor in anchors(f"# {section.heading}")
    }


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(sorted(row[0])))
def test_a_word_is_shown_where_its_row_says(row: Row) -> None:
    named, says, tried = row
    assert len(says) > 10
    link = _LINK.search(tried)
    if link is None:
        assert tried == "—" or tried.startswith(_NOT_HERE), tried
        return
    shown = typed()[link[1]].shown
    assert any(re.search(rf"\b{re.escape(word)}(?!\w)", shown) for word in named), sorted(named)


def test_what_shows_it_instead_is_a_test() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = {name for _, _, tried in rows() for name in re.findall(r"`(test_\w+)`", tried)}
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
