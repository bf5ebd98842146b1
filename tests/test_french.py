"""French as it is printed, wherever the code says something to a person: ’ in elisions, narrow no-break spaces before
double signs and inside « ». Every text of the code is looked at, so that none is forgotten when it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.children import ROOT

_ELISION = re.compile(
    r"\b(?:[cdjlmnst]|(?:jus|lors|puis|quel|pres)?qu|aujourd)'(?=[a-zà-ÿœ«]|$)", re.IGNORECASE
)
_WIDE = re.compile(r"(?:^|[^\s(\[|,=-]) [:;!?](?=[\s.)]|$)| »|« ")
_GLUED = re.compile(r"[^\W_][?!;:](?=\s|$)")
_EITHER = re.compile(f"{_ELISION.pattern}|{_WIDE.pattern}", re.IGNORECASE)
"""What no text of ours holds, in either language: English puts no blank before these signs."""

_CODE = re.compile(
    r"^```.*?^```|^ {4}(?! *(?:[-*]|\d+\.) )[^\n]*|``.+?``|`[^`\n]+`", re.DOTALL | re.MULTILINE
)
"""What a page says that is typed or printed, not said."""

_FOLDERS = (
    "shared",
    "local",
    "console",
    "conflict_resolver",
    "health_monitor",
    "sync_scheduler",
    "sync_worker",
)
_NOT_PROSE = frozenset({"! "})
"""A mark before a line of a report."""


def modules() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from (ROOT / folder).rglob("*.py")


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every text of a module that is no docstring, and the pieces of those that are put together."""
    told = {
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Expr)  # docstrings stand for themselves
    }
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one not in told:
            yield one


def french(tree: ast.AST) -> Iterator[ast.Constant]:
    """Pieces of what stands under "fr", or in a table called FR."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Dict):
            for key, value in zip(one.keys, one.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "fr":
                    yield from texts(value)
        elif isinstance(one, ast.Assign) and any(getattr(name, "id", "") == "FR" for name in one.targets):
            yield from texts(one.value)


def test_no_text_has_a_straight_apostrophe_or_a_plain_space_before_a_double_sign() -> None:
    wrong = []
    for file in modules():
        source = file.read_text(encoding="utf-8")
        if not _EITHER.search(source):
            continue  # most files: nothing to take apart
        wrong += [
            f"{file.relative_to(ROOT)}:{one.lineno}: {one.value[:80]!r}"
            for one in texts(ast.parse(source))
            if one.value not in _NOT_PROSE and _EITHER.search(str(one.value))
        ]
    assert not wrong


def test_no_french_text_glues_a_double_sign_to_its_word() -> None:
    wrong = []
    for file in modules():
        source = file.read_text(encoding="utf-8")
        if '"fr"' not in source and "\nFR = " not in source:
            continue
        wrong += [
            f"{file.relative_to(ROOT)}:{one.lineno}: {one.value[:80]!r}"
            for one in french(ast.parse(source))
            if _GLUED.search(str(one.value))
        ]
    assert not wrong


def test_no_page_for_people_is_typed_with_a_straight_apostrophe_or_a_plain_space() -> None:
    wrong = []
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        text = _CODE.sub("`", page.read_text(encoding="utf-8"))
        wrong += [
            f"{page.relative_to(ROOT)}: {line[max(0, found.start() - 20) :][:60]}"
            for line in text.splitlines()
            if not line.startswith("#")  # a link goes by a heading's blanks
            and (found := _EITHER.search(line.replace("|", "\n").strip()))
        ]
    assert not wrong


@pytest.mark.parametrize(
    "text", ["rien n'est rouvert", "l'", "Déjà pris : ", " : ", "« Messages", "Messages »", "C'est", "nuit ;"]
)
def test_what_is_looked_for_is_found(text: str) -> None:
    assert _EITHER.search(text)


@pytest.mark.parametrize(
    "text", ["it's not d", "n’est\u202f: rien", "{a: b}", "the status 'x'", "don't; it's", "12:30"]
)
def test_what_is_well_is_left_alone(text: str) -> None:
    assert not _EITHER.search(text)
