"""What a line of the log looks like: one JSON object with time, level and event, and the id of what set it off.

Whoever looks for what happened to a stay takes the id of one line and reads all lines that carry it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.correlation import current

Field = str | int | float


def one_line(fields: Mapping[str, Field]) -> str:
    """JSON that is one line to every reader of logs. JSON itself leaves U+0085, U+2028, U+2029 and the marks that turn
    the writing direction as they are: they cut a line in two, or make it look like another."""
    written = json.dumps(fields, ensure_ascii=False)
    if written.isprintable():
        return written
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in written)


def log_line(level: str, event: str, fields: Mapping[str, Field], at: float | None = None) -> str:
    """One line: ``at`` is in seconds since 1970, now by default (this machine's clock: for readers, never compared).
    Fields named like one of the line's own are left out."""
    instant = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    own: dict[str, Field] = {
        "time": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "event": event,
    }
    if correlation := current():
        own["correlation"] = correlation
    return one_line({**own, **fields, **own})
