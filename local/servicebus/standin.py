"""The stand-in as one object: listens, serves, stops. For tests an async context manager."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType

from local.servicebus.broker import Broker
from local.servicebus.config import QueueConfig
from local.servicebus.connection import Connection
from local.servicebus.control import Control
from local.servicebus.faults import Faults
from local.servicebus.hub import Hub
from local.servicebus.queues import Clock

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]

HOST = "127.0.0.1"
"""Loopback only: there are no rights to check."""


class MovableClock:
    """A clock that can be set forward, so that tests need not wait for locks and schedules."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._ahead = 0.0

    def __call__(self) -> float:
        """Seconds since 1970, plus what was skipped."""
        return self._base() + self._ahead

    def advance(self, seconds: float) -> None:
        """Skip so many seconds."""
        self._ahead += seconds


class StandIn:
    """A namespace on loopback. Ports are 0 for any free one, and known once it is entered."""

    def __init__(
        self, queues: Iterable[QueueConfig], *, port: int = 0, control_port: int = 0, clock: Clock = time.time
    ) -> None:
        self.clock = MovableClock(clock)
        self.faults = Faults()
        self.broker = Broker(queues, self.clock, uuid.uuid4)
        self.port, self.control_port = port, control_port
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._hub: Hub | None = None

    @property
    def connection_string(self) -> str:
        """What the SDK needs; the key is the literal the official emulator documents, no secret."""
        return (
            f"Endpoint=sb://{HOST}:{self.port};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
        )

    @property
    def hub(self) -> Hub:
        """The running hub. Raises ``RuntimeError`` before it is entered."""
        if self._hub is None:
            raise RuntimeError("the stand-in is not running")
        return self._hub

    def advance(self, seconds: float) -> None:
        """Set the clock forward and do what falls due."""
        self.clock.advance(seconds)
        self.hub.tick()

    def reset(self) -> None:
        """Empty the queues and forget the faults; connections stay."""
        self.broker.clear()
        self.faults.clear()
        self.hub.rearm()

    async def __aenter__(self) -> StandIn:
        """Listen. Raises ``OSError`` when a port is taken."""
        self._hub = Hub(self.broker, self.faults, self.clock)
        control = Control(self)
        try:
            self.port = await self._listen(self._serve, self.port)
            self.control_port = await self._listen(control.serve, self.control_port)
        except OSError:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _listen(self, serve: Handler, port: int) -> int:
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(serve(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        server = await asyncio.start_server(accepted, HOST, port)
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(reader, writer, self.hub).run()

    async def _stop(self) -> None:
        """Close the doors, cut the connections, wait until nobody is left."""
        for server in self._servers:
            server.close()
        self.hub.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
