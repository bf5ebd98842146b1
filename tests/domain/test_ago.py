"""Spans and instants are told in words people use, never a unit too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.ago import NBSP, ago, ahead, lasted

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def plain(said: str) -> str:
    return said.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (-5, "0 s", "0 s"),
        (45.9, "45 s", "45 s"),
        (60, "1 min", "1 min"),
        (3_599, "59 min", "59 min"),
        (3_600, "1 h", "1 h"),
        (3_900, "1 h 05", "1 h 5 min"),
        (4_320, "1 h 12", "1 h 12 min"),
        (86_399, "23 h 59", "23 h 59 min"),
        (86_400, "1 jour", "1 day"),
        (2 * 86_400 - 1, "1 jour", "1 day"),
        (89 * 86_400, "89 jours", "89 days"),
        (90 * 86_400, "3 mois", "3 months"),
        (730 * 86_400, "2 ans", "2 years"),
    ],
)
def test_a_span_is_told_in_its_largest_fitting_units(seconds: float, french: str, english: str) -> None:
    span = timedelta(seconds=seconds)
    assert (plain(lasted(span, "fr")), plain(lasted(span, "en"))) == (french, english)


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (-3, "à l’instant", "just now"),
        (9, "à l’instant", "just now"),
        (10, "il y a 10 s", "10 s ago"),
        (200, "il y a 3 min", "3 min ago"),
        (4_320, "il y a 1 h 12", "1 h 12 min ago"),
    ],
)
def test_what_happened_is_told_from_now(seconds: int, french: str, english: str) -> None:
    at = NOW - timedelta(seconds=seconds)
    assert (plain(ago(at, NOW, "fr")), plain(ago(at, NOW, "en"))) == (french, english)


def test_what_never_happened_is_said_so() -> None:
    assert (ago(None, NOW, "fr"), ago(None, NOW, "en")) == ("jamais", "never")


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (-60, "maintenant", "now"),
        (0, "maintenant", "now"),
        (0.4, "dans 1 s", "in 1 s"),
        (60, "dans 1 min", "in 1 min"),
        (61, "dans 2 min", "in 2 min"),
        (3_541, "dans 1 h", "in 1 h"),
        (86_341, "dans 1 jour", "in 1 day"),
    ],
)
def test_what_is_due_comes_no_later_than_is_said(seconds: float, french: str, english: str) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert (plain(ahead(at, NOW, "fr")), plain(ahead(at, NOW, "en"))) == (french, english)


def test_no_line_breaks_between_a_number_and_its_unit() -> None:
    assert lasted(timedelta(hours=1, minutes=12), "fr").split(" ") == ["1\u00a0h\u00a012"]
