"""The file of a copy: types kept, readable by its owner alone, and used whole or not at all."""

from __future__ import annotations

import gzip
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.tables import copyfile
from local.tables.backup import TABLES
from shared.ports.stores import Row
from shared.state import names

TAKEN = datetime(2027, 3, 1, tzinfo=UTC)
ROWS = [
    ("Sites", Row("gîte", "a|head", {"version": 2**40, "name": "Jeanne 🏠", "whole": True, "part": 0.5})),
    ("Sites", Row("gîte", "d|airbnb|x/y", {"at": TAKEN, "raw": b"\x00\xff", "none": "", "zero": 0})),
    ("Runs", Row("2027-03-01", "1", {})),
]


class Lost(datetime):
    """A value that cannot be written."""

    def astimezone(self, tz: object = None) -> Lost:
        raise ValueError("no such column")


def written(path: Path) -> Path:
    with copyfile.writing(path, TAKEN) as copy:
        for table, row in ROWS:
            copy.put(table, row)
    return path


def test_every_type_comes_back_as_it_was(tmp_path: Path) -> None:
    found = list(copyfile.read(written(tmp_path / "copy")))
    assert found == ROWS
    types = [[type(value) for value in row.values.values()] for _, row in found]
    assert types == [[int, str, bool, float], [datetime, bytes, str, int], []]
    assert copyfile.check(tmp_path / "copy") == (copyfile.Head(TAKEN, names.READER), 3)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    assert stat.S_IMODE(written(tmp_path / "copy").stat().st_mode) == 0o600


def test_an_older_copy_is_not_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "copy")
    with pytest.raises(FileExistsError):
        written(path)
    assert [one.name for one in tmp_path.iterdir()] == ["copy"]


def test_a_copy_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column"), copyfile.writing(tmp_path / "copy", TAKEN) as copy:
        copy.put("Sites", Row("gîte", "a|head", {"odd": Lost(2027, 1, 1)}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 9, 40, 80])
def test_a_file_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "copy")
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(copyfile.CopyRefused):
        copyfile.check(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"Jeanne", b"Jeanna"),
        lambda text: b"\n".join(text.split(b"\n")[:-2]) + b"\n",
        lambda text: text + text,
        lambda text: text.replace(b"sync-engine-tables", b"something-else-yes"),
        lambda text: text.replace(b'"version":1', b'"version":2'),
        lambda text: b"",
        lambda text: b"{}\n" + text,
        lambda text: text.replace(b'"Edm.Binary"', b'"Edm.Binair"'),
        lambda text: text.replace(b'["Runs"', b'["Runs",1'),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_refused(tmp_path: Path, change: object) -> None:
    path = written(tmp_path / "copy")
    assert callable(change)
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))
    with pytest.raises(copyfile.CopyRefused):
        copyfile.check(path)


def test_a_file_that_is_no_copy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"\x89PNG")
    with pytest.raises(copyfile.CopyRefused):
        copyfile.check(tmp_path / "photo")
    with pytest.raises(copyfile.CopyRefused):
        copyfile.check(tmp_path / "nowhere")


def test_every_table_is_copied() -> None:
    known = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    assert set(TABLES) == {name for name in known if not name.startswith("~")}
