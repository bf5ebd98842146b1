"""``make run``: the whole engine on this machine, shown live, until Ctrl-C.

``python -m local.run`` plays the example portfolio with simulated platforms and guests; ``--portfolio my.yaml`` runs
on the owner's own calendar links, with neither.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from local.azurite import AzuriteError
from local.children import ChildFailed
from local.host.errors import HostRefused
from local.run_screen import drawn, plain, worded
from local.run_session import RunRefused, Wanted, session
from local.run_stack import PortTaken, Say
from local.run_watch import Watch
from local.sandbox_config import NotPlayable
from shared.adapters.portfolio_yaml import PortfolioUnreadable
from shared.domain.errors import SyncError

_REFUSALS = (
    AzuriteError,
    ChildFailed,
    HostRefused,
    NotPlayable,
    PortfolioUnreadable,
    PortTaken,
    RunRefused,
    SyncError,
)
_TICK, _PLAIN_EVERY = 1.0, 10.0
"""Seconds between two looks, and between two lines where there is no terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal; 0 after a clean stop, 1 when something does not start or breaks."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)

    try:
        asyncio.run(_run(_wanted(arguments), say))
    except KeyboardInterrupt:  # before the loop takes signals: nothing was started yet
        return 0
    except _REFUSALS as refused:
        print(f"\n{refused}", file=sys.stderr)
        return 1
    say("stopped")
    return 0


def _wanted(arguments: list[str] | None) -> Wanted:
    parser = argparse.ArgumentParser(prog="python -m local.run", description=__doc__)
    parser.add_argument(
        "--portfolio",
        type=Path,
        metavar="FILE",
        help="your own; none: begin without one; without it the example",
    )
    parser.add_argument("--hosts", type=int, default=1, metavar="N", help="processes that share the work")
    parser.add_argument(
        "--port", type=int, metavar="N", help="of the first host (7071, else any free one); 0: any"
    )
    parser.add_argument(
        "--sandbox-port",
        type=int,
        default=Wanted().sandbox_port,
        metavar="N",
        help="of the simulated platforms (8099, else any free one); 0: any",
    )
    parser.add_argument(
        "--guests", type=float, default=12.0, metavar="S", help="seconds between two, 0: none"
    )
    parser.add_argument("--checks", action="store_true", help="Airbnb asks us before it sells")
    parser.add_argument("--show-links", action="store_true", help="show our calendars' addresses: secrets")
    folder = Wanted().folder
    parser.add_argument("--folder", type=Path, default=folder, metavar="DIR", help="tables, settings, logs")
    given = parser.parse_args(arguments)
    if not 1 <= given.hosts <= 8:
        parser.error("--hosts: from 1 to 8")
    for name, port in (("--port", given.port), ("--sandbox-port", given.sandbox_port)):
        if port is not None and not 0 <= port <= 65535:
            parser.error(f"{name}: from 0 to 65535")
    return Wanted(
        portfolio=given.portfolio,
        hosts=given.hosts,
        port=given.port,
        sandbox_port=given.sandbox_port,
        guests=given.guests,
        checks=given.checks,
        show_links=given.show_links,
        folder=given.folder.resolve(),
    )


async def _run(wanted: Wanted, say: Say) -> None:
    """Race the run against a signal; whoever ends first, everything is stopped in order."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    told = asyncio.create_task(stop.wait())
    work = asyncio.create_task(_serve(wanted, say))
    await asyncio.wait({told, work}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not work.done():
        say("stopping")
        work.cancel()
    with suppress(asyncio.CancelledError):
        await work


async def _serve(wanted: Wanted, say: Say) -> None:
    async with session(wanted, say) as started:
        say(f"ready: {started.stack.hosts.public}")
        show = _show_live if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else _show_lines
        await show(Watch(started, say))


async def _show_live(watch: Watch) -> None:
    from rich.live import Live

    with Live(refresh_per_second=2) as shown:
        watch.say = shown.console.print
        while True:
            shown.update(drawn(await watch.look()))
            await asyncio.sleep(_TICK)


async def _show_lines(watch: Watch) -> None:
    for what, address in watch.links():
        watch.say(f"{what}: {address}")
    told: Sequence[str] = ()
    code = ""
    last = -_PLAIN_EVERY
    while True:
        view = await watch.look()
        if watch.code != code:
            code = watch.code
            watch.say(f"code to sign in: {code}")
        for closure in view.news:
            watch.say(worded(closure))
        for note in view.notes:
            if note not in told:
                watch.say(note)
        told = view.notes
        if time.monotonic() - last >= _PLAIN_EVERY:
            last = time.monotonic()
            watch.say(plain(view))
        await asyncio.sleep(_TICK)


if __name__ == "__main__":
    sys.exit(main())
