"""AMQP 1.0 types as Python classes (OASIS AMQP 1.0, part 1).

A value read from the wire keeps its exact type, since a broker hands on what it does not understand: integers
come back as the classes below, text as ``str`` or ``Symbol``. To write, a plain ``int`` is refused: the
protocol tells ten kinds of number apart, and a guess would be read as another field by the peer.
"""

from __future__ import annotations

from dataclasses import dataclass


class CodecError(ValueError):
    """Bytes that are no AMQP value, or a Python value AMQP has no type for."""


class UByte(int):
    """Unsigned, 8 bits."""


class UShort(int):
    """Unsigned, 16 bits."""


class UInt(int):
    """Unsigned, 32 bits."""


class ULong(int):
    """Unsigned, 64 bits."""


class Byte(int):
    """Signed, 8 bits."""


class Short(int):
    """Signed, 16 bits."""


class Int(int):
    """Signed, 32 bits."""


class Long(int):
    """Signed, 64 bits."""


class Timestamp(int):
    """Milliseconds since 1970 UTC."""


class Float(float):
    """Single precision; a plain Python ``float`` is AMQP's double."""


class Char(str):
    """One character."""

    __slots__ = ()


class Symbol(str):
    """ASCII name from some domain: field keys, error conditions, mechanisms."""

    __slots__ = ()


class Opaque(bytes):
    """A decimal: 4, 8 or 16 bytes carried untouched, since nothing here counts with them."""


class Array(list[object]):
    """A list whose elements share one type; written as AMQP's array."""


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor: every performative, section, outcome and terminus is one."""

    descriptor: object
    value: object
