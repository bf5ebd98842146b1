"""A page whose commands are run: its indented blocks, read as a person reads them, typed into a shell one by one.

- A line of a block is a command; one that ends in a backslash goes on in the next.
- A line that begins with ``→`` says what the command before it shows; lines indented deeper than the arrow go on with
  it. Blanks, of whatever number and kind, count as one. ``…`` stands for anything, or nothing; everything else must be
  there to the letter, from the first word to the last.
- ``# within 30 s`` behind a command: it is asked again and again until it shows what the page says, for so long. One
  without an arrow is asked until it succeeds.
- Dates are typed so many months later as have passed since they were written (``days.py``).
- Without the arrow a command must succeed (its exit code is 0); with it the words count, since some fail on purpose.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from local.children import ROOT
from tests.e2e.days import ahead

ARROW, ANYTHING = "→", "…"
_LEFT_OUT = (
    ".local",
    ".venv",
    "node_modules",
    ".git",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "*.pyc.*",  # another process is just writing it, and will rename it under our hands
)
_WITHIN = re.compile(r"# within (\d+) s$")
_ANSWER = 180.0
"""Seconds one command may take; then the shell is ended with it, and the test fails."""
_PAUSE, _LOOKS = 0.3, 100
"""Seconds between two looks at least: people read no faster; and how many looks are enough, however long it takes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what it shows (None where the page does not say)."""

    line: int
    command: str
    shows: str | None = None

    @property
    def within(self) -> float:
        """Seconds for which it may be asked again."""
        found = _WITHIN.search(self.command)
        return float(found[1]) if found else 0.0

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the page says, as an expression over words with one blank between them."""
        text = " ".join((self.shows or "").split())
        parts = [re.escape(part.strip()) for part in text.split(ANYTHING)]
        return re.compile(r" ?.*? ?".join(parts), re.DOTALL)

    def is_shown(self, code: int, printed: str) -> bool:
        """Whether that is what the page says."""
        if self.shows is None:
            return code == 0
        return self.pattern.fullmatch(" ".join(printed.split())) is not None


@dataclass(frozen=True, slots=True)
class Section:
    """The commands under one heading."""

    heading: str
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        """How long it may take at most."""
        return sum(step.within for step in self.steps)

    @property
    def shown(self) -> str:
        """Everything that is typed and shown."""
        return "\n".join(f"{step.command}\n{step.shows or ''}" for step in self.steps)


def sections(page: Path) -> list[Section]:
    """The page's sections that have commands, in order. Raises ``ValueError`` for an arrow without a command."""
    found: list[tuple[str, list[Step]]] = [("", [])]
    lines = list(enumerate(ahead(page.read_text(encoding="utf-8")).splitlines(), 1))
    fenced = False
    while lines:
        number, line = lines.pop(0)
        fenced ^= line.startswith("```")
        if not fenced and line.startswith("#"):
            found.append((line.lstrip("#").strip(), []))
        elif not fenced and line.startswith("    ") and line.strip():
            found[-1][1].append(_step(number, line.strip(), lines))
    return [Section(heading, tuple(steps)) for heading, steps in found if steps]


def _step(number: int, command: str, rest: list[tuple[int, str]]) -> Step:
    if command.startswith(ARROW):
        raise ValueError(f"line {number}: an arrow without a command before it")
    while command.endswith("\\"):
        command += "\n" + rest.pop(0)[1].strip()
    if not rest or not rest[0][1].startswith(f"    {ARROW}"):
        return Step(number, command)
    shown = [rest.pop(0)[1].strip().removeprefix(ARROW)]
    while rest and rest[0][1].startswith("      ") and rest[0][1].strip():
        shown.append(rest.pop(0)[1])
    return Step(number, command, "\n".join(shown))


class Shell:
    """One bash that keeps its variables from command to command, as a terminal does."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, environment

    @cached_property
    def _process(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self._folder,
            env={**os.environ, **self._environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and everything printed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        mark = f"--done-{time.monotonic_ns()}--"
        # A new line before the brace, since a comment may stand behind the command.
        self._process.stdin.write(f"{{ {command}\n}} </dev/null 2>&1; printf '\\n%s %s\\n' {mark} $?\n")
        self._process.stdin.flush()
        printed = list[str]()
        late = threading.Timer(_ANSWER, self._process.kill)
        late.start()
        try:
            for line in self._process.stdout:
                if line.startswith(mark):
                    return int(line.split()[1]), "".join(printed).removesuffix("\n")
                printed.append(line)
        finally:
            late.cancel()
        raise AssertionError(f"the shell ended: {command}\n{''.join(printed)}")

    def follow(self, step: Step) -> None:
        """Type it, again and again where the page says how long; fails with what it showed instead."""
        end = time.monotonic() + step.within
        while True:
            code, printed = self.run(step.command)
            if step.is_shown(code, printed):
                return
            if time.monotonic() >= end:
                expected = step.shows if step.shows is not None else "(exit code 0)"
                raise AssertionError(
                    f"line {step.line}: {step.command}\nshould show: {expected}\nshowed ({code}): {printed}"
                )
            time.sleep(max(_PAUSE, step.within / _LOOKS))

    def close(self) -> None:
        """End it and all it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(timeout=20)


def copied(folder: Path) -> Path:
    """The project in a folder of its own, with the packages that are installed here."""
    here = folder / "engine"
    shutil.copytree(ROOT, here, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    (here / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    (here / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    return here
