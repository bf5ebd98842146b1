"""What somebody needs who wants to see a run fail: the pieces of it, by name, in a file that a shell reads.

``. .local/example/pieces`` sets ``TABLES`` and ``HOST_1``, ``HOST_2``, … (process ids, for ``kill -STOP`` and the like)
and ``BUS`` (where the Service Bus stand-in takes orders). The file goes when the run ends: an old id may be anybody's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
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
