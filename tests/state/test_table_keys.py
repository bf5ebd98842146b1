from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.state.table_keys import MOST_KEY_CHARACTERS, decode, encode, encode_key
from tests.security.corpus import load

FORBIDDEN = set("/\\#?%'+\" &") | {chr(point) for point in (*range(0x20), *range(0x7F, 0xA0))}
ANY = st.text(st.characters(), max_size=12) | st.text(
    st.sampled_from("a.z/~!>?[\\],-| \x00é\U0010ffff"), max_size=6
)


@given(ANY)
@example("")
@example("!")
@example("\ud800")
def test_any_text_gives_a_legal_key_and_comes_back(text: str) -> None:
    key = encode(text)
    assert key, "the empty key is never sent"
    assert key.isascii()
    assert key.isprintable()
    assert not FORBIDDEN & set(key)
    assert decode(key) == text


@given(ANY, ANY)
@example("a.", "a/")
@example("", "\x00")
@example("~", "\x7f")
@example("\xff", "\u0100")
@example("\uffff", "\U00010000")
def test_keys_sort_as_their_texts_do(one: str, other: str) -> None:
    assert (one < other) == (encode(one) < encode(other))
    assert (one == other) == (encode(one) == encode(other))


def test_every_pair_of_ascii_characters_keeps_its_order() -> None:
    characters = [chr(point) for point in range(0x100)]
    keys = [encode(character) for character in characters]
    assert keys == sorted(keys)
    assert not any(long.startswith(short) for short in keys for long in keys if short != long)


@given(st.text(st.sampled_from("!.>[~gh0129abcf|-"), max_size=10))
def test_what_encode_does_not_make_is_refused(key: str) -> None:
    try:
        text = decode(key)
    except ValueError:
        return
    assert encode(text) == key


@pytest.mark.parametrize("key", ["", "a.b", "!2", "~zz", "~h110000", "~g00e9", "!41", "é", ".2F", "x!"])
def test_foreign_keys_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not an encoded key"):
        decode(key)


def test_ordinary_keys_stay_readable() -> None:
    plain = string.ascii_letters + string.digits + "|:-_,;=@{}"
    assert encode(plain) == plain
    assert encode("res|airbnb|HM4AB@airbnb.com") == "res|airbnb|HM4AB@airbnb.2ecom"


def test_a_key_may_have_512_characters_encoded() -> None:
    assert len(encode_key("k" * MOST_KEY_CHARACTERS)) == MOST_KEY_CHARACTERS
    assert len(encode_key("/" * 170)) == 510
    for text in ("k" * 513, "/" * 171, "€" * 86):
        with pytest.raises(ValueError, match="key too long"):
            encode_key(text)


def test_characters_the_corpus_lists_are_escaped() -> None:
    listed = load("odata/filter_values.json")["key_characters"]
    for character in listed["refused_by_the_service"] + listed["troublesome"]:
        assert character not in encode(f"a{character}b")
        assert decode(encode(f"a{character}b")) == f"a{character}b"
