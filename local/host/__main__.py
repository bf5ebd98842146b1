"""``python -m local.host [--settings FILE] [--port N]``: what ``func start`` does, as far as this app needs it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from local.children import end_with_stdin
from local.host.errors import HostRefused
from local.host.indexing import index, load_app
from local.host.log_lines import JsonLines
from local.host.plan import HostJson, Plan, make_plan
from local.host.server import Host, listen
from local.host.settings import read_settings
from shared import bootstrap
from shared.ports.bus import Bus

_PORT = 7071
"""``func start``'s own."""


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 0 after a clean stop, 2 when the host refuses to start."""
    options = _options()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        # The app reads its environment, as on Azure.
        os.environ.update(read_settings(options.settings, os.environ))
        sys.path.insert(0, str(Path.cwd()))
        plan = make_plan(index(load_app()), HostJson.read(Path("host.json")), os.environ)
        asyncio.run(_run(plan, os.environ, options))
    except HostRefused as error:
        print(f"the host does not start: {error}", file=sys.stderr)
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--settings", type=Path, default=Path("local.settings.json"), metavar="FILE")
    parser.add_argument("--port", type=int, default=_PORT, metavar="N", help="0: any free port")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="the address to listen on")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


async def _run(plan: Plan, settings: Mapping[str, str], options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if options.with_parent:
        end_with_stdin(stop.set)
    sock = listen(options.host, options.port)
    buses = {name: _bus(name, settings) for name in {queue.connection for queue in plan.queues}}
    _announce(plan, f"http://{options.host}:{sock.getsockname()[1]}")
    try:
        await Host(plan, buses, _now).serve(sock, stop)
    finally:
        for bus in buses.values():
            await bus.close()
        await bootstrap.close()
    print("stopped", flush=True)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _bus(connection: str, settings: Mapping[str, str]) -> Bus:
    """A bus of the host's own, apart from the app's, as the Functions host has one."""
    from shared.adapters.service_bus import ServiceBus

    namespace = settings.get(f"{connection}__fullyQualifiedNamespace", "")
    return ServiceBus(connection_string=settings.get(connection, ""), namespace=namespace)


def _announce(plan: Plan, base: str) -> None:
    for route in plan.routes:
        print(f"  {route.function}: {','.join(sorted(route.methods))} {base}/{route.template}")
    for timer in plan.timers:
        print(f"  {timer.target.name}: {timer.schedule}")
    for queue in plan.queues:
        print(f"  {queue.target.name}: queue {queue.queue}, {queue.at_once} at once")
    print(f"ready {base}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
