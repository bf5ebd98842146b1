"""What a person sees: colour and tables on a terminal, plain lines where there is none; and what a script reads: JSON.

Names of homes, errors of platforms and the like are foreign text. A terminal obeys control characters, so none of
them gets through.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from unicodedata import category

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

_WIDE = 240
"""Columns where there is no terminal: nobody wants a log's lines to be cut."""

_BLANKS_AND_JOINERS = "\u200d\u200c"
"""Format characters that some names need, and no terminal minds."""


def plain(text: str) -> str:
    """Foreign text as it may be shown: one line, and nothing in it that a terminal obeys."""
    return "".join(
        one if _is_shown(one) else "\N{REPLACEMENT CHARACTER}" for one in " ".join(text.split("\n"))
    )


def _is_shown(one: str) -> bool:
    return one.isprintable() or category(one) == "Zs" or one in _BLANKS_AND_JOINERS


class Screen:
    """Writes answers to the standard output, and everything else beside it."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.out = _console(error=False)
        self.err = _console(error=True)

    def say(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """One line of an answer."""
        _print(self.out, text, style, indent)

    def tell(self, text: str, style: str = "") -> None:
        """One line beside the answer: what goes on, what went wrong."""
        _print(self.err, text, style, 0)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows under headings; long texts are wrapped, never cut."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        listed = list(rows)
        for place, heading in enumerate(headings):
            counts = all(row[place].isdecimal() or not row[place] for row in listed)
            table.add_column(Text(heading), overflow="fold", justify="right" if counts else "left")
        for row in listed:
            table.add_row(*(Text(plain(cell)) for cell in row))
        self.out.print(table)

    def raw(self, text: str) -> None:
        """A text of ours as it is, for a file or another program."""
        shown = "".join(one if one == "\n" or _is_shown(one) else "\N{REPLACEMENT CHARACTER}" for one in text)
        self.out.print(Text(shown.removesuffix("\n")), soft_wrap=True)

    def json(self, value: object) -> None:
        """An answer for scripts."""
        written = json.dumps(value, ensure_ascii=False, indent=2 if self.out.is_terminal else None)
        shown = "".join(one if one == "\n" or _is_shown(one) else json.dumps(one)[1:-1] for one in written)
        self.out.print(Text(shown), soft_wrap=True)

    def progress(self) -> Progress:
        """Bars, for a terminal."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(complete_style="cyan", finished_style="green"),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            console=self.err,
            transient=True,
        )


def _console(*, error: bool) -> Console:
    console = Console(
        file=sys.stderr if error else sys.stdout, markup=False, emoji=False, highlight=False, soft_wrap=False
    )
    if not console.is_terminal:
        console.width = _WIDE
    return console


def _print(console: Console, text: str, style: str, indent: int) -> None:
    for line in text.split("\n"):
        shown = Text(" " * indent + plain(line), style=style)
        console.print(shown, soft_wrap=not console.is_terminal)
