"""Keys as the table service may hold them: any text in, plain ASCII out, reversible and in the same order.

The service refuses ``/ \\ # ?`` and control characters in a key (VERIFIED: learn.microsoft.com, Understanding
the Table service data model) and calendar UIDs hold all of them in the wild; ``%``, ``'`` and ``+`` have a
meaning in URLs and filters. Letters, digits and ``, - : ; < = @ ] ^ _ ` { | }`` stay as they are; everything
else becomes a lead character and its code point in lower-case hexadecimal:

=================== ======================= =========================
text                encoded                 example
=================== ======================= =========================
below ``,``         ``!`` + 2 digits        space is ``!20``
``.`` and ``/``     ``.`` + 2 digits        ``a/b`` is ``a.2fb``
``>`` and ``?``     ``>`` + 2 digits        ``?`` is ``>3f``
``[`` and backslash ``[`` + 2 digits        ``[`` is ``[5b``
U+007E to U+00FF    ``~`` + 2 digits        e acute is ``~e9``
to U+FFFF           ``~g`` + 4 digits       the euro sign is ``~g20ac``
above               ``~h`` + 6 digits       an emoji is ``~h01f600``
no text at all      ``!``
=================== ======================= =========================

**Order.** For every two texts, ``a < b`` by code points (Python's own order of ``str``) exactly when
``encode(a) < encode(b)`` byte by byte. That holds because each lead is the character just below the ones it
stands for, stays never alone (it is escaped itself), and no escape is the beginning of another; since the
result is ASCII, every store agrees on its order (UTF-8, UTF-16 and code points sort ASCII alike). So a range of
plain keys is the same range of encoded ones, and a prefix search is ``[prefix, prefix + chr(0x10FFFF))``.
"""

from __future__ import annotations

import re

MOST_KEY_CHARACTERS = 512
"""A key may have 1 KiB (VERIFIED: learn.microsoft.com, Scalability targets for Table storage), held as UTF-16."""

_EMPTY = "!"
_AS_IS = re.compile(r"[,\-0-9:;<=@A-Z\]^_`a-z{|}]+")
_ESCAPE = re.compile(r"([!.>\[])([0-9a-f]{2})|~(?:g([0-9a-f]{4})|h([0-9a-f]{6})|([0-9a-f]{2}))")


class _Escapes(dict[int, str]):
    """What each code point becomes; the 128 ASCII ones are filled in, the rest is found when asked for."""

    def __missing__(self, point: int) -> str:
        if point <= 0xFF:
            return f"~{point:02x}"
        return f"~g{point:04x}" if point <= 0xFFFF else f"~h{point:06x}"


def _ascii_escapes() -> _Escapes:
    table = _Escapes()
    for point in range(0x7E):
        if not _AS_IS.fullmatch(chr(point)):
            lead = max((lead for lead in "!.>[" if ord(lead) <= point), default="!")
            table[point] = f"{lead}{point:02x}"
        else:
            table[point] = chr(point)
    return table


_TABLE = _ascii_escapes()


def encode(text: str) -> str:
    """Any text, lone surrogates and the empty one included, as ASCII; of any length (bounds of a range)."""
    if _AS_IS.fullmatch(text):
        return text
    return text.translate(_TABLE) if text else _EMPTY


class KeyTooLong(ValueError):
    """A name that can be no key: nothing is stored under it, and nothing ever was."""


def encode_key(text: str) -> str:
    """The same for a key that is to be stored. Raises ``KeyTooLong`` when the result has over 512 characters."""
    encoded = encode(text)
    if len(encoded) > MOST_KEY_CHARACTERS:
        raise KeyTooLong(
            f"key too long: {len(encoded)} characters encoded, {MOST_KEY_CHARACTERS} allowed ({text[:40]!r}...)"
        )
    return encoded


def decode(key: str) -> str:
    """The text a key stands for. Raises ``ValueError`` for a key that ``encode`` does not make."""
    if _AS_IS.fullmatch(key):
        return key
    text = "" if key == _EMPTY else _ESCAPE.sub(_character, key)
    if encode(text) != key:
        raise ValueError(f"not an encoded key: {key[:40]!r}")
    return text


def _character(escape: re.Match[str]) -> str:
    _, low, four, six, two = escape.groups()
    point = int(low or four or six or two, 16)
    return chr(point) if point <= 0x10FFFF else escape.group()
