"""Who looks, in every test, for planted secrets and guests' names where none may stand.

Sources (``planted_sources``) say what is secret the moment it enters the process: a setting, a key, the address of a
calendar. Sinks (``planted_sinks``) repeat here what leaves it: lines of the log, numbers, events, errors, notices,
calendars. After each test the two are compared; what was found fails that test (``planted_plugin``).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GUEST = "Quirina Z."
"""Whoever books on the village's platforms, as a platform's connector would tell it."""

GUESTS = ("Quirina", "Zoé T.", "Zoé Martin", "Zephyrine", "Giselle Montgolfier")
"""Guests' names that fixtures carry; beside them those that the sandbox invents."""

REACHED_AT = ("@guest.airbnb.example", "alma@example.org", "33000000000")
"""A guest's e-mail address and telephone, as the platforms' bodies carry them."""

MARKED = (
    *("hunter2", "s3cr3t", "pl4nted", "wr0ng", "t0pic", "a-long-invented-topic"),
    "greengo.example/x",
    *("sandbox-token-", "sandbox-secret-", "sandbox-airbnb-", "sandbox-booking-secret"),
)
"""Words of which every secret invented by a fixture has one."""

SHORTEST = 8
"""Signs a secret must have to be looked for: a shorter one would be found in any text."""

PERSONAL, KEY, SHOWN = "a guest", "a secret", "a secret that its owner is shown"
"""Kinds of what is planted. ``SHOWN``: the console's pages and answers show it to whoever may know it."""

MOST_HEARD = 20_000
"""Texts kept before they are looked through: a machine's thousand examples must not fill the memory."""


def invented() -> re.Pattern[str]:
    """The names of the sandbox's guests, first and last or first and initial."""
    from local.sandbox import stays

    return re.compile(rf"\b(?:{'|'.join(stays._FIRST)})[ _+](?:[A-ZÉ]\.|{'|'.join(stays._LAST)})")


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where texts leave. ``allows`` are the kinds that may stand there, ``why`` says on what ground."""

    name: str
    allows: frozenset[str] = frozenset()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Something planted that stood where it must not. No secret is in it: a report is a log, too."""

    test: str
    sink: str
    what: str
    around: str

    def __str__(self) -> str:
        return f"{self.test}: {self.what} in {self.sink}: {self.around}"


@dataclass(slots=True)
class Watch:
    """What is planted, and what was heard since the last look. ``counts`` are the texts looked through by sink."""

    lasting: dict[str, str] = field(default_factory=dict)
    fleeting: dict[str, str] = field(default_factory=dict)
    heard: dict[Sink, list[str]] = field(default_factory=dict)
    files: dict[Path, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    planted: int = 0
    waiting: int = 0
    early: list[Found] = field(default_factory=list)

    def plant(self, value: str, kind: str = KEY, *, lasting: bool = False) -> None:
        """This must be found nowhere: until the test ends, or for good."""
        if len(value) < SHORTEST or value in self.lasting or value in self.fleeting:
            return
        self.planted += 1
        (self.lasting if lasting else self.fleeting)[value] = kind

    def hear(self, sink: Sink, text: str) -> None:
        """This left the process, or is about to."""
        self.heard.setdefault(sink, []).append(text)
        self.waiting += 1
        if self.waiting >= MOST_HEARD:
            self.early += self._look("(within a long test)")

    def without(self, text: str, known: str) -> str:
        """A text without what whoever reads it said himself."""
        if not known:
            return text
        said = [one for one in (*self.lasting, *self.fleeting, *MARKED, *GUESTS) if one in known]
        return functools.reduce(lambda left, one: left.replace(one, ""), said, text)

    def read(self, sink: Sink) -> None:
        """Hear what was written since into the files that are watched."""
        for path, place in self.files.items():
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(place)
                new = file.read()
            self.files[path] = place + len(new)
            for line in new.decode(errors="replace").splitlines():
                self.hear(sink, line)

    def look(self, test: str) -> list[Found]:
        """What stood where it must not since the last look; what was planted for this test alone is forgotten."""
        found = [Found(test, one.sink, one.what, one.around) for one in self.early] + self._look(test)
        self.early.clear()
        self.fleeting.clear()
        return found

    def _look(self, test: str) -> list[Found]:
        heard, self.heard, self.waiting = self.heard, {}, 0
        planted = {**self.lasting, **self.fleeting}
        found: list[Found] = []
        for sink, texts in heard.items():
            self.counts[sink.name] += len(texts)
            whole = "\n".join(texts)
            found += [
                Found(test, sink.name, kind, masked(whole, place, planted))
                for place, kind in within(whole, planted, sink.allows)
            ]
        return found


def within(
    text: str, planted: Mapping[str, str], allows: frozenset[str] = frozenset()
) -> Iterable[tuple[int, str]]:
    """The first place of each thing planted in a text, and of what kind it is."""
    for value, kind in planted.items():
        if kind not in allows and (place := text.find(value)) >= 0:
            yield place, kind
    for words, kind in (((*GUESTS, *REACHED_AT), PERSONAL), (MARKED, KEY)):
        if kind not in allows:
            yield from ((text.index(word), kind) for word in words if word in text)
    if PERSONAL not in allows and (name := INVENTED.search(text)):
        yield name.start(), PERSONAL


def masked(text: str, place: int, planted: Iterable[str] = ()) -> str:
    """The line of a finding with two signs of each thing planted in it, and how long that is."""
    begin = max(text.rfind("\n", 0, place) + 1, place - 120)
    end = text.find("\n", place)
    line = text[begin : min(end if end >= 0 else len(text), place + 200)]
    names = [one.group() for one in INVENTED.finditer(line)]
    for one in sorted((*planted, *names, *GUESTS, *REACHED_AT, *MARKED), key=len, reverse=True):
        line = line.replace(one, f"<{one[:2]}… of {len(one)}>")
    return line


INVENTED = invented()
WATCH = Watch()
"""This process's."""
