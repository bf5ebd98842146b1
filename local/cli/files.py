"""Files that hold what is nobody else's business: for this user alone, and never written over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from local.cli.session import Session
from local.cli.trouble import WRONG_USE, Trouble


def write(session: Session, path: Path, text: str) -> None:
    """Write a new file. Raises ``Trouble`` for one that is there, or a place that cannot be written."""
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
    except FileExistsError:
        raise Trouble(WRONG_USE, "files.exists", path=path) from None
    except OSError as wrong:
        raise Trouble(WRONG_USE, "files.no", path=path, why=wrong.strerror or type(wrong).__name__) from None
    session.screen.tell(session.t("files.written", path=path))


def read(path: Path) -> bytes:
    """A file's bytes; those of the input for "-". Raises ``Trouble``."""
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as wrong:
        raise Trouble(WRONG_USE, "files.no", path=path, why=wrong.strerror or type(wrong).__name__) from None
