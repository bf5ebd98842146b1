"""The package that Azure runs: ``python -m local.package`` writes it, byte for byte the same whenever the files are.

What goes in is listed here, not what stays out, so that a secret or a half-made file beside the code never travels.
Files are stored, not compressed: compressors differ between machines, and the upload is small.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / ".local" / "package" / "sync-engine.zip"

FILES = ("function_app.py", "host.json", "requirements.txt")
FOLDERS = (
    "conflict_resolver",
    "console",
    "health_monitor",
    "shared",
    "sync_scheduler",
    "sync_worker",
    "webhook_receiver",
)
KINDS = frozenset({".py", ".html", ".css", ".js", ".svg"})
"""Endings of what the app reads at run time. A test compares with what .funcignore lets through."""

_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The first date a zip can hold: the same for every file, whenever it was written."""
_READABLE = 0o100644 << 16
_UNIX = 3


def names(root: Path = ROOT) -> list[str]:
    """Paths of the package's files below ``root``, with slashes, in order.

    Raises FileNotFoundError when one of the files or folders the app cannot do without is missing.
    """
    for needed in (*FILES, *FOLDERS):
        if not (root / needed).exists():
            raise FileNotFoundError(f"{needed} is missing from {root}: the app would not start")
    return sorted([*FILES, *(name for folder in FOLDERS for name in _below(root, folder))])


def _below(root: Path, folder: str) -> Iterator[str]:
    for path in (root / folder).rglob("*"):
        name = path.relative_to(root)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and path.suffix in KINDS and not hidden:
            yield name.as_posix()


def write(target: Path, root: Path = ROOT) -> str:
    """Write the package to ``target`` and return its SHA-256, in hexadecimal.

    Raises FileNotFoundError as ``names`` does, OSError when the target cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        for name in names(root):
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.external_attr = _READABLE
            entry.create_system = _UNIX
            package.writestr(entry, (root / name).read_bytes())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def main() -> int:
    """Write the package and say what it is; the exit code is 1 when something it needs is missing."""
    parser = argparse.ArgumentParser(prog="make package", description="write the package that Azure runs")
    parser.add_argument("--to", type=Path, default=PACKAGE, help="where to (default: .local/package)")
    target: Path = parser.parse_args().to
    try:
        digest = write(target)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{target}\n{len(names())} files, {target.stat().st_size / 1e6:.1f} MB, sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
