"""Opaque words: several texts as one that stands in an address without quoting. Not secret, and not to be made up."""

from __future__ import annotations

import base64
import binascii

from shared.domain.errors import PayloadRejected

MOST = 2_000
"""Characters of a word that are looked at: a stored key has at most 1,024 bytes."""

_BETWEEN = "\n"


def sealed(*pieces: str) -> str:
    """The word for these texts: letters, digits, "-" and "_"; only the last may hold a line break."""
    return base64.urlsafe_b64encode(_BETWEEN.join(pieces).encode()).decode().rstrip("=")


def unsealed(word: str, count: int) -> tuple[str, ...]:
    """The texts of a word, so many of them. Raises ``PayloadRejected`` for a word that is none of ours; each set of
    texts has one word only."""
    try:
        padded = word + "=" * (-len(word) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode() if len(word) <= MOST else ""
    except (ValueError, binascii.Error):
        text = ""
    pieces = tuple(text.split(_BETWEEN, count - 1))
    if len(pieces) != count or sealed(*pieces) != word:
        raise PayloadRejected("no answer of ours named this id")
    return pieces
