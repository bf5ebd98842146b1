"""In CI only three reasons for a skip are taken; the plugin is tried on a small suite of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import allowed

ROOT = Path(__file__).resolve().parents[1]

SUITE = """
import pytest

def test_allowed():
    pytest.skip("no Chromium: install it to see the pages")

def test_in_the_body():
    pytest.skip("not today")

@pytest.mark.skip(reason="too slow")
def test_by_a_mark(): ...

@pytest.fixture
def far(): pytest.skip("no network")

def test_in_a_fixture(far): ...

@pytest.mark.xfail(reason="known")
def test_expected_failure(): assert False

def test_fine(): ...
"""
MODULE = 'import pytest\npytest.importorskip("no_such_package_anywhere")\n'


def run(folder: Path, ci: str) -> str:
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    (folder / "test_module.py").write_text(MODULE, encoding="utf-8")
    plugins = "-p tests.skips -p no:cacheprovider --continue-on-collection-errors -c /dev/null -q --rootdir"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins.split(), str(folder), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "CI": ci},
    )
    return done.stdout


def test_on_a_laptop_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert "1 passed, 5 skipped, 1 xfailed" in run(tmp_path, "")


def test_in_ci_a_skip_that_is_not_allowed_fails(tmp_path: Path) -> None:
    output = run(tmp_path, "true")
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 3 errors" in output
    for reason in ("not today", "too slow", "no network", "could not import 'no_such_package_anywhere'"):
        assert f"skipped in CI for a reason that is not allowed: Skipped: {reason}" in output


@pytest.mark.parametrize(
    ("reason", "taken"),
    [("Skipped: no ../shared here", True), ("no second Python", True), ("Chromium", False), ("", False)],
)
def test_a_reason_is_allowed_by_how_it_begins(reason: str, taken: bool) -> None:
    assert allowed(reason) is taken
