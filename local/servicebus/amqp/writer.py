"""AMQP values to bytes, in the shortest form the type has."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterable
from functools import singledispatch

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

_U32 = struct.Struct(">I")


def encode(value: object) -> bytes:
    """The bytes of a value. Raises ``CodecError`` for a type or a range AMQP does not have."""
    try:
        return _write(value)
    except (struct.error, UnicodeEncodeError) as error:
        raise CodecError(f"{type(value).__name__} out of range") from error


@singledispatch
def _write(value: object) -> bytes:
    raise CodecError(f"AMQP has no type for {type(value).__name__}: say which one is meant")


@_write.register
def _(value: None) -> bytes:
    return b"\x40"


@_write.register
def _(value: bool) -> bytes:
    return b"\x41" if value else b"\x42"


@_write.register
def _(value: UInt) -> bytes:
    if value == 0:
        return b"\x43"
    return bytes((0x52, value)) if 0 < value < 256 else struct.pack(">BI", 0x70, value)


@_write.register
def _(value: ULong) -> bytes:
    if value == 0:
        return b"\x44"
    return bytes((0x53, value)) if 0 < value < 256 else struct.pack(">BQ", 0x80, value)


@_write.register
def _(value: Int) -> bytes:
    return struct.pack(">Bb", 0x54, value) if -128 <= value < 128 else struct.pack(">Bi", 0x71, value)


@_write.register
def _(value: Long) -> bytes:
    return struct.pack(">Bb", 0x55, value) if -128 <= value < 128 else struct.pack(">Bq", 0x81, value)


@_write.register
def _(value: UByte) -> bytes:
    return struct.pack(">BB", 0x50, value)


@_write.register
def _(value: Byte) -> bytes:
    return struct.pack(">Bb", 0x51, value)


@_write.register
def _(value: UShort) -> bytes:
    return struct.pack(">BH", 0x60, value)


@_write.register
def _(value: Short) -> bytes:
    return struct.pack(">Bh", 0x61, value)


@_write.register
def _(value: Timestamp) -> bytes:
    return struct.pack(">Bq", 0x83, value)


@_write.register
def _(value: Float) -> bytes:
    return struct.pack(">Bf", 0x72, value)


@_write.register
def _(value: float) -> bytes:
    return struct.pack(">Bd", 0x82, value)


@_write.register
def _(value: uuid.UUID) -> bytes:
    return b"\x98" + value.bytes


@_write.register
def _(value: Opaque) -> bytes:
    code = {4: 0x74, 8: 0x84, 16: 0x94}.get(len(value))
    if code is None:
        raise CodecError(f"a decimal has 4, 8 or 16 bytes, not {len(value)}")
    return bytes((code,)) + value


@_write.register
def _(value: bytes) -> bytes:
    return _sized(0xA0, 0xB0, value)


@_write.register
def _(value: str) -> bytes:
    return _sized(0xA1, 0xB1, value.encode("utf-8"))


@_write.register
def _(value: Symbol) -> bytes:
    return _sized(0xA3, 0xB3, value.encode("ascii"))


@_write.register
def _(value: Char) -> bytes:
    return struct.pack(">BI", 0x73, ord(value))


@_write.register
def _(value: Described) -> bytes:
    return b"\x00" + _write(value.descriptor) + _write(value.value)


@_write.register
def _(value: list) -> bytes:  # type: ignore[type-arg]  # a class at run time: dispatch cannot take list[object]
    return _collection(0xC0, 0xD0, len(value), value) if value else b"\x45"


@_write.register
def _(value: dict) -> bytes:  # type: ignore[type-arg]  # as above
    flat = (item for pair in value.items() for item in pair)
    return _collection(0xC1, 0xD1, 2 * len(value), flat)


@_write.register
def _(value: Array) -> bytes:
    """One constructor for all: the wide form of the first element's type."""
    if not value:
        return b"\xe0\x02\x00\x40"
    kind = type(value[0])
    if kind not in _ELEMENTS or any(type(item) is not kind for item in value):
        raise CodecError("an AMQP array holds values of one simple type")
    code, strip = _ELEMENTS[kind]
    content = bytes((code,)) + b"".join(strip(item) for item in value)
    return b"\xf0" + _U32.pack(len(content) + 4) + _U32.pack(len(value)) + content


def _sized(small: int, wide: int, piece: bytes) -> bytes:
    if len(piece) < 256:
        return bytes((small, len(piece))) + piece
    return bytes((wide,)) + _U32.pack(len(piece)) + piece


def _collection(small: int, wide: int, count: int, items: Iterable[object]) -> bytes:
    """List and map: the size counts the count field too."""
    content = b"".join(map(_write, items))
    if count < 256 and len(content) < 255:
        return bytes((small, len(content) + 1, count)) + content
    return bytes((wide,)) + _U32.pack(len(content) + 4) + _U32.pack(count) + content


def _number(layout: str) -> Callable[[object], bytes]:
    packer = struct.Struct(layout)
    return lambda item: packer.pack(item)


def _text(item: object) -> bytes:
    piece = item if isinstance(item, bytes) else str(item).encode("utf-8")
    return _U32.pack(len(piece)) + piece


def _uuid(item: object) -> bytes:
    assert isinstance(item, uuid.UUID)
    return item.bytes


_ELEMENTS: dict[type, tuple[int, Callable[[object], bytes]]] = {
    UInt: (0x70, _number(">I")),
    Int: (0x71, _number(">i")),
    ULong: (0x80, _number(">Q")),
    Long: (0x81, _number(">q")),
    Timestamp: (0x83, _number(">q")),
    uuid.UUID: (0x98, _uuid),
    bytes: (0xB0, _text),
    str: (0xB1, _text),
    Symbol: (0xB3, _text),
}
