"""Two machines that run ``make setup`` get the same packages: everything is pinned, once, to what is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.markers import Marker

from local.pins import FILE, LEFT_FREE, main, written
from tests.hypothesis_profiles import PROVING

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


def test_what_comes_along_is_pinned_where_azure_builds_too() -> None:
    """Its builders read requirements.txt alone. Some package more or less, or another version, fails here."""
    assert FILE.read_text(encoding="utf-8") == written(FILE.read_text(encoding="utf-8")), "run: make pins"


def test_old_pins_are_in_no_new_versions_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make pins` forgets them before it asks the index."""
    copy = tmp_path / "requirements.txt"
    copy.write_text(FILE.read_text(encoding="utf-8"))
    monkeypatch.setattr("local.pins.FILE", copy)
    monkeypatch.setattr(sys, "argv", ["local.pins", "--forget"])
    assert main() == 0
    assert "yarl==" not in copy.read_text()
    assert "aiohttp==" in copy.read_text()
    monkeypatch.setattr(sys, "argv", ["local.pins"])
    assert main() == 0
    assert copy.read_text() == FILE.read_text(encoding="utf-8")


def test_the_protobuf_of_the_worker_is_left_to_each_build() -> None:
    pinned = pins("constraints.txt").keys() - pins("requirements.txt").keys()
    assert {"protobuf"} == LEFT_FREE
    assert pinned >= LEFT_FREE


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_another_python_finds_the_same_packages(python: str, tmp_path: Path) -> None:
    """Resolved by that Python itself from the index, all pins kept: some seconds, so in `make prove` alone."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{python}*/bin/python{python}"))
    if not PROVING or not kept:
        pytest.skip("no second Python, or not asked to prove")
    asked = [
        str(kept[0]),
        "-m",
        "pip",
        "install",
        "-q",
        "--dry-run",
        "--ignore-installed",
        "--only-binary=:all:",
    ]
    report = tmp_path / "report.json"
    done = subprocess.run(
        [*asked, "--target", str(tmp_path / "none"), "-r", str(FILE), "--report", str(report)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {
        re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower(): one["metadata"]["version"]
        for one in json.loads(report.read_text())["install"]
    }
    assert found.keys() - LEFT_FREE == pins("requirements.txt", python).keys()
    assert {name: found[name] for name in pins("requirements.txt", python)} == pins(
        "requirements.txt", python
    )


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    assert {package: version(package) for package in pinned} == pinned
