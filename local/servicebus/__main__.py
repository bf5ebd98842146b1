"""``python -m local.servicebus``: run the stand-in until SIGTERM or SIGINT.

Prints one line of JSON once it listens: ``{"port": ..., "control_port": ..., "connection_string": ...}``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from local.servicebus.config import ConfigError, QueueConfig, load_config
from local.servicebus.standin import StandIn


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.servicebus", description=__doc__)
    parser.add_argument("--port", type=int, default=5672, help="AMQP port, 0 for any free one")
    parser.add_argument(
        "--control", type=int, metavar="PORT", default=0, help="control port, 0 for any free one"
    )
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("Config.json"))
    return parser.parse_args()


async def _run(queues: list[QueueConfig], port: int, control_port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: the interrupt ends asyncio.run instead
            break
    async with StandIn(queues, port=port, control_port=control_port) as running:
        ports = {"port": running.port, "control_port": running.control_port}
        print(json.dumps({**ports, "connection_string": running.connection_string}), flush=True)
        await stop.wait()


def main() -> int:
    """0 after a signal, 2 for a configuration or a port that cannot be used."""
    arguments = _arguments()
    try:
        queues = load_config(arguments.config)
        asyncio.run(_run(queues, arguments.port, arguments.control))
    except ConfigError as error:
        print(f"Service Bus stand-in: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Service Bus stand-in: cannot listen: {error.strerror}. Another one running?", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
