"""YAML that a person wrote, as a tree that knows on which line each thing stands.

It goes from the parser's events to three kinds of node and builds no Python object from a tag. Size, depth and
number of nodes are capped and references (``&``, ``*``) are refused, so a file cannot grow in memory. Everything
wrong is reported, none of it raised: the writer gets the whole list at once. No message repeats a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import yaml

MOST_BYTES = 1024 * 1024
_MOST_DEPTH = 12
_MOST_NODES = 100_000
_NO_TEXT = "a character stands here that cannot be in a text file"
_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in the file, both counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A value, exactly as written: ``0123`` keeps its zero and ``no`` is a word."""

    value: str = field(repr=False)
    spot: Spot


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing after the colon or the dash, or nothing in the quotes there."""

    spot: Spot


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Tree, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Fields:
    """Names with values; ``keys`` has where each name stands."""

    entries: Mapping[str, Tree]
    keys: Mapping[str, Spot]
    spot: Spot


Tree = Text | Empty | Items | Fields


@dataclass(frozen=True, slots=True, order=True)
class FileProblem:
    """Something to mend in the file; ``field`` is empty where the text itself cannot be read."""

    spot: Spot
    field: str
    text: str

    def __str__(self) -> str:
        where = f"line {self.spot.line}, column {self.spot.column}"
        return f"{where}, {self.field}: {self.text}" if self.field else f"{where}: {self.text}"


_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z_ -]{0,30}")


def shown(name: str) -> str:
    """A name from the file as a message may repeat it; empty for one that could be part of a secret."""
    return name if _PLAIN_NAME.fullmatch(name) else ""


class Report:
    """Collects problems while a file is read."""

    def __init__(self) -> None:
        self._problems: set[FileProblem] = set()

    def add(self, spot: Spot, field: str, text: str) -> None:
        """Remember one problem."""
        self._problems.add(FileProblem(spot, field, text))

    @property
    def problems(self) -> tuple[FileProblem, ...]:
        """All of them, from the top of the file down."""
        return tuple(sorted(self._problems))


def read_tree(data: bytes, report: Report) -> Tree | None:
    """The tree of a file, or None with the reasons in the report."""
    if len(data) > MOST_BYTES:
        report.add(Spot(), "", f"the file is larger than {MOST_BYTES // 1024} KiB")
        return None
    text = _decoded(data, report)
    if text is None or _has_tabs(text, report):
        return None
    try:
        return _Builder(text, report).document()
    except _TooMuch as error:
        report.add(error.spot, "", error.text)
    except yaml.MarkedYAMLError as error:
        report.add(*_explained(error))
    except yaml.reader.ReaderError as error:
        report.add(_spot_at(text, int(error.position)), "", _NO_TEXT)
    except (ValueError, OverflowError):  # an escape such as "\\UFFFFFFFF", which the parser hands to chr()
        report.add(Spot(), "", "a '\\U' escape in double quotes names no character")
    return None


def _is_empty(event: yaml.ScalarEvent) -> bool:
    """Whether it says nothing: not even an empty text, which would be a link to nowhere, or a home without a name."""
    return not event.value.strip() or (event.implicit[0] and event.value in _EMPTY)


def _decoded(data: bytes, report: Report) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        report.add(_spot_at(before, len(before)), "", "the file is not UTF-8 text: save it as UTF-8")
        return None


def _spot_at(text: str, position: int) -> Spot:
    before = text[:position]
    return Spot(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


class _Mark(Protocol):
    """Where the parser is, from 0: its Python and its C kind agree on this much."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def _spot_of(mark: _Mark | None) -> Spot:
    return Spot(mark.line + 1, mark.column + 1) if mark is not None else Spot()


def _has_tabs(text: str, report: Report) -> bool:
    """Tabs in the indentation, every line of them: the parser would name the first alone."""
    found = False
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.lstrip(" \t")
        indentation = line[: len(line) - len(content)]
        if content and not content.startswith("#") and "\t" in indentation:
            report.add(Spot(number, indentation.index("\t") + 1), "", "a tab stands here: indent with spaces")
            found = True
    return found


def _explained(error: yaml.MarkedYAMLError) -> tuple[Spot, str, str]:
    """The parser's complaint in plain words: its own may quote the file, and so a link."""
    spot = _spot_of(error.problem_mark or error.context_mark)
    problem, context = str(error.problem or ""), str(error.context or "")
    if "mapping values are not allowed" in problem:
        text = "a ':' stands where none can: check the indentation, or put the value in quotes"
    elif "quoted scalar" in context and "end of stream" in problem:
        spot = _spot_of(error.context_mark)
        text = "a quote is opened here and never closed"
    elif "flow sequence" in context or "flow mapping" in context:
        text = "a list [...] or a group {...} is not closed, or a comma is missing"
    elif "cannot start any token" in problem:
        text = "a value cannot begin with this sign: put it in quotes"
    elif "block" in context:
        text = "the indentation does not fit the lines above"
    else:
        text = "this cannot be read: check the indentation, the quotes, the ':' and the '-' around here"
    return spot, "", text


class _TooMuch(Exception):
    """The file is beyond a cap: reading stops there."""

    def __init__(self, spot: Spot, text: str) -> None:
        super().__init__(text)
        self.spot = spot
        self.text = text


class _Builder:
    def __init__(self, text: str, report: Report) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._report = report
        self._nodes = 0

    def document(self) -> Tree | None:
        """The one document of the stream; an empty file is an empty value."""
        tree: Tree = Empty(Spot())
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _TooMuch(
                        _spot_of(event.start_mark), "a second document begins here ('---'): the file has one"
                    )
                tree = self._node(next(self._events), 1)
        return tree

    def _node(self, event: yaml.Event, depth: int) -> Tree:
        spot = _spot_of(event.start_mark)
        self._nodes += 1
        if depth > _MOST_DEPTH:
            raise _TooMuch(spot, f"lists and groups are nested more than {_MOST_DEPTH} deep")
        if self._nodes > _MOST_NODES:
            raise _TooMuch(spot, f"the file has more than {_MOST_NODES} values")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._report.add(spot, "", "references (& and *) are not used here: write the value out")
        if getattr(event, "tag", None) is not None:
            self._report.add(spot, "", "a value cannot begin with '!': put it in quotes")
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(tuple(self._items(depth)), spot)
        if isinstance(event, yaml.MappingStartEvent):
            return self._fields(spot, depth)
        if isinstance(event, yaml.ScalarEvent) and not _is_empty(event):
            if not event.value.isprintable() and any(
                unicodedata.category(sign) == "Cs" for sign in event.value
            ):
                self._report.add(spot, "", _NO_TEXT)
            return Text(event.value, spot)
        return Empty(spot)

    def _items(self, depth: int) -> Iterator[Tree]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _fields(self, spot: Spot, depth: int) -> Fields:
        entries: dict[str, Tree] = {}
        keys: dict[str, Spot] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Text):
                self._report.add(key.spot, "", "a name is expected before the ':'")
            elif key.value in keys:
                text = f"this name stands already on line {keys[key.value].line} and can stand only once"
                self._report.add(key.spot, shown(key.value), text)
            else:
                entries[key.value], keys[key.value] = value, key.spot
        return Fields(entries, keys, spot)
