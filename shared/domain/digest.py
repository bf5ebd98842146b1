"""The digest: notices that waited, as one text in French and English. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain.quiet import zone_of
from shared.domain.spoken import Said, day

MOST = 1_900
"""Characters of a digest in one language: it is stored and sent like any notice."""

ONE = 300
"""Characters of one notice in it."""

Item = tuple[datetime, Mapping[str, str]]
"""When a notice came, and its texts by language."""


def digest(items: Sequence[Item], zone: str) -> Said:
    """All of them in the order in which they came, each with its day and hour by the person's clock; what finds no
    room is counted."""
    return {language: _digest(items, zone, language) for language in ("fr", "en")}


def _digest(items: Sequence[Item], zone: str, language: str) -> str:
    count = len(items)
    if language == "fr":
        head = "Un avis a attendu\u202f:" if count == 1 else f"{count} avis ont attendu\u202f:"
    else:
        head = "One notice has waited:" if count == 1 else f"{count} notices have waited:"
    pieces, room, left = [head], MOST - len(head), 0
    for at, text in sorted(items, key=lambda item: item[0]):
        line = _line(at, text, zone, language)
        if left or len(line) + 1 > room:
            left += 1
            continue
        pieces.append(line)
        room -= len(line) + 1
    if left:
        pieces.append(f"… et {left} de plus." if language == "fr" else f"… and {left} more.")
    return "\n".join(pieces)


def _line(at: datetime, text: Mapping[str, str], zone: str, language: str) -> str:
    local = at.astimezone(zone_of(zone))
    said = " ".join(text.get(language, next(iter(text.values()), "")).split())
    shown = said if len(said) <= ONE else f"{said[: ONE - 1].rstrip()}…"
    return f"\n• {day(local.date(), language)}, {local:%H:%M} — {shown}"
