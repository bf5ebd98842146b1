"""JSON from strangers, over the published test suite and a few bombs. Times are of the processor."""

from __future__ import annotations

import base64
import time

import pytest

from shared.connectors import strict_json
from shared.domain.errors import PayloadRejected
from tests.security import corpus

# The suite lets a reader take doubled keys; ours does not: the second of two "status" is somebody's trick.
DOUBLED = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}


def verdict(body: bytes) -> str:
    try:
        strict_json.load(body)
    except PayloadRejected:
        return "reject"
    return "accept"


def test_the_published_suite_is_judged_as_it_says() -> None:
    wrong = []
    for row in corpus.load("json/json_test_suite.jsonl"):
        found = verdict(base64.b64decode(row["b64"]))
        wanted = "reject" if row["name"] in DOUBLED else row["expect"]
        if wanted not in ("either", found):
            wrong.append((row["name"], found))
    assert wrong == []


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(b"[" * 100_000, id="brackets"),
        pytest.param(b'[{"":' * 50_000, id="objects"),
        pytest.param(b'\\"' * 400_000, id="escapes outside a string"),
        pytest.param(b'"' + b'\\"' * 400_000, id="escapes in an open string"),
        pytest.param(b'"a' * 400_000, id="quotes"),
        pytest.param(b"9" * 900_000, id="digits"),
        pytest.param(b" " * 2_000_000, id="too long"),
    ],
)
def test_a_bomb_is_refused_at_once(bomb: bytes) -> None:
    begun = time.process_time()
    assert verdict(bomb) == "reject"
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": 1, "a": 2}', "a key twice"),
        (b'{"a": {"b": 1, "b": 1}}', "a key twice"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "beyond all bounds"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\uDC00": 1}', "surrogate"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"", "not JSON"),
        (b"[" * 65 + b"]" * 65, "more than 64 deep"),
        (b"[" + b"9" * 5000 + b"]", "a number nobody can mean"),
    ],
)
def test_a_refusal_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(PayloadRejected, match=reason):
        strict_json.load(body)


def test_a_refusal_shows_nothing_of_the_body() -> None:
    with pytest.raises(PayloadRejected) as caught:
        strict_json.load(b'{"guest": "Alma", "guest": }')
    assert "Alma" not in str(caught.value)


def test_what_is_right_is_read() -> None:
    assert strict_json.load(b'{"a": "\\ud83d\\ude00", "b": [1, 2.5, null, true]}') == {
        "a": "\U0001f600",
        "b": [1, 2.5, None, True],
    }
    assert strict_json.load(b"[" * 64 + b"]" * 64)
    brackets_in_text = b'"' + b"[" * 1000 + b'"'
    assert strict_json.load(brackets_in_text) == "[" * 1000
