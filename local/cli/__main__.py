"""``python -m local.cli``."""

import sys

from local.cli.app import app

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="replace"
            )  # a terminal without accents gets question marks, not a stack
    app(prog_name="sync-engine")
