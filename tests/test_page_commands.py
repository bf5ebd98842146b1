"""How a page's commands are read and what they show is judged: the rules stand in ``tests/e2e/page.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.page import Shell, Step, sections

PAGE = """# Title

    A=1                      # the first block

Prose, and `code`.

## One / un

    echo one \\
       two
    → one
        two
    echo three               # within 5 s
    → th…

```
    echo not a command
```

## Two / deux

Nothing to type.
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_blocks_are_commands_with_what_they_show(page: Path) -> None:
    first, one = sections(page)
    assert [step.command for step in first.steps] == ["A=1                      # the first block"]
    assert one.heading == "One / un"
    assert [step.command.split()[:2] for step in one.steps] == [["echo", "one"], ["echo", "three"]]
    assert one.steps[0].command == "echo one \\\ntwo"
    assert [" ".join((step.shows or "").split()) for step in one.steps] == ["one two", "th…"]
    assert [step.within for step in one.steps] == [0.0, 5.0]
    assert one.seconds == 5.0


def test_an_arrow_without_a_command_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("    → nothing was typed\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1: an arrow without a command"):
        sections(path)


@pytest.mark.parametrize(
    ("says", "shows", "is_it"),
    [
        ("one two", "one\n   two\n", True),
        ("one … three", "one two three", True),
        ("one…", "one", True),
        ('{"ok": true, …}', '{"ok": true, "reasons": []}', True),
        ("one", "one two", False),
        ("two", "one two", False),
        ("one … two", "two one", False),
        ("a.c", "abc", False),
        ('{"ok": true, …}', '{"ok": false, "reasons": []}', False),
    ],
)
def test_only_what_the_page_leaves_open_may_differ(says: str, shows: str, is_it: bool) -> None:
    assert Step(1, "echo", says).is_shown(0, shows) is is_it


def test_without_an_arrow_a_command_must_succeed(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {})
    try:
        shell.follow(Step(1, "A=7   # kept"))
        shell.follow(Step(2, "echo $A", "7"))
        with pytest.raises(AssertionError, match=r"line 3: false\nshould show: \(exit code 0\)"):
            shell.follow(Step(3, "false"))
        with pytest.raises(AssertionError, match=r"should show: eight\nshowed \(0\): 7"):
            shell.follow(Step(4, "echo $A", "eight"))
    finally:
        shell.close()
