"""Reads answers of the API, which may come from another release: what is missing or of another kind is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

Json = Mapping[str, object]


def items(of: Json, name: str) -> list[Json]:
    """The objects of a list."""
    value = of.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def part(of: Json, name: str) -> Json:
    """An object; empty for none."""
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def text(of: Json, name: str) -> str:
    """A text or a number as text; empty for none."""
    value = of.get(name)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def texts(of: Json, name: str) -> Sequence[str]:
    """A list of texts."""
    value = of.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def number(of: Json, name: str) -> int:
    """A whole number; 0 for none."""
    value = of.get(name)
    return value if isinstance(value, int) else 0


def said(of: Json, name: str, language: str) -> str:
    """What is said in several languages, in one of them."""
    return text(part(of, name), language)


def at(of: Json, name: str) -> datetime | None:
    """An instant with its zone; None for none."""
    try:
        found = datetime.fromisoformat(text(of, name))
    except ValueError:
        return None
    return found if found.tzinfo else None
