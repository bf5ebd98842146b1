"""Reading one group of fields of a tree: each reader gives a value, or reports what is wrong and gives a default.

So a file is read to its end whatever stands in it. No message repeats a value, which may be a link or a key in
the wrong place; names and ids are repeated, since ids are checked to be plain words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from shared.adapters.yaml_tree import Empty, Fields, Items, Report, Spot, Text, Tree, shown

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_SECRET_NAME = re.compile(r"secret|passw|token|credential|private|api.?key|apikey", re.IGNORECASE)
_KEEP_OUT = (
    "keys and passwords do not belong in this file: put it in a setting, and give the name of the setting "
    'instead, under "secrets" of the account'
)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """What to write instead of a word that is not known; the word itself is not repeated."""
    close = get_close_matches(word[:60].lower(), sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"possible: {', '.join(sorted(known))}"


class Section:
    """A group of fields in the file, of which ``known`` are allowed. ``name`` says in messages what it is."""

    def __init__(self, tree: Tree, name: str, known: Collection[str], report: Report) -> None:
        self.spot = tree.spot
        self._name = name
        self._report = report
        self._fields = tree if isinstance(tree, Fields) else Fields({}, {}, tree.spot)
        self._readable = isinstance(tree, Fields)
        if not self._readable:
            self._report.add(tree.spot, name, f"expected fields here (such as {sorted(known)[0]}: ...)")
        for key, spot in self._fields.keys.items():
            if key not in known:
                text = _KEEP_OUT if _SECRET_NAME.search(key) else f"unknown field, {did_you_mean(key, known)}"
                self._report.add(spot, shown(key), text)

    def at(self, field: str) -> Spot:
        """Where a field's value stands, or the group when the field is not there."""
        value = self._fields.entries.get(field)
        return value.spot if value is not None else self.spot

    def problem(self, field: str, text: str) -> None:
        """Report something wrong with a field."""
        self._report.add(self.at(field), field, text)

    def report(self, spot: Spot, field: str, text: str) -> None:
        """Report something wrong inside a field."""
        self._report.add(spot, field, text)

    def has(self, field: str) -> bool:
        """Whether the field is there with something in it."""
        return not isinstance(self._fields.entries.get(field, Empty(self.spot)), Empty)

    def text(self, field: str, *, needed: bool = False, most: int = 200, default: str = "") -> str:
        """A text on one line, of at most so many characters."""
        tree = self._fields.entries.get(field)
        if tree is None or isinstance(tree, Empty):
            if needed:
                self._missing(field, f"{self._name} needs this field")
            return default
        return self._line(tree, field, most) or default

    def identifier(self, field: str, *, needed: bool = False) -> str:
        """A short name of lower-case letters, digits and hyphens: it becomes part of addresses."""
        found = self.text(field, needed=needed)
        return self._id(found, self.at(field), field) if found else ""

    def identifiers(self, field: str) -> tuple[str, ...]:
        """A list of short names, each once; a single one may stand without brackets."""
        tree = self._fields.entries.get(field)
        items = tree.items if isinstance(tree, Items) else () if tree is None else (tree,)
        found: list[str] = []
        for item in items:
            text = self._line(item, field, 200)
            name = self._id(text, item.spot, field) if text else ""
            if name in found:
                self._report.add(item.spot, field, f"{name} stands there twice")
            elif name:
                found.append(name)
        return tuple(found)

    def choice(self, field: str, options: Collection[str], default: str = "") -> str:
        """One of some words; without ``default`` it is needed."""
        found = self.text(field, needed=not default, default=default)
        if found and found not in options:
            self.problem(field, f"unknown {field}, {did_you_mean(found, options)}")
            return default
        return found

    def number(self, field: str, default: int) -> int:
        """A whole number from 0 on."""
        return self._number(self._fields.entries[field], field, default) if self.has(field) else default

    def counts(self, field: str) -> dict[str, int] | None:
        """Names with a count each, or None when the field is not such a group."""
        tree = self._fields.entries.get(field)
        if not isinstance(tree, Fields):
            return None
        names = {name: self._id(name, tree.keys[name], field) for name in tree.entries}
        return {
            names[name]: self._number(count, field, 1) for name, count in tree.entries.items() if names[name]
        }

    def texts(self, field: str) -> Iterator[tuple[str, str, Spot]]:
        """Free names with a text each, and where the text stands."""
        tree = self._fields.entries.get(field, Empty(self.spot))
        if isinstance(tree, Fields):
            for name, value in tree.entries.items():
                yield name, self._line(value, field, 200), value.spot
        elif not isinstance(tree, Empty):
            self.problem(field, "expected fields here (name: value)")

    def sections(
        self, field: str, name: str, known: Collection[str], *, needed: bool = False
    ) -> list[Section]:
        """A list of groups of fields."""
        tree = self._fields.entries.get(field, Empty(self.spot))
        if isinstance(tree, Items):
            if needed and not tree.items:
                self.problem(field, "the list is empty")
            return [Section(item, name, known, self._report) for item in tree.items]
        if not isinstance(tree, Empty):
            self.problem(field, "expected a list here: each entry begins with '- '")
        elif needed:
            self._missing(field, f"{self._name} needs this list")
        return []

    def _missing(self, field: str, text: str) -> None:
        if self._readable:  # else there is one mistake, and it is told
            self.problem(field, text)

    def _line(self, tree: Tree, field: str, most: int) -> str:
        if not isinstance(tree, Text):
            self._report.add(tree.spot, field, "expected a text here")
            return ""
        if len(tree.value) > most:
            self._report.add(tree.spot, field, f"longer than {most} characters")
            return ""
        if not tree.value.isprintable():
            self._report.add(tree.spot, field, "expected a text on one line, without control characters")
            return ""
        return tree.value.strip()

    def _id(self, text: str, spot: Spot, field: str) -> str:
        if _ID.fullmatch(text):
            return text
        self._report.add(spot, field, "use lower-case letters, digits and hyphens (at most 40)")
        return ""

    def _number(self, tree: Tree, field: str, default: int) -> int:
        if isinstance(tree, Text) and re.fullmatch(r"[0-9]{1,6}", tree.value):
            return int(tree.value)
        self._report.add(tree.spot, field, "expected a whole number")
        return default
