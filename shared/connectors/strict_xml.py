"""XML from strangers: a small tree without namespaces, or a refusal that shows nothing of the body.

A DOCTYPE is refused as such: no platform sends one, and every known XML attack needs it.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.ElementTree import DefusedXMLParser

from shared.domain.errors import PayloadRejected

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of a body: a full queue of some thousand reservations."""

MOST_DEPTH = 64
"""Nested elements; OTA messages stay below twenty."""

_FORBIDDEN = bytes((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)))
_ESCAPE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,9}));")


class _Shallow(TreeBuilder):
    """Builds elements and attributes under their local names, and stops at ``MOST_DEPTH``."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """An element begins."""
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise PayloadRejected(f"XML nested more than {MOST_DEPTH} deep")
        return super().start(local_name(tag), {local_name(name): text for name, text in attrs.items()})

    def end(self, tag: str, /) -> Element:
        """An element ends."""
        self._depth -= 1
        return super().end(local_name(tag))


def local_name(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def load(body: bytes) -> Element:
    """The root element of a document; names carry no namespace.

    A document that is well-formed but for characters XML forbids is read without them: one in a guest's remark
    would else hide every other reservation of the answer. Raises ``PayloadRejected``: too long, too deep, a
    DOCTYPE, an unknown encoding, not well-formed.
    """
    if len(body) > MOST_BYTES:
        raise PayloadRejected(f"XML of more than {MOST_BYTES} bytes")
    try:
        return _parse(body)
    except ParseError as error:
        cleaned = _cleaned(body)
        if cleaned == body:
            raise PayloadRejected(_where(error)) from None
    try:
        return _parse(cleaned)
    except ParseError as error:
        raise PayloadRejected(_where(error)) from None


def _parse(body: bytes) -> Element:
    parser = DefusedXMLParser(target=_Shallow(), forbid_dtd=True)
    try:
        parser.feed(body)
        root = parser.close()
    except (
        ValueError,
        LookupError,
    ):  # defusedxml's refusals are ValueErrors; so is an encoding it cannot read
        raise PayloadRejected("XML with a DOCTYPE or in an encoding nobody reads") from None
    if not isinstance(root, Element):
        raise PayloadRejected("XML without a root element")
    return root


def _cleaned(body: bytes) -> bytes:
    """Without control characters, bytes that are no UTF-8, and escapes of what may not even be escaped."""
    readable = body.translate(None, _FORBIDDEN).decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda match: match[0] if _allowed(match) else b"", readable)


def _allowed(escape: re.Match[bytes]) -> bool:
    """Whether XML 1.0 has that character (section 2.2)."""
    code = int(escape[1], 16) if escape[1] else int(escape[2])
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )


def _where(error: ParseError) -> str:
    line, column = error.position
    return f"not well-formed XML at line {line}, column {column}"
