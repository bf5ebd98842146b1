"""Loads an app as the Python worker does, and describes its functions in the worker's own words.

What is refused here is refused by the worker or its host as well (each case VERIFIED on worker 4.34, unless said
otherwise); there it ends in "0 functions loaded" and no reason.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_type_hints
from weakref import WeakKeyDictionary

import azure.functions as func
from azure.functions.decorators.function_app import Function
from azure.functions.meta import get_binding_registry

from local.host.errors import HostRefused

Binding = Mapping[str, Any]
"""One entry of ``bindings`` as JSON has it: the worker sends the host exactly this."""

# REPORTED Azure Functions' rule for names; 'admin' and 'runtime' belong to the host (azure-functions-host#1781).
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,126}")
_RESERVED = ("admin", "runtime")


@dataclass(frozen=True)
class Indexed:
    """One function: its name, the code to call, and its bindings, placeholders unresolved."""

    name: str
    call: Callable[..., object]
    bindings: tuple[Binding, ...]

    @property
    def trigger(self) -> Binding:
        """The one binding that starts it."""
        return next(b for b in self.bindings if str(b["type"]).endswith("Trigger"))


# ``get_functions`` may be called once per app: a second call finds every name taken.
_INDEXED: WeakKeyDictionary[func.FunctionApp, tuple[Indexed, ...]] = WeakKeyDictionary()


def load_app(module: str = "function_app") -> func.FunctionApp:
    """Import the module and find its app: exactly one name may hold one. Raises ``HostRefused``, ``ImportError``."""
    loaded: ModuleType = importlib.import_module(module)
    names = [name for name, value in vars(loaded).items() if isinstance(value, func.FunctionApp)]
    if len(names) != 1:
        raise HostRefused(f"{module}: expected one FunctionApp, found {len(names)} ({', '.join(names)})")
    app: func.FunctionApp = getattr(loaded, names[0])
    return app


def index(app: func.FunctionApp) -> tuple[Indexed, ...]:
    """Every function of the app, in order of registration. Raises ``HostRefused`` where the worker would fail."""
    if app not in _INDEXED:
        try:
            found = app.get_functions()
        except ValueError as error:  # two functions of one name, or one without a trigger
            raise HostRefused(str(error)) from None
        _INDEXED[app] = tuple(_indexed(function) for function in found)
    return _INDEXED[app]


def describe(functions: tuple[Indexed, ...]) -> dict[str, list[Binding]]:
    """Bindings by function name, sorted: what a golden file can be compared with."""
    return {f.name: list(f.bindings) for f in sorted(functions, key=lambda f: f.name)}


def _indexed(function: Function) -> Indexed:
    name = function.get_function_name() or ""
    bindings = tuple(json.loads(raw) for raw in function.get_raw_bindings())
    call: Callable[..., object] = function.get_user_function()
    if not _NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
        raise HostRefused(f"{name}: not a name the Functions host accepts for a function")
    _check_parameters(name, call, bindings)
    return Indexed(name, call, bindings)


def _check_parameters(name: str, call: Callable[..., object], bindings: tuple[Binding, ...]) -> None:
    declared = set(inspect.signature(call).parameters) - {"context"}
    bound = {str(b["name"]) for b in bindings} - {"$return"}
    if declared != bound:
        odd = ", ".join(sorted(declared ^ bound))
        raise HostRefused(f"{name}: its parameters and its bindings differ: {odd}")
    hints = get_type_hints(call)
    for binding in bindings:
        argument = "return" if binding["name"] == "$return" else str(binding["name"])
        if argument in hints and not _fits(binding, hints[argument]):
            raise HostRefused(f"{name}: {argument} is annotated with a type that {binding['type']} has not")


def _fits(binding: Binding, hint: object) -> bool:
    registry = get_binding_registry()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    converter = registry.get(binding["type"])
    if converter is None:
        raise HostRefused(f"{binding['type']}: no such binding in azure.functions")
    check = "check_output_type_annotation" if binding["name"] == "$return" else "check_input_type_annotation"
    return isinstance(hint, type) and bool(getattr(converter, check)(hint))
