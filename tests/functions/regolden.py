"""Writes the golden file anew, after a function came, went or changed: ``python -m tests.functions.regolden``. What it
changes is to be read before it is committed."""

from __future__ import annotations

import json

from local.host.indexing import describe, index, load_app
from tests.functions.conftest import GOLDEN


def main() -> None:
    """Write what Azure would index now."""
    text = json.dumps(describe(index(load_app())), indent=2)
    GOLDEN.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
