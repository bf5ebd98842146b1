"""Watches every socket of this process: which addresses are connected to and which names are looked up.

An audit hook sees the calls below every library, and cannot be taken out again: it stays and writes to whichever
record is open.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Record:
    """What happened while the record was open."""

    connected: list[tuple[str, int]] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)


_open: list[Record] = []
_hooked = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _open:
        return
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _open[-1].connected.append((str(arguments[1][0]), int(arguments[1][1])))
    elif event == "socket.getaddrinfo" and not str(arguments[0]).startswith("127.0.0.1"):
        _open[-1].looked_up.append(str(arguments[0]))


@contextmanager
def recorded() -> Iterator[Record]:
    """Everything this process connects to or looks up inside the block."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    record = Record()
    _open.append(record)
    try:
        yield record
    finally:
        _open.remove(record)
