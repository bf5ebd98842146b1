"""Foreign text that a browser must not change: escaping keeps it from being markup, this keeps it from being another
text."""

from __future__ import annotations

from markupsafe import Markup, escape

NO_SIGN = "\N{SYMBOL FOR NULL}"
"""What stands for the one character that HTML has no way to write (U+0000)."""


def exact(value: object) -> object:
    """A value as it is, but for a text with carriage returns, which a browser would read as line feeds, or with zero
    bytes, which it would drop: the first are written as references, the second as a sign one can see."""
    if not isinstance(value, str) or isinstance(value, Markup) or not ("\r" in value or "\x00" in value):
        return value
    return Markup(str(escape(value.replace("\x00", NO_SIGN))).replace("\r", "&#13;"))  # noqa: S704 - escaped here
