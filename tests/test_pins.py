"""Two machines that run ``make setup`` get the same packages: everything is pinned, once, to what is installed."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"([A-Za-z0-9_.-]+)==([0-9][A-Za-z0-9.]*)")
RUNTIME = [
    "azure-functions",
    "azure-servicebus",
    "azure-data-tables",
    "azure-identity",
    "httpx",
    "tenacity",
    "pydantic",
    "opencensus-ext-azure",
]


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in lines(name):
        pin = PIN.fullmatch(line)
        assert pin, f"{name}: {line} is not pinned by =="
        found[re.sub(r"[-_.]+", "-", pin[1]).lower()] = pin[2]
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_direct_package_is_pinned_as_the_constraints_pin_it(name: str) -> None:
    constraints = pins("constraints.txt")
    assert {package: constraints.get(package) for package in pins(name)} == pins(name)


def test_the_runtime_packages_come_first() -> None:
    assert list(pins("requirements.txt"))[: len(RUNTIME)] == RUNTIME


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    assert {package: version(package) for package in pinned} == pinned
