"""Writes the second half of requirements.txt: what its packages bring along, at the versions that are installed.

``python -m local.pins``, called by ``make pins``. Azure builds the app from that file alone, and some of its builders
copy nothing else: a file of constraints beside it would be lost there.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

from local.licences import BROUGHT, ROOT, closure, direct

FILE = ROOT / "requirements.txt"

LEFT_FREE = frozenset({"protobuf"})
"""Not pinned: the worker on Azure loads ours before its own, and an old one keeps it from starting (REPORTED,
azure-functions-python-worker#1332, #789, #1797). So each build takes the newest that the others allow."""


def brought(text: str) -> list[str]:
    """One line for each package that comes along and stands not above the mark. Raises PackageNotFoundError."""
    named = direct(text)
    ours = {one.name.lower().replace("_", "-") for one in named}
    return [f"{name}=={version(name)}" for name in closure(named) if name not in ours | LEFT_FREE]


def written(text: str) -> str:
    """The whole file with that half anew. Raises PackageNotFoundError."""
    return text.partition(BROUGHT)[0] + BROUGHT + "\n" + "\n".join(brought(text)) + "\n"


def main() -> int:
    """Write it, or with ``--forget`` leave that half empty, so that old pins are in no new version's way; the exit code
    is 1 when a package is not installed."""
    if sys.argv[1:] == ["--forget"]:
        FILE.write_text(
            FILE.read_text(encoding="utf-8").partition(BROUGHT)[0] + BROUGHT + "\n", encoding="utf-8"
        )
        return 0
    try:
        text = written(FILE.read_text(encoding="utf-8"))
    except PackageNotFoundError as missing:
        print(f"{missing} is not installed: run make setup first", file=sys.stderr)
        return 1
    FILE.write_text(text, encoding="utf-8")
    print(f"{FILE.name}: {len(brought(text))} packages come along")
    return 0


if __name__ == "__main__":
    sys.exit(main())
