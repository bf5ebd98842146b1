"""What Azure would index, against a golden file. Azure itself swallows an import error and loads 0 functions."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.host.indexing import Indexed, describe, index, load_app
from shared.routes import ROUTES
from tests.functions.conftest import GOLDEN, ROOT

FOLDERS = (
    "sync_scheduler",
    "webhook_receiver",
    "sync_worker",
    "conflict_resolver",
    "health_monitor",
    "console",
)

CONSOLE = ROOT / "console" / "pages.py"
"""Where the handlers of all routes are made."""

DESCRIBE = """
import json
from local.host.indexing import describe, index, load_app
print(json.dumps(describe(index(load_app()))))
"""


def described_in_a_fresh_process(root: Path) -> dict[str, list[dict[str, object]]]:
    # -I keeps this process's environment and path out: nothing but the app's own root, as in the worker.
    code = f"import sys; sys.path.insert(0, {str(root)!r}){DESCRIBE}"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=root)
    if done.returncode:
        raise ImportError(done.stderr.strip().splitlines()[-1])
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def compare_with_golden(root: Path) -> None:
    assert described_in_a_fresh_process(root) == json.loads(GOLDEN.read_text())


@pytest.fixture
def copy_of_the_app(tmp_path: Path) -> Path:
    for folder in (*FOLDERS, "shared", "local/host"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "function_app.py", tmp_path)
    shutil.copy(ROOT / "local" / "__init__.py", tmp_path / "local")
    return tmp_path


def test_names_triggers_and_bindings_are_the_golden_ones() -> None:
    compare_with_golden(ROOT)


def test_an_app_can_be_indexed_again(functions: tuple[Indexed, ...]) -> None:
    assert index(load_app()) == functions


def test_a_broken_import_fails_the_comparison(copy_of_the_app: Path) -> None:
    compare_with_golden(copy_of_the_app)
    blueprint = copy_of_the_app / "health_monitor" / "blueprint.py"
    blueprint.write_text("import no_such_module\n" + blueprint.read_text())
    with pytest.raises(ImportError, match="no_such_module"):
        compare_with_golden(copy_of_the_app)


def test_a_forgotten_registration_fails_the_comparison(copy_of_the_app: Path) -> None:
    app = copy_of_the_app / "function_app.py"
    app.write_text(app.read_text().replace("app.register_functions(sync_worker)\n", ""))
    with pytest.raises(AssertionError):
        compare_with_golden(copy_of_the_app)


def test_a_wrong_annotation_is_refused_as_the_worker_would(copy_of_the_app: Path) -> None:
    blueprint = copy_of_the_app / "health_monitor" / "blueprint.py"
    blueprint.write_text(blueprint.read_text().replace("func.TimerRequest", "func.HttpRequest"))
    with pytest.raises(ImportError, match="health_monitor: timer is annotated"):
        compare_with_golden(copy_of_the_app)


def placeholders(functions: tuple[Indexed, ...]) -> set[str]:
    return set(re.findall(r"%([^%]+)%", json.dumps(describe(functions))))


def test_every_placeholder_stands_in_the_sample_settings(
    functions: tuple[Indexed, ...], sample_settings: dict[str, str]
) -> None:
    wanted = placeholders(functions)
    assert len(wanted) == 8
    assert {name for name in wanted if not sample_settings.get(name)} == set()


def test_every_schedule_and_queue_comes_from_a_setting(functions: tuple[Indexed, ...]) -> None:
    given = [f.trigger.get("schedule") or f.trigger.get("queueName") for f in functions]
    assert all(re.fullmatch(r"%[A-Z_]+%", str(text)) for text in given if text)


def test_every_http_function_is_anonymous_and_names_its_methods(functions: tuple[Indexed, ...]) -> None:
    triggers = [f.trigger for f in functions if f.trigger["type"] == "httpTrigger"]
    assert triggers
    assert all(t["authLevel"] == "ANONYMOUS" and t["methods"] and t["route"] for t in triggers)


def test_nothing_is_called_admin(functions: tuple[Indexed, ...]) -> None:
    words = [word for f in functions for word in (f.name, *str(f.trigger.get("route", "")).split("/"))]
    assert [word for word in words if word.lower().startswith("admin")] == []


def test_there_is_no_function_json() -> None:
    tracked = [path for path in ROOT.glob("*/function.json") if path.parent.name != "node_modules"]
    assert tracked == []


def handlers() -> Iterator[tuple[str, ast.AsyncFunctionDef | ast.FunctionDef]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and path != CONSOLE:
                    yield f"{folder}.{path.stem}.{node.name}", node


def test_handlers_are_coroutines_of_at_most_15_lines() -> None:
    found = dict(handlers())
    assert len(found) + len(ROUTES) == len(json.loads(GOLDEN.read_text()))
    assert [name for name, node in found.items() if isinstance(node, ast.FunctionDef)] == []
    lines = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in found.items()}
    assert {name: count for name, count in lines.items() if count > 15} == {}


def test_every_handler_goes_through_the_trigger_edge() -> None:
    bare = [name for name, node in handlers() if not ast.unparse(node.decorator_list[-1]).startswith("edge.")]
    assert bare == []


def test_the_console_has_one_handler_for_each_route_of_the_table(functions: tuple[Indexed, ...]) -> None:
    """They are made in a loop: by one function, which puts each behind the trigger edge."""
    of_route = {route.name: (route.path, route.method) for route in ROUTES}
    assert len(of_route) == len(ROUTES)
    indexed = {f.name: (f.trigger["route"], *f.trigger["methods"]) for f in functions if f.name in of_route}
    assert indexed == of_route
    (maker,) = [node for node in ast.parse(CONSOLE.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert ast.unparse(maker.body[-1]) == "return edge.page(handle) if route.is_page else edge.http(handle)"


def test_function_app_only_registers() -> None:
    body = ast.parse((ROOT / "function_app.py").read_text()).body
    kinds = {type(node).__name__ for node in body}
    assert kinds == {"Expr", "Import", "ImportFrom", "Assign"}
    assert sum(isinstance(node, ast.Assign) for node in body) == 1
