"""A step of make: one line when it succeeds, everything it said when it does not."""

from __future__ import annotations

import re
import sys

import pytest

from local.step import run


def test_a_success_is_one_line_with_its_time(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("lint", [sys.executable, "-c", "print('much to say')"]) == 0
    assert re.fullmatch(r"lint {15}ok +\d+\.\d s\n", capfd.readouterr().out)


def test_a_failure_shows_all_it_said_and_keeps_its_code(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import sys; print('first'); print('second', file=sys.stderr); sys.exit(3)"
    assert run("types", [sys.executable, "-c", script]) == 3
    out = capfd.readouterr().out
    assert out.startswith("types")
    assert " FAILED after " in out
    assert {"first", "second"} <= set(out.split())


def test_a_killed_step_is_a_failure() -> None:
    assert run("tests", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137


def test_a_program_that_is_not_there_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("lint", ["no-such-program-anywhere"]) == 127
    assert "no-such-program-anywhere: No such file or directory" in capfd.readouterr().out
