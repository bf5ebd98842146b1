"""What the reader gives: ``live.yaml`` with its marks, and secrets from the environment or a ``.env``.

``live.yaml`` is written like ``portfolio.yaml``. A listing whose line says ``live_writes: yes`` may be written to;
every other one is read alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.adapters.portfolio_values import PortfolioRules
from shared.adapters.portfolio_yaml import PortfolioUnreadable, portfolio_of
from shared.adapters.yaml_tree import Fields, Items, Report, Spot, Text, Tree, read_tree
from shared.domain.portfolio import Portfolio

MARK = "live_writes"
Change = Callable[[Tree], Tree]

MISSING = """\
make live essaie le moteur sur vos vraies plateformes. Il lui faut\u202f:
  1. un fichier live.yaml (git l’ignore), écrit comme portfolio.yaml\u202f; «\u202flive_writes: yes\u202f» à la ligne de
     chaque annonce où une nuit lointaine peut être fermée, puis rouverte. Sans cette ligne, rien n’y est écrit\u202f;
  2. les secrets que ses comptes nomment, dans l’environnement ou dans un fichier .env (git l’ignore aussi)\u202f;
puis\u202f:  make live LIVE=live.yaml          lit seulement
        make live LIVE=live.yaml LIVE_WRITES=1    ferme une nuit, relit, rouvre, relit
La page\u202f: docs/live.md

make live tries the engine on your real platforms. It needs:
  1. a file live.yaml (git ignores it), written like portfolio.yaml; "live_writes: yes" on the line of each listing
     where one far-off night may be closed and opened again. Without that line nothing is written there;
  2. the secrets its accounts name, in the environment or in a file .env (git ignores that too);
then:   make live LIVE=live.yaml          reads only
        make live LIVE=live.yaml LIVE_WRITES=1    closes a night, reads back, opens it, reads back
The page: docs/live.md
"""


class NotGiven(Exception):
    """The command was not given what it needs; the text says what, in both languages."""


@dataclass(frozen=True, slots=True)
class Live:
    """The file, read: what is there, and which listings may be written to."""

    portfolio: Portfolio
    marked: frozenset[str]
    secrets: Mapping[str, str] = field(repr=False)


def read_live(path: Path | None, environ: Mapping[str, str], env_file: Path, rules: PortfolioRules) -> Live:
    """The file with its marks, and the values of every setting its accounts name.

    Raises ``NotGiven`` without a file or with a secret missing, ``PortfolioUnreadable`` with every mistake in it.
    """
    if path is None or not path.exists():
        raise NotGiven(MISSING if path is None else f"{path} n’existe pas / does not exist\n\n{MISSING}")
    portfolio, marked = read_marks(path.read_bytes(), rules, path.name)
    values = {**read_env(env_file), **environ}
    named = {setting for account in portfolio.accounts for setting in account.secrets.values()}
    if missing := sorted(name for name in named if not values.get(name)):
        raise NotGiven(f"il manque / missing: {', '.join(missing)}\n\n{MISSING}")
    return Live(portfolio, marked, values)


def read_marks(data: bytes, rules: PortfolioRules, name: str) -> tuple[Portfolio, frozenset[str]]:
    """The portfolio without its marks, and the ids of the marked listings. Raises ``PortfolioUnreadable``."""
    report = Report()
    tree = read_tree(data, report)
    if tree is None:
        raise PortfolioUnreadable(name, report.problems)
    marks: list[bool] = []
    portfolio = portfolio_of(_without_marks(tree, marks, report), report, rules, name)
    return portfolio, frozenset(one.id for one, mark in zip(portfolio.listings, marks, strict=True) if mark)


def read_env(path: Path) -> dict[str, str]:
    """``NAME=value`` a line, as shells and editors write it; quotes round a value go, comments too."""
    if not path.exists():
        return {}
    pairs = [
        line.strip().removeprefix("export ").partition("=") for line in path.read_text("utf-8").splitlines()
    ]
    return {
        name.strip(): value.strip().strip("\"'")
        for name, equals, value in pairs
        if equals and not name.startswith("#")
    }


def _without_marks(tree: Tree, marks: list[bool], report: Report) -> Tree:
    """The tree of a plain portfolio; of each listing, in the order of the file, whether it is marked."""

    def listing(one: Tree) -> Tree:
        mark, rest = _taken(one, MARK)
        marks.append(_means_yes(mark, report))
        return rest

    def home(one: Tree) -> Tree:
        return _changed(one, "listings", listing)

    return _changed(tree, "homes", home)


def _means_yes(mark: Tree | None, report: Report) -> bool:
    if mark is None:
        return False
    if isinstance(mark, Text) and mark.value in ("yes", "no"):
        return mark.value == "yes"
    report.add(mark.spot, MARK, "yes or no, and nothing else: what is doubtful is not written to")
    return False


def _taken(tree: Tree, name: str) -> tuple[Tree | None, Tree]:
    if not isinstance(tree, Fields):
        return None, tree
    entries = {key: value for key, value in tree.entries.items() if key != name}
    keys: dict[str, Spot] = {key: spot for key, spot in tree.keys.items() if key != name}
    return tree.entries.get(name), Fields(entries, keys, tree.spot)


def _changed(tree: Tree, name: str, change: Change) -> Tree:
    """The same tree with every item of one list changed."""
    inner = tree.entries.get(name) if isinstance(tree, Fields) else None
    if not isinstance(tree, Fields) or not isinstance(inner, Items):
        return tree
    items = Items(tuple(change(one) for one in inner.items), inner.spot)
    return Fields({**tree.entries, name: items}, tree.keys, tree.spot)
