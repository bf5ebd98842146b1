"""``python -m local.sandbox --port 8099 --config FILE``: the platforms on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from local.sandbox.config import SandboxConfig, sample
from local.sandbox.config_file import read_config
from local.sandbox.errors import BadAsk
from local.sandbox.guests import live
from local.sandbox.server import running


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8099, help="loopback port (0: any free one)")
    parser.add_argument(
        "--config", type=Path, help="YAML or JSON file; without it one home on three platforms"
    )
    parser.add_argument("--guests", type=float, default=0.0, help="seconds between two guests (0: none)")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config) if options.config else sample()
        asyncio.run(_serve(config, options.port, options.guests))
    except BadAsk as bad:
        print(f"sandbox: {bad}", file=sys.stderr)
        return 2
    except OSError as taken:
        print(f"sandbox: port {options.port} cannot be used ({taken.strerror}): try --port", file=sys.stderr)
        return 1
    return 0


async def _serve(config: SandboxConfig, port: int, pause: float) -> None:
    async with running(config, port=port, pulling=True) as sandbox:
        print(f"sandbox: {sandbox.base} plays {len(config.listings)} listings", flush=True)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stopped.set)
        life = asyncio.create_task(live(sandbox.desk, asyncio.sleep, seed=config.seed, pause=pause))
        if not pause:
            life.cancel()
        await stopped.wait()
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


if __name__ == "__main__":
    sys.exit(main())
