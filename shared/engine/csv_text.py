"""CSV that a spreadsheet opens and never executes: RFC 4180, UTF-8 with a mark so that French Excel reads its accents.

A cell that begins with one of ``= + - @``, a tab or a carriage return may be taken for a formula (OWASP, "CSV
Injection"); it gets an apostrophe in front, which spreadsheets show as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

BOM = "\ufeff"
_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The file: one header line, then the rows, each ended by CR LF."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([defused(cell) for cell in header])
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return (BOM + written.getvalue()).encode("utf-8", "replace")


def defused(cell: str) -> str:
    """The cell as text and nothing else. Blanks in front do not hide a formula from every program, nor does a line
    break: both are looked behind. A zero byte, which ends a cell for some readers, is dropped."""
    plain = cell.replace("\x00", "")
    hidden = plain.lstrip(" \n\u00a0\ufeff")
    return f"'{plain}" if hidden.startswith(_STARTS) or plain.startswith(_STARTS) else plain
