"""The import contracts hold, and each fails when it is broken on purpose: a rule nobody can break checks nothing."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True, no_cache=True))"

LAYERS = "Data flows one way"
PURE = "The domain is the standard library only"
EDGES = "Azure and HTTP clients stay in the adapters"
STRANGERS = "Function folders are strangers to each other"
BOOTSTRAP = "Function folders know the engine by bootstrap only"
GUARD = "Connectors know nothing of the guard"
NUMPY = "numpy is paid for by the audit alone"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},  # one line a contract
    )


def broken(output: str) -> set[str]:
    return {line.split(" BROKEN")[0] for line in output.splitlines() if " BROKEN" in line}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages under contract, in a place where they may be spoilt."""
    for package in SETTINGS["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_is_broken_by_a_case_below() -> None:
    covered = {name for _, _, names in CASES for name in names}
    assert all(
        any(contract["name"].startswith(name) for name in covered) for contract in SETTINGS["contracts"]
    ), "a new contract needs a case that breaks it"


CASES = [
    ("shared/engine", "import azure.data.tables", {EDGES}),
    ("shared/engine", "import shared.memory", {LAYERS}),
    ("shared/engine", "import shared.bootstrap", {LAYERS}),
    ("shared/engine", "import shared.connectors.registry", {LAYERS}),
    ("shared/connectors", "import httpx", {EDGES}),
    ("shared/web", "import httpx", {EDGES}),
    ("shared/routes", "import aiohttp", {EDGES}),
    ("shared/connectors", "import shared.resilience.retry", {LAYERS}),
    ("shared/connectors", "import shared.connectors.guard.guarded", {GUARD}),
    ("shared/connectors/guard", "import shared.engine", {LAYERS}),
    ("shared/adapters", "import shared.engine", {LAYERS}),
    ("shared/domain", "import logging", {PURE}),
    ("shared/domain", "import jinja2", {PURE}),
    ("shared/domain", "import secrets", {PURE}),
    ("shared/domain", "import shared.ports", {LAYERS}),
    ("shared/resilience", "import numpy", {NUMPY}),
    ("sync_worker", "import conflict_resolver", {STRANGERS}),
    ("console", "import shared.engine", {BOOTSTRAP}),
    ("console", "import shared.web.pages.today", {BOOTSTRAP}),
    ("sync_scheduler", "import httpx", {BOOTSTRAP}),
]


@pytest.mark.parametrize(("package", "line", "names"), CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES])
def test_a_forbidden_import_fails(copy: Path, package: str, line: str, names: set[str]) -> None:
    (copy / package / "broken_on_purpose.py").write_text(f"{line}\n", encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    said = broken(done.stdout)
    assert all(any(contract.startswith(name) for contract in said) for name in names), done.stdout
    assert "broken_on_purpose" in done.stdout


FOLDERS = (
    "sync_scheduler",
    "webhook_receiver",
    "sync_worker",
    "conflict_resolver",
    "health_monitor",
    "console",
)


def test_of_azures_packages_function_folders_know_the_triggers_alone() -> None:
    """The import linter takes everything of ``azure`` for one package, and triggers are part of it."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    assert files
    named = {name for file in files for name in imported(file) if name.partition(".")[0] == "azure"}
    assert named == {"azure.functions"}


def imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
