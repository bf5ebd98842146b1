"""What the table service refuses, checked before anything is sent.

The emulator takes entities over 1 MiB and over 252 columns, and answers a transaction of 101 operations with
something its client cannot read; the service answers 400 to all of them, in production, at night. So both the
adapter and its twin in memory ask here first, and a test that passes on either passes on the service.

Limits: learn.microsoft.com, Understanding the Table service data model, Scalability targets for Table storage
and Performing entity group transactions (VERIFIED); the size of an entity by the formula of learn.microsoft.com,
archive, "How the size of an entity is calculated" (REPORTED).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from shared.ports.stores import Delete, Put, Row, Value
from shared.state.table_keys import encode_key

MOST_CHANGES = 100
"""Operations in one transaction."""
MOST_COLUMNS = 252
"""Columns of one row, its keys and the store's time stamp not counted."""
MOST_ROW_BYTES = 1024 * 1024
"""One row with everything in it, strings as UTF-16."""
MOST_VALUE_BYTES = 64 * 1024
"""One value; a string holds half as many UTF-16 characters."""
MOST_BATCH_BYTES = 4 * 1024 * 1024
"""One transaction as it goes over the wire."""

_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
# Narrower than the service's own rule (any C# identifier), so that no name needs escaping anywhere.
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_RESERVED = frozenset({"PartitionKey", "RowKey", "Timestamp"})
_EARLIEST, _LATEST = datetime(1601, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# Multipart framing, verb, address and headers of one operation: measured at 560 to 640 bytes beside its keys
# and body, which are counted apart. A key stands in the address (three bytes a character at worst) and the body.
_OPERATION_BYTES = 1024


def check_table(table: str) -> None:
    """Raises ``ValueError`` unless the name is 3 to 63 ASCII letters and digits, a letter first."""
    if not _TABLE.fullmatch(table) or table.lower() == "tables":
        raise ValueError(f"not a table name: {table!r}")


def check_row(row: Row) -> dict[str, Value]:
    """The row's values as the store will give them back: plain types, datetimes in UTC.

    Raises ``ValueError`` naming row and column for a key over 1 KiB, over 252 columns, a column name that is not
    an ASCII identifier or is the store's own, a value no column can hold, or a row over 1 MiB.
    """
    keys = len(encode_key(row.partition)) + len(encode_key(row.key))
    if len(row.values) > MOST_COLUMNS:
        raise ValueError(f"row {_name(row)}: {len(row.values)} columns, {MOST_COLUMNS} allowed")
    values = {column: _checked(row, column, value) for column, value in row.values.items()}
    size = 4 + 2 * keys + sum(8 + 2 * len(column) + _stored_bytes(value) for column, value in values.items())
    if size > MOST_ROW_BYTES:
        raise ValueError(f"row {_name(row)}: {size} bytes, {MOST_ROW_BYTES} allowed")
    return values


def check_changes(partition: str, changes: Sequence[Put | Delete]) -> list[dict[str, Value]]:
    """The checked values of each change (none for a ``Delete``), in order.

    Raises ``ValueError`` for more than 100 changes, a row named twice, a row of another partition, contradicting
    conditions, anything ``check_row`` refuses, or more than 4 MiB on the wire.
    """
    if len(changes) > MOST_CHANGES:
        raise ValueError(f"{len(changes)} changes in one transaction, {MOST_CHANGES} allowed")
    encode_key(partition)
    seen: set[str] = set()
    checked: list[dict[str, Value]] = []
    size = 0
    for change in changes:
        row = change.row if isinstance(change, Put) else Row(partition, change.key)
        if row.key in seen:
            raise ValueError(f"row {_name(row)} twice in one transaction")
        seen.add(row.key)
        if isinstance(change, Put):
            _check_put(partition, change)
        checked.append(check_row(row))
        size += wire_bytes(partition, row.key, checked[-1])
    if size > MOST_BATCH_BYTES:
        raise ValueError(f"transaction of {len(changes)} changes: {size} bytes, {MOST_BATCH_BYTES} allowed")
    return checked


def wire_bytes(partition: str, key: str, values: Mapping[str, Value]) -> int:
    """About how long one operation of a transaction is on the wire, never less than it will be."""
    keys = len(encode_key(partition)) + len(encode_key(key))
    # The type of a column travels beside it: its name again, "@odata.type" and "Edm.DateTime".
    columns = sum(2 * len(column) + 48 + _json_bytes(value) for column, value in values.items())
    return _OPERATION_BYTES + 4 * keys + columns


def _name(row: Row) -> str:
    return f"{row.partition[:40]!r}/{row.key[:60]!r}"


def _check_put(partition: str, put: Put) -> None:
    if put.row.partition != partition:
        raise ValueError(
            f"row {_name(put.row)} is of another partition than the transaction: {partition[:40]!r}"
        )
    if put.insert_only and put.if_match is not None:
        raise ValueError(f"row {_name(put.row)}: insert_only and if_match contradict each other")


def _checked(row: Row, column: str, value: object) -> Value:
    where = f"row {_name(row)}, column {column[:80]!r}"
    if column in _RESERVED or not _COLUMN.fullmatch(column):
        raise ValueError(f"{where}: not a column name")
    plain = _plain(where, value)
    if isinstance(plain, str | bytes):
        size = _utf16_bytes(plain) if isinstance(plain, str) else len(plain)
        if size > MOST_VALUE_BYTES:
            raise ValueError(f"{where}: {size} bytes, {MOST_VALUE_BYTES} allowed")
    return plain


def _plain(where: str, value: object) -> Value:
    """The value as its exact built-in type: an enum's member would come back as something else."""
    match value:
        case bool() | bytes():
            return value
        case str():
            return _text(where, str.__str__(value))
        case int():
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"{where}: an integer of more than 64 bits")
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{where}: not a finite number")
            return float(value)
        case datetime():
            return _instant(where, value)
    raise ValueError(f"{where}: a {type(value).__name__} cannot be stored")


def _text(where: str, text: str) -> str:
    """Lone surrogates would come back as another character (they have no UTF-8 form): refused, not changed."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{where}: text with half a character (a lone surrogate)")
    return text


def _instant(where: str, moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{where}: a datetime without a time zone")
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError(f"{where}: a datetime outside the years 1601 to 9999")
    utc = moment.astimezone(UTC)
    return datetime.combine(utc.date(), utc.time(), UTC)


def _utf16_bytes(text: str) -> int:
    return 2 * len(text) if text.isascii() else len(text.encode("utf-16-le"))


def _stored_bytes(value: Value) -> int:
    match value:
        case bool():
            return 1
        case str():
            return 4 + _utf16_bytes(value)
        case bytes():
            return 4 + len(value)
    return 8


def _json_bytes(value: Value) -> int:
    match value:
        case str():
            return len(
                json.dumps(value)
            )  # as the SDK sends it: six bytes for each half of a non-ASCII character
        case bytes():
            return 4 + (len(value) * 4) // 3 + 2
    return 32
