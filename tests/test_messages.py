"""Queue messages on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import PayloadRejected
from shared.messages import LONGEST_ID, MOST_BODY, decode, encode, replayed, wire_id
from shared.ports.bus import Message

TEXT = st.text(max_size=200)
MESSAGES = st.builds(
    Message, kind=st.text(min_size=1, max_size=20), key=st.text(min_size=1), version=TEXT, correlation=TEXT
)


@given(MESSAGES)
def test_a_message_is_read_back(message: Message) -> None:
    assert decode(encode(message)) == message


def test_the_due_time_is_the_queues_business() -> None:
    due = Message("site", "home", "1", due=datetime(2026, 1, 1, tzinfo=UTC))
    assert b"2026" not in encode(due)
    assert decode(encode(due)).due is None


def test_a_newer_release_may_say_more() -> None:
    assert decode(b'{"kind":"site","key":"home","since":[1]}') == Message("site", "home")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_refusal(body: bytes) -> None:
    try:
        message = decode(body)
    except PayloadRejected:
        return
    assert message.kind


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b"{}",
        b'{"kind":"site"}',
        b'{"kind":"","key":"home"}',
        b'{"kind":"site","key":7}',
        b'{"kind":"site","key":"home","version":1}',
        b'{"kind":"site","key":"\\ud800"}',
        b'\xef\xbb\xbf{"kind":"site","key":"home"}',
        b'{"kind":"site","key":"home","n":' + b"9" * 5000 + b"}",
        b"[" * 50_000,
        json.dumps({"kind": "site", "key": "x" * MOST_BODY}).encode(),
    ],
)
def test_a_refusal_never_quotes_the_body(body: bytes) -> None:
    with pytest.raises(PayloadRejected) as caught:
        decode(body)
    assert "home" not in str(caught.value)


@given(MESSAGES, MESSAGES)
def test_ids_fit_the_service_and_differ_where_messages_do(one: Message, other: Message) -> None:
    assert len(wire_id(one)) <= LONGEST_ID
    assert (wire_id(one) == wire_id(other)) == (one.message_id == other.message_id)


def test_a_replay_has_a_new_id_each_death_and_the_same_for_the_same_death() -> None:
    first = replayed(Message("site", "home", "7", "c"), 12)
    assert (first.version, first.correlation) == ("7+r12", "c")
    assert replayed(first, 57).version == "7+r57"
    assert replayed(Message("site", "home", "7", "c"), 12) == first
