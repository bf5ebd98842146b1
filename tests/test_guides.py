"""The guides for hosts use the console's own words: what they put between « » can be found on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from shared.domain import setbacks
from shared.domain.dates import StayDates
from shared.domain.removals import Doubt, Removal
from shared.domain.removals_text import reason
from shared.web.failure import Failure, failure_page
from shared.web.words import words

ROOT = Path(__file__).resolve().parents[1]
CONNECT, EVERY_DAY = (ROOT / "docs" / f"{name}.md" for name in ("connecter-mes-calendriers", "exploitation"))
_QUOTED = re.compile(r"«((?:[^«»]|«[^«»]*»)*)»")
_PLACE = re.compile(r"\\\{\w+\\\}")
_SENTENCE = re.compile(r"(?<=[.?!…])\s+")
HEADINGS = ("calm", "nothing", "one", "many", "conflicts", "hands", "failed", "failed_close", "failed_open")
SECTIONS = (*HEADINGS, "removals", "messages", "pressing", "waiting", "on_way", "welcome")


def plain(text: str) -> str:
    """One kind of blank and of apostrophe."""
    return " ".join(text.split()).replace("’", "'")


def quoted(page: Path) -> list[str]:
    return [plain(found) for found in _QUOTED.findall(page.read_text(encoding="utf-8"))]


@cache
def shown() -> dict[str, re.Pattern[str]]:
    """All that the console may say in French, by key; what it fills in may be anything."""
    failures = re.findall(r"<h1>(.*?)</h1>", "".join(failure_page("1", one) for one in Failure))
    texts = dict(words("fr")) | {f"failure {at}": text for at, text in enumerate(failures)}
    texts |= {f"setback {at}": french for at, french in enumerate(setbacks._KNOWN.french())}
    return {key: pattern(text) for key, text in texts.items()} | dict(doubts())


def pattern(text: str) -> re.Pattern[str]:
    """The whole text, or whole sentences of it."""
    parts = [one for one in (plain(text), *_SENTENCE.split(plain(text))) if _says_something(one)]
    return re.compile("|".join(_PLACE.sub(".+?", re.escape(one)) for one in parts) or "(?!)")


def _says_something(text: str) -> bool:
    """Not made of what is filled in alone: such a text would be found in everything."""
    return len(re.findall(r"[^\W\d_]", re.sub(r"\{\w+\}", "", text))) > 3


def doubts() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Why a vanished stay is not believed yet, in the words of each doubt."""
    now = datetime(2027, 3, 1, tzinfo=UTC)
    for doubt in Doubt:
        yield f"doubt {doubt}", pattern(reason(removal(doubt, now))["fr"])
    yield "doubt of one", pattern(reason(removal(Doubt.MASS, now, 1))["fr"])


def removal(doubt: Doubt, now: datetime, at_once: int = 4) -> Removal:
    stay = StayDates(date(2027, 3, 10), date(2027, 3, 12))
    return Removal("moulin", "moulin-airbnb", stay, (stay,), now, doubt, at_once, timedelta(hours=6), now)


def explained(page: Path) -> set[str]:
    """Keys of the texts that a page quotes."""
    said = quoted(page)
    return {key for key, one in shown().items() if any(one.fullmatch(text) for text in said)}


@pytest.mark.parametrize("page", [CONNECT, EVERY_DAY], ids=lambda page: page.stem)
def test_every_word_in_quotes_is_the_consoles(page: Path) -> None:
    assert len(quoted(page)) > 40
    strangers = [text for text in quoted(page) if not any(one.fullmatch(text) for one in shown().values())]
    assert strangers == []


def test_every_sign_of_the_first_page_is_explained() -> None:
    signs = {f"today.{name}" for name in SECTIONS}
    signs |= {key for key in words("fr") if key.startswith("today.trouble_")}
    signs |= {f"doubt {doubt}" for doubt in Doubt}
    assert signs - explained(EVERY_DAY) == set()


def test_every_platforms_way_there_and_back_is_told() -> None:
    ways = {key for key in words("fr") if key.startswith(("get.", "paste.", "rhythm."))}
    assert ways - explained(CONNECT) == {"paste.ical", "rhythm.ical"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (CONNECT, EVERY_DAY) if f"(docs/{page.name})" not in readme] == []


def test_a_word_the_console_does_not_say_is_found() -> None:
    assert not any(one.fullmatch("Appuyez sur le bouton rouge") for one in shown().values())
