"""Every command a page shows can be typed: its target, variables, options and addresses are there. The names in
running text are ``tests/test_docs.py``'s."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from local.cli.app import app
from tests.test_docs import EACH_PAGE, ROOT, code, routes, sandbox_routes, text

OF_MAKE = re.compile(r"(?:^|[;&|(] ?)((?:[A-Z_]+=\S* )*)make ([a-z]+)((?: [A-Z_]+=(?:\"[^\"]*\"|\S+))*)")
OF_PYTHON = re.compile(r"(?<![^\s(`\"=])([^\s`\"=(]*python3?) -m ((?:local|bench)[\w.]*)([^|;#)`]*)")
HOST = re.compile(r"http://127\.0\.0\.1:(7071|8099)(/[^\s\"'?`)…]*)(?!…)(?=[\s\"'?`)]|$)")
MAKEFILE = text(ROOT / "Makefile")


@cache
def environment() -> frozenset[str]:
    """Every setting that some program of ours reads by name."""
    folders = ("shared", "local", "tests", "bench")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in str(path)
    ]
    return frozenset(name for path in files for name in re.findall(r"\"([A-Z][A-Z_]{3,})\"", text(path)))


def pieces(written: str) -> list[str]:
    """Code, with lines that go on joined."""
    return code(written.replace("\\\n", " "))


def module_of(target: str) -> str:
    """What a target of the Makefile runs, empty where it is no module of ours."""
    found = re.search(
        rf"^{target}:.*\n(?:\t.*\n)*?\t.*\$\(PY\) -m ((?:local|bench)[\w.]*)", MAKEFILE, re.MULTILINE
    )
    return found[1] if found else ""


def wrong_variables(written: str) -> Iterator[str]:
    """Variables given to make that neither the Makefile nor a program reads."""
    for piece in pieces(written):
        for before, target, after in OF_MAKE.findall(piece):
            for name in re.findall(r"([A-Z_]+)=", before + re.sub(r"\"[^\"]*\"", "", after)):
                if f"$({name})" not in MAKEFILE and name not in environment():
                    yield f"make {target}: {name}"


def wrong_options(written: str) -> Iterator[str]:
    """Options that the program which gets them does not name, and words that are no command of ours."""
    for piece in pieces(written):
        for _, target, after in OF_MAKE.findall(piece):
            options = re.findall(r"(?:OPTIONS|ARGS)=(?:\"([^\"]*)\"|(\S+))", after)
            for given in (quoted or plain for quoted, plain in options):
                yield from _unknown(module_of(target), given)
        for python, module, given in OF_PYTHON.findall(piece):
            if not python.startswith(".venv/"):
                yield f"{python}: a reader's own Python has none of our packages"
            yield from _unknown(module, given)


def _unknown(module: str, given: str) -> Iterator[str]:
    if module == "local.cli":
        yield from _unknown_to_the_cli(given.replace('"', " ").split())
        return
    source = _source(module)
    for option in re.findall(r"(?<!\S)--[a-z-]+", given):
        if f'"{option}"' not in source:
            yield f"{module} {option}"


def _source(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    return text(path / "__main__.py") if path.is_dir() else text(path.with_suffix(".py"))


def _unknown_to_the_cli(words: list[str]) -> Iterator[str]:
    command: Any = typer.main.get_command(app)
    known = {option for one in command.params for option in one.opts}
    for word in words:
        if hasattr(command, "commands") and not word.startswith("-") and word in command.commands:
            command = command.commands[word]
            known |= {option for one in command.params for option in one.opts}
    if hasattr(command, "commands") and not command.invoke_without_command and words and words[0][0] != "-":
        yield f"local.cli {' '.join(words)}"
    yield from (f"local.cli {word}" for word in words if word.startswith("--") and word not in known)


def wrong_addresses(written: str) -> Iterator[str]:
    """Addresses of a run that neither the app nor the simulated platforms answer."""
    for piece in pieces(written):
        for port, path in HOST.findall(piece):
            post = " -d " in piece or "--data" in piece
            base = path == "/sandbox"  # put into a variable, for the lines below it
            if port == "8099" and not base and sandbox_routes().find("POST" if post else "GET", path) is None:
                yield path
            if port == "7071" and not any(route.fullmatch(path or "/") for _, route in routes()):
                yield path


@EACH_PAGE
def test_what_a_page_tells_to_type_can_be_typed(page: Path) -> None:
    written = text(page)
    assert list(wrong_variables(written)) == []
    assert list(wrong_options(written)) == []
    assert list(wrong_addresses(written)) == []


def test_what_the_help_of_make_tells_can_be_typed() -> None:
    told = re.findall(r"^(\w+):.*## (.*)$", MAKEFILE, re.MULTILINE)
    assert len(told) > 15
    lines = "".join(
        f"    make {target} {given}\n"
        for target, said in told
        for given in re.findall(r"(?:[A-Z_]+=(?:\"[^\"]*\"|[\w./-]+))", said)
    )
    assert len(lines.splitlines()) > 5
    assert [*wrong_variables(lines), *wrong_options(lines)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "    make run PORTFOLO=my.yaml\n",
        "    PUBLIC_URL_BASE=https://x.example.org make run\n",
        "    make run OPTIONS=--show-link\n",
        '    make run OPTIONS="--port 7071 --quick"\n',
        "see `make webhooks OPTIONS=--registers`",
        '    make cli ARGS="statuses"\n',
        '    make cli ARGS="sync --plattform airbnb"\n',
        "    .venv/bin/python -m local.cli portfolio push x.yaml\n",
        "    .venv/bin/python -m local.webhooks --all\n",
        "    python -m local.webhooks\n",
        "    curl http://127.0.0.1:8099/sandbox/nowhere/at/all\n",
        "    curl http://127.0.0.1:7071/api/nothing\n",
    ],
)
def test_what_cannot_be_typed_is_found(wrong: str) -> None:
    assert len([*wrong_variables(wrong), *wrong_options(wrong), *wrong_addresses(wrong)]) == 1
