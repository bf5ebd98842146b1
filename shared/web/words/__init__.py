"""The interface's own texts, French and English: one module a page, each with the same keys in both languages.

A key begins with its page's name ("today.title"). Values in braces are filled in by the template. What the engine says
(reasons, proposals, notices) is worded there, not here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from shared.web.words import (
    base,
    calendar,
    channels,
    conflicts,
    connect,
    links,
    notifications,
    portfolio,
    privacy,
    records,
    sync,
    today,
)

MODULES = (
    base,
    today,
    calendar,
    conflicts,
    connect,
    links,
    portfolio,
    channels,
    sync,
    records,
    notifications,
    privacy,
)
"""Every module of texts."""


@functools.cache
def words(language: str) -> Mapping[str, str]:
    """All texts of a language: "fr" or "en"."""
    found: dict[str, str] = {}
    for module in MODULES:
        found |= module.FR if language == "fr" else module.EN
    return found
