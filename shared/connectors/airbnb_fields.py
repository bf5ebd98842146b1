"""How Airbnb writes single values: ids and numbers come as text or number, and any of them may be missing."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from shared.connectors.stay_limits import MOST_NIGHTS

MOST_CHARACTERS = 300
"""Of one value: longer ones mean nothing to us and count as missing."""


def as_text(value: object) -> str | None:
    """Text, or a whole number as text (ids and nights come as either); anything else counts as missing."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return (value.strip() or None) if isinstance(value, str) and len(value) <= MOST_CHARACTERS else None


def _as_bool(value: object) -> bool | None:
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())


Text = Annotated[str | None, BeforeValidator(as_text)]
"""Text, or a whole number as text; anything else counts as missing."""

Flag = Annotated[bool | None, BeforeValidator(_as_bool)]
"""True or false, also as a word; anything else counts as missing."""


class Body(BaseModel):
    """Base of the bodies: fields we do not know are left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def read_count(text: str | None) -> int | None:
    """A number of nights or units, or None when it is none or beyond sense."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        return None
    number = int(text)
    return number if 0 < number <= MOST_NIGHTS else None
