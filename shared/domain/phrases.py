"""Phrases: stored reasons are short English texts; each is known by its shape, and said in French and English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.domain.spoken import LANGUAGES, Said

Phrase = tuple[str, str, str]
"""A shape (a regular expression for the whole text), and its words in French and English. What the shape names can
stand in the words, in braces."""


class Phrases:
    """The words for texts of known shapes; the first shape that fits holds."""

    def __init__(self, known: Iterable[Phrase]) -> None:
        self._known = tuple((re.compile(shape), words) for shape, *words in known)

    def said(self, text: str) -> Said | None:
        """A text in words, None for one of no known shape."""
        for shape, words in self._known:
            found = shape.fullmatch(text)
            if found:
                named = {name: value or "" for name, value in found.groupdict().items()}
                return {lang: word.format(**named) for lang, word in zip(LANGUAGES, words, strict=True)}
        return None

    def french(self) -> Iterator[str]:
        """The French words of each, as they stand here."""
        return (words[0] for _, words in self._known)
