"""What the host will do: every function with its placeholders resolved, checked before anything starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.host.errors import HostRefused
from local.host.indexing import Binding, Indexed
from local.host.routes import Route, RouteTable, compile_route
from local.host.schedules import Schedule
from local.host.settings import is_true, resolve

_EVERY_METHOD = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Target:
    """A function to call: its name, its code, the name of the argument that takes the input."""

    name: str
    call: Callable[..., object]
    argument: str


@dataclass(frozen=True)
class TimerPlan:
    """A function and its ticks."""

    target: Target
    schedule: Schedule


@dataclass(frozen=True)
class QueuePlan:
    """A function, its queue, and how many of its messages run at once (one host; Azure multiplies by hosts)."""

    target: Target
    connection: str
    queue: str
    at_once: int


@dataclass(frozen=True)
class Plan:
    """Everything the host drives. ``targets`` holds the HTTP functions by name."""

    routes: RouteTable
    targets: Mapping[str, Target]
    timers: tuple[TimerPlan, ...]
    queues: tuple[QueuePlan, ...]


@dataclass(frozen=True)
class HostJson:
    """What the host takes from ``host.json``; defaults are the Functions host's own."""

    prefix: str = "api"
    calls_at_once: int = 16

    @classmethod
    def read(cls, path: Path) -> HostJson:
        """Raises ``HostRefused`` for a missing or unreadable file or one of another version."""
        try:
            document = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise HostRefused(f"{path} cannot be read: {type(error).__name__}") from None
        if not isinstance(document, dict) or document.get("version") != "2.0":
            raise HostRefused(f'{path}: expected "version": "2.0"')
        extensions = document.get("extensions", {})
        prefix = extensions.get("http", {}).get("routePrefix", cls.prefix)
        return cls(prefix, extensions.get("serviceBus", {}).get("maxConcurrentCalls", cls.calls_at_once))


def make_plan(functions: tuple[Indexed, ...], host: HostJson, settings: Mapping[str, str]) -> Plan:
    """Resolve and check. Raises ``HostRefused`` naming the function and what it needs."""
    _check_runtime(settings)
    routes: list[Route] = []
    targets: dict[str, Target] = {}
    timers: list[TimerPlan] = []
    queues: list[QueuePlan] = []
    for function in functions:
        if is_true(settings, f"AzureWebJobs.{function.name}.Disabled"):
            continue
        trigger = function.trigger
        target = Target(function.name, function.call, str(trigger["name"]))
        match trigger["type"]:
            case "httpTrigger":
                routes.append(_route(function.name, trigger, host))
                targets[function.name] = target
            case "timerTrigger":
                timers.append(_timer(target, trigger, settings))
            case "serviceBusTrigger":
                queues.append(_queue(target, trigger, host, settings))
            case other:
                raise HostRefused(f"{function.name}: the local host does not play {other}")
    if any(not route.segments for route in routes) and not is_true(settings, "AzureWebJobsDisableHomepage"):
        raise HostRefused('the route "/" needs the setting AzureWebJobsDisableHomepage=true')
    return Plan(RouteTable(routes), targets, tuple(timers), tuple(queues))


def _check_runtime(settings: Mapping[str, str]) -> None:
    if settings.get("FUNCTIONS_WORKER_RUNTIME") != "python":
        raise HostRefused("the setting FUNCTIONS_WORKER_RUNTIME must be python")
    if not any(name.startswith("AzureWebJobsStorage") and settings[name] for name in settings):
        raise HostRefused("the setting AzureWebJobsStorage is missing: timers need it")


def _route(name: str, trigger: Binding, host: HostJson) -> Route:
    template = str(trigger.get("route") or "")
    if not template:
        raise HostRefused(
            f'{name}: an empty route means the function\'s name to Azure; write "/" for the root'
        )
    if str(trigger.get("authLevel", "FUNCTION")).upper() != "ANONYMOUS":
        raise HostRefused(f"{name}: the local host has no keys, so auth_level must be ANONYMOUS")
    if template.lstrip("/").lower().startswith(("admin", "runtime")) and not host.prefix:
        raise HostRefused(f"{name}: routes that begin with admin or runtime belong to the Functions host")
    return compile_route(name, f"{host.prefix}/{template}", trigger.get("methods") or _EVERY_METHOD)


def _timer(target: Target, trigger: Binding, settings: Mapping[str, str]) -> TimerPlan:
    if trigger.get("runOnStartup"):
        raise HostRefused(f"{target.name}: run_on_startup would run at every cold start; leave it out")
    expression = resolve(str(trigger["schedule"]), settings, target.name)
    return TimerPlan(target, Schedule(expression, target.name))


def _queue(target: Target, trigger: Binding, host: HostJson, settings: Mapping[str, str]) -> QueuePlan:
    name = target.name
    connection = str(trigger.get("connection") or "")
    if "queueName" not in trigger or trigger.get("isSessionsEnabled"):
        raise HostRefused(f"{name}: the local host plays plain queues, no topics and no sessions")
    if str(trigger.get("cardinality", "ONE")).upper() != "ONE":
        raise HostRefused(f"{name}: cardinality must be one: a failure in a batch gives all of it back")
    if not any(settings.get(key) for key in (connection, f"{connection}__fullyQualifiedNamespace")):
        raise HostRefused(
            f"{name}: the connection {connection or '(none named)'} is not in local.settings.json"
        )
    return QueuePlan(
        target, connection, resolve(str(trigger["queueName"]), settings, name), host.calls_at_once
    )
