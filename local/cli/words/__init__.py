"""What the command line says: French and English, one module a group of commands, the same keys in both.

A key begins with the command's name; "help." and "trouble." are shared. What the engine says (reasons, proposals,
sentences about nights) is worded there, not here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from local.cli.words import base, helps, looks, work

LANGUAGES = ("fr", "en")

MODULES = (base, helps, looks, work)
"""Every module of texts."""


@functools.cache
def words(language: str) -> Mapping[str, str]:
    """All texts of a language."""
    found: dict[str, str] = {}
    for module in MODULES:
        found |= module.FR if language == "fr" else module.EN
    return found
