"""Grants as a short text, for a note that all hosts share: JSON, instants counted from the oldest one."""

from __future__ import annotations

import json

from shared.domain.errors import Unreadable
from shared.resilience.rate_limit import Grant, Grants

_FORM = 1


def encode(grants: Grants) -> str:
    """The text ``decode`` reads."""
    base = min((one.at for one in grants.entries), default=0)
    rows = [_row(one, base) for one in grants.entries]
    return json.dumps([_FORM, base, grants.refused_until, rows], separators=(",", ":"))


def decode(text: str) -> Grants:
    """Read what ``encode`` wrote; no text is no grants. Raises ``Unreadable`` for anything else."""
    if not text:
        return Grants()
    try:
        form, base, refused, rows = json.loads(text)
        if form != _FORM:
            raise Unreadable("grants in the form of another release")
        entries = tuple(
            Grant(int(base) + int(at), int(calls), str(operation), *_lease(*lease))
            for at, calls, operation, *lease in rows
        )
        return Grants(entries, int(refused))
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Unreadable("grants are not as written by any release") from None


def _row(one: Grant, base: int) -> list[int | str]:
    row: list[int | str] = [one.at - base, one.calls, one.operation]
    return [*row, one.host, one.block] if one.block or one.host else row


def _lease(host: object = "", block: int = 0) -> tuple[str, int]:
    return str(host), int(block)
