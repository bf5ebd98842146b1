"""The host: HTTP, timers and queues together, until told to stop; then it lets what runs come to its end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import uvicorn

from local.host.errors import HostRefused
from local.host.front import HttpFront
from local.host.invocations import Invocations
from local.host.plan import Plan
from local.host.queues import QueuePump
from local.host.timers import TimerLoop
from shared.ports.bus import Bus
from shared.ports.people import Sleep

GRACE = 10.0
"""Seconds that running invocations get to come to an end."""

KEPT_OPEN = 75
"""Seconds an idle connection stays open, as the real host keeps one for minutes: longer than any client of ours does,
or a call now and then goes out on a connection that is just being closed."""

_log = logging.getLogger("host")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: any free one). Raises ``HostRefused`` for a taken port, saying what to do."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise HostRefused(
                f"port {port} on {host} is taken or not ours: stop what listens there"
                " (is another host running?) or choose another with --port"
            ) from None
        raise
    return sock


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the host decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@dataclass
class Host:
    """One app, driven. ``buses`` has one bus per connection name that the plan's queues use; the host does not close
    them. Clock (aware, UTC) and sleep drive the timers."""

    plan: Plan
    buses: Mapping[str, Bus]
    clock: Callable[[], datetime]
    sleep: Sleep = asyncio.sleep
    grace: float = GRACE
    invocations: Invocations = field(default_factory=Invocations)

    async def serve(self, sock: socket.socket, stop: asyncio.Event) -> None:
        """Drive everything until ``stop`` is set, then drain. A part that breaks stops the whole and is raised."""
        server = self._server()
        pumps = [
            QueuePump(plan, self.buses[plan.connection], self.invocations, self.sleep)
            for plan in self.plan.queues
        ]
        timers = [
            asyncio.create_task(TimerLoop(plan, self.invocations, self.clock, self.sleep).run())
            for plan in self.plan.timers
        ]
        pumping = [asyncio.create_task(pump.run()) for pump in pumps]
        serving = asyncio.create_task(server.serve([sock]))
        stopped = asyncio.create_task(stop.wait())
        parts = [stopped, serving, *pumping, *timers]
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for timer in timers:
            timer.cancel()
        for pump in pumps:
            pump.stop()
        server.should_exit = True
        stopped.cancel()
        await self._drain(pumping)
        await asyncio.gather(serving, stopped, *timers, *pumping, return_exceptions=True)
        for part in done - {stopped}:
            part.result()

    async def _drain(self, pumping: list[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.grace
        # A receive under way ends within a second: cancelling it would leave its messages locked for a minute.
        if pumping:
            _, stuck = await asyncio.wait(pumping, timeout=self.grace)
            for task in stuck:
                task.cancel()
        for name in await self.invocations.drain(max(0.0, deadline - loop.time())):
            _log.warning("%s did not end within %.0f s and was cancelled", name, self.grace)

    def _server(self) -> _Server:
        config = uvicorn.Config(
            HttpFront(self.plan, self.invocations),
            lifespan="off",
            log_config=None,
            # An access log would show the secrets in our paths.
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(self.grace)),
            timeout_keep_alive=KEPT_OPEN,
        )
        return _Server(config)
