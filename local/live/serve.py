"""The listener on a port of this machine, while a block runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import uvicorn

from local.host.server import listen
from local.live.listen import Listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the loop."""
        yield


@contextlib.asynccontextmanager
async def serving(app: Listener, port: int) -> AsyncIterator[int]:
    """Serve on 127.0.0.1 (port 0: any free one) and hand out the port. Raises ``HostRefused`` for a taken one."""
    sock = listen("127.0.0.1", port)
    # No access log: our addresses hold secrets.
    config = uvicorn.Config(
        app, lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([sock]))
    try:
        yield sock.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        sock.close()
