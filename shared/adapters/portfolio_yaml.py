"""``portfolio.yaml``: the file in which a host describes homes, listings and calendar links.

Its form is shown and explained in ``portfolio.example.yaml``. Everything wrong is told at once, each with line,
column and field; a message never holds a link or a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from shared.adapters.portfolio_reader import TOP, PortfolioReader
from shared.adapters.portfolio_values import PortfolioRules
from shared.adapters.yaml_fields import Section
from shared.adapters.yaml_tree import (
    MOST_BYTES,
    Fields,
    FileProblem,
    Items,
    Report,
    Spot,
    Text,
    Tree,
    read_tree,
)
from shared.domain.errors import PermanentError
from shared.domain.portfolio import Portfolio

_MOST_TOLD = 40

# The published beginnings of widely used keys, and the shape of a web token.
_LOOKS_SECRET = re.compile(
    r"(?:sk|rk|pk)_(?:live|test)_|-----BEGIN |eyJ[A-Za-z0-9_-]{8,}\.|(?:Bearer|Basic) [A-Za-z0-9]|AKIA[0-9A-Z]{12}"
    r"|gh[pousr]_[A-Za-z0-9]{8}|github_pat_|xox[abpr]-|whsec_|(?:Account|SharedAccess)Key="
)


class PortfolioUnreadable(PermanentError):
    """The file holds mistakes; ``str()`` lists them for a person and is safe to show."""

    def __init__(self, name: str, problems: tuple[FileProblem, ...]) -> None:
        lines = [f"  {problem}" for problem in problems[:_MOST_TOLD]]
        if len(problems) > _MOST_TOLD:
            lines.append(f"  and {len(problems) - _MOST_TOLD} more")
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__("\n".join([f"{name} has {count} to mend:", *lines]))
        self.problems = problems


def read_portfolio_file(path: Path, rules: PortfolioRules) -> Portfolio:
    """The portfolio in a file. Raises ``PortfolioUnreadable``, also when there is no such file."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        text = f"{reason}: copy portfolio.example.yaml to begin with, or name another file"
        raise PortfolioUnreadable(path.name, (FileProblem(Spot(), "", text),)) from None
    return read_portfolio(data, rules, name=path.name)


def read_portfolio(data: bytes, rules: PortfolioRules, *, name: str = "portfolio.yaml") -> Portfolio:
    """The portfolio in the bytes of a file. Raises ``PortfolioUnreadable`` with everything that is wrong."""
    report = Report()
    tree = read_tree(data, report)
    if tree is None:
        raise PortfolioUnreadable(name, report.problems)
    return portfolio_of(tree, report, rules, name)


def portfolio_of(tree: Tree, report: Report, rules: PortfolioRules, name: str) -> Portfolio:
    """The portfolio in a file's tree. Raises ``PortfolioUnreadable`` with everything the report has then."""
    for text in _texts(tree):
        if _LOOKS_SECRET.search(text.value):
            hint = "this looks like a secret: put it in a setting, and give the name of the setting instead"
            report.add(text.spot, "", hint)
    portfolio = PortfolioReader(rules).read(Section(tree, "the file", TOP, report))
    if report.problems:
        raise PortfolioUnreadable(name, report.problems)
    return portfolio


def _texts(tree: Tree) -> Iterator[Text]:
    if isinstance(tree, Text):
        yield tree
    elif isinstance(tree, Items):
        for item in tree.items:
            yield from _texts(item)
    elif isinstance(tree, Fields):
        for value in tree.entries.values():
            yield from _texts(value)
