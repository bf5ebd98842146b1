"""Bytes to AMQP values. What comes in is a stranger's: every length is checked before it is used."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable

from local.servicebus.amqp.values import (
    Array,
    Byte,
    Char,
    CodecError,
    Described,
    Float,
    Int,
    Long,
    Opaque,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

DEEPEST = 32
"""Nesting beyond this is refused: nobody sends it, and recursion has a floor."""
MOST_IN_ARRAY = 65_536
"""Array elements may be zero bytes wide, so that their count is not bounded by the frame."""


def decode(data: bytes, offset: int = 0, depth: int = 0) -> tuple[object, int]:
    """The value that starts at ``offset`` and the offset behind it. Raises ``CodecError``."""
    if depth > DEEPEST:
        raise CodecError(f"AMQP value nested deeper than {DEEPEST}")
    try:
        code = data[offset]
        if code == 0x00:
            descriptor, offset = decode(data, offset + 1, depth + 1)
            value, offset = decode(data, offset, depth + 1)
            return Described(descriptor, value), offset
        return _body(code, data, offset + 1, depth)
    except (struct.error, IndexError, UnicodeDecodeError, OverflowError) as error:
        raise CodecError(f"AMQP value at byte {offset} is cut short or malformed") from error


def _body(code: int, data: bytes, offset: int, depth: int) -> tuple[object, int]:
    """The value behind a constructor byte."""
    if (fixed := _FIXED.get(code)) is not None:
        layout, kind = fixed
        return kind(layout.unpack_from(data, offset)[0]), offset + layout.size
    if code in _CONSTANT:
        constant = _CONSTANT[code]
        return (list(constant) if isinstance(constant, list) else constant), offset
    if (variable := _VARIABLE.get(code)) is not None:
        return _variable(variable, data, offset)
    if code in _COMPOUND:
        return _compound(code, data, offset, depth)
    if (wide := _WIDE.get(code)) is not None:
        width, make = wide
        return make(_piece(data, offset, width)), offset + width
    raise CodecError(f"0x{code:02x} is no AMQP constructor")


def _piece(data: bytes, offset: int, length: int) -> bytes:
    """Exactly that many bytes; a slice alone would silently be shorter."""
    piece = bytes(data[offset : offset + length])
    if len(piece) != length:
        raise CodecError(f"AMQP value at byte {offset} is cut short")
    return piece


def _variable(
    variable: tuple[struct.Struct, Callable[[bytes], object]], data: bytes, offset: int
) -> tuple[object, int]:
    size, kind = variable
    length = size.unpack_from(data, offset)[0]
    start = offset + size.size
    return kind(_piece(data, start, length)), start + length


def _compound(code: int, data: bytes, offset: int, depth: int) -> tuple[object, int]:
    """A list, map or array. Their size field is what a reader skips by, so it must hold."""
    if depth > DEEPEST:
        raise CodecError(f"AMQP value nested deeper than {DEEPEST}")
    word = _U8 if code in (0xC0, 0xC1, 0xE0) else _U32
    size, count = word.unpack_from(data, offset)[0], word.unpack_from(data, offset + word.size)[0]
    start, end = offset + 2 * word.size, offset + word.size + size
    if end > len(data):
        raise CodecError(f"AMQP compound at byte {offset} is cut short")
    if code in (0xE0, 0xF0):
        return _array(data, start, count, end, depth), end
    if count > size:
        raise CodecError(f"AMQP compound at byte {offset} claims {count} elements in {size} bytes")
    items = []
    for _ in range(count):
        item, start = decode(data, start, depth + 1)
        items.append(item)
    if start != end:
        raise CodecError(f"AMQP compound at byte {offset} has a wrong size")
    return (items if code in (0xC0, 0xD0) else _pairs(items)), end


def _pairs(items: list[object]) -> dict[object, object]:
    if len(items) % 2:
        raise CodecError("AMQP map with a key but no value")
    try:
        return dict(zip(items[::2], items[1::2], strict=True))
    except TypeError as error:
        raise CodecError("AMQP map keyed by a list or map") from error


def _array(data: bytes, start: int, count: int, end: int, depth: int) -> Array:
    if count > MOST_IN_ARRAY:
        raise CodecError(f"AMQP array of {count} elements")
    items = Array()
    if count == 0:
        return items
    code = data[start]
    if code == 0x00:
        raise CodecError("AMQP arrays of described values are not offered")
    start += 1
    for _ in range(count):
        item, start = _body(code, data, start, depth + 1)
        items.append(item)
    if start != end:
        raise CodecError("AMQP array has a wrong size")
    return items


_U8, _U32 = struct.Struct(">B"), struct.Struct(">I")

_LAYOUTS: tuple[tuple[int, str, Callable[[int], object]], ...] = (
    (0x50, ">B", UByte),
    (0x51, ">b", Byte),
    (0x52, ">B", UInt),
    (0x53, ">B", ULong),
    (0x54, ">b", Int),
    (0x55, ">b", Long),
    (0x56, ">B", bool),
    (0x60, ">H", UShort),
    (0x61, ">h", Short),
    (0x70, ">I", UInt),
    (0x71, ">i", Int),
    (0x72, ">f", Float),
    (0x80, ">Q", ULong),
    (0x81, ">q", Long),
    (0x82, ">d", float),
    (0x83, ">q", Timestamp),
)
_FIXED = {code: (struct.Struct(layout), kind) for code, layout, kind in _LAYOUTS}
_CONSTANT: dict[int, object] = {0x40: None, 0x41: True, 0x42: False, 0x43: UInt(0), 0x44: ULong(0), 0x45: []}
_VARIABLE: dict[int, tuple[struct.Struct, Callable[[bytes], object]]] = {
    0xA0: (_U8, bytes),
    0xB0: (_U32, bytes),
    0xA1: (_U8, lambda piece: str(piece, "utf-8")),
    0xB1: (_U32, lambda piece: str(piece, "utf-8")),
    0xA3: (_U8, lambda piece: Symbol(piece, "ascii")),
    0xB3: (_U32, lambda piece: Symbol(piece, "ascii")),
}
_COMPOUND = frozenset({0xC0, 0xC1, 0xD0, 0xD1, 0xE0, 0xF0})
_WIDE: dict[int, tuple[int, Callable[[bytes], object]]] = {
    0x73: (4, lambda piece: Char(piece.decode("utf-32-be"))),
    0x98: (16, lambda piece: uuid.UUID(bytes=piece)),
    0x74: (4, Opaque),
    0x84: (8, Opaque),
    0x94: (16, Opaque),
}
