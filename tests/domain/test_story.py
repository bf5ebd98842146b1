"""The record's lines as sentences: both languages, no name of a guest, and no line that cannot be told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import story
from shared.domain.record import Kind, kind_of
from shared.domain.spoken import LANGUAGES, Names
from shared.domain.story import tell, told_by

NAMES = Names(
    {"mill": "Gîte du Moulin"},
    {"mill-a": "Airbnb", "mill-b": "Booking.com"},
    {"airbnb": "Airbnb", "booking": "Booking.com"},
    platforms={"greengo": "Greengo"},
)

WORDS = ("kind", "what", "of", "on", "home", "before", "nights", "class", "status", "why", "between", "by")
LINES = st.dictionaries(st.sampled_from(WORDS), st.text(max_size=40), max_size=len(WORDS))


def line(what: str, **more: str) -> dict[str, str]:
    return {"what": what, "on": "mill-a", "home": "mill", "of": "airbnb|A1", **more}


@pytest.mark.parametrize(
    ("words", "french", "english"),
    [
        (
            line("new", kind="fact", nights="2027-08-03/2027-08-07", **{"class": "stay"}),
            "Airbnb, Gîte du Moulin : réservation A1 nouvelle, 3–7 août 2027.",
            "Airbnb, Gîte du Moulin: booking A1 is new, 3–7 August 2027.",
        ),
        (
            line("new", kind="fact", status="pending", **{"class": "stay"}),
            "Airbnb, Gîte du Moulin : demande de réservation A1 nouvelle.",
            "Airbnb, Gîte du Moulin: booking request A1 is new.",
        ),
        (
            {**line("close failed", kind="closure", why="HTTP 503"), "on": "mill-b"},
            "Booking.com, Gîte du Moulin : fermeture refusée ou sans réponse pour A1 (Airbnb) "
            "(elle est en panne (code 503) ; nous réessayons de nous-mêmes).",
            "Booking.com, Gîte du Moulin: closure refused or unanswered for A1 (Airbnb) "
            "(it is out of order (code 503); we try again by ourselves).",
        ),
        (
            {"kind": "conflict", "what": "conflict", "home": "mill", "between": "airbnb|A1 + booking|B2"},
            "Gîte du Moulin : double réservation A1 (Airbnb) / B2 (Booking.com).",
            "Gîte du Moulin: double booking A1 (Airbnb) / B2 (Booking.com).",
        ),
    ],
)
def test_a_line_is_one_sentence_in_each_language(words: dict[str, str], french: str, english: str) -> None:
    assert tell(words, NAMES) == {"fr": french, "en": english}


@pytest.mark.parametrize(
    ("by", "french", "english"),
    [
        ("webhook A1", "un appel de la plateforme", "a call of the platform"),
        ("queue booking", "le relevé de la file de Booking.com", "the poll of the queue of Booking.com"),
        ("feed mill-a", "la lecture du calendrier Airbnb", "the reading of calendar Airbnb"),
        (
            "greengo fetched the calendar",
            "une lecture de notre calendrier par Greengo",
            "a reading of ours by Greengo",
        ),
        ("person camille@homes.example", "camille@homes.example", "camille@homes.example"),
        ("person local", "la personne devant cette machine", "the person at this machine"),
        ("something newer", "something newer", "something newer"),
        ("", "", ""),
    ],
)
def test_who_rang_is_told_in_words(by: str, french: str, english: str) -> None:
    assert told_by({"by": by}, NAMES) == {"fr": french, "en": english}


@given(LINES)
def test_whatever_stands_in_a_line_it_can_be_told(words: dict[str, str]) -> None:
    said = tell(words, NAMES)
    assert set(said) == set(LANGUAGES) == set(told_by(words, NAMES))
    assert all(sentence.endswith(".") for sentence in said.values())
    assert kind_of(words) in Kind


@given(st.text(alphabet="Jeanne Martin:@éÀ ", min_size=3, max_size=60))
def test_a_calendars_own_id_is_never_shown(uid: str) -> None:
    key = f"greengo-owner|mill-g:{uid}"
    shown = Names().cause(key)
    assert re.fullmatch(r"#[0-9a-f]{6} \(greengo-owner\)", shown)
    assert shown.partition(" ")[0] in tell(line("vanished", kind="fact") | {"of": key}, NAMES)["fr"]


def test_every_known_word_has_both_languages() -> None:
    for table in (story._NOUNS, story._FACTS, story._STEPS, story._OTHERS):
        for word, said in table.items():
            assert len(said) == 2, word
            assert all(said), word


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("fact confirmed stay", Kind.FACT),
        ("close accepted", Kind.CLOSURE),
        ("open sent", Kind.OPENING),
        ("conflict over", Kind.CONFLICT),
        ("told", Kind.CONFLICT),
        ("whatever", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_lines_written_before_there_were_kinds_find_theirs(what: str, kind: Kind) -> None:
    assert kind_of({"what": what}) is kind


def test_counted_units_of_one_stay_are_one_cause() -> None:
    assert NAMES.cause("airbnb|A1#2") == NAMES.cause("airbnb|A1") == "A1 (Airbnb)"
