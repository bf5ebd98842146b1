"""A tiny app, clocks that tests move, and a host on a free port: what the host's tests share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import azure.functions as func

from local.host.indexing import index
from local.host.plan import HostJson, Plan, make_plan
from local.host.server import Host, listen
from shared.memory.bus import MemoryBus
from shared.ports.bus import Bus

SETTINGS = {
    "FUNCTIONS_WORKER_RUNTIME": "python",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "AzureWebJobsDisableHomepage": "true",
    "SERVICEBUS": "Endpoint=sb://localhost;SharedAccessKeyName=x;SharedAccessKey=x",
    "QUEUE": "work",
    "EVERY_MINUTE": "0 * * * * *",
}

NOON = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)

Http = Callable[[func.HttpRequest], Awaitable[func.HttpResponse | None]]


class Over(Exception):
    """The virtual time has come to its end."""


class VirtualTime:
    """A clock that only sleeping moves, up to an end."""

    def __init__(self, lasts: timedelta, start: datetime = NOON) -> None:
        self.time = start
        self.end = start + lasts

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += timedelta(seconds=seconds)
        if self.time > self.end:
            raise Over


class HeldTime:
    """A clock that stands still: who sleeps, sleeps until it is released."""

    def __init__(self) -> None:
        self.time = NOON
        self.released = asyncio.Event()

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await self.released.wait()
        self.time += timedelta(seconds=seconds)


async def nothing(_: object) -> None:
    return None


async def ok(_req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


def waiting(bus: MemoryBus) -> list[str]:
    """Keys of what is still in the queue, locked or not."""
    return [json.loads(stored.body)["key"] for stored in bus._queues["work"].waiting.values()]


def new_app() -> func.FunctionApp:
    return func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def with_timer(work: Callable[[func.TimerRequest], Awaitable[object]]) -> func.FunctionApp:
    app = new_app()

    @app.function_name("tick")
    @app.timer_trigger("timer", schedule="%EVERY_MINUTE%")
    async def tick(timer: func.TimerRequest) -> object:
        return await work(timer)

    return app


def with_queue(work: Callable[[func.ServiceBusMessage], Awaitable[None]]) -> func.FunctionApp:
    app = new_app()

    @app.function_name("worker")
    @app.service_bus_queue_trigger("message", connection="SERVICEBUS", queue_name="%QUEUE%")
    async def worker(message: func.ServiceBusMessage) -> None:
        await work(message)

    return app


def with_routes(handlers: Mapping[str, tuple[list[str], Http]]) -> func.FunctionApp:
    app = new_app()

    def plain(handler: Http) -> Http:
        # Without a return annotation the worker checks none, so that a handler may return nothing.
        async def answer(req: func.HttpRequest):  # type: ignore[no-untyped-def]
            return await handler(req)

        return answer

    for number, (route, (methods, handler)) in enumerate(handlers.items()):
        routed = app.route(route=route, methods=methods)(plain(handler))
        app.function_name(f"http_{number}")(routed)
    return app


def plan_of(app: func.FunctionApp, settings: Mapping[str, str] = SETTINGS, at_once: int = 16) -> Plan:
    return make_plan(index(app), HostJson("", at_once), settings)


@dataclass
class Running:
    base: str
    bus: MemoryBus
    stop: Callable[[], None]
    release: Callable[[], None]
    served: asyncio.Task[None]


@asynccontextmanager
async def running(plan: Plan, grace: float = 10.0, other: Bus | None = None) -> AsyncIterator[Running]:
    held = HeldTime()
    bus = MemoryBus(held.now, held.sleep)
    sock = listen("127.0.0.1", 0)
    stopping = asyncio.Event()
    host = Host(plan, {"SERVICEBUS": other or bus}, held.now, held.sleep, grace)

    def stop() -> None:
        stopping.set()
        held.released.set()

    served = asyncio.create_task(host.serve(sock, stopping))
    try:
        # A broken host shows as a failure, not as a run that never ends.
        async with asyncio.timeout(60):
            yield Running(f"http://127.0.0.1:{sock.getsockname()[1]}", bus, stop, held.released.set, served)
    finally:
        stop()
        await served
