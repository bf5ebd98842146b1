"""The pages for those who run the engine, typed from the first command to the last, and what is shown compared with
what they say (how: ``tests/e2e/page.py``).

Everything happens in a copy of the project, started as the first page says, so that their own words hold there:
``.local``, ``make``, the command line. Only the two ports may be others, where those of the page are taken. A section
stands alone: it needs the first block of the first page and no other section. Sections that may have to wait for long
(``LONG``) run with ``PROVE=1``, like the whole pages of what is rare and of what runs beside; the others in
``make test`` too.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.children import ROOT
from local.ports import free_port
from tests.e2e.page import Section, Shell, copied, sections
from tests.hypothesis_profiles import PROVING

pytestmark = pytest.mark.e2e

PAGE = ROOT / "docs" / "operations.md"
RARE, BESIDE = PAGE.with_stem("operations-rare"), PAGE.with_stem("operations-beside")
LONG = 45.0
"""Seconds a section may wait in all to be one of those that always run."""

FIRST, *SECTIONS = sections(PAGE)
QUICK = [one for one in SECTIONS if one.seconds <= LONG]
EVERY = [*SECTIONS, *sections(RARE), *sections(BESIDE)]


def ready(run: subprocess.Popen[str], log: Path) -> tuple[str, str]:
    """The addresses of the engine and of the simulated platforms, once the run says that it is ready."""
    end = time.monotonic() + 90
    while True:
        said = log.read_text(encoding="utf-8")
        found = re.search(r"ready: (\S+)[\s\S]*simulated platforms: (\S+)/truth", said)
        if found:
            return found[1], found[2]
        assert run.poll() is None, said
        assert time.monotonic() < end, said
        time.sleep(0.1)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A terminal beside a run, with the names of the page's first block."""
    here = copied(tmp_path_factory.mktemp("page"))
    log = here / "run.log"
    ports = ("--port", str(free_port()), "--sandbox-port", "0")
    with log.open("w") as printed:
        run = subprocess.Popen(
            [sys.executable, "-m", "local.run", "--guests", "0", *ports],
            cwd=here,
            stdout=printed,
            stderr=subprocess.STDOUT,
            text=True,
        )
    terminal = Shell(here, {"LANG": "C.UTF-8"})
    try:
        engine, platforms = ready(run, log)
        for step in FIRST.steps:
            terminal.follow(step)
        assert terminal.run(f"E={engine} P={platforms}")[0] == 0
        yield terminal
    finally:
        terminal.close()
        run.terminate()
        run.wait(30)


@pytest.mark.parametrize("section", EVERY if PROVING else QUICK, ids=lambda one: one.heading)
def test_what_the_page_says_is_what_is_shown(section: Section, shell: Shell) -> None:
    for step in section.steps:
        shell.follow(step)
