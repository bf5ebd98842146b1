"""AMQP values, frames and messages: what is written is read back, and garbage is refused."""

from __future__ import annotations

import asyncio
import string
import uuid
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.servicebus.amqp.frames import EMPTY_FRAME, read_frame, write_frame
from local.servicebus.amqp.message import Parcel, parse, parse_batch, render
from local.servicebus.amqp.performatives import (
    Attach,
    Flow,
    Open,
    Performative,
    Transfer,
    from_value,
    to_value,
)
from local.servicebus.amqp.reader import DEEPEST, decode
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
from local.servicebus.amqp.writer import encode


def whole(kind: type[int], bits: int, *, signed: bool) -> st.SearchStrategy[object]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(low, high).map(kind)


UNSIGNED = [
    whole(kind, bits, signed=False) for kind, bits in ((UByte, 8), (UShort, 16), (UInt, 32), (ULong, 64))
]
SIGNED = [
    whole(kind, bits, signed=True)
    for kind, bits in ((Byte, 8), (Short, 16), (Int, 32), (Long, 64), (Timestamp, 64))
]
TEXT = st.text(max_size=300)
SYMBOLS = st.text(string.ascii_letters + string.digits + ":-.", max_size=300).map(Symbol)
SIMPLE = st.one_of(
    st.none(),
    st.booleans(),
    *UNSIGNED,
    *SIGNED,
    st.floats(allow_nan=False),
    st.floats(allow_nan=False, width=32).map(Float),
    st.characters().filter(lambda sign: not "\ud800" <= sign <= "\udfff").map(Char),
    st.uuids(),
    st.binary(max_size=300),
    TEXT,
    SYMBOLS,
    st.sampled_from([4, 8, 16]).flatmap(lambda size: st.binary(min_size=size, max_size=size)).map(Opaque),
)
ARRAYS = st.one_of(
    *(
        st.lists(one, max_size=20).map(Array)
        for one in (UNSIGNED[2], UNSIGNED[3], *SIGNED[2:], st.uuids(), st.binary(max_size=20), TEXT, SYMBOLS)
    )
)
VALUES = st.recursive(
    SIMPLE | ARRAYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(SYMBOLS | TEXT, inner, max_size=5),
        st.builds(Described, UNSIGNED[3] | SYMBOLS, inner),
    ),
    max_leaves=20,
)


def typed(value: object) -> object:
    """A value with the type of everything in it, since 1 == True == UInt(1) to Python."""
    if isinstance(value, list):
        return type(value), [typed(item) for item in value]
    if isinstance(value, dict):
        return type(value), [(typed(key), typed(item)) for key, item in value.items()]
    if isinstance(value, Described):
        return Described, typed(value.descriptor), typed(value.value)
    return type(value), value


@given(VALUES)
def test_what_is_written_is_read_back_type_and_all(value: object) -> None:
    written = encode(value)
    read, end = decode(written)
    assert typed(read) == typed(value)
    assert end == len(written)


@given(st.binary(max_size=60))
def test_garbage_is_a_value_or_a_clear_refusal(data: bytes) -> None:
    try:
        _, end = decode(data)
    except CodecError:
        return
    assert end <= len(data)


@given(VALUES, st.data())
def test_a_value_cut_short_is_refused(value: object, data: st.DataObject) -> None:
    written = encode(value)
    cut = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(CodecError):
        decode(written[:cut])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("40", None),
        ("41", True),
        ("5600", False),
        ("43", UInt(0)),
        ("70000000ff", UInt(255)),
        ("54ff", Int(-1)),
        ("a30361626f", Symbol("abo")),
        ("c00501410100", None),
        ("e00402a3016101620", None),
    ],
)
def test_bytes_of_the_specification(written: str, value: object) -> None:
    if value is None and written != "40":
        with pytest.raises(ValueError, match=r"AMQP|non-hexadecimal|fromhex"):
            decode(bytes.fromhex(written))
    else:
        assert typed(decode(bytes.fromhex(written))[0]) == typed(value)


@pytest.mark.parametrize(
    "value", [5, object(), UByte(256), Int(2**31), Symbol("é"), Array([Int(1), Long(1)])]
)
def test_what_amqp_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(CodecError):
        encode(value)


