"""The file of a copy: JSON lines, compressed. The first says what it is, the last how many rows it holds and their
digest; without that last line it is a copy that broke off, and no part of it is used.

It holds guests' names, calendar links and addresses of people, so it is readable by its owner alone.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared.domain.errors import SyncError
from shared.ports.stores import Row, Value
from shared.state.names import READER

FORMAT = "sync-engine-tables"
VERSION = 1

_INSTANT, _BYTES = "Edm.DateTime", "Edm.Binary"


class CopyRefused(SyncError):
    """A file that cannot be read whole, or is no copy of ours. The text says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a copy says of itself: when it was begun (store time), and what the release that wrote it could read."""

    taken: datetime
    reader: int


class Writer:
    """Adds rows to a copy under way. ``count`` are those it holds."""

    def __init__(self, file: gzip.GzipFile, taken: datetime) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.count = 0
        said = {
            "copy": FORMAT,
            "version": VERSION,
            "taken": taken.astimezone(UTC).isoformat(),
            "reader": READER,
        }
        self._line(said)

    def put(self, table: str, row: Row) -> None:
        """One row more."""
        values = {name: to_json(value) for name, value in row.values.items()}
        self._line([table, row.partition, row.key, values])
        self.count += 1

    def end(self) -> None:
        """The last line: before it, nothing of the copy counts."""
        said = {"rows": self.count, "sha256": self._digest.hexdigest()}
        self._file.write(json.dumps(said).encode() + b"\n")

    def _line(self, value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)


@contextmanager
def writing(path: Path, taken: datetime) -> Iterator[Writer]:
    """A copy to be written. Nothing stands at ``path`` before it is whole. Raises ``FileExistsError``."""
    if path.exists():
        raise FileExistsError(path)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
                writer = Writer(packed, taken)
                yield writer
                writer.end()
            raw.flush()
            os.fsync(raw.fileno())
        os.link(part, path)  # unlike a rename it takes nobody's place
    finally:
        part.unlink(missing_ok=True)


def check(path: Path) -> tuple[Head, int]:
    """Read the whole file and change nothing: its head, and how many rows it holds. Raises ``CopyRefused``."""
    count = sum(1 for _ in read(path))
    with _open(path) as file:
        return _head(file.readline()), count


def read(path: Path) -> Iterator[tuple[str, Row]]:
    """The rows with their tables, as they were written. Raises ``CopyRefused``, at the latest at the end."""
    digest, count, end = hashlib.sha256(), 0, b""
    try:
        with _open(path) as file:
            line = file.readline()
            _head(line)
            digest.update(line)
            for line in file:
                if line.startswith(b"{"):
                    end = line
                    break
                digest.update(line)
                count += 1
                yield _row(line)
            if not end or file.read(1):
                raise CopyRefused("the copy broke off before its last line")
    except (EOFError, OSError, zlib.error, ValueError, LookupError, TypeError) as wrong:
        raise CopyRefused(f"the copy cannot be read ({type(wrong).__name__})") from None
    _judge(end, count, digest.hexdigest())


def _open(path: Path) -> gzip.GzipFile:
    return gzip.GzipFile(path, "rb")


def _head(line: bytes) -> Head:
    try:
        said = json.loads(line)
        known = said["copy"] == FORMAT and said["version"] <= VERSION
        head = Head(datetime.fromisoformat(said["taken"]), int(said["reader"]))
    except (ValueError, LookupError, TypeError):
        raise CopyRefused("this file is no copy of tables") from None
    if not known:
        raise CopyRefused("this file is no copy of tables that this release can read")
    return head


def _judge(end: bytes, count: int, digest: str) -> None:
    try:
        said = json.loads(end)
        whole = said["rows"] == count and said["sha256"] == digest
    except (ValueError, LookupError, TypeError):
        whole = False
    if not whole:
        raise CopyRefused("the copy is not as it was written: its digest is another one")


def _row(line: bytes) -> tuple[str, Row]:
    table, partition, key, values = json.loads(line)
    return str(table), Row(
        str(partition), str(key), {str(name): from_json(one) for name, one in values.items()}
    )


def to_json(value: Value) -> object:
    """A column's value with its type: texts, whole numbers (Edm.Int64), floats and flags are JSON's own."""
    if isinstance(value, datetime):
        return {_INSTANT: value.astimezone(UTC).isoformat()}
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    return value


def from_json(written: object) -> Value:
    """Read what ``to_json`` wrote. Raises ``ValueError``."""
    match written:
        case {"Edm.DateTime": str(instant)}:
            return datetime.fromisoformat(instant)
        case {"Edm.Binary": str(text)}:
            return base64.b64decode(text, validate=True)
        case str() | bool() | int() | float():
            return written
    raise ValueError("a value of no known type")
