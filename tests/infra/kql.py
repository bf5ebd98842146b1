"""The few words of Kusto that the alerts use, run over rows of ours: enough to see when an alert would speak.

Written from the language's documentation, and tried against nothing but it: Azure's own engine is the authority. What
is not known is refused, so a query that grows beyond this fails its test instead of being misread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, object]
Rows = Sequence[Row]
Value = Callable[[Row], object]

_TOKEN = re.compile(r'\s*(?:(\d+)([dhm])\b|("[^"]*")|([A-Za-z_]\w*)|(==|!=|<=|>=|[<>=(),.;|:\[\]])|(\d+))')
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_COMPARE: Mapping[str, Callable[[object, object], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a is not None and b is not None and a < b,
    ">": lambda a, b: a is not None and b is not None and a > b,
    "<=": lambda a, b: a is not None and b is not None and a <= b,
    ">=": lambda a, b: a is not None and b is not None and a >= b,
    "contains": lambda a, b: str(b).lower() in str(a).lower(),
}


class NotKnown(ValueError):
    """A word that this reader does not know."""


def run(query: str, tables: Mapping[str, Rows], now: datetime) -> list[Row]:
    """The rows a query gives. Raises ``NotKnown``."""
    return _Reader(query, dict(tables), now).answer()


@dataclass
class _Reader:
    query: str
    tables: dict[str, Rows]
    now: datetime

    def answer(self) -> list[Row]:
        """Statement after statement; the last is the answer."""
        self._tokens, self._place = _tokens(self.query), 0
        self._made: list[str] = []  # the columns of the last step: known even where it gave no row
        columns: dict[str, list[str]] = {}
        self._columns = columns
        while self._take("let"):
            name = self._word()
            self._need("=")
            self.tables[name] = self._tabular()
            columns[name] = self._made
            self._need(";")
        rows = self._tabular()
        if self._place != len(self._tokens):
            raise NotKnown(f"not understood: {self._tokens[self._place]}")
        return list(rows)

    def _tabular(self) -> Rows:
        rows = self._source()
        while self._take("|"):
            step = self._word()
            if step not in ("where", "extend", "project", "summarize", "join"):
                raise NotKnown(step)
            rows = {
                "where": self._where,
                "extend": self._extend,
                "project": self._project,
                "summarize": self._summarize,
                "join": self._join,
            }[step](rows)
        return rows

    def _source(self) -> Rows:
        if self._take("union"):
            names = [self._word()]
            while self._take(","):
                names.append(self._word())
            found = [row for name in names for row in self._table(name)]
            columns = {column for name in names for column in self._columns[name]}
            return [{column: row.get(column) for column in columns} for row in found]
        if self._take("datatable"):
            return self._datatable()
        return self._table(self._word())

    def _table(self, name: str) -> Rows:
        if name not in self.tables:
            raise NotKnown(f"no table {name}")
        return self.tables[name]

    def _datatable(self) -> Rows:
        self._need("(")
        column = self._word()
        for sign in (":", "string", ")", "["):
            self._need(sign)
        rows, self._made = [], [column]
        while not self._take("]"):
            rows.append({column: json.loads(self._next())})
            self._take(",")
        return rows

    def _where(self, rows: Rows) -> Rows:
        wanted = self._either()
        return [row for row in rows if wanted(row)]

    def _extend(self, rows: Rows) -> Rows:
        for name, value in self._named():
            rows = [{**row, name: value(row)} for row in rows]
        return rows

    def _project(self, rows: Rows) -> Rows:
        named = self._named()
        self._made = [name for name, _ in named]
        return [{name: value(row) for name, value in named} for row in rows]

    def _summarize(self, rows: Rows) -> Rows:
        name, aggregate = self._aggregate()
        self._need("by")
        keys = [self._word()]
        while self._take(","):
            keys.append(self._word())
        self._made = [*keys, name]
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row[key] for key in keys), []).append(row)
        return [
            {**dict(zip(keys, at, strict=True)), **aggregate(name, group)} for at, group in groups.items()
        ]

    def _join(self, rows: Rows) -> Rows:
        """Only ``kind=leftouter``: each row with what the other table has of it, or with nothing."""
        for sign in ("kind", "=", "leftouter"):
            self._need(sign)
        name = self._word()
        other, columns = self._table(name), self._columns[name]
        self._need("on")
        keys = [self._word()]
        while self._take(","):
            keys.append(self._word())
        more = [column for column in columns if column not in keys]
        found: list[Row] = []
        for row in rows:
            same = [one for one in other if all(one[key] == row[key] for key in keys)]
            found += [{**row, **{column: one.get(column) for column in more}} for one in same or [{}]]
        return found

    def _aggregate(self) -> tuple[str, Callable[[str, list[Row]], Row]]:
        name = self._word()
        self._need("=")
        said = self._word()
        if said == "count":
            self._need("(")
            self._need(")")
            return name, lambda to, group: {to: len(group)}
        which = {"max": max, "min": min}.get(said)
        if which is None:
            raise NotKnown("an aggregate other than count, max and min")
        self._need("(")
        column = self._word()
        self._need(")")
        return name, lambda to, group: {to: _furthest(which, group, column)}

    def _named(self) -> list[tuple[str, Value]]:
        found = []
        while True:
            name = self._word()
            found.append((name, self._either() if self._take("=") else _column(name)))
            if not self._take(","):
                return found

    def _either(self) -> Value:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _both(self) -> Value:
        parts = [self._compared()]
        while self._take("and"):
            parts.append(self._compared())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _compared(self) -> Value:
        left = self._single()
        if self._take("in"):
            self._need("(")
            options = [self._single()]
            while self._take(","):
                options.append(self._single())
            self._need(")")
            return lambda row: left(row) in [option(row) for option in options]
        for sign, holds in _COMPARE.items():
            if self._take(sign):
                right = self._single()
                return lambda row: holds(left(row), right(row))
        return left

    def _single(self) -> Value:
        token = self._next()
        if token.startswith('"'):
            said = json.loads(token)
            return lambda row: said
        if token.isdigit():
            return lambda row: int(token)
        if token[:1].isdigit():
            span = timedelta(**{_UNITS[token[-1]]: int(token[:-1])})
            return lambda row: span
        if self._take("("):
            inner = self._either()
            self._need(")")
            return self._call(token, inner)
        value = _column(token)
        while self._take("."):
            value = _part(value, self._word())
        return value

    def _call(self, name: str, inner: Value) -> Value:
        now = self.now
        known: dict[str, Value] = {
            "ago": lambda row: now - inner(row),
            "tostring": lambda row: "" if (said := inner(row)) is None else str(said),
            "isnull": lambda row: inner(row) is None,
            "parse_json": lambda row: _parsed(str(inner(row))),
        }
        if name not in known:
            raise NotKnown(f"{name}()")
        return known[name]

    def _next(self) -> str:
        if self._place == len(self._tokens):
            raise NotKnown("the end, too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _word(self) -> str:
        token = self._next()
        if not token[0].isalpha():
            raise NotKnown(f"{token} in the place of a name")
        return token

    def _take(self, token: str) -> bool:
        if self._place < len(self._tokens) and self._tokens[self._place] == token:
            self._place += 1
            return True
        return False

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise NotKnown(f"{token} is missing before {self._tokens[self._place : self._place + 3]}")


def _tokens(query: str) -> list[str]:
    text = re.sub(r"//.*", "", query).strip()
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotKnown(text[place : place + 20])
        found.append(match[0].strip())
        place = match.end()
    return found


def _column(name: str) -> Value:
    def value(row: Row) -> object:
        if name not in row:
            raise NotKnown(f"no column {name}")
        return row[name]

    return value


def _part(value: Value, key: str) -> Value:
    def part(row: Row) -> object:
        held = value(row)
        return held.get(key) if isinstance(held, Mapping) else None

    return part


def _furthest(which: Callable[[list[Any]], object], group: list[Row], column: str) -> object:
    """Over what is there; nothing where nothing is."""
    known = [row[column] for row in group if row[column] is not None]
    return which(known) if known else None


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
