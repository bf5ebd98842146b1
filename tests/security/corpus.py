"""Published hostile inputs, read where they lie: they have no licence to be copied into the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3] / "shared" / "corpus" / "security"


def load(name: str) -> Any:
    """The JSON value of a file, or the list of a file of JSON lines; skips the test where there is none."""
    file = ROOT / name
    if not file.exists():
        pytest.skip(f"no ../shared: {name} is not on this machine")
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line]
    return json.loads(text)
