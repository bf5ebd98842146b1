"""Frames: the size, the channel, a performative, and for a transfer the bytes of a message behind it."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

from local.servicebus.amqp.performatives import Performative, from_value, to_value
from local.servicebus.amqp.reader import decode
from local.servicebus.amqp.values import CodecError
from local.servicebus.amqp.writer import encode

AMQP_FRAME, SASL_FRAME = 0, 1
AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
MAX_FRAME = 1024 * 1024
"""Largest frame taken from a peer, bytes; announced in ``open``."""
EMPTY_FRAME = struct.pack(">IBBH", 8, 2, AMQP_FRAME, 0)
"""Says nothing but that the connection is alive."""

_HEAD = struct.Struct(">IBBH")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame read. ``performative`` is None for a heartbeat; ``payload`` is what follows it."""

    channel: int
    performative: Performative | None
    payload: bytes = b""


def write_frame(
    channel: int, performative: Performative, payload: bytes = b"", kind: int = AMQP_FRAME
) -> bytes:
    """The bytes of one frame."""
    body = encode(to_value(performative))
    return _HEAD.pack(_HEAD.size + len(body) + len(payload), 2, kind, channel) + body + payload


async def read_frame(stream: asyncio.StreamReader) -> Frame:
    """The next frame. Raises ``CodecError``, and ``IncompleteReadError`` when the peer is gone."""
    size, offset, _kind, channel = _HEAD.unpack(await stream.readexactly(_HEAD.size))
    extended = 4 * offset - _HEAD.size
    if not _HEAD.size <= size <= MAX_FRAME or not 0 <= extended <= size - _HEAD.size:
        raise CodecError(f"frame of {size} bytes with its body at {4 * offset}")
    body = (await stream.readexactly(size - _HEAD.size))[extended:]
    if not body:
        return Frame(channel, None)
    value, end = decode(body)
    return Frame(channel, from_value(value), body[end:])
