"""The interface's texts: both languages say the same things, and every text that a template asks for is there."""

from __future__ import annotations

import re
import string

import pytest

from shared.domain import health_words
from shared.domain.model import SyncMode
from shared.web.render import TEMPLATES
from shared.web.words import MODULES, words

_ASKED = re.compile(r"""\bt\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""")
_WIDE = re.compile(r" [:;!?»](?!\S)|« ")
_NARROW = re.compile(r"[^\s\u00a0\u202f:/!?;]([:;!?])(?=\s|$)")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_both_languages_have_the_same_keys_and_places(module: object) -> None:
    french: dict[str, str] = module.FR  # type: ignore[attr-defined]
    english: dict[str, str] = module.EN  # type: ignore[attr-defined]
    assert french.keys() == english.keys()
    for key in french:
        assert places(french[key]) == places(english[key]), key
        assert french[key].strip(), key


def test_no_key_is_said_twice() -> None:
    keys = [key for module in MODULES for key in module.FR]
    assert len(keys) == len(set(keys))


def test_every_text_a_template_asks_for_is_there() -> None:
    known = words("fr")
    missing = {
        f"{file.name}: {key}"
        for file in TEMPLATES.rglob("*.html")
        for key in _ASKED.findall(file.read_text(encoding="utf-8"))
        if key not in known and not (key.endswith("_") and any(one.startswith(key) for one in known))
    }
    assert not missing, "a key that ends in _ is the beginning of several"


def test_no_template_trusts_foreign_text() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), file
        assert "autoescape" not in text, file
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file
        assert not re.search(r"\s(style|on[a-z]+)=", text), file


def test_french_signs_have_their_narrow_space() -> None:
    wrong = {key: text for key, text in words("fr").items() if _NARROW.search(text) or _WIDE.search(text)}
    assert not wrong


@pytest.mark.parametrize("name", ["platform", "name"])
def test_no_french_text_puts_de_before_a_platforms_name(name: str) -> None:
    """It would read "de Airbnb"; a note's author, who may have any name, stands after it all the same."""
    wrong = [key for key, text in words("fr").items() if f" de {{{name}}}" in text]
    assert wrong == (["conflict.note"] if name == "name" else [])


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_that_the_health_report_names_are_called_so(language: str) -> None:
    """Whoever was sent to the page "Messages" found none of that name."""
    steps = [
        health_words.set_aside(1)[1][language],
        health_words.mode_fallen("a", SyncMode.MANUAL, "", None)[1][language],
    ]
    for step, key in zip(steps, ("base.messages", "base.today"), strict=True):
        assert words(language)[key] in step
    assert words(language)["messages.replay"] in steps[0]
