"""No query is put together from text: a value that enters a filter as text can ask for every row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [
    "shared",
    "sync_scheduler",
    "webhook_receiver",
    "sync_worker",
    "conflict_resolver",
    "health_monitor",
    "console",
]
ODATA = re.compile(
    r"\b(PartitionKey|RowKey|Timestamp)\b\s*$|\b(PartitionKey|RowKey|Timestamp)\b\s+\w|\b(eq|ne|ge|gt|le|lt)\s+'|'\s+(and|or)\s"
)


def built_filters(source: str) -> list[int]:
    """The lines on which text that looks like a filter is joined, formatted or passed on with a value in it."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            looks = any(_odata(part) for part in node.values) and any(
                isinstance(part, ast.FormattedValue) for part in node.values
            )
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            looks = _odata(node.left) or _odata(node.right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            looks = node.func.attr in ("format", "join", "replace", "format_map") and (
                _odata(node.func.value) or any(map(_odata, node.args))
            )
            looks |= node.func.attr == "query_entities" and not _plain_filter(node)
        else:
            looks = False
        if looks:
            lines.add(node.lineno)
    return sorted(lines)


def _odata(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(ODATA.search(node.value))


def _plain_filter(call: ast.Call) -> bool:
    """The filter is a constant or a name, and the values come as parameters."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    query = call.args[0] if call.args else named.get("query_filter")
    return isinstance(query, ast.Constant | ast.Name) and "parameters" in named


def test_no_filter_is_built_from_text() -> None:
    found = {
        f"{file.relative_to(ROOT)}:{line}"
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for line in built_filters(file.read_text())
    }
    assert found == set()


def test_the_one_query_is_looked_at() -> None:
    source = (ROOT / "shared" / "adapters" / "azure_tables.py").read_text()
    assert source.count("query_entities(") == 1
    assert (
        built_filters(source.replace("query_entities(query_filter,", 'query_entities(query_filter + "",'))
        != []
    )


@pytest.mark.parametrize(
    "source",
    [
        "f\"PartitionKey eq '{partition}'\"",
        '"PartitionKey eq \'" + partition + "\'"',
        "\"RowKey ge '%s'\" % key",
        "\"RowKey ge '{}'\".format(key)",
        "\"PartitionKey eq 'KEY'\".replace('KEY', key)",
        "f\"{column} eq '{value}'\"",
        'f"PartitionKey {operator} @p"',
        "client.query_entities(make(key), parameters=p)",
        "client.query_entities('PartitionKey eq @p')",
        "client.query_entities(query_filter=text[0], parameters=p)",
    ],
)
def test_a_built_filter_is_found(source: str) -> None:
    assert built_filters(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "query = 'PartitionKey eq @p and RowKey ge @start'",
        "client.query_entities('PartitionKey eq @p', parameters={'p': key})",
        "client.query_entities(query, parameters=p)",
        "f'row {key} is not equal to {other}'",
        "{'PartitionKey': key, 'RowKey': other}",
    ],
)
def test_ordinary_code_is_left_alone(source: str) -> None:
    assert built_filters(source) == []
