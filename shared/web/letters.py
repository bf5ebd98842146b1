"""The letter by which a channel is known on a bar: colour is never the only sign."""

from __future__ import annotations

from collections.abc import Mapping

_LETTERS: Mapping[str, str] = {
    "airbnb": "A",
    "booking": "B",
    "greengo": "G",
    "vrbo": "V",
    "gites": "F",  # "Gîtes de France"; G is Greengo's
    "channex": "C",
    "ical": "L",  # a link to a calendar
}


def letter(platform: str) -> str:
    """One capital letter; of a platform nobody thought of, its first."""
    return _LETTERS.get(platform) or (platform[:1].upper() or "?")
