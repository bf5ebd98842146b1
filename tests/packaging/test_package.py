"""What goes to Azure: the same bytes each time, all the app needs, nothing else."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local import doctor, package
from tests.functions.conftest import GOLDEN, ROOT
from tests.test_repository_words import tracked

INDEX = """
import json, sys
sys.path[:0] = [{app!r}]
import function_app
found = [one.get_function_name() for one in function_app.app.get_functions()]
strangers = [name for name in ("local", "tests", "bench") if name in sys.modules]
print(json.dumps([found, strangers, function_app.__file__]))
"""

RENDER = """
import sys
sys.path[:0] = [{app!r}]
from shared.web import assets, render
assert set(assets.assets()) >= {{"style.css", "app.js", "htmx.js", "icon.svg"}}, assets.assets()
print(len(assets.assets()["style.css"].body))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as Azure unpacks it."""
    folder = tmp_path_factory.mktemp("package")
    package.write(folder / "app.zip")
    with zipfile.ZipFile(folder / "app.zip") as written:
        written.extractall(folder / "app")
    return folder / "app"


def fresh(code: str, app: Path) -> str:
    """What a process prints that finds nothing but the package and what is installed."""
    said = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code.format(app=str(app))],
        capture_output=True,
        text=True,
        cwd=app,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def copy_of_the_app(root: Path) -> Path:
    for name in package.names():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root


def test_two_packages_are_the_same_bytes_whenever_the_files_were_written(tmp_path: Path) -> None:
    copy = copy_of_the_app(tmp_path / "copy")
    for path in copy.rglob("*.py"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
        path.chmod(0o600)
    first, second = package.write(tmp_path / "1.zip"), package.write(tmp_path / "2.zip", copy)
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert first == second


def test_another_byte_is_another_package(tmp_path: Path) -> None:
    copy = copy_of_the_app(tmp_path / "copy")
    before = package.write(tmp_path / "1.zip", copy)
    with (copy / "host.json").open("a") as file:
        file.write("\n")
    assert package.write(tmp_path / "2.zip", copy) != before


def test_what_lies_beside_the_code_stays_here(tmp_path: Path) -> None:
    copy = copy_of_the_app(tmp_path / "copy")
    before = package.names(copy)
    for name in ("local.settings.json", "shared/.env", "shared/web/static/notes.txt", "portfolio.yaml"):
        (copy / name).write_text("secret")
    (copy / "shared" / "__pycache__").mkdir()
    (copy / "shared" / "__pycache__" / "config.cpython-311.pyc").write_text("old")
    assert package.names(copy) == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    copy = copy_of_the_app(tmp_path)
    shutil.rmtree(copy / "console")
    with pytest.raises(FileNotFoundError, match=r"^console is missing"):
        package.write(tmp_path / "app.zip", copy)


def test_the_package_is_what_funcignore_leaves() -> None:
    """Two ways to Azure, one result: ``make package`` and a deployment from this folder."""
    patterns = (ROOT / ".funcignore").read_text(encoding="utf-8").split()
    known = {path.relative_to(ROOT).as_posix() for path in tracked()}
    left = {name for name in known if not any(fnmatch.filter(name.split("/"), one) for one in patterns)}
    assert left == set(package.names()) & known


def test_the_unpacked_package_indexes_every_function_in_a_fresh_process(unpacked: Path) -> None:
    found, strangers, origin = json.loads(fresh(INDEX, unpacked))
    assert sorted(found) == sorted(json.loads(GOLDEN.read_text()))
    assert strangers == []
    assert Path(origin).is_relative_to(unpacked)


def test_the_unpacked_package_has_its_pages(unpacked: Path) -> None:
    assert int(fresh(RENDER, unpacked)) > 1000
    there = {path.name for path in (unpacked / "shared" / "web" / "templates").iterdir()}
    assert there == {path.name for path in (ROOT / "shared" / "web" / "templates").iterdir()}


def test_the_doctor_has_nothing_against_the_package(unpacked: Path) -> None:
    found = doctor.findings(unpacked)
    assert [one for one in found if one.stops] == []
    assert {one.label for one in found} == doctor.ACCEPTED.keys()


def test_the_doctor_stops_a_package_without_its_requirements(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import azure.functions as func\napp = func.FunctionApp()\n")
    assert [one.label for one in doctor.findings(tmp_path) if one.stops]
