"""The page of what can go wrong names, in each of its rows, tests that exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "what-can-go-wrong.md"
LISTS = {"What can go wrong": 21, "What hosts suffer from": 13, "What we found nobody to offer": 14}

_DEFINED = re.compile(r"^\s*(?:async )?def (test_\w+)\(", re.MULTILINE)
_NAMED = re.compile(r"`(test_\w+)`")
_ROW = re.compile(r"^\| (\d+) \|(.+)\|$", re.MULTILINE)


@cache
def defined() -> frozenset[str]:
    """Every test there is, those of a contract that several files share among them."""
    files = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    return frozenset(name for written in files for name in _DEFINED.findall(written))


def rows(heading: str, page: str) -> dict[int, str]:
    """The rows of one list, by their numbers."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {int(number): row for number, row in _ROW.findall(section)}


def gone(page: str, tests: frozenset[str]) -> list[str]:
    """What is named and is no test."""
    return sorted(set(_NAMED.findall(page)) - tests)


def test_every_test_the_page_names_exists() -> None:
    assert gone(PAGE.read_text(encoding="utf-8"), defined()) == []


@pytest.mark.parametrize("heading", LISTS)
def test_each_row_names_a_test(heading: str) -> None:
    found = rows(heading, PAGE.read_text(encoding="utf-8"))
    assert list(found) == list(range(1, LISTS[heading] + 1))
    assert [number for number, row in found.items() if not _NAMED.search(row)] == []


def test_a_test_that_is_gone_is_found() -> None:
    page = "\n## A list\n\n| 1 | case | what happens | `test_that_never_was`, `test_a_test_that_is_gone_is_found` |\n"
    assert list(rows("A list", page)) == [1]
    assert gone(page, defined()) == ["test_that_never_was"]
