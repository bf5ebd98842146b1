"""What must not stand in the repository: a machine's paths, a package index's host, a key, a real calendar link."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MADE = {".git", ".venv", "node_modules", ".local", "__pycache__"}

PATTERNS = {
    "a path of one machine": r"(?<![\w.~-])/(?:work|root|opt|tmp|home/\w+|Users/\w+)/[\w.]",
    "the host of a package index": r"(?i)pypi\.(?:org|python)|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org",
    "a key or a token": (
        r"gh[pousr]_[A-Za-z0-9]{20}|github_pat_\w{20}|(?:AKIA|ASIA)[0-9A-Z]{16}|[sr]k_live_[A-Za-z0-9]{16}"
        r"|-----BEGIN (?:\w+ )?PRIVATE KEY|eyJ[\w-]{16,}\.eyJ[\w-]{16,}|xox[abpr]-\d{6}|npm_[A-Za-z0-9]{30}"
        r"|(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40}"
    ),
    "a calendar link of a real host": (
        r"airbnb\.[a-z.]{2,6}/calendar/ical/\d{5,}\.ics\?[st]=[0-9a-f]{32}"
        r"|booking\.com/[^\s\"']*[?/]t[=/][0-9a-f]{8}-[0-9a-f]{4}-"
        r"|greengo\.voyage/calendar/greengo-icalendar/[0-9a-f]{8}-[0-9a-f]{4}-"
        r"|(?:abritel\.fr|vrbo\.com|homelidays\.com)/icalendar/[0-9a-f]{32}"
        r"|itea\.fr/iCal_[0-9a-f]{32}"
    ),
}


def tracked() -> Iterator[Path]:
    """The files git knows, or in a copy without git every file that was not made here. Not this one."""
    git = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if git.returncode == 0:
        paths = [ROOT / name for name in git.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not MADE & set(path.relative_to(ROOT).parts)]
    return (path for path in paths if path.is_file() and path != Path(__file__).resolve())


@pytest.mark.parametrize("what", PATTERNS)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(PATTERNS[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if pattern.search(line)
    ]
    assert not found, f"{what} stands in {', '.join(found[:10])}"


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of one machine", 'open("/home/claire/data.txt")'),
        ("the host of a package index", "--index-url https://pypi.org/simple"),
        ("a key or a token", "token = ghp_" + "a1B2" * 9),
        ("a calendar link of a real host", "https://www.airbnb.fr/calendar/ical/123456.ics?s=" + "0a" * 16),
    ],
)
def test_each_pattern_finds_what_it_is_for(what: str, line: str) -> None:
    assert re.search(PATTERNS[what], line)
