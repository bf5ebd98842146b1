"""What somebody needs who wants to see a run fail: the pieces of it, by name, in a file that a shell reads.

``. .local/example/pieces`` sets ``TABLES`` and ``HOST_1``, ``HOST_2``, … (process ids, for ``kill -STOP`` and the like)
and ``BUS`` (where the Service Bus stand-in takes orders). The file goes when the run ends: an old id may be anybody's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

FILE = "pieces"
"""Beside the hosts' settings."""


def write_pieces(folder: Path, pieces: Mapping[str, object]) -> None:
    """Name the pieces that run now, in place of those named before."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"{FILE}.new"
    new.write_text("".join(f"{name}={value}\n" for name, value in pieces.items()), encoding="utf-8")
    os.replace(new, folder / FILE)


def forget_pieces(folder: Path) -> None:
    """Nothing runs any more."""
    (folder / FILE).unlink(missing_ok=True)


def is_running(folder: Path) -> bool:
    """Whether the run whose settings stand in this folder still has its tables: a run that was killed leaves its pieces
    behind, so the process is looked for too."""
    try:
        tables = re.search(r"^TABLES=(\d+)$", (folder / FILE).read_text(encoding="utf-8"), re.MULTILINE)
        if tables is None:
            return False
        with suppress(PermissionError):  # somebody else's, and there
            os.kill(int(tables[1]), 0)
        return True
    except (OSError, OverflowError):  # no such file, or no such process
        return False


def newness(settings: Path) -> tuple[bool, float]:
    """By what the settings of this machine are put in order: what runs goes before what stopped, then the newest."""
    return is_running(settings.parent), settings.stat().st_mtime
