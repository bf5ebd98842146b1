"""Running the sandbox on a loopback port: for tests in their own event loop, for a laptop as a process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.sandbox.app import SandboxApp
from local.sandbox.clock import Clock
from local.sandbox.config import SandboxConfig
from local.sandbox.desk import Desk
from local.sandbox.world import World
from shared.ports.people import Sleep

HOST = "127.0.0.1"
KEPT_OPEN = 75
"""Seconds an idle connection stays open: longer than any client of ours keeps one (15 s). Closed by the server after
uvicorn's 5 s, a connection ends now and then just as somebody sends on it: "closed without an answer"."""
_GRACE = 1.0
"""Seconds that calls held back by a fault get at the end."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: its address, its state and the front desk for tests that need no HTTP to book."""

    base: str
    world: World
    desk: Desk

    def feed(self, listing_key: str) -> str:
        """The address of a listing's calendar export ("airbnb/9876543")."""
        return self.base + self.world.truth.calendars[listing_key].listing.feed

    async def settled(self) -> None:
        """Wait until every webhook was delivered or lost."""
        await self.world.webhooks.settled()


class _Connections:
    """The open connections by their client's address, so that an answer can be lost on purpose."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def cut(self, client: tuple[str, int], flush: bool) -> None:
        """End a connection: at once, or after what was written has left."""
        transport = self._open.get((client[0], client[1]))
        if transport is not None:
            (transport.close if flush else transport.abort)()

    async def close(self) -> None:
        """End every connection, and let the loop notice: uvicorn would look again only a tenth of a second later."""
        for transport in list(self._open.values()):
            transport.abort()
        await asyncio.sleep(0)

    def protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's protocol, which also keeps this list."""
        connections = self._open

        class Listed(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                self._peer = transport.get_extra_info("peername")
                connections[self._peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self._peer, None)
                super().connection_lost(exc)

        return Listed


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and say so."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Tick ten times a second as uvicorn does, but end at once when asked to."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and give calls under way a moment; uvicorn's own way always sleeps a tenth of a second."""
        for server in self.servers:
            server.close()
        tasks = set(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_GRACE)
            for task in late:
                task.cancel()

    def stop(self) -> None:
        """End the loop."""
        self.should_exit = True
        self._stopping.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the loop."""
        yield


def listen(port: int) -> socket.socket:
    """A loopback socket on the port (0: any free one). Raises ``OSError`` when it is taken."""
    # asyncio turns Nagle's delay off only where the protocol is named: unnamed, each answer costs 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock


@asynccontextmanager
async def running(
    config: SandboxConfig,
    *,
    port: int = 0,
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
    pulling: bool = False,
) -> AsyncIterator[Sandbox]:
    """A sandbox on a loopback port while the block runs.

    ``sleep`` is what faults and webhook pauses wait with. ``pulling`` lets the platforms read our calendars on
    their own rhythm; without it only ``/sandbox/{platform}/pull/{listing}`` makes them.
    """
    sock = listen(port)
    world = World(config, clock or Clock(zone=config.zone), sleep)
    connections = _Connections()
    app = SandboxApp(world, connections.cut)
    server = _Server(_settings(app, connections))
    tasks = [asyncio.create_task(server.serve(sockets=[sock]))]
    try:
        await server.ready.wait()
        if pulling:
            tasks.append(asyncio.create_task(world.run()))
        yield Sandbox(f"http://{HOST}:{sock.getsockname()[1]}", world, app.desk)
    finally:
        await connections.close()
        await _stop(server, tasks, world)
        sock.close()


def _settings(app: SandboxApp, connections: _Connections) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEPT_OPEN,
    )


async def _stop(server: _Server, tasks: list[asyncio.Task[None]], world: World) -> None:
    await world.close()
    server.stop()
    for task in tasks[1:]:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        # What died in the background must not pass for a quiet end.
        if isinstance(outcome, Exception):
            raise outcome
