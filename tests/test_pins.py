"""Two machines that run ``make setup`` get the same packages: everything is pinned, once, to what is installed."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"([A-Za-z0-9_.-]+)==([0-9][A-Za-z0-9.]*)(?:; (python_version [<>=]+ \"3\.\d+\"))?")
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
BY_PYTHON = {"azure-functions"}
"""1.x ends before Python 3.13, 2.x begins there."""
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


def pins(name: str, python: str = THIS_PYTHON) -> dict[str, str]:
    """What a file pins for one Python."""
    found = {}
    for line in lines(name):
        pin = PIN.fullmatch(line)
        assert pin, f"{name}: {line} is not pinned by =="
        if not pin[3] or Marker(pin[3]).evaluate({"python_version": python}):
            found[re.sub(r"[-_.]+", "-", pin[1]).lower()] = pin[2]
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_direct_package_is_pinned_as_the_constraints_pin_it(name: str) -> None:
    constraints, direct = pins("constraints.txt"), pins(name)
    of_each_python = direct.keys() - BY_PYTHON
    assert of_each_python
    assert {package: constraints.get(package) for package in of_each_python} == {
        package: direct[package] for package in of_each_python
    }


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_python_gets_one_version_of_the_same_packages(python: str) -> None:
    assert pins("requirements.txt", python).keys() == pins("requirements.txt").keys()
    major = pins("requirements.txt", python)["azure-functions"].partition(".")[0]
    assert major == ("2" if python == "3.13" else "1")


def test_the_setup_takes_from_the_constraints_what_depends_on_the_python() -> None:
    marked = {PIN.fullmatch(line)[1] for line in lines("requirements.txt") if ";" in line}  # type: ignore[index]
    assert marked == BY_PYTHON
    setup = (ROOT / "local" / "setup.sh").read_text(encoding="utf-8")
    assert {name for name in marked if f"grep -v '^{name}==' constraints.txt" in setup} == marked


def test_the_runtime_packages_come_first() -> None:
    assert list(pins("requirements.txt"))[: len(RUNTIME)] == RUNTIME


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    assert {package: version(package) for package in pinned} == pinned
