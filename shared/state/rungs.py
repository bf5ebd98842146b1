"""Rungs of the ladder as the text of a note."""

from __future__ import annotations

import json
from datetime import datetime

from shared.domain.errors import Unreadable
from shared.domain.model import SyncMode
from shared.domain.modes import Rung
from shared.state.cells import from_instant, to_instant

NOTE = "ladder"
"""The note that holds an account's rung."""


def to_text(rung: Rung) -> str:
    """A rung as compact JSON."""
    return json.dumps(
        {
            "mode": rung.mode.value,
            "reason": rung.reason[:300],
            "since": to_instant(rung.since),
            "probe": to_instant(rung.probe_at),
            "failures": rung.failures,
            "successes": rung.successes,
            "failing": to_instant(rung.failing_since),
            **({"untold": rung.untold.value} if rung.untold else {}),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_text(text: str) -> Rung:
    """Read what ``to_text`` wrote. No text, or one nobody can read, is the first rung, which says so: the ladder then
    finds out anew where the account stands."""
    if not text:
        return Rung()
    try:
        value = json.loads(text)
        return Rung(
            SyncMode(value["mode"]),
            str(value["reason"]),
            _instant(value["since"]),
            _instant(value["probe"]),
            int(value["failures"]),
            int(value["successes"]),
            _instant(value["failing"]),
            SyncMode(value["untold"]) if value.get("untold") else None,
        )
    except (ValueError, KeyError, TypeError, Unreadable):
        return Rung(reason="its stored rung could not be read")


def _instant(written: str) -> datetime | None:
    return from_instant(written) if written else None
