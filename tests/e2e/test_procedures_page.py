"""The page of procedures, typed in order (how: ``tests/e2e/page.py``): an engine of its own is started, stopped, saved,
put back, moved. Long as it is, ``make test`` types its first section alone; all of it with ``PROVE=1``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.children import ROOT
from local.ports import free_port
from tests.e2e.page import Section, Shell, copied, sections
from tests.hypothesis_profiles import PROVING

pytestmark = pytest.mark.e2e

FIRST, *SECTIONS = sections(ROOT / "docs" / "operations-procedures.md")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A terminal in a copy of the project, with the names of the page's first block, and a port that is free."""
    terminal = Shell(copied(tmp_path_factory.mktemp("procedures")), {"LANG": "C.UTF-8"})
    try:
        for step in FIRST.steps:
            terminal.follow(step)
        assert terminal.run(f"PORT={free_port()}; E=http://127.0.0.1:$PORT")[0] == 0
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("section", SECTIONS if PROVING else SECTIONS[:1], ids=lambda one: one.heading)
def test_what_the_page_says_is_what_is_shown(section: Section, shell: Shell) -> None:
    for step in section.steps:
        shell.follow(step)
