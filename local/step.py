"""Runs one step of a command quietly: a line with its time when it succeeds, its whole output when it does not.

``python -m local.step NAME COMMAND...``; the exit code is the command's.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence


def run(name: str, command: Sequence[str]) -> int:
    """Run the command and tell how it went; returns its exit code, 127 when there is no such program."""
    print(f"{name:<18}", end="", flush=True)
    began = time.monotonic()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except OSError as error:
        print(f" FAILED\n\n{command[0]}: {error.strerror}")
        return 127
    seconds = time.monotonic() - began
    if done.returncode == 0:
        print(f" ok  {seconds:5.1f} s")
        return 0
    print(f" FAILED after {seconds:.1f} s\n\n{done.stdout.decode(errors='replace').rstrip()}")
    return done.returncode if done.returncode > 0 else 128 - done.returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
