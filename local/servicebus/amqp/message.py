"""The sections of a message (OASIS AMQP 1.0, part 3).

A broker owns the header, the annotations and, when it dead-letters, two application properties. Everything else is
the sender's: properties and body are handed on as the bytes they came in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from local.servicebus.amqp.reader import decode
from local.servicebus.amqp.values import CodecError, Described, Symbol, Timestamp, UInt, ULong
from local.servicebus.amqp.writer import encode

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION = 0x70, 0x71, 0x72, 0x73, 0x74
DATA, SEQUENCE, VALUE, FOOTER = 0x75, 0x76, 0x77, 0x78

BATCH_FORMAT = 0x80013700
"""Message format of a batch: each data section is one encoded message (VERIFIED with azure-servicebus 7.15)."""

SCHEDULED_TIME = Symbol("x-opt-scheduled-enqueue-time")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message. ``properties`` is the decoded list, ``sealed`` the untouched bytes of properties and body."""

    header: list[object] = field(default_factory=list)
    annotations: dict[object, object] = field(default_factory=dict)
    properties: list[object] = field(default_factory=list)
    application: dict[object, object] = field(default_factory=dict)
    value: object = None
    data: tuple[bytes, ...] = ()
    sealed_properties: bytes = b""
    sealed_body: bytes = b""

    @property
    def message_id(self) -> str:
        """The sender's id as text, empty without one: duplicates are told by it."""
        given = self.properties[0] if self.properties else None
        return "" if given is None else str(given)

    @property
    def time_to_live(self) -> float | None:
        """Seconds the sender gives it, None for no limit of its own."""
        milliseconds = self.header[2] if len(self.header) > 2 else None
        return milliseconds / 1000 if isinstance(milliseconds, int) else None

    @property
    def scheduled(self) -> float | None:
        """When to enqueue it, seconds since 1970, if the sender says so."""
        due = self.annotations.get(SCHEDULED_TIME)
        return due / 1000 if isinstance(due, int) else None

    def text(self, key: str) -> str:
        """An application property as text, empty without it."""
        found = self.application.get(key)
        return "" if found is None else str(found)


def parse(payload: bytes) -> Parcel:
    """The sections of one encoded message. Raises ``CodecError``."""
    header: list[object] = []
    annotations: dict[object, object] = {}
    properties: list[object] = []
    application: dict[object, object] = {}
    value: object = None
    data: list[bytes] = []
    sealed_properties, body_from, offset = b"", len(payload), 0
    while offset < len(payload):
        start = offset
        section, offset = decode(payload, offset)
        code, content = _section(section)
        if code in (DATA, SEQUENCE, VALUE, FOOTER):
            body_from = min(body_from, start)
        if code == HEADER:
            header = _as_list(content)
        elif code == ANNOTATIONS:
            annotations = _as_map(content)
        elif code == PROPERTIES:
            properties, sealed_properties = _as_list(content), payload[start:offset]
        elif code == APPLICATION:
            application = _as_map(content)
        elif code == DATA and isinstance(content, bytes):
            data.append(content)
        elif code == VALUE:
            value = content
    return Parcel(
        header,
        annotations,
        properties,
        application,
        value,
        tuple(data),
        sealed_properties,
        payload[body_from:],
    )


def parse_batch(payload: bytes) -> list[Parcel]:
    """The messages inside a batch. Raises ``CodecError`` also for an empty one."""
    parcels = [parse(inner) for inner in parse(payload).data]
    if not parcels:
        raise CodecError("a batch without messages")
    return parcels


def render(parcel: Parcel, annotations: dict[object, object], delivery_count: int) -> bytes:
    """The message as a receiver gets it: the broker's annotations over the sender's."""
    header = [*(parcel.header + [None] * 5)[:4], UInt(delivery_count)]
    pieces = [
        _encoded(HEADER, header),
        _encoded(ANNOTATIONS, {**parcel.annotations, **annotations}),
        parcel.sealed_properties,
        _encoded(APPLICATION, parcel.application) if parcel.application else b"",
        parcel.sealed_body,
    ]
    return b"".join(pieces)


def with_properties(parcel: Parcel, **more: str) -> Parcel:
    """The same message with further application properties."""
    application = dict(parcel.application)
    application.update(more)
    return replace(parcel, application=application)


def answer(correlation: object, application: dict[object, object], value: object) -> bytes:
    """A reply to a request: its correlation id is the request's message id, type and all."""
    return (
        _encoded(PROPERTIES, [None, None, None, None, None, correlation])
        + _encoded(APPLICATION, application)
        + _encoded(VALUE, value)
    )


def timestamp(seconds: float) -> Timestamp:
    """Seconds since 1970 as AMQP writes them."""
    return Timestamp(round(seconds * 1000))


def _encoded(code: int, content: object) -> bytes:
    return encode(Described(ULong(code), content))


def _section(section: object) -> tuple[int, object]:
    if not isinstance(section, Described) or not isinstance(section.descriptor, int):
        raise CodecError("a message is a run of described sections")
    return section.descriptor, section.value


def _as_list(content: object) -> list[object]:
    if not isinstance(content, list):
        raise CodecError("this section holds a list")
    return content


def _as_map(content: object) -> dict[object, object]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise CodecError("this section holds a map")
    return content
