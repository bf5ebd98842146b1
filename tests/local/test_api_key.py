"""What opens the API on this machine: made from the hosts' settings, for this user's eyes alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from local.api_key import FILE, bearer, write_header
from local.run_settings import base_values
from shared.memory.tables import MemoryTables
from shared.state.notes import NoteStore
from shared.web.local_keys import LocalKeys

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def keys(values: dict[str, str]) -> LocalKeys:
    return LocalKeys(values["SIGN_IN_KEY"], NoteStore(MemoryTables(lambda: NOON)))


def test_the_hosts_of_a_run_take_its_token_and_no_other_runs() -> None:
    values, other = base_values(own=False), base_values(own=False)
    header = bearer(values)["authorization"]
    assert keys(values).is_token(header)
    assert not keys(other).is_token(header)


def test_where_the_platform_signs_people_in_there_is_no_token() -> None:
    assert bearer({**base_values(own=False), "SIGN_IN": "azure"}) == {}
    assert bearer({"SIGN_IN": "local"}) == {}


def test_the_file_is_what_curl_reads_and_for_this_user_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("left by an older run")
    (tmp_path / FILE).chmod(0o644)
    values = base_values(own=False)
    write_header(tmp_path, values)
    assert (tmp_path / FILE).read_text() == f"authorization: {bearer(values)['authorization']}\n"
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
