from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.table_store import open_tables
from shared.domain.errors import PermanentError
from shared.ports.stores import Delete, Put, Row, Value
from shared.state.limits import check_changes, check_row, wire_bytes
from tests.loopback import Loopback, plain

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)

VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.binary(max_size=40),
    st.datetimes(datetime(1601, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds the zone
)
COLUMNS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: name not in ("PartitionKey", "RowKey", "Timestamp")
)


@given(st.dictionaries(COLUMNS, VALUES, max_size=8))
def test_checked_values_are_equal_and_plain(values: dict[str, Value]) -> None:
    checked = check_row(Row("site", "head", values))
    assert checked == values
    assert {type(value) for value in checked.values()} <= {str, int, float, bool, bytes, datetime}


async def test_the_estimate_is_never_less_than_what_is_sent() -> None:
    rich: dict[str, Value] = {
        "a_rather_long_name_of_a_column": 'quotes " and \\ and \n and \x00',
        "accents": "é" * 200,
        "homes": "🏡" * 50,
        "n": -(2**63),
        "f": -1.7976931348623157e308,
        "yes": False,
        "at": NOON,
        "raw": b"x" * 100,
        "e": "",
        "n1": b"",
    }
    partition = "a site/with [odd] keys? {}<>^`|" * 4
    put = Row(partition, "~" * 60, rich)
    etag = "W/\"datetime'2026-11-22T08%3A50%3A28.1755178Z'\""
    batches: list[list[Put | Delete]] = [
        [Put(put)],
        [Put(put, insert_only=True), Delete("k" * 500, if_match=etag), Delete("")],
        [Put(Row(partition, f"{number}", {}), if_match=etag) for number in range(100)],
    ]
    host = "an-account-of-24-letters"
    async with Loopback(plain(400, b"{}", x_ms_request_id="1")) as server:
        string = (
            f"AccountName={host};AccountKey=aGVsbG8=;TableEndpoint=http://127.0.0.1:{server.port}/{host};"
        )
        tables = open_tables(connection_string=string, monotonic=time.monotonic, wall=lambda: NOON)
        for changes in batches:
            with pytest.raises(PermanentError):
                await tables.submit("A" * 63, partition, changes)
            checked = check_changes(partition, changes)
            estimated = sum(
                wire_bytes(partition, change.row.key if isinstance(change, Put) else change.key, values)
                for change, values in zip(changes, checked, strict=True)
            )
            assert 0.3 * estimated < len(server.seen[-1].body) <= estimated
        await tables.close()
