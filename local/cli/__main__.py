"""``python -m local.cli``."""

import sys

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="replace"
            )  # a terminal without accents gets question marks, not a stack
    try:
        from local.cli.app import app
    except ModuleNotFoundError as missing:
        print(
            f"{missing.name} manque / is missing: make setup, puis / then .venv/bin/python -m local.cli",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:  # while everything is still being loaded
        sys.exit(130)
    app(prog_name="sync-engine")
