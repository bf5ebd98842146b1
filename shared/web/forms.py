"""What a form sends."""

from __future__ import annotations

from urllib.parse import parse_qsl

MOST_FIELDS = 500
"""Fields of one form."""


def form(body: bytes) -> dict[str, str]:
    """Its fields by name, the last of each; nothing of a body that is no form. Line ends are plain ones."""
    return {name: value.replace("\r\n", "\n") for name, value in pairs(body)}


def pairs(body: bytes) -> list[tuple[str, str]]:
    """Its fields in order, for names that may come several times."""
    try:
        text = body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return []
