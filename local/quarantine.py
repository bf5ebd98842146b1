"""``make quarantine``: the messages nobody could process, each with where it came from and why it was set aside.

What a message held is not shown: it may name a guest. Settings are found as ``make webhooks`` finds them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from local.host.errors import HostRefused
from local.run_settings import app_values
from shared.bootstrap.joined import join
from shared.config import Settings, read
from shared.domain.errors import StoreUnavailable, SyncError
from shared.ports.stores import Row
from shared.state.inbox import to_quarantined


def main(arguments: list[str] | None = None) -> int:
    """Print the list; 1 when the settings cannot be used or the tables do not answer."""
    parser = argparse.ArgumentParser(prog="python -m local.quarantine", description=__doc__)
    parser.add_argument("--settings", type=Path, metavar="FILE", help="like local.settings.json")
    given = parser.parse_args(arguments)
    try:
        values = app_values(given.settings)
        os.environ.update(values)  # where connectors look for the keys of accounts
        rows = asyncio.run(_quarantined(read(values)))
    except StoreUnavailable:
        print("the tables do not answer (is the app running?)", file=sys.stderr)
        return 1
    except (HostRefused, SyncError) as refused:
        print(refused, file=sys.stderr)
        return 1
    for line in described(rows):
        print(line)
    return 0


async def _quarantined(settings: Settings) -> list[Row]:
    joined = join(settings)
    try:
        return await joined.operations.world.inbox.quarantined()
    finally:
        await joined.close()


def described(rows: Iterable[Row]) -> Iterator[str]:
    """One paragraph a message, newest first: pure."""
    found = [to_quarantined(row) for row in rows]
    if not found:
        yield "nothing is in quarantine"
    for one in sorted(found, key=lambda one: (one.at is not None, one.at), reverse=True):
        yield f"{one.at:%Y-%m-%d %H:%M:%S} UTC  {one.name}" if one.at else one.name
        yield f"  from    {one.source}, {len(one.raw)} bytes"
        yield f"  why     {one.reason}"


if __name__ == "__main__":
    sys.exit(main())
