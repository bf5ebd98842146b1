"""Microsoft's own worker runtime loads the package on Python 3.13, indexes it, and invokes every function once.

On Azure a package that cannot be loaded has no functions and says nothing. The runtime is fetched once, into
``.local``, with the azure-functions that this Python gets; nothing else of ours is there, so that it also shows what
the app needs before it is asked anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local import package
from tests.functions.conftest import GOLDEN, ROOT
from tests.test_pins import pins

RUNTIME = "azure-functions-runtime==1.3.0"
SDK = pins("requirements.txt", "3.13")["azure-functions"]
WORKER = ROOT / "tests" / "packaging" / "in_the_worker.py"


def python_313() -> str:
    """By the path, or where pyenv keeps it; "" for none."""
    kept = sorted(Path.home().glob(".pyenv/versions/3.13*/bin/python3.13"))
    found = [str(one) for one in kept] + [shutil.which("python3.13") or ""]
    return next((one for one in found if one and os.access(one, os.X_OK)), "")


@pytest.fixture(scope="module")
def runtime() -> tuple[str, Path]:
    """A Python 3.13, and the folder with the runtime's packages."""
    python = python_313()
    if not python:
        pytest.skip("no second Python: 3.13 is not here")
    folder = ROOT / ".local" / f"worker-{SDK}"
    if not (folder / "azure_functions_runtime").exists():
        # Beside it first: a fetch that stops half-way must not look like one that is there.
        half = folder.with_name(f"{folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        asked = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(half)]
        fetched = subprocess.run(
            [*asked, RUNTIME, f"azure-functions=={SDK}"], capture_output=True, text=True, check=False
        )
        if fetched.returncode:
            pytest.skip("no second Python with the worker's runtime: it could not be fetched")
        half.rename(folder)
    return python, folder


def in_the_worker(runtime: tuple[str, Path], app: Path) -> dict[str, dict[str, str]]:
    python, folder = runtime
    environ = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [python, str(WORKER), str(app)], capture_output=True, text=True, env=environ, cwd=app, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.fixture
def app(tmp_path: Path) -> Path:
    package.write(tmp_path / "app.zip")
    shutil.unpack_archive(tmp_path / "app.zip", tmp_path / "app")
    return tmp_path / "app"


def test_every_function_is_loaded_and_invoked(runtime: tuple[str, Path], app: Path) -> None:
    said = in_the_worker(runtime, app)
    golden = json.loads(GOLDEN.read_text())
    assert said.get("wrong") == {}, said
    assert said["done"] == {
        name: next(way["type"] for way in ways if way["type"].endswith("rigger"))
        for name, ways in golden.items()
    }


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("shared/edge.py", "from shared import bootstrap", "from shared import no_such_module"),
        ("health_monitor/blueprint.py", "timer: func.TimerRequest", "timer: func.HttpRequest"),
    ],
    ids=["an import that fails", "a trigger of another kind"],
)
def test_what_cannot_be_loaded_is_seen(
    file: str, right: str, wrong: str, runtime: tuple[str, Path], app: Path
) -> None:
    written = (app / file).read_text()
    assert right in written
    (app / file).write_text(written.replace(right, wrong))
    assert in_the_worker(runtime, app)["failed"]


def test_a_function_that_asks_nobody_is_seen(runtime: tuple[str, Path], app: Path) -> None:
    blueprint = app / "health_monitor" / "blueprint.py"
    written = blueprint.read_text()
    blueprint.write_text(written.replace("await bootstrap.engine().on_timer_health()", "pass"))
    assert list(in_the_worker(runtime, app)["wrong"]) == ["health_monitor"]
