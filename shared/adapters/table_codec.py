"""Rows as the table SDK takes and gives them. Pure; imports no SDK."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from shared.ports.stores import Row, Value
from shared.state.table_keys import decode, encode_key

Entity = dict[str, object]

FOREIGN = "\x00"
"""What a key begins with that this program did not write: the row is shown, and known to nobody's decoder."""


def key_of(partition: str, key: str) -> Entity:
    """The two keys as stored. Raises ``ValueError`` for one over 1 KiB."""
    return {"PartitionKey": encode_key(partition), "RowKey": encode_key(key)}


def to_entity(partition: str, key: str, values: Mapping[str, Value]) -> Entity:
    """A row as sent. Integers are marked as 64-bit: the SDK would refuse those above 2**31 otherwise."""
    entity = key_of(partition, key)
    for column, value in values.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        entity[column] = (value, "Edm.Int64") if whole else value
    return entity


def from_entity(partition: str, entity: Mapping[str, object], etag: str | None) -> Row:
    """A row as read, in plain types.

    A row made by another program is not hidden: a key nobody could have encoded comes back behind ``FOREIGN``,
    a value of a type we never write comes back as its text. Whoever decodes rows then calls it unreadable, which
    stops this site from opening nights; hiding it would let the rest pass for the whole.
    """
    values = {
        column: _plain(value) for column, value in entity.items() if column not in ("PartitionKey", "RowKey")
    }
    return Row(partition, _key(str(entity["RowKey"])), values, etag)


def partition_of(entity: Mapping[str, object]) -> str:
    """The partition of a row that nobody asked for by name; a foreign one as ``from_entity`` gives keys."""
    return _key(str(entity["PartitionKey"]))


def _key(stored: str) -> str:
    try:
        return decode(stored)
    except ValueError:
        return FOREIGN + stored


def _plain(value: object) -> Value:
    if isinstance(value, tuple):  # the SDK's (value, type) pair of a 64-bit integer
        value = value[0]
    if isinstance(value, datetime):  # the SDK's own subclass: drop what it carries along
        utc = value.astimezone(UTC)
        return datetime.combine(utc.date(), utc.time(), UTC)
    return value if isinstance(value, str | int | float | bytes) else str(value)