def test_nesting_has_a_floor() -> None:
    with pytest.raises(CodecError, match="nested"):
        decode(b"\x00" * 1000)
    deep: object = None
    for _ in range(DEEPEST + 1):
        deep = [deep]
    with pytest.raises(CodecError, match="nested"):
        decode(encode(deep))


def test_a_small_array_may_not_claim_a_billion_elements() -> None:
    with pytest.raises(CodecError, match="array"):
        decode(bytes.fromhex("f0 00000005 3fffffff 41".replace(" ", "")))


# ----------------------------------------------------------------------------------------- performatives

FLOWS = st.builds(
    Flow,
    **{item.name: st.none() | st.integers(0, 2**32 - 1) for item in fields(Flow)[:8]},
    drain=st.booleans(),
)
TRANSFERS = st.builds(
    Transfer, handle=st.integers(0, 255), delivery_tag=st.binary(max_size=32), more=st.none() | st.booleans()
)


@given(st.one_of(FLOWS, TRANSFERS, st.builds(Open, container_id=TEXT, hostname=st.none() | TEXT)))
def test_a_performative_is_read_back(performative: Performative) -> None:
    assert from_value(decode(encode(to_value(performative)))[0]) == performative


@pytest.mark.parametrize(
    "value",
    [
        Symbol("x"),
        Described(ULong(0x99), []),
        Described(ULong(0x12), [UInt(5)]),
        Described(ULong(0x17), [None, None]),
        Described(Symbol("amqp:open:list"), []),
    ],
)
def test_what_is_no_performative_is_refused(value: object) -> None:
    with pytest.raises(CodecError):
        from_value(value)


async def frames_of(data: bytes) -> list[object]:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    found: list[object] = []
    while not stream.at_eof():
        frame = await read_frame(stream)
        found.append((frame.channel, frame.performative, frame.payload))
    return found


async def test_frames_carry_channel_performative_and_payload() -> None:
    attach, transfer = Attach(name="l", handle=3, role=True), Transfer(handle=3, delivery_id=1)
    data = write_frame(7, attach) + EMPTY_FRAME + write_frame(8, transfer, b"payload")
    assert await frames_of(data) == [(7, attach, b""), (0, None, b""), (8, transfer, b"payload")]


@pytest.mark.parametrize(
    "head", ["0000000702000000", "7fffffff02000000", "0000000901000000", "00000009ff000000"]
)
async def test_a_frame_of_an_impossible_size_is_refused(head: str) -> None:
    with pytest.raises(CodecError, match="frame of"):
        await frames_of(bytes.fromhex(head) + b"\x40" * 8)


# ---------------------------------------------------------------------------------------------- messages


def section(code: int, content: object) -> bytes:
    return encode(Described(ULong(code), content))


@given(st.text(max_size=50), st.binary(max_size=500), st.dictionaries(TEXT, SIMPLE, max_size=4))
def test_a_message_passes_through_unharmed(
    message_id: str, body: bytes, application: dict[str, object]
) -> None:
    sealed = section(0x73, [message_id, None, Symbol("x")])
    payload = (
        section(0x72, {Symbol("mine"): Int(1)}) + sealed + section(0x74, application) + section(0x75, body)
    )
    parcel = parse(render(parse(payload), {Symbol("x-opt-sequence-number"): Long(9)}, 2))
    assert (parcel.message_id, parcel.data) == (message_id, (body,))
    assert parcel.sealed_properties == sealed
    assert typed(parcel.application) == typed(application)
    assert parcel.header[4] == 2
    assert parcel.annotations == {"mine": 1, "x-opt-sequence-number": 9}


def test_a_batch_is_its_messages() -> None:
    inner = [section(0x73, [f"id-{n}"]) + section(0x75, b"x") for n in range(3)]
    batch = section(0x73, ["outer"]) + b"".join(section(0x75, one) for one in inner)
    assert [one.message_id for one in parse_batch(batch)] == ["id-0", "id-1", "id-2"]
    with pytest.raises(CodecError):
        parse_batch(section(0x73, ["outer"]))


def test_ids_of_any_type_are_told_apart() -> None:
    token = uuid.UUID(int=7)
    assert parse(section(0x73, [token])).message_id == str(token)
    assert parse(section(0x73, [ULong(12)])).message_id == "12"
    assert Parcel().message_id == ""
