"""Time zones, by the names people and other systems give them."""

from __future__ import annotations

from zoneinfo import ZoneInfo


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that IANA name ("Europe/Paris")."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder, a name nobody knows
        return False
    return True
