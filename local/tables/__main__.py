"""``make backup FILE=...`` and ``make restore FILE=...``: copies of the tables, kept and put back.

Works on what the settings name: the emulator of ``make run``, or an account in Azure by ``STORAGE__accountName`` and
your own sign-in (``az login``; the role *Storage Table Data Contributor*).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from local.azurite import Azurite, AzuriteError
from local.host.errors import HostRefused
from local.run_session import RunRefused, Wanted, alone
from local.run_settings import app_values
from local.tables.backup import Copyable, backup
from local.tables.restore import Done, restore
from shared.adapters.table_store import open_tables
from shared.domain.errors import StoreUnavailable, SyncError

PATIENCE = 60.0
"""Seconds for one call: nobody waits behind it."""

_KEEP_IT = (
    "It holds guests' names, calendar links and addresses: keep it as you keep a key, and delete it in time."
)
_NEXT = """\
Now start the engine. Until each calendar and each account of a home has given one whole answer, nothing is opened
there and its calendars answer 503: some minutes. Then import the portfolio once more, and repeat what was erased on
request since the copy, where the tables no longer held it (docs/operations.md)."""


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked; 1 with the reason when it was refused, and then nothing was changed."""
    given = _parser().parse_args(arguments)
    try:
        values = {} if given.stopped else app_values(given.settings)
        for line in asyncio.run(_do(given, values)):
            print(line)
    except FileExistsError:
        print(f"{given.file} is there already: name another file", file=sys.stderr)
        return 1
    except StoreUnavailable as silent:
        print(f"the tables do not answer ({silent})", file=sys.stderr)
        return 1
    except (HostRefused, RunRefused, AzuriteError, SyncError, ValueError, OSError) as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.tables", description=__doc__)
    parser.add_argument("what", choices=("backup", "restore"))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--replace", action="store_true", help="restore over rows that are there")
    parser.add_argument(
        "--stopped", action="store_true", help="the tables of your portfolio's 'make run', which is stopped"
    )
    folder = Wanted().folder
    parser.add_argument(
        "--folder", type=Path, default=folder, metavar="DIR", help="that run's, for --stopped"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="like local.settings.json")
    return parser


async def _do(given: argparse.Namespace, values: Mapping[str, str]) -> list[str]:
    async with AsyncExitStack() as opened:
        if given.stopped:
            opened.enter_context(alone(given.folder / "azurite.lock"))
            emulator = await opened.enter_async_context(Azurite(location=given.folder / "azurite"))
            values = {"STORAGE": emulator.connection_string}
        tables = _tables(values)
        opened.push_async_callback(tables.close)
        if given.what == "backup":
            count = await backup(tables, given.file)
            return [f"{count} rows in {given.file}, readable by you alone.", _KEEP_IT]
        return _told(await restore(tables, given.file, over=given.replace, stopped=given.stopped))


def _told(done: Done) -> list[str]:
    return [
        f"{done.written} rows written, {done.deleted} taken away; {done.sites} sites wait for answers.",
        _NEXT,
    ]


def _tables(values: Mapping[str, str]) -> Copyable:
    """The tables that the settings name. Raises ``ValueError`` for settings that name none."""
    account = values.get("STORAGE__accountName", "")
    return open_tables(
        connection_string="" if account else values.get("STORAGE", ""),
        account_url=f"https://{account}.table.core.windows.net" if account else "",
        monotonic=time.monotonic,
        wall=lambda: datetime.fromtimestamp(time.time(), UTC),
        deadline=PATIENCE,
    )


if __name__ == "__main__":
    sys.exit(main())
