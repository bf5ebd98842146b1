"""``make live LIVE=live.yaml``: what the engine does, tried on the reader's own platforms (docs/live.md)."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from local.children import ROOT
from local.host.errors import HostRefused
from local.live import report
from local.live.ledger import Closed
from local.live.run import Given, Run
from local.live.wanted import Live, NotGiven, read_live
from shared.adapters.http import HttpxHttp
from shared.adapters.portfolio_yaml import PortfolioUnreadable
from shared.bootstrap.portfolio import portfolio_rules
from shared.domain.errors import SyncError

FOLDER = ROOT / ".local" / "live"


def main(arguments: list[str] | None = None) -> int:
    """Run and report: 0 when all was well, 1 when something failed, was refuted or is left, 2 when what it needs was
    not given."""
    options = _options(arguments)
    ports = frozenset({options.simulated} if options.simulated else ())
    names = {"SANDBOX_PORT": str(options.simulated)} if options.simulated else {}
    try:
        live = read_live(
            options.file, os.environ, ROOT / ".env", portfolio_rules(names=names, loopback_ports=ports)
        )
        return asyncio.run(_run(_given(live, options), ports))
    except (NotGiven, PortfolioUnreadable) as refused:
        print(refused, file=sys.stderr)
        return 2
    except (SyncError, HostRefused, OSError) as wrong:
        print(wrong, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1  # what it left was told on the way out


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="live.yaml")
    parser.add_argument("--wait", type=float, default=900.0, metavar="S", help="most seconds we listen (900)")
    parser.add_argument(
        "--port", type=int, default=7072, metavar="N", help="where PUBLIC_BASE_URL leads (7072)"
    )
    parser.add_argument("--take-away", action="store_true", help="only take away what earlier runs left")
    parser.add_argument("--show-links", action="store_true", help="show our calendars' addresses: secrets")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="report and memory")
    parser.add_argument(
        "--simulated",
        type=int,
        default=0,
        metavar="PORT",
        help="platforms on a port of this machine are played",
    )
    return parser.parse_args(arguments)


def _given(live: Live, options: argparse.Namespace) -> Given:
    return Given(
        live=live,
        folder=options.folder,
        asked=os.environ.get("LIVE_WRITES") == "1",
        public=os.environ.get("PUBLIC_BASE_URL", "").rstrip("/"),
        port=options.port,
        wait=options.wait,
        take_away=options.take_away,
        show_links=options.show_links,
        played=bool(options.simulated),
        command=f"make live LIVE={options.file} LIVE_WRITES=1 OPTIONS=--take-away",
    )


async def _run(given: Given, ports: frozenset[int]) -> int:
    http = HttpxHttp(loopback_ports=ports)
    run = Run(given, http, _wall, asyncio.sleep, lambda text: print(text, flush=True))
    done = None
    try:
        done = await run.run()
    finally:
        await http.close()
        if done is None:
            _tell_left(run.ledger.closed(), given.command)
    path = report.write(done, given.folder, run.mask)
    print(f"\n{path}")
    return 0 if done.good else 1


def _tell_left(left: tuple[Closed, ...], how: str) -> None:
    """A run that was cut off has no report: what it may have left, and the command that takes it away."""
    for one in left:
        print(f"! {one.listing} {one.night} → {how}", file=sys.stderr)


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


if __name__ == "__main__":
    sys.exit(main())
