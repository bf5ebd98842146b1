"""Every rule that keeps nights safe has a test of its number, or a line among the limits that says why not; and the
page that lists them names tests that exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "decisions" / "rules-and-tests.md"
LIMITS = ROOT / "docs" / "limits.md"
RULES = range(1, 28)

_TEST = re.compile(r"^\s*(?:async )?def (test_rule_0?(\d+)_\w+)\(", re.MULTILINE)
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_NAMED = re.compile(r"`(test_rule_0?(\d+)_\w+)`")


@cache
def numbered() -> dict[str, int]:
    """The tests that bear a rule's number, by name."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {
        name: int(number)
        for path in files
        for name, number in _TEST.findall(path.read_text(encoding="utf-8"))
    }


def untested(rules: range, tested: set[int], limits: str) -> list[int]:
    """The rules with neither a test of their number nor a line among the limits."""
    return [one for one in rules if one not in tested and not re.search(rf"\b[Rr]ule {one}\b", limits)]


def rows() -> dict[int, set[tuple[str, int]]]:
    """The page's table: the tests it names, with the number each bears, by rule."""
    found = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {int(rule): {(name, int(n)) for name, n in _NAMED.findall(named)} for rule, _, named in found}


def test_each_rule_has_a_test_or_a_line_among_the_limits() -> None:
    assert untested(RULES, set(numbered().values()), LIMITS.read_text(encoding="utf-8")) == []


def test_a_rule_without_a_test_is_found() -> None:
    assert untested(range(1, 4), {1}, "Not held yet: rule 3, and rule 21.") == [2]


@pytest.mark.parametrize("rule", RULES)
def test_the_page_names_tests_of_each_rule_that_exist(rule: int) -> None:
    named = rows()[rule]
    assert {number for _, number in named} == {rule}
    assert {name for name, _ in named} <= numbered().keys()


def test_the_page_has_no_other_rule() -> None:
    assert list(rows()) == list(RULES)
