"""The nine performatives and the SASL frames as dataclasses (OASIS AMQP 1.0, parts 2 and 5).

A field says its wire type in its annotation; ``to_value`` and ``from_value`` do the rest, in field order. Fields
nobody here reads (locales, capabilities, resumption) are kept as plain values so that positions stay right.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, get_args, get_type_hints

from local.servicebus.amqp.values import CodecError, Described, Symbol, UByte, UInt, ULong, UShort

U8 = Annotated[int | None, UByte]
U16 = Annotated[int | None, UShort]
U32 = Annotated[int | None, UInt]
U64 = Annotated[int | None, ULong]
Text = Annotated[str | None, str]
Name = Annotated[str | None, Symbol]
Flag = Annotated[bool | None, bool]
Blob = Annotated[bytes | None, bytes]


@dataclass(frozen=True, slots=True)
class Performative:
    """What one frame says. Absent fields are None."""

    code: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Open(Performative):
    """Start of a connection. ``idle_time_out`` is in milliseconds."""

    code: ClassVar[int] = 0x10
    container_id: Text = None
    hostname: Text = None
    max_frame_size: U32 = None
    channel_max: U16 = None
    idle_time_out: U32 = None
    outgoing_locales: object = None
    incoming_locales: object = None
    offered_capabilities: object = None
    desired_capabilities: object = None
    properties: object = None


@dataclass(frozen=True, slots=True)
class Begin(Performative):
    """Start of a session; windows count transfer frames."""

    code: ClassVar[int] = 0x11
    remote_channel: U16 = None
    next_outgoing_id: U32 = None
    incoming_window: U32 = None
    outgoing_window: U32 = None
    handle_max: U32 = None
    offered_capabilities: object = None
    desired_capabilities: object = None
    properties: object = None


@dataclass(frozen=True, slots=True)
class Attach(Performative):
    """Start of a link. ``role`` is True for the receiving end."""

    code: ClassVar[int] = 0x12
    name: Text = None
    handle: U32 = None
    role: Flag = None
    snd_settle_mode: U8 = None
    rcv_settle_mode: U8 = None
    source: object = None
    target: object = None
    unsettled: object = None
    incomplete_unsettled: Flag = None
    initial_delivery_count: U32 = None
    max_message_size: U64 = None
    offered_capabilities: object = None
    desired_capabilities: object = None
    properties: object = None


@dataclass(frozen=True, slots=True)
class Flow(Performative):
    """Windows of a session and, with a handle, the credit of a link."""

    code: ClassVar[int] = 0x13
    next_incoming_id: U32 = None
    incoming_window: U32 = None
    next_outgoing_id: U32 = None
    outgoing_window: U32 = None
    handle: U32 = None
    delivery_count: U32 = None
    link_credit: U32 = None
    available: U32 = None
    drain: Flag = None
    echo: Flag = None
    properties: object = None


@dataclass(frozen=True, slots=True)
class Transfer(Performative):
    """A message or a piece of one (``more``); the bytes follow in the same frame."""

    code: ClassVar[int] = 0x14
    handle: U32 = None
    delivery_id: U32 = None
    delivery_tag: Blob = None
    message_format: U32 = None
    settled: Flag = None
    more: Flag = None
    rcv_settle_mode: U8 = None
    state: object = None
    resume: Flag = None
    aborted: Flag = None
    batchable: Flag = None


@dataclass(frozen=True, slots=True)
class Disposition(Performative):
    """What became of deliveries ``first`` to ``last``, both included."""

    code: ClassVar[int] = 0x15
    role: Flag = None
    first: U32 = None
    last: U32 = None
    settled: Flag = None
    state: object = None
    batchable: Flag = None


@dataclass(frozen=True, slots=True)
class Detach(Performative):
    """End of a link."""

    code: ClassVar[int] = 0x16
    handle: U32 = None
    closed: Flag = None
    error: object = None


@dataclass(frozen=True, slots=True)
class End(Performative):
    """End of a session."""

    code: ClassVar[int] = 0x17
    error: object = None


@dataclass(frozen=True, slots=True)
class Close(Performative):
    """End of a connection."""

    code: ClassVar[int] = 0x18
    error: object = None


@dataclass(frozen=True, slots=True)
class SaslMechanisms(Performative):
    """What the server accepts as a way to log in."""

    code: ClassVar[int] = 0x40
    mechanisms: object = None


@dataclass(frozen=True, slots=True)
class SaslInit(Performative):
    """The client's choice."""

    code: ClassVar[int] = 0x41
    mechanism: Name = None
    initial_response: Blob = None
    hostname: Text = None


@dataclass(frozen=True, slots=True)
class SaslOutcome(Performative):
    """0 is success."""

    code: ClassVar[int] = 0x44
    outcome: U8 = None
    additional_data: Blob = None


_KINDS: dict[int, type[Performative]] = {kind.code: kind for kind in Performative.__subclasses__()}


def _wire_types(kind: type[Performative]) -> tuple[type | None, ...]:
    """Per field the class that writes it, None for a field passed through."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple((get_args(hints[item.name]) or (None,))[-1] for item in fields(kind))


_TYPES = {kind: _wire_types(kind) for kind in _KINDS.values()}


def to_value(performative: Performative) -> Described:
    """The described list a frame carries, without trailing nulls."""
    items: list[object] = []
    for item, wire in zip(fields(performative), _TYPES[type(performative)], strict=True):
        value = getattr(performative, item.name)
        items.append(value if wire is None or value is None else wire(value))
    while items and items[-1] is None:
        items.pop()
    return Described(ULong(performative.code), items)


def from_value(value: object) -> Performative:
    """A performative read from a frame. Raises ``CodecError`` when it is none, or a field has a wrong type."""
    if not isinstance(value, Described) or not isinstance(value.value, list):
        raise CodecError("a frame carries a described list")
    kind = _KINDS.get(value.descriptor) if isinstance(value.descriptor, int) else None
    if kind is None:
        raise CodecError(f"no performative {value.descriptor!r}")
    wires, items = _TYPES[kind], value.value
    if len(items) > len(wires):
        raise CodecError(f"{kind.__name__} has {len(items)} fields")
    for item, wire, given in zip(fields(kind), wires, items, strict=False):
        if given is not None and wire is not None and not isinstance(given, _accepted(wire)):
            raise CodecError(f"{kind.__name__}.{item.name} is a {type(given).__name__}")
    return kind(*items)


def _accepted(wire: type) -> type:
    """Any integer type does for an integer field: peers differ in how wide they write it."""
    return int if issubclass(wire, int) and wire is not bool else str if issubclass(wire, str) else wire
